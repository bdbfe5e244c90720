package gateway

import (
	"sync"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/authn"
	"github.com/weir-gateway/weir/codec/openairesponses"
	"github.com/weir-gateway/weir/config"
	"github.com/weir-gateway/weir/price"
	"github.com/weir-gateway/weir/stage/attempt"
	"github.com/weir-gateway/weir/stage/count"
	"github.com/weir-gateway/weir/stage/ledger"
	"github.com/weir-gateway/weir/stage/replay"
	"github.com/weir-gateway/weir/stage/route"
	"github.com/weir-gateway/weir/stage/structured"
	"github.com/weir-gateway/weir/stage/thread"
)

// build makes the snapshot of a configuration. This is the order of the stages:
//
//	telemetry   sees everything, refusals too
//	ledger      one entry for every call, and the policy for clients that leave
//	idempotent  a request that is sent again gets the answer of the first one
//	shared      identical requests in flight share one call
//	degraded    the answer for when nothing else is left
//	shadow      a second model is asked too, for nobody
//	rules       what the request is chooses the model
//	route       a model name becomes deployments, best first
//	continued   an answer that broke off is written on
//	fallback    one deployment after the other, behind the commit gate
//	└ per deployment:
//	  limit     at most so many calls at once, or as many as it takes
//	  count     estimates tokens where the upstream cannot count
//	  thread    a conversation that is kept here is sent whole
//	  replay    reasoning that the client could not carry is put back
//	  structured  the form of the answer, where the upstream knows none
//	  retry     again, behind the same gate and within the same allowance
//	  health    watches each attempt, and refuses while the deployment is down
//	  timeout   first token, idle, total
//	  provider  the call itself
func (g *Gateway) build(cfg *config.Config) (*Snapshot, error) {
	b := &builder{gateway: g, cfg: cfg}
	groups := b.peers()
	if err := b.accounts(); err != nil {
		return nil, err
	}
	table, err := b.table()
	if err != nil {
		return nil, err
	}
	keys, err := authnKeys(cfg)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{
		Keys: keys, Bytes: g.state.bytes(int64(cfg.Limits.InFlight)), MaxBody: int64(cfg.Limits.Body),
		KeepAlive: cfg.KeepAlive, Strict: cfg.Strict, Config: cfg,
		Providers: b.on(), Off: b.off(), Simulated: b.simulated, table: table, describe: b.describe,
		restful: b.restful(), Threads: g.state.threads(cfg), Background: g.state.background(cfg),
	}
	b.holds = []any{s.Threads, s.Background, g.state.reasoning(cfg)}
	s.groups, s.storing = groups, b.storing
	s.observer = sync.OnceValues(b.observer)
	resolve := &resolver{table, b}
	if s.Rules, err = b.rules(resolve); err != nil {
		return nil, err
	}
	degraded, err := b.degraded()
	if err != nil {
		return nil, err
	}
	paid := ledger.New(ledger.Options{Sink: g.sink(cfg), Drain: cfg.Disconnect.Drain, Price: b.price})
	shadowed, err := b.shadows(s, weir.Chain(b.attempts(), paid, route.New(resolve)))
	if err != nil {
		return nil, err
	}
	s.Chain = weir.Chain(b.attempts(),
		g.metrics.Middleware(), paid, g.idempotent(cfg), g.shared(cfg), degraded, shadowed,
		s.Rules.Middleware(), route.New(resolve), b.continued())
	return s, nil
}

func (b *builder) deployment(name, provider, model string, timeouts config.Timeouts, maxConns int, d demands, call weir.Handler) weir.Deployment {
	r := b.cfg.Retry
	return weir.Deployment{Name: name, Provider: provider, Model: model, Handler: weir.Chain(call,
		b.gateway.state.concurrency(provider, maxConns),
		adaptive(name, b.cfg.Providers[provider].Adaptive),
		count.New(),
		b.thread(name, provider, d),
		b.replay(name, provider, d),
		structured.New(structured.Options{
			Deployment: name, Provider: provider, Model: model,
			Support: d.support, Choice: d.choice, HasFormat: hasFormat,
		}),
		attempt.Retry(attempt.RetryOptions{
			Deployment: name, Provider: provider, Model: model,
			PerDeployment: r.PerDeployment, MaxWait: r.Max, Policies: policies(r.Classes), Budget: attempt.NewBudget(attempt.RetryBudget()),
		}),
		b.health(name),
		attempt.Timeout(attempt.TimeoutOptions{FirstToken: timeouts.FirstToken, Idle: timeouts.Idle, Total: timeouts.Total}),
	)}
}

// thread is the stage that continues responses by their ids; nil when nothing is
// to be kept and the client's own protocol is spoken.
func (b *builder) thread(name, provider string, d demands) weir.Middleware {
	return thread.New(thread.Options{
		Keeper: b.gateway.state.threads(b.cfg), Deployment: name, Provider: provider,
		Native: d.native, NativeStore: d.nativeStore, Keep: b.cfg.State.Responses.Keep,
		Tools: openairesponses.DeclaredTools,
	})
}

// replay is the stage that keeps reasoning for clients which cannot carry it.
func (b *builder) replay(name, provider string, d demands) weir.Middleware {
	o := replay.Options{
		Provider: provider, Deployment: name, Needs: d.needs,
		HasTools: d.hasTools, HasHistory: d.hasHistory,
	}
	if m := b.gateway.state.reasoning(b.cfg); m != nil {
		o.Store = m
	}
	return replay.New(o)
}

// price is what usage at a deployment costs; false when that is not known.
func (b *builder) price(provider, model string, u *weir.Usage, at time.Time) (price.Money, bool) {
	a := b.byName[provider]
	if a == nil {
		return price.Money{}, false
	}
	return price.Cost(u, a.provider.Model(model), at)
}

func (g *Gateway) sink(cfg *config.Config) ledger.Sink {
	var sinks []ledger.Sink
	if cfg.Log.Access {
		sinks = append(sinks, ledger.LogSink(g.options.Logger))
	}
	if g.options.Sink != nil {
		sinks = append(sinks, g.options.Sink)
	}
	return ledger.Tee(sinks...)
}

// authnKeys is nil when no keys are configured: then nobody needs one.
func authnKeys(cfg *config.Config) (*authn.Keys, error) {
	if len(cfg.Keys) == 0 {
		return nil, nil
	}
	keys := make([]authn.Key, len(cfg.Keys))
	for i, k := range cfg.Keys {
		keys[i] = authn.Key{Name: k.Name, Hash: k.Hash, Models: k.Models, Admin: k.Admin}
	}
	return authn.NewKeys(keys)
}
