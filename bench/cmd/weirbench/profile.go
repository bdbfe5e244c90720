package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// profileTime is how long a profile is taken, at the least.
const profileTime = 8 * time.Second

// profileAll takes profiles of the gateway in each of the cells, for each way
// that Weir answers in it, and prints where the time goes.
func (b *bench) profileAll(ctx context.Context, cells []cell) error {
	dir := filepath.Join(filepath.Dir(b.options.out), "profiles")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	for i := range cells {
		c := &cells[i]
		for _, t := range c.targets {
			if t == direct || t == baseline {
				continue
			}
			if err := b.profile(ctx, c, t, filepath.Join(dir, c.name+"-"+string(t))); err != nil {
				return fmt.Errorf("%s, %s: %w", c.name, t, err)
			}
		}
	}
	return nil
}

func (b *bench) profile(ctx context.Context, c *cell, t target, file string) error {
	progress("profile of %s, %s", c.name, t)
	cpu, allocs := file+".cpu.pprof", file+".allocs.pprof"
	binary := filepath.Join(b.options.bin, "profweir")
	p, err := b.start(ctx, b.targetCore, quiet, binary,
		"-config", b.configFile(), "-listen", b.weirAddr, "-cpu", cpu, "-allocs", allocs)
	if err != nil {
		return err
	}
	defer p.kill()
	if err := errors.Join(awaitListener(ctx, p, b.weirAddr), b.control(ctx, c.upstream)); err != nil {
		return err
	}
	b.running[t] = p
	defer delete(b.running, t)
	l, err := b.load(ctx, c, t, "-duration", max(profileTime, b.options.duration).String(), "-warmup", "0s")
	if err != nil {
		return err
	}
	if why := l.trouble(); why != "" {
		return errors.New(why)
	}
	p.end(syscall.SIGTERM, 10*time.Second)
	fmt.Printf("\n## %s, %s: %s CPU µs each (with the profiler on)\n", c.name, t, micro(l.cost(c)))
	return errors.Join(
		top(ctx, "CPU, by function", binary, cpu, "-nodecount=25"),
		top(ctx, "CPU, with what it calls", binary, cpu, "-cum", "-nodecount=45"),
		top(ctx, "allocations by count", binary, allocs, "-sample_index=alloc_objects", "-nodecount=25"),
	)
}

// top prints the beginning of a profile.
func top(ctx context.Context, title, binary, profile string, flags ...string) error {
	argv := append([]string{"tool", "pprof", "-top"}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(argv, binary, profile)...) //nolint:gosec // the arguments are ours
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	fmt.Printf("\n### %s\n\n```\n%s```\n", title, out)
	return err
}
