package gateway

import (
	"context"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec/all"
	"github.com/weir-gateway/weir/config"
	"github.com/weir-gateway/weir/stage/attempt"
	"github.com/weir-gateway/weir/stage/degrade"
	"github.com/weir-gateway/weir/stage/ledger"
	"github.com/weir-gateway/weir/stage/route"
	"github.com/weir-gateway/weir/stage/rules"
	"github.com/weir-gateway/weir/stage/shadow"
	"github.com/weir-gateway/weir/stage/share"
)

// rules are those of the configuration: for every request, and for models.
func (b *builder) rules(r *resolver) (*rules.Rules, error) {
	zone, err := time.LoadLocation(b.cfg.Routing.Zone)
	if err != nil {
		return nil, err
	}
	o := rules.Options{Zone: zone, Allowed: route.Allowed, Lacks: lacks, Known: func(model string) error {
		_, _, err := r.Resolve(weir.NewRequest(model, &weir.Body{}))
		return err
	}}
	if list := rulesOf(b.cfg.Routing.Rules); len(list) > 0 {
		o.Lists = append(o.Lists, rules.List{Rules: list})
	}
	for name, m := range b.cfg.Models {
		if list := rulesOf(m.Rules); len(list) > 0 {
			o.Lists = append(o.Lists, rules.List{Model: name, Rules: list, Default: name})
		}
	}
	return rules.New(o)
}

func rulesOf(said []config.Rule) (out []rules.Rule) {
	for _, r := range said {
		out = append(out, rules.Rule{Name: r.Name, When: r.When, Use: r.Use})
	}
	return out
}

// lacks reports whether a request surely has nothing of a feature, by the members
// at its top level.
func lacks(req *weir.Request, variable string) bool {
	switch variable {
	case "tools":
		return !hasMember(req, "tools", "functions", "toolConfig")
	case "metadata":
		return !hasMember(req, "metadata")
	}
	return false
}

// degraded is the stage that answers when nothing else can; nil without rules.
func (b *builder) degraded() (weir.Middleware, error) {
	var o degrade.Options
	for _, d := range b.cfg.Degraded {
		o.Rules = append(o.Rules, degrade.Rule{Name: d.Name, Models: d.Models, Keywords: d.Keywords, Pattern: d.Pattern, Answer: d.Answer})
	}
	return degrade.New(o)
}

// attempts is the handler that makes them. Models that go on after a refusal, or
// that are hedged, have one of their own.
func (b *builder) attempts() weir.Handler {
	byModel := map[string]weir.Handler{}
	made := map[[2]bool]weir.Handler{}
	usual := b.attemptsWith(false, false)
	for name, m := range b.cfg.Models {
		want := [2]bool{m.Refusals, m.Hedge}
		if !m.Refusals && !m.Hedge {
			continue
		}
		if made[want] == nil {
			made[want] = b.attemptsWith(m.Refusals, m.Hedge)
		}
		byModel[name] = made[want]
	}
	if len(byModel) == 0 {
		return usual
	}
	return chosen{byModel, usual}
}

func (b *builder) attemptsWith(refusals, hedge bool) weir.Handler {
	o := attempt.FallbackOptions{Attempts: b.cfg.Retry.Attempts, ContextLength: true, ContentFilter: refusals}
	if hedge {
		budget := attempt.HedgeBudget()
		budget.Ratio = b.cfg.Hedge.Budget
		o.Hedge = &attempt.Hedge{Delay: b.usualDelay, Budget: attempt.NewBudget(budget), Hedgeable: hedgeable}
	}
	return attempt.Fallback(o)
}

// hedgeable are streams that may be asked for twice: what is usual is known of a
// first token, and an answer in one piece has none before it is done.
func hedgeable(req *weir.Request) bool { return req.Stream && attempt.Repeatable(req) }

// enoughAnswers are how many must have been seen of a deployment for their times
// to say what is usual.
const enoughAnswers = 20

// usualDelay is the time in which 95 of 100 answers of a deployment have begun.
func (b *builder) usualDelay(d *weir.Deployment) (time.Duration, bool) {
	p95, n := b.gateway.state.board.Health(d.Name).P95()
	return p95, n >= enoughAnswers
}

// continued is the stage that has an answer which broke off written on, for models
// that want it.
func (b *builder) continued() weir.Middleware {
	if !anyModel(b.cfg, func(m config.Model) bool { return m.Continue }) {
		return nil
	}
	return attempt.Continue(attempt.ContinueOptions{
		Attempts: b.cfg.Retry.Attempts,
		Enabled:  func(req *weir.Request) bool { return b.cfg.Models[req.Model].Continue },
		Prefill:  func(d *weir.Deployment) bool { return d.Prefills },
	})
}

func anyModel(cfg *config.Config, is func(config.Model) bool) bool {
	for _, m := range cfg.Models {
		if is(m) {
			return true
		}
	}
	return false
}

// shared is the stage by which identical requests in flight share a call; nil when
// they do not.
func (g *Gateway) shared(cfg *config.Config) weir.Middleware {
	if !cfg.Share {
		return nil
	}
	return g.state.sharing(func() *share.Group {
		return share.New(share.Options{Key: shareKey, Orphaned: g.orphaned})
	}).Middleware()
}

// shareKey names what is asked and by whom, for what may be answered once.
func shareKey(req *weir.Request) string {
	switch req.Op {
	case weir.Generate, weir.Embed, weir.CountTokens:
		return share.Digest(req)
	}
	return ""
}

// idempotent is the stage that answers repeated requests from their first call; nil
// when nothing is kept.
func (g *Gateway) idempotent(cfg *config.Config) weir.Middleware {
	if !cfg.Idempotent.Keep {
		return nil
	}
	o := cfg.Idempotent
	return g.state.repeated(o, func() *share.Idempotency {
		return share.NewIdempotency(share.IdempotencyOptions{
			Key: idempotencyKey, TTL: o.TTL, Store: share.NewMemory(share.MemoryOptions{MaxBytes: int64(o.Max)}),
			Linger: cfg.Disconnect.Drain, Orphaned: g.orphaned,
		})
	}).Middleware()
}

// idempotencyKey is the client's key and whose it is.
func idempotencyKey(req *weir.Request) string {
	if req.IdempotencyKey == "" {
		return ""
	}
	if req.Principal == nil {
		return "/" + req.IdempotencyKey
	}
	return req.Principal.Name + "/" + req.IdempotencyKey
}

// orphaned records what a call cost that went on after its own client had left.
func (g *Gateway) orphaned(o *share.Orphan) {
	e := &ledger.Entry{
		ID: o.Request.ID + "-rest", Time: time.Now(), Labels: o.Request.Labels, Op: o.Request.Op, Model: o.Request.Model,
		Deployment: o.Deployment, Provider: o.Provider, UpstreamModel: o.Model,
		Outcome: ledger.Answered, Status: 200, Usage: o.Usage, UsageState: ledger.UsageReported, Source: "upstream",
	}
	if o.Request.Principal != nil {
		e.Principal = o.Request.Principal.Name
	}
	if o.Usage == nil {
		e.UsageState = ledger.UsageUnknown
	}
	if o.Err != nil {
		e.Outcome, e.Kind, e.Status = ledger.Failed, o.Err.Kind, o.Err.HTTPStatus(e.Protocol)
	}
	g.sink(g.Current().Config).Record(e)
}

// chosen are handlers by the model that is asked for.
type chosen struct {
	byModel map[string]weir.Handler
	usual   weir.Handler
}

// Handle implements weir.Handler.
func (c chosen) Handle(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
	if h := c.byModel[req.Model]; h != nil {
		return h.Handle(ctx, req)
	}
	return c.usual.Handle(ctx, req)
}

// shadows is the stage that asks second models too; nil when no model has one.
func (b *builder) shadows(s *Snapshot, chain weir.Handler) (weir.Middleware, error) {
	o := shadow.Options{Handler: chain, Sink: b.gateway.compared, Open: openAgain}
	for _, name := range slices.Sorted(maps.Keys(b.cfg.Models)) {
		for _, to := range b.cfg.Models[name].Shadow {
			o.Targets = append(o.Targets, shadow.Target{Name: name + " " + to.Model, Model: to.Model, Models: []string{name}, Percent: to.Percent})
		}
	}
	if len(o.Targets) == 0 {
		return nil, nil
	}
	made, err := shadow.New(o)
	if err != nil {
		return nil, err
	}
	s.shadow = made
	return made.Middleware(), nil
}

// compared tells the log how the answer of a second model compares.
func (g *Gateway) compared(r *shadow.Result) {
	attrs := []any{
		slog.String("request", r.ID), slog.String("model", r.First.Model), slog.String("shadow", r.Second.Model),
		slog.Duration("duration", r.First.Duration), slog.Duration("shadow_duration", r.Second.Duration),
		slog.String("finish", string(r.First.Finish)), slog.String("shadow_finish", string(r.Second.Finish)),
	}
	if r.Second.Err != nil {
		attrs = append(attrs, slog.String("shadow_error", r.Second.Err.Message))
	}
	g.options.Logger.Info("shadow", attrs...)
}

// openAgain makes a request of received bytes, for a second model.
func openAgain(op weir.Operation, w *weir.Wire) (*weir.Request, error) {
	return all.For(w.Protocol).OpenRequest(op, w)
}
