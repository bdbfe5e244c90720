// Command soak lets the gateway run for a long time between clients of every
// protocol and an upstream that breaks on command, and tells what is left over
// at the end: memory, goroutines, file descriptors; and what the clients saw.
// It fails when something is left over, or when a client saw what no client may
// see. "make soak" builds what it needs and calls it.
//
// Begin here; world.go starts the processes, traffic.go is the clients, report.go
// the result.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// warmup is how long the load runs before the first measurement under load, and
// settle how long nothing is asked before the last one: longer than the gateway
// keeps a connection to an upstream for nobody.
const (
	warmup = 20 * time.Second
	settle = 100 * time.Second
)

func run(ctx context.Context) error {
	binary := flag.String("weir", "bin/weir", "the gateway's binary")
	duration := flag.Duration("for", 30*time.Minute, "how long there is traffic")
	clients := flag.Int("clients", 24, "clients at a time")
	flag.Parse()

	w, err := begin(ctx, *binary)
	if err != nil {
		return err
	}
	defer w.end()
	r := &result{duration: *duration, clients: *clients, seen: map[string]int{}}
	// One request first, so that what is made once is there.
	r.add(newClient(w, 0).ask(ctx, plain))
	if r.before, err = w.measure(ctx); err != nil {
		return err
	}
	if err := load(ctx, w, r); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "no more traffic; %v to settle\n", settle)
	w.http.CloseIdleConnections()
	time.Sleep(settle)
	if r.after, err = w.measure(ctx); err != nil {
		return err
	}
	r.print(os.Stdout)
	return r.judge()
}

// load runs the clients for the time, and measures now and then.
func load(ctx context.Context, w *world, r *result) error {
	busy, cancel := context.WithTimeout(ctx, r.duration)
	defer cancel()
	var wg sync.WaitGroup
	for i := range r.clients {
		wg.Go(func() {
			for c := newClient(w, i+1); busy.Err() == nil; {
				r.add(c.ask(ctx, c.mood()))
				time.Sleep(c.pause())
			}
		})
	}
	defer wg.Wait()
	for at := time.Now(); busy.Err() == nil; {
		select {
		case <-busy.Done():
		case <-time.After(warmup):
		}
		m, err := w.measure(ctx)
		if err != nil {
			return err
		}
		r.measured(m)
		fmt.Fprintf(os.Stderr, "%6s %s\n", time.Since(at).Round(time.Second), m)
	}
	return ctx.Err()
}
