package rules

import (
	"context"
	"iter"
	"slices"

	"github.com/weir-gateway/weir"
)

// Note is a note: the rules had something to say about a request. It comes
// before everything that the stages inside of this one tell.
type Note struct {
	// Asked is the model that the client asked for, and Model the one that is
	// used; they are the same when no rule holds.
	Asked, Model string
	// Reason names the rules that decided and quotes their conditions:
	// "rule 2: tokens > 32000", "auto: no rule holds". Empty when none did.
	Reason string
	// Skipped are the rules that could not be evaluated.
	Skipped []Skip
}

// NoteKind implements weir.Note.
func (*Note) NoteKind() string { return "rules" }

// Middleware is the stage that sets Request.Model. It belongs right outside of
// route. A request that has Deployments already passes as it is, and so does
// one about which the rules say nothing. The bytes that were received stay: a
// rule changes where a request goes and not what it says.
func (r *Rules) Middleware() weir.Middleware {
	return func(next weir.Handler) weir.Handler {
		if r.Empty() {
			return next
		}
		return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
			if len(req.Deployments) > 0 {
				return next.Handle(ctx, req)
			}
			return func(yield func(weir.Event, error) bool) { r.run(ctx, next, req, yield) }
		})
	}
}

func (r *Rules) run(ctx context.Context, next weir.Handler, req *weir.Request, yield func(weir.Event, error) bool) {
	d := r.judge(r.features(req))
	if d.use == "" && d.skipped == nil {
		next.Handle(ctx, req)(yield)
		return
	}
	note := &Note{Asked: req.Model, Model: req.Model, Reason: d.reason, Skipped: d.skipped}
	if d.use != "" {
		note.Model = d.use
		req = r.rewritten(req, d.use)
	}
	if !yield(weir.NoteEvent(note), nil) {
		return
	}
	next.Handle(ctx, req)(yield)
}

// rewritten is req with another model, which who asks may then use.
func (r *Rules) rewritten(req *weir.Request, model string) *weir.Request {
	out := req.Clone()
	out.Model = model
	p := req.Principal
	if p == nil || len(p.Models) == 0 || r.options.Allowed == nil || !r.options.Allowed(p, req.Model) {
		return out
	}
	granted := *p
	granted.Models = append(slices.Clip(p.Models), model)
	out.Principal = &granted
	return out
}
