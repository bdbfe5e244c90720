package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-gateway/weir/codec/all"
	"github.com/weir-gateway/weir/config"
	"github.com/weir-gateway/weir/gateway"
	"github.com/weir-gateway/weir/server"
	"github.com/weir-gateway/weir/sim"
)

func newServe() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Start the gateway",
		Long: `Start the gateway. No file and no key is needed: without a provider's key in the
environment or in .env it answers with the simulated provider, and says so.

What is said in several places counts in this order: flag, environment, .env,
configuration file, default. "weir check" shows what is in force, and why.`,
		Example: "  weir serve\n  DEEPSEEK_API_KEY=… weir serve\n  weir serve --listen 0.0.0.0:8080 --config /etc/weir.yaml",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return serve(c) },
	}
	c.Flags().StringP("listen", "l", "", "address to listen on (default 127.0.0.1:8080; WEIR_LISTEN)")
	return c
}

func serve(c *cobra.Command) error {
	w, err := newWorld(c)
	if err != nil {
		return err
	}
	cfg, err := w.config()
	if err != nil {
		return err
	}
	listen, err := w.listen(c, cfg)
	if err != nil {
		return err
	}
	logger := newLogger(c, cfg.Log)
	g, err := gateway.New(gateway.Options{
		Config: cfg, Catalog: w.catalog, Lookup: w.lookup, Logger: logger, Simulated: sim.New(sim.Options{}),
	})
	if err != nil {
		return usageError{err}
	}
	defer g.Close()
	relaxGC()
	l, err := new(net.ListenConfig).Listen(c.Context(), "tcp", listen)
	if err != nil {
		return listenError(listen, err)
	}
	s := server.New(server.Options{Gateway: g, Codecs: all.List(), Logger: logger, Version: versionString()})
	fmt.Fprint(c.OutOrStdout(), banner(l.Addr().String(), w, g.Current()))
	if w.file != "" {
		stop := w.watch(c.Context(), g, logger)
		defer stop()
	}
	force, cancel := forced(c.Context(), logger)
	defer cancel()
	return s.Run(c.Context(), force, l, cfg.Drain.Delay, cfg.Drain.Timeout, int(cfg.Limits.Header))
}

// listen is the address in force. A flag or a variable must not open what the
// file would not have been allowed to.
func (w *world) listen(c *cobra.Command, cfg *config.Config) (string, error) {
	listen := cfg.Listen
	if v, ok := w.lookup("WEIR_LISTEN"); ok && v != "" {
		listen = v
	}
	if f := c.Flag("listen"); f.Changed {
		listen = f.Value.String()
	}
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return "", usageError{fmt.Errorf("listen: %q is no address; write for example 127.0.0.1:8080", listen)}
	}
	if !config.IsLoopback(host) && len(cfg.Keys) == 0 {
		return "", usageError{fmt.Errorf("%s can be reached from other machines, so keys are required and there are none.\nMake one and put its hash into weir.yaml:\n\n  weir keys new NAME", listen)}
	}
	return listen, nil
}

func listenError(listen string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use by another program; choose another address with --listen 127.0.0.1:0", listen)
	}
	return err
}

// forced is done when a second signal comes after the first one has ended ctx.
func forced(ctx context.Context, logger *slog.Logger) (context.Context, context.CancelFunc) {
	force, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-ctx.Done():
		case <-force.Done():
			return
		}
		logger.Info("going away: requests in flight may finish, a second signal ends them")
		again := make(chan os.Signal, 1)
		signal.Notify(again, os.Interrupt, syscall.SIGTERM)
		defer signal.Stop(again)
		select {
		case <-again:
			cancel()
		case <-force.Done():
		}
	}()
	return force, cancel
}

// reloadDelay is how long the file must be quiet: editors and Kubernetes change
// it in several steps.
const reloadDelay = 200 * time.Millisecond
