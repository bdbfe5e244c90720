// Command weirbench measures what the gateway costs beside what a bare reverse
// proxy costs, in the same minutes on the same machine, and writes a Markdown
// table of it. bench/run.sh builds what it needs and calls it; bench/README.md
// says how to read the table.
//
// Begin with plan.go, which says what is measured and how much each may cost;
// round.go measures it, footprint.go measures memory and the start, report.go
// writes the table, profile.go takes profiles instead.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "weirbench:", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	bin      string // folder of upstream, load, baseline and profweir
	weir     string // the gateway's binary
	out      string // the report
	quick    bool
	rounds   int
	duration time.Duration // measured in each run
	warmup   time.Duration // before it
	cells    string        // globs of cell names, separated by commas or spaces; empty is all
	profile  bool
	logged   bool // the gateway writes a line for every request
}

func parse() (*options, error) {
	var o options
	flag.StringVar(&o.bin, "bin", ".cache/bench/bin", "folder that holds upstream, load, baseline and profweir")
	flag.StringVar(&o.weir, "weir", "bin/weir", "the gateway's binary")
	flag.StringVar(&o.out, "out", ".cache/bench/latest.md", "where the report goes; profiles go into profiles/ beside it")
	flag.BoolVar(&o.quick, "quick", false, "the most telling cells only, for about a minute")
	flag.IntVar(&o.rounds, "rounds", 0, "how often everything is measured; 0 is 3, or 2 when quick")
	flag.DurationVar(&o.duration, "duration", 0, "measured time of one run; 0 is 3.5s, or 1s when quick")
	flag.DurationVar(&o.warmup, "warmup", 0, "time before that; 0 is 1s, or 300ms when quick")
	flag.StringVar(&o.cells, "cells", "", "only cells whose name matches one of these globs, and no memory or start")
	flag.BoolVar(&o.profile, "profile", false, "profile the gateway in these cells instead of comparing it")
	flag.BoolVar(&o.logged, "access-log", false, "have the gateway write a line for every request, to /dev/null")
	flag.Parse()
	if flag.NArg() > 0 {
		return nil, fmt.Errorf("%q: there are no arguments", flag.Arg(0))
	}
	o.defaults()
	for _, file := range []*string{&o.bin, &o.weir, &o.out} {
		abs, err := filepath.Abs(*file)
		if err != nil {
			return nil, err
		}
		*file = abs
	}
	return &o, nil
}

func (o *options) defaults() {
	rounds, duration, warmup := 3, 3500*time.Millisecond, time.Second
	if o.quick {
		rounds, duration, warmup = 2, time.Second, 300*time.Millisecond
	}
	if o.rounds <= 0 {
		o.rounds = rounds
	}
	if o.duration <= 0 {
		o.duration = duration
	}
	if o.warmup <= 0 {
		o.warmup = warmup
	}
}

// chosen are the cells that the options ask for.
func (o *options) chosen() ([]cell, error) {
	globs := strings.FieldsFunc(o.cells, func(r rune) bool { return r == ',' || r == ' ' })
	var out []cell
	for _, c := range plan {
		ok := !o.quick || c.quick
		if len(globs) > 0 {
			ok = matchesAny(globs, c.name)
		}
		if ok {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no cell is called %s; there are: %s", o.cells, strings.Join(cellNames(), ", "))
	}
	return out, nil
}

func matchesAny(globs []string, name string) bool {
	for _, g := range globs {
		if ok, err := filepath.Match(g, name); ok && err == nil {
			return true
		}
	}
	return false
}

func run(ctx context.Context) error {
	o, err := parse()
	if err != nil {
		return err
	}
	cells, err := o.chosen()
	if err != nil {
		return err
	}
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer b.close()
	if o.profile {
		return b.profileAll(ctx, cells)
	}
	return b.compare(ctx, cells)
}

// compare measures everything and writes the report.
func (b *bench) compare(ctx context.Context, cells []cell) error {
	if err := b.preflight(ctx, cells); err != nil {
		return err
	}
	results, err := b.measure(ctx, cells)
	if err != nil {
		return err
	}
	var foot *footprint
	if b.options.cells == "" {
		if foot, err = b.footprint(ctx); err != nil {
			return err
		}
	}
	text := b.report(results, foot)
	fmt.Print(text)
	if err := os.MkdirAll(filepath.Dir(b.options.out), 0o750); err != nil {
		return err
	}
	return os.WriteFile(b.options.out, []byte(text), 0o600)
}
