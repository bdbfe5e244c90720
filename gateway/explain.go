package gateway

import (
	"context"
	"iter"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/route"
	"github.com/weir-gateway/weir/stage/rules"
	"github.com/weir-gateway/weir/tokens"
)

// An Explanation is what would become of a request at this moment, and why. It
// holds nothing of the prompt: features of it, counts and names.
type Explanation struct {
	// Protocol is the client's and Operation what is wanted.
	Protocol  weir.Protocol `json:"protocol"`
	Operation string        `json:"operation"`
	Stream    bool          `json:"stream"`
	// Strict tells that losses are refused.
	Strict bool `json:"strict"`
	// Principal is who asks; empty when nobody was identified.
	Principal string `json:"principal,omitempty"`
	// Tokens is an estimate of the prompt's length; 0 where it has none.
	Tokens int64 `json:"tokens"`
	// Asked is the model that the client names, and Model the one that the rules
	// make of it.
	Asked string `json:"asked"`
	Model string `json:"model"`
	// Rules are all that are about the request, in the order in which they are
	// asked, and Features the values that they look at.
	Rules    []ExplainedRule    `json:"rules,omitempty"`
	Features []ExplainedFeature `json:"features,omitempty"`
	// Reason says why the Deployments are what the model stands for.
	Reason string `json:"reason,omitempty"`
	// Deployments are those that may serve, best first.
	Deployments []ExplainedDeployment `json:"deployments,omitempty"`
	// Attempts is how many calls the request may cause at most, over all of them.
	Attempts int `json:"attempts"`
	// Also is what else would happen, a sentence each.
	Also []string `json:"also,omitempty"`
	// Refused is why nothing would be called at all; nil when something would.
	Refused *Refusal `json:"refused,omitempty"`
}

// ExplainedRule is what one rule says of a request.
type ExplainedRule struct {
	// Of is the model whose rule it is; empty for a rule for all requests.
	Of string `json:"of,omitempty"`
	// Rule is its number, from 1; 0 is what holds when no rule does.
	Rule int    `json:"rule"`
	Name string `json:"name,omitempty"`
	When string `json:"when,omitempty"`
	Use  string `json:"use"`
	// Outcome is "holds", "does not hold", "cannot be evaluated" or "is not for
	// this operation", and Reason why it cannot.
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitempty"`
	// Decides tells that this rule is followed.
	Decides bool `json:"decides"`
}

// ExplainedFeature is something that rules look at. Texts are told by their length.
type ExplainedFeature struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Refusal is an error that is certain before anything is called.
type Refusal struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Param   string `json:"param,omitempty"` // the field of the request that is wrong
	Hint    string `json:"hint,omitempty"`
}

func refusal(err error) *Refusal {
	e := weir.AsError(err)
	return &Refusal{Kind: e.Kind.String(), Message: e.Message, Param: e.Param, Hint: e.Hint}
}

// Explain tells what would become of req and why. Nothing is called, and no
// request is treated otherwise for it: where deployments take turns, the next
// one may go elsewhere. What was kept of earlier turns of the conversation is
// looked up.
//
// The error is that of a body which cannot be understood, KindInvalid, or ctx's.
// A request that would be refused later has an Explanation that says so.
func (s *Snapshot) Explain(ctx context.Context, req *weir.Request) (*Explanation, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o, err := s.observer()
	if err != nil {
		return nil, err
	}
	e := &Explanation{Operation: req.Op.String(), Stream: req.Stream, Strict: req.Strict, Asked: req.Model, Attempts: s.Config.Retry.Attempts}
	if err := e.describe(req); err != nil {
		return nil, err
	}
	e.rules(s.Rules.Explain(req))
	routed, err := s.routed(ctx, o, req, e)
	if err != nil {
		e.Refused = refusal(err)
		return e, nil
	}
	e.Deployments = o.explained(ctx, routed)
	e.Also = o.also(req, routed) //nolint:contextcheck // what it looks up is in memory
	return e, ctx.Err()
}

// describe says what the request is.
func (e *Explanation) describe(req *weir.Request) error {
	if p := req.Principal; p != nil {
		e.Principal = p.Name
	}
	if req.Wire != nil {
		e.Protocol = req.Wire.Protocol
	}
	if req.Op.IsRelayed() {
		return nil // its body is its provider's business
	}
	body, err := req.Body()
	if err != nil {
		return err
	}
	if e.Protocol == "" {
		e.Protocol = body.From
	}
	e.Tokens = tokens.EstimateBody(body)
	return nil
}

func (e *Explanation) rules(said *rules.Explanation) {
	e.Model = said.Model
	for _, r := range said.Results {
		e.Rules = append(e.Rules, ExplainedRule{
			Of: r.Model, Rule: r.Rule, Name: r.Name, When: r.When, Use: r.Use,
			Outcome: string(r.Outcome), Reason: r.Reason, Decides: r.Decides,
		})
	}
	for _, f := range said.Features {
		e.Features = append(e.Features, ExplainedFeature{Name: f.Name, Value: f.Value})
	}
}

// routed is the request as it comes to the deployments: the stages themselves
// say, up to the point where one would be called.
func (s *Snapshot) routed(ctx context.Context, o *observer, req *weir.Request, e *Explanation) (*weir.Request, error) {
	var end arrival
	for ev, err := range weir.Chain(&end, s.Rules.Middleware(), route.New(o.resolver)).Handle(ctx, req) {
		if err != nil {
			return nil, err
		}
		if r, ok := ev.Note.(*weir.Route); ok {
			e.Reason = r.Reason
		}
	}
	return end.req, nil
}

// An arrival is the end of a chain that calls nothing: it remembers with which
// request it was reached.
type arrival struct{ req *weir.Request }

// Handle implements weir.Handler.
func (a *arrival) Handle(_ context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
	a.req = req
	return func(func(weir.Event, error) bool) {}
}
