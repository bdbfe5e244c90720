package gateway

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/provider"
	"github.com/weir-gateway/weir/stage/replay"
	"github.com/weir-gateway/weir/stage/structured"
	"github.com/weir-gateway/weir/tokens"
)

// ExplainedDeployment is one place that may serve a request.
type ExplainedDeployment struct {
	Name     string `json:"name"`
	Provider string `json:"provider"`
	Model    string `json:"model"` // the provider's own name
	// First tells that it would be asked first.
	First bool `json:"first"`
	// Unfit is why it would be passed over; empty when it would not.
	Unfit string `json:"unfit,omitempty"`
	// Zone is where it is; empty is everywhere. Weight is its share in the
	// model's configuration.
	Zone   string `json:"zone,omitempty"`
	Weight int    `json:"weight"`
	// Health is how it is.
	Health DeploymentStatus `json:"health"`
	// PriceKnown tells that what a call cost will be known. PromptCost is what
	// the estimated prompt alone would cost, "0.00174 USD"; empty when not known.
	PriceKnown bool   `json:"price_known"`
	PromptCost string `json:"prompt_cost,omitempty"`
	// Protocol is that of the endpoint, at Address; empty for the simulated
	// provider. Translated tells that it is not the client's.
	Protocol   weir.Protocol `json:"protocol,omitempty"`
	Address    string        `json:"address,omitempty"`
	Translated bool          `json:"translated"`
	// Losses are what of the request could not be carried over.
	Losses []ExplainedLoss `json:"losses,omitempty"`
	// Structured is by which means the answer would get the form that was asked
	// for: native, or tool, json_object, prompt where it is made up for. Empty:
	// no form was asked for.
	Structured string `json:"structured,omitempty"`
	// Reasoning is about state of earlier turns; nil where none is needed.
	Reasoning *ExplainedReasoning `json:"reasoning,omitempty"`
	// Kept tells that the conversation is kept here, so that the provider gets
	// its earlier turns with the request. Those are not part of this account.
	Kept bool `json:"kept,omitempty"`
	// Refused is with what error the call would fail before anything is sent.
	Refused *Refusal `json:"refused,omitempty"`
}

// ExplainedLoss is something that cannot be carried over as it is.
type ExplainedLoss struct {
	Field  string          `json:"field"` // in the client's words
	Action weir.LossAction `json:"action"`
	Detail string          `json:"detail"`
}

// ExplainedReasoning is what a provider wants back of earlier turns.
type ExplainedReasoning struct {
	// Needs are text, state (signed or encrypted) and calls (signatures of calls).
	Needs []string `json:"needs"`
	// ByClient tells that the client speaks the protocol and sends them itself.
	ByClient bool `json:"by_client"`
	// Injected turns get back what was kept of them, Missing ones had nothing
	// kept, and Stripped pieces of state are another provider's and taken out.
	Injected int `json:"injected"`
	Missing  int `json:"missing"`
	Stripped int `json:"stripped"`
}

// explained is what each deployment of a request would get.
func (o *observer) explained(ctx context.Context, req *weir.Request) []ExplainedDeployment {
	out := make([]ExplainedDeployment, 0, len(req.Deployments))
	for i := range req.Deployments {
		out = append(out, o.explainOne(ctx, req, &req.Deployments[i]))
	}
	first := slices.IndexFunc(out, func(d ExplainedDeployment) bool { return d.Unfit == "" })
	if len(out) > 0 {
		// Where all are unfit, what is known may be wrong, and they are tried.
		out[max(first, 0)].First = true
	}
	return out
}

func (o *observer) explainOne(ctx context.Context, req *weir.Request, d *weir.Deployment) ExplainedDeployment {
	e := ExplainedDeployment{
		Name: d.Name, Provider: d.Provider, Model: d.Model, Zone: o.cfg.Providers[d.Provider].Zone,
		Weight: cmp.Or(o.cfg.Models[req.Model].Weights[d.Name], 1),
	}
	if d.Unfit != nil {
		e.Unfit = d.Unfit(req)
	}
	e.Health = o.healthOf(d)
	a := o.byName[d.Provider]
	if a == nil {
		return e // the simulated one
	}
	o.promptPrice(&e, req)
	opts, call, err := o.upstream(a, d.Name, d.Model)
	if err != nil {
		e.Refused = refusal(err)
		return e
	}
	plan := &planning{handler: call, demands: demandsOf(&opts, a.provider.Model(d.Model))}
	o.planned(ctx, &e, req, plan)
	return e
}

func (o *observer) healthOf(d *weir.Deployment) DeploymentStatus {
	if o.cfg.Breaker.Off {
		return o.status(d, nil, nil)
	}
	h := o.gateway.state.board.Health(d.Name).Status()
	return o.status(d, &h, nil)
}

// promptPrice tells what the prompt would cost; what the answer will is not known.
func (o *observer) promptPrice(e *ExplainedDeployment, req *weir.Request) {
	if req.Op.IsRelayed() {
		return
	}
	var input int64
	if body, err := req.Body(); err == nil {
		input = tokens.EstimateBody(body)
	}
	u := new(weir.Usage)
	u.Set(weir.UsageInput, input)
	u.Set(weir.UsageOutput, 0)
	cost, known := o.price(e.Provider, e.Model, u, time.Now())
	if e.PriceKnown = known; known {
		e.PromptCost = cost.String()
	}
}

// planning is the end of a deployment's chain: it asks the provider what it
// would send, and goes no further.
type planning struct {
	handler weir.Handler
	demands demands
	// What was found.
	reached *weir.Request
	plan    *provider.Plan
	err     error
}

// errPlanned ends a chain in which everything has gone well so far.
var errPlanned = weir.Errorf(weir.KindCanceled, "nothing is called")

// Handle implements weir.Handler.
func (p *planning) Handle(_ context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		p.reached = req
		if explainer, ok := p.handler.(provider.Explainer); ok {
			p.plan, p.err = explainer.Explain(req)
		}
		yield(weir.Event{}, errPlanned)
	}
}

// planned runs the stages that change what is sent, up to the provider.
func (o *observer) planned(ctx context.Context, e *ExplainedDeployment, req *weir.Request, p *planning) {
	d := &p.demands
	whole, kept, err := o.whole(req, d)
	if err != nil {
		e.Refused = refusal(err)
		return
	}
	e.Kept = kept
	e.Reasoning = reasoningOf(d, req)
	chain := weir.Chain(p, o.replay(e.Name, e.Provider, *d), structured.New(structured.Options{
		Deployment: e.Name, Provider: e.Provider, Model: e.Model, Support: d.support, Choice: d.choice, HasFormat: hasFormat,
	}))
	for ev, failed := range chain.Handle(ctx, whole) {
		err = failed
		e.note(ev.Note)
	}
	if p.reached == nil { // a stage has refused
		e.Refused = refusal(err)
		return
	}
	e.Structured = means(whole, p.reached)
	if p.err != nil {
		e.Refused = refusal(p.err)
	}
	if p.plan != nil {
		e.Protocol, e.Address, e.Translated = p.plan.Protocol, p.plan.Address, p.plan.Translated
		for i := range p.plan.Losses {
			e.loss(&p.plan.Losses[i])
		}
	}
}

func (e *ExplainedDeployment) note(n weir.Note) {
	switch n := n.(type) {
	case *weir.Loss:
		e.loss(n)
	case *replay.Note:
		if r := e.Reasoning; r != nil {
			r.Injected, r.Missing, r.Stripped = n.Injected, n.Missing, n.Stripped
		}
	}
}

func (e *ExplainedDeployment) loss(l *weir.Loss) {
	e.Losses = append(e.Losses, ExplainedLoss{Field: l.Field, Action: l.Action, Detail: l.Detail})
}

func reasoningOf(d *demands, req *weir.Request) *ExplainedReasoning {
	if d.needs == 0 || req.Op != weir.Generate {
		return nil
	}
	r := &ExplainedReasoning{ByClient: d.carries(req)}
	for _, n := range []struct {
		need replay.Needs
		name string
	}{{replay.Text, "text"}, {replay.State, "state"}, {replay.Calls, "calls"}} {
		if d.needs&n.need != 0 {
			r.Needs = append(r.Needs, n.name)
		}
	}
	return r
}

// whole is the request without what refers to state that is kept here: the
// stage that keeps it puts the earlier turns in its place.
func (o *observer) whole(req *weir.Request, d *demands) (whole *weir.Request, kept bool, err error) {
	if !o.cfg.State.Responses.Keep || d.nativeStore || req.Wire == nil || req.Wire.Protocol != weir.OpenAIResponses || req.Op != weir.Generate {
		return req, false, nil
	}
	body, err := req.Body()
	if err != nil || body.Thread == nil {
		return req, false, err
	}
	kept = body.Thread.Previous != "" || body.Thread.Conversation != ""
	if d.native && !kept {
		return req, false, nil
	}
	whole, err = req.Edit(func(b *weir.Body) error {
		b.Thread = nil
		return nil
	})
	return whole, kept, err
}

// means is how an upstream is brought to the form that was asked for.
func means(asked, sent *weir.Request) string {
	if asked.Op != weir.Generate {
		return ""
	}
	before, err := asked.Body()
	if err != nil || before.Format == nil || before.Format.Type == weir.FormatText {
		return ""
	}
	after, err := sent.Body()
	switch {
	case err != nil:
		return ""
	case after.Format != nil && after.Format.Type == before.Format.Type:
		return "native"
	case after.Format != nil:
		return string(structured.ModeJSONObject)
	case len(after.Tools) > len(before.Tools):
		return string(structured.ModeTool)
	}
	return string(structured.ModePrompt)
}
