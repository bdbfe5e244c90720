package structured

import (
	"cmp"
	"context"
	"iter"

	"github.com/weir-gateway/weir"
)

// Support is a set of what an upstream can do by itself.
type Support uint8

// Support of formats. The zero value is Prompt.
const (
	// Schema: it takes the format json_schema and keeps to it.
	Schema Support = 1 << iota
	// JSONObject: it takes the format json_object.
	JSONObject
	// Tool: it calls function tools.
	Tool

	// Native needs nothing of this package.
	Native = Schema | JSONObject
	// Prompt can only be told.
	Prompt Support = 0
)

// Options set up the stage around one deployment.
type Options struct {
	// Deployment, Provider and Model name the deployment in notes and errors.
	Deployment, Provider, Model string
	// Support is what the upstream can do.
	Support Support
	// Choice is the strongest choice of tools that the upstream accepts:
	// weir.ToolModeNamed, ToolModeRequired or ToolModeAuto. Empty is
	// ToolModeNamed. A model that is asked to think is never forced, since many
	// providers refuse both together.
	Choice weir.ToolMode
	// Reasks is how often an answer that does not match is asked for again.
	// 0 is 1; below 0 never.
	Reasks int
	// MaxBytes bounds the text of an answer that is held back. 0 is 4 MiB.
	MaxBytes int
	// HasFormat reports whether a request may have a format other than text. It
	// should look without decoding the request; a doubt is a yes. Nil decodes.
	HasFormat func(*weir.Request) bool
}

// New is the stage. It belongs outside of the retries of its deployment, so that
// each ask is an attempt with its own, and inside of the choice among
// deployments, which may go on to the next one when this fails.
func New(o Options) weir.Middleware {
	if o.Support&Native == Native {
		return func(next weir.Handler) weir.Handler { return next }
	}
	o.Choice = cmp.Or(o.Choice, weir.ToolModeNamed)
	o.Reasks = max(cmp.Or(o.Reasks, 1), 0)
	o.MaxBytes = cmp.Or(o.MaxBytes, 4<<20)
	if o.HasFormat == nil {
		o.HasFormat = func(*weir.Request) bool { return true }
	}
	return func(next weir.Handler) weir.Handler {
		return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
			if req.Op != weir.Generate {
				return next.Handle(ctx, req)
			}
			return func(yield func(weir.Event, error) bool) { o.run(ctx, next, req, yield) }
		})
	}
}

func (o *Options) run(ctx context.Context, next weir.Handler, req *weir.Request, yield func(weir.Event, error) bool) {
	if !o.HasFormat(req) {
		next.Handle(ctx, req)(yield)
		return
	}
	c, err := o.newCall(next, req, yield)
	switch {
	case err != nil:
		yield(weir.Event{}, err)
	case c == nil:
		next.Handle(ctx, req)(yield)
	default:
		c.run(ctx)
	}
}
