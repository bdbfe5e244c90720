package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/config"
	"github.com/weir-gateway/weir/stage/ledger"
	"github.com/weir-gateway/weir/stage/telemetry"
)

// Options are what a Gateway is built with. Config is required, everything
// else has a default.
type Options struct {
	Config *config.Config
	// Catalog nil is the embedded one.
	Catalog *catalog.Catalog
	// Lookup finds environment variables; nil finds none.
	Lookup config.Lookup
	// Logger nil logs nothing.
	Logger *slog.Logger
	// Simulated answers when no provider is on, and is always there as "sim".
	// Nil: without a provider every call fails.
	Simulated weir.Handler
	// Transport replaces the HTTP transport of all providers, for tests.
	Transport http.RoundTripper
	// Sink gets the ledger's entries beside the access log; may be nil.
	Sink ledger.Sink
}

// A Gateway is a chain that can be replaced while it is in use. Safe for
// concurrent use.
type Gateway struct {
	options Options
	state   *state
	metrics *telemetry.Metrics
	current atomic.Pointer[Snapshot]
	reload  sync.Mutex // held while a new snapshot is built
	version int        // guarded by reload
}

// New builds a Gateway.
func New(o Options) (*Gateway, error) {
	if o.Catalog == nil {
		o.Catalog = catalog.Default()
	}
	if o.Lookup == nil {
		o.Lookup = func(string) (string, bool) { return "", false }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	g := &Gateway{options: o, state: newState(), metrics: telemetry.New(telemetry.Options{Process: true})}
	if err := g.Reload(o.Config); err != nil {
		return nil, err
	}
	return g, nil
}

// Current is the snapshot that new requests are to use.
func (g *Gateway) Current() *Snapshot { return g.current.Load() }

// Metrics serves the metrics in Prometheus' format.
func (g *Gateway) Metrics() http.Handler { return g.metrics.Handler() }

// Reload builds the chain of cfg and puts it in place of the current one.
// Requests in flight are not disturbed. With an error nothing has changed.
func (g *Gateway) Reload(cfg *config.Config) error {
	g.reload.Lock()
	defer g.reload.Unlock()
	s, err := g.build(cfg)
	if err != nil {
		return err
	}
	g.version++
	s.Version = snapshotVersion(g.version, cfg)
	g.state.board.Configure(g.boardOptions(cfg.Breaker))
	g.state.board.Install(s.groups...)
	g.state.board.Retain(s.serves)
	if old := g.current.Swap(s); old != nil {
		old.close()
	}
	return nil
}

// Drain lets responses that run in the background come to their end, until ctx
// is done; what has not ended by then is cut and kept as failed. New ones are
// refused from now on.
func (g *Gateway) Drain(ctx context.Context) { g.state.drain(ctx) }

// Close cuts what runs in the background and gives idle connections back. Calls
// in flight are not disturbed.
func (g *Gateway) Close() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	g.state.drain(ctx)
	g.Current().close()
	g.state.closeIdle()
}
