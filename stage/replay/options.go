package replay

import (
	"cmp"
	"context"
	"iter"

	"github.com/weir-gateway/weir"
)

// Needs is a set of what an upstream demands back of earlier turns.
type Needs uint8

// Needs.
const (
	// Text is the plain text of the thinking before tool calls, whichever model
	// thought it. It goes with the quirk reasoning_replay "tool_turns".
	Text Needs = 1 << iota
	// State is signed or encrypted reasoning before tool calls, as its own
	// provider made it: Anthropic, the Responses API, Bedrock Converse.
	State
	// Calls is the signature of tool calls (Gemini).
	Calls
)

// Options set up the stage around one deployment.
type Options struct {
	// Provider is who serves the deployment, and Deployment its name.
	Provider, Deployment string
	// Family names the providers that read each other's state (one vendor's
	// models on two clouds). Empty: Provider, which reads only its own.
	Family string
	// Needs is what the deployment demands. None: the stage does nothing.
	Needs Needs
	// Store keeps what was made. Nil: the stage does nothing.
	Store Store
	// HasTools reports whether an answer to the request may hold something to
	// keep: the request has tools, or asks for encrypted reasoning. Such an
	// answer is decoded, others flow by as they come. It should look without
	// decoding the request. Nil: the request has tools, which decodes it.
	HasTools func(*weir.Request) bool
	// HasHistory reports whether the request may hold an earlier tool call or
	// reasoning state. Such a request is decoded, and looked through; a doubt is
	// a yes. Nil: every request is.
	HasHistory func(*weir.Request) bool
}

// New is the stage. It belongs outside of the retries of its deployment and
// inside of the choice among deployments.
func New(o Options) weir.Middleware {
	if o.Needs == 0 || o.Store == nil {
		return func(next weir.Handler) weir.Handler { return next }
	}
	s := &stage{o}
	s.Family = cmp.Or(o.Family, o.Provider)
	if s.HasTools == nil {
		s.HasTools = hasTools
	}
	if s.HasHistory == nil {
		s.HasHistory = func(*weir.Request) bool { return true }
	}
	return func(next weir.Handler) weir.Handler {
		return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
			if req.Op != weir.Generate {
				return next.Handle(ctx, req)
			}
			return func(yield func(weir.Event, error) bool) { s.run(ctx, next, req, yield) }
		})
	}
}

func hasTools(req *weir.Request) bool {
	body, err := req.Body()
	return err == nil && len(body.Tools) > 0
}

type stage struct{ Options }

func (s *stage) run(ctx context.Context, next weir.Handler, req *weir.Request, yield func(weir.Event, error) bool) {
	keeps := s.HasTools(req)
	if s.HasHistory(req) {
		done, err := s.complete(ctx, req)
		if err != nil {
			yield(weir.Event{}, err)
			return
		}
		if req = done.req; !done.report(yield) {
			return
		}
	}
	if !keeps {
		next.Handle(ctx, req)(yield)
		return
	}
	if req.Relay {
		req = req.Clone()
		req.Relay = false
	}
	s.watch(ctx, req, next.Handle(ctx, req), yield)
}

// watch hands the answer on and keeps what is worth it. Each choice is kept
// before its finish is handed on: the client may come back with the next one.
func (s *stage) watch(ctx context.Context, req *weir.Request, events iter.Seq2[weir.Event, error], yield func(weir.Event, error) bool) {
	var r recorder
	for ev, err := range events {
		if err == nil {
			r.see(&ev)
			if ev.Type == weir.EventFinish && !s.keep(ctx, req, r.choice(ev.Choice)) &&
				!yield(weir.NoteEvent(&Note{StoreFailed: true}), nil) {
				return
			}
		}
		if !yield(ev, err) {
			return
		}
	}
}
