package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/config"
	"github.com/weir-gateway/weir/price"
	"github.com/weir-gateway/weir/stage/attempt"
	"github.com/weir-gateway/weir/stage/breaker"
	"github.com/weir-gateway/weir/stage/limit"
	"github.com/weir-gateway/weir/stage/route"
)

// What follows turns the configuration's words about traffic into the options of
// the stages that steer it.

// boardOptions are when a deployment is left alone, and who is told.
func (g *Gateway) boardOptions(c config.Breaker) breaker.Options {
	o := breaker.Options{
		Window: c.Window, FailureRate: c.FailureRate, MinCalls: c.MinCalls, Open: c.Open, MaxOpen: c.MaxOpen, Probes: c.Probes,
		Eject:    breaker.EjectOptions{Off: c.Eject.Off, Factor: c.Eject.Factor, Floor: c.Eject.Floor},
		OnChange: g.healthChanged,
	}
	return o
}

// healthChanged tells the log that a deployment was left alone, or is back.
func (g *Gateway) healthChanged(c breaker.Change) {
	level := slog.LevelWarn
	if c.To == breaker.Closed {
		level = slog.LevelInfo
	}
	g.options.Logger.Log(context.Background(), level, "the health of a deployment changed",
		"deployment", c.Deployment, "to", c.To.String(), "from", c.From.String(), "reason", c.Reason, "group", c.Group)
}

// health is the stage that watches a deployment; nil when nobody is left alone.
func (b *builder) health(name string) weir.Middleware {
	if b.cfg.Breaker.Off {
		return nil
	}
	return b.gateway.state.board.Health(name).Wrap
}

// adaptive is the limit that follows what a deployment can take; nil when there is
// none. What it has learned does not outlive the configuration.
func adaptive(deployment string, c config.Adaptive) weir.Middleware {
	if c.Max <= 0 {
		return nil
	}
	return limit.NewAdaptive(limit.AdaptiveOptions{
		Name: deployment, Max: c.Max, Min: c.Min, Start: c.Start, Queue: c.Queue, MaxWait: c.MaxWait, Tolerance: c.Tolerance,
	}).Middleware()
}

// strategy orders the deployments of a model by what the configuration says of it,
// and by their health in any case.
func (b *builder) strategy(name string, own, fallbacks []weir.Deployment) route.Strategy {
	m := b.cfg.Models[name]
	method, err := route.ParseMethod(m.Strategy)
	if err != nil {
		method = route.Ordered
	}
	group := b.groups[name]
	return route.NewBalance(route.BalanceOptions{
		Method: method, Zones: b.cfg.Zones, Busy: m.Busy, Key: stickyKey(m.StickyBy), Price: b.estimate,
		Target: func(d *weir.Deployment) route.Target { return b.target(m, group, d) },
	}, own, fallbacks)
}

// target is what an order knows about a deployment.
func (b *builder) target(m config.Model, group *breaker.Group, d *weir.Deployment) route.Target {
	t := route.Target{Weight: m.Weights[d.Name], Zone: b.cfg.Providers[d.Provider].Zone}
	if b.cfg.Breaker.Off {
		return t
	}
	t.Health = b.gateway.state.board.Health(d.Name)
	if group != nil {
		if member := group.Member(d.Name); member != nil {
			t.Health = member
		}
	}
	if b.observes {
		t.Health = observed{t.Health}
	}
	return t
}

// peers makes the groups of deployments that are compared with each other: those
// among which a strategy chooses. Listed ones differ in speed by nature.
func (b *builder) peers() []*breaker.Group {
	b.groups = map[string]*breaker.Group{}
	var out []*breaker.Group
	for name, m := range b.cfg.Models {
		if m.Strategy == "" || m.Strategy == "ordered" || len(m.Deployments) < 2 {
			continue
		}
		b.groups[name] = b.gateway.state.board.NewGroup(name, m.Deployments...)
		out = append(out, b.groups[name])
	}
	return out
}

// estimate is what a request is likely to cost at a deployment: its prompt, and
// the answer that it allows or a usual one.
func (b *builder) estimate(req *weir.Request, d *weir.Deployment) (float64, bool) {
	a := b.byName[d.Provider]
	if a == nil {
		return 0, false
	}
	u := new(weir.Usage)
	u.Set(weir.UsageInput, usualTokens)
	u.Set(weir.UsageOutput, usualTokens)
	cost, known := price.Cost(u, a.provider.Model(d.Model), time.Now())
	if !known {
		return 0, false
	}
	if cost.Currency == "CNY" {
		return float64(cost.Nano) / yuanPerDollar, true
	}
	return float64(cost.Nano), true
}

// yuanPerDollar puts prices of both currencies in one order. It is no rate to
// account by (about that of 2026-11).
const yuanPerDollar = 7.1

// usualTokens is a prompt's and an answer's length by which prices are compared:
// the order of the deployments is wanted, not the sum.
const usualTokens = 1000

// splits are the models of which parts go elsewhere.
func (b *builder) splits() (map[string]*route.Split, error) {
	out := map[string]*route.Split{}
	for name, m := range b.cfg.Models {
		if len(m.Split) == 0 {
			continue
		}
		rest := 100.0
		var variants []route.Variant
		for _, s := range m.Split {
			variants = append(variants, route.Variant{Name: s.Model, Percent: s.Percent})
			rest -= s.Percent
		}
		variants = append(variants, route.Variant{Name: name, Percent: rest})
		split, err := route.NewSplit(route.SplitOptions{Name: name, Variants: variants, Key: stickyKey(m.StickyBy)})
		if err != nil {
			return nil, fmt.Errorf("models.%s.split: %w", name, err)
		}
		out[name] = split
	}
	return out, nil
}

// policies are what is done about each class of errors.
func policies(c config.RetryClasses) *attempt.Policies {
	of := func(c config.RetryClass) attempt.Policy {
		return attempt.Policy{Tries: c.Tries, Base: c.Base, Cap: c.Max, Shape: attempt.Shape(c.Shape), Elsewhere: c.Elsewhere}
	}
	return &attempt.Policies{
		RateLimit: of(c.RateLimit), BadGateway: of(c.BadGateway), Unavailable: of(c.Unavailable),
		Timeout: of(c.Timeout), Connection: of(c.Connection), Server: of(c.Server),
	}
}
