package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-gateway/weir/sim"
)

func newSim() *cobra.Command {
	var (
		o      sim.ServerOptions
		listen string
		faults []string
	)
	c := &cobra.Command{
		Use:   "sim",
		Short: "Start a simulated upstream, with timing and faults on command",
		Long: `Start a simulated upstream that speaks every protocol that Weir does, for
trying out what a gateway or a client does when a provider is slow or breaks.

A fault is written as words with ";" between them, for example
"status=503;retry-after=2;times=2" or "cut=after:5". It can be given here, in the
header X-Sim-Fault of a request, or at run time: POST /_sim/faults. GET
/_sim/stats tells what was asked and played.`,
		Example: `  weir sim --tokens-per-second 40 --first-token 300ms
  weir sim --fault 'status=429;retry-after=1;times=3'
  OPENAI_API_KEY=any OPENAI_BASE_URL=http://127.0.0.1:9100/v1 weir serve`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			for _, f := range faults {
				o.Faults = append(o.Faults, sim.Rule{Fault: f})
			}
			if err := o.Validate(); err != nil {
				return usageError{err}
			}
			return simulate(c, listen, sim.NewServer(o))
		},
	}
	f := c.Flags()
	f.StringVarP(&listen, "listen", "l", "127.0.0.1:9100", "address to listen on")
	f.Float64Var(&o.TokensPerSecond, "tokens-per-second", 0, "pace of answers (0 is without pauses)")
	f.DurationVar(&o.FirstToken, "first-token", 0, "time to the first token")
	f.Float64Var(&o.Jitter, "jitter", 0, "share by which pauses vary, 0 to 1")
	f.Uint64Var(&o.Seed, "seed", 0, "seed of jitter and ids")
	f.StringVar(&o.Reply, "reply", "", "text of every answer (default: one that suits the question)")
	f.IntVar(&o.Tokens, "tokens", 0, "length of answers in tokens, at least")
	f.StringVar(&o.ToolCalls, "tool-calls", sim.ToolCallsAuto, "call tools: auto, always or never")
	f.StringSliceVar(&o.Models, "model", nil, "names to list under /v1/models")
	f.StringSliceVar(&o.Keys, "key", nil, "keys to accept (default: everybody)")
	f.StringArrayVar(&faults, "fault", nil, "fault to play on every request; may be given several times")
	return c
}

func simulate(c *cobra.Command, listen string, h http.Handler) error {
	l, err := new(net.ListenConfig).Listen(c.Context(), "tcp", listen)
	if err != nil {
		return listenError(listen, err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 30 * time.Second}
	_, _ = fmt.Fprintf(c.OutOrStdout(), "The simulated upstream listens on http://%s\n\n  OpenAI     base URL http://%s/v1\n  Anthropic  base URL http://%s\n", l.Addr(), l.Addr(), l.Addr())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-c.Context().Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if srv.Shutdown(ctx) != nil {
		_ = srv.Close()
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
