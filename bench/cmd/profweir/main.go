// Command profweir is the gateway as `weir serve` wires it, with a CPU profile
// and an allocation profile around it. The gateway itself has no profiling
// endpoint, since one that is reachable is a way to take a server down.
//
// The CPU profile begins when the gateway is ready, so that starting up is not in
// it. Both are written when the process gets SIGTERM or an interrupt, the second
// one while calls are still in flight, so that it also shows what they hold; where
// the rest of the memory is, stacks for one, is logged beside it.
//
//	profweir -config weir.yaml -listen 127.0.0.1:9300 -cpu cpu.pprof -allocs allocs.pprof
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/codec/all"
	"github.com/weir-gateway/weir/config"
	"github.com/weir-gateway/weir/gateway"
	"github.com/weir-gateway/weir/server"
	"github.com/weir-gateway/weir/sim"
)

func main() {
	var o options
	flag.StringVar(&o.config, "config", "weir.yaml", "configuration file")
	flag.StringVar(&o.listen, "listen", "127.0.0.1:9300", "address to listen on")
	flag.StringVar(&o.cpu, "cpu", "cpu.pprof", "where the CPU profile goes")
	flag.StringVar(&o.allocs, "allocs", "", "where the allocation profile goes; empty for none")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	err := run(ctx, &o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "profweir:", err)
		os.Exit(1)
	}
}

type options struct{ config, listen, cpu, allocs string }

func run(ctx context.Context, o *options) error {
	cfg, err := config.Load(o.config, os.LookupEnv, catalog.Default())
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	g, err := gateway.New(gateway.Options{Config: cfg, Lookup: os.LookupEnv, Logger: logger, Simulated: sim.New(sim.Options{})}) //nolint:contextcheck // there is no request yet
	if err != nil {
		return err
	}
	defer g.Close() //nolint:contextcheck // what is kept is let go of without waiting
	out, err := os.Create(o.cpu)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return err
	}
	s := server.New(server.Options{Gateway: g, Codecs: all.List(), Logger: logger, Version: "profiled"})
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var allocs error
	context.AfterFunc(ctx, func() {
		pprof.StopCPUProfile()
		logMemory(logger)
		allocs = writeAllocs(o.allocs)
		stop()
	})
	err = s.Run(serving, context.WithoutCancel(ctx), l, 0, patience, int(cfg.Limits.Header))
	return errors.Join(err, allocs)
}

// logMemory tells what the heap's profile does not.
func logMemory(logger *slog.Logger) {
	var m runtime.MemStats
	runtime.GC() // the profile is of the latest collection
	runtime.ReadMemStats(&m)
	logger.Info("memory", "heap_inuse", m.HeapInuse, "heap_idle", m.HeapIdle-m.HeapReleased, "stacks", m.StackInuse, "other", m.GCSys+m.OtherSys+m.MSpanSys+m.MCacheSys+m.BuckHashSys, "goroutines", runtime.NumGoroutine())
}

// patience is how long the end waits for requests in flight: what is wanted has
// been measured by then.
const patience = 500 * time.Millisecond

func writeAllocs(file string) error {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return pprof.Lookup("allocs").WriteTo(f, 0)
}
