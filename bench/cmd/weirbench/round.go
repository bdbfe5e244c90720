package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A result is everything measured for a cell: for each target one run a round.
type result struct {
	cell    cell
	runs    map[target][]*loaded
	trouble map[target]string // why a target has no figures that count
}

// preflight makes sure that every target answers every kind of request before
// minutes are spent on measuring, and says what the targets logged if not.
func (b *bench) preflight(ctx context.Context, cells []cell) error {
	log := filepath.Join(b.dir, "preflight.log")
	if err := b.startTargets(ctx, log); err != nil {
		return errors.Join(err, tail(log))
	}
	defer b.stopTargets()
	var bad []error
	seen := map[string]bool{}
	for i := range cells {
		c := &cells[i]
		for _, t := range c.targets {
			key := fmt.Sprint(c.api, c.perChunk, t)
			if seen[key] {
				continue
			}
			seen[key] = true
			if err := b.try(ctx, c, t); err != nil {
				bad = append(bad, fmt.Errorf("%s, %s: %w", c.name, t, err))
			}
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return errors.Join(append(bad, tail(log))...)
}

func (b *bench) try(ctx context.Context, c *cell, t target) error {
	if err := b.control(ctx, still); err != nil {
		return err
	}
	l, err := b.load(ctx, c, t, "-rate", "0", "-conns", "1", "-ramp", "0", "-requests", "2", "-timeout", "5s")
	if err != nil {
		return err
	}
	if why := l.trouble(); why != "" {
		return errors.New(why)
	}
	return nil
}

// tail is the end of a log as an error.
func tail(log string) error {
	data, _ := os.ReadFile(log) // there may be none yet
	if len(data) == 0 {
		return nil
	}
	return fmt.Errorf("what the targets logged, at the end:\n%s", data[max(0, len(data)-2000):])
}

// measure runs all rounds. Each begins with fresh processes; every other one
// goes backwards, so that no target always comes after the same neighbour.
func (b *bench) measure(ctx context.Context, cells []cell) ([]*result, error) {
	var results []*result
	for _, c := range cells {
		results = append(results, &result{cell: c, runs: map[target][]*loaded{}, trouble: map[target]string{}})
	}
	for round := range b.options.rounds {
		if err := b.round(ctx, results, round); err != nil {
			return nil, err
		}
	}
	return results, nil
}

func (b *bench) round(ctx context.Context, results []*result, round int) error {
	if err := b.startTargets(ctx, quiet); err != nil {
		return err
	}
	defer b.stopTargets()
	backwards := round%2 == 1
	results = slices.Clone(results)
	if backwards {
		slices.Reverse(results)
	}
	for _, r := range results {
		progress("round %d of %d: %s", round+1, b.options.rounds, r.cell.name)
		if err := b.control(ctx, r.cell.upstream); err != nil {
			return err
		}
		targets := slices.Clone(r.cell.targets)
		if backwards {
			slices.Reverse(targets)
		}
		for _, t := range targets {
			if err := b.once(ctx, r, t); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bench) once(ctx context.Context, r *result, t target) error {
	duration := max(b.options.duration, r.cell.least)
	l, err := b.load(ctx, &r.cell, t, "-duration", duration.String(), "-warmup", b.options.warmup.String())
	if err != nil {
		return err
	}
	if why := l.trouble(); why != "" {
		r.trouble[t] = why
		progress("  %s: %s", t, why)
	}
	r.runs[t] = append(r.runs[t], l)
	return ctx.Err()
}

// progress tells a person who waits where it is.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), strings.TrimRight(fmt.Sprintf(format, args...), "\n"))
}

// median is the middle value, 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// each is one figure of every run of a target.
func (r *result) each(t target, figure func(*loaded) float64) []float64 {
	var out []float64
	for _, l := range r.runs[t] {
		out = append(out, figure(l))
	}
	return out
}

func (r *result) median(t target, figure func(*loaded) float64) float64 {
	return median(r.each(t, figure))
}

func (r *result) cost(t target) float64 {
	return r.median(t, func(l *loaded) float64 { return l.cost(&r.cell) })
}

// ratios are the cost of t over that of the baseline, round by round.
func (r *result) ratios(t target) []float64 {
	cost := func(l *loaded) float64 { return l.cost(&r.cell) }
	ours, theirs := r.each(t, cost), r.each(baseline, cost)
	var out []float64
	for i := range min(len(ours), len(theirs)) {
		// A run of a second may see no tick of the clock that CPU time is
		// counted with, when something else holds the machine.
		if ours[i] > 0 && theirs[i] > 0 {
			out = append(out, ours[i]/theirs[i])
		}
	}
	return out
}
