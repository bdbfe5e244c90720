package thread

import (
	"context"
	"iter"

	"github.com/weir-gateway/weir"
)

// Options set up the stage for one deployment.
type Options struct {
	// Keeper keeps the responses. Nil: the stage does nothing.
	Keeper *Keeper
	// Deployment and Provider name where the stage stands.
	Deployment, Provider string
	// Native tells that the upstream speaks the Responses API itself. Ids of
	// answers are then the upstream's; of any other upstream they are new ones,
	// which nobody can guess and no two answers share.
	Native bool
	// NativeStore tells that the upstream keeps responses and conversations
	// itself: an id that is unknown here may be known there.
	NativeStore bool
	// Keep keeps what is asked and answered, unless a request says store=false.
	// Where the upstream speaks the protocol of the client, that costs decoding
	// what would otherwise flow by. Off, nothing is kept; with NativeStore, only
	// where each response was made, and the ids are left to the upstream.
	Keep bool
	// IsThreaded tells whether the client speaks the protocol that has all this.
	// It is asked for every request and must be cheap. Nil: the client speaks
	// weir.OpenAIResponses.
	IsThreaded func(*weir.Request) bool
	// Tools are those that a message declares, which the client's protocol may do
	// in the middle of a conversation. They hold for what comes later, and are
	// declared again in a request that continues the message. It is asked for every
	// message of a history. Nil: none do.
	Tools func(*weir.Message) []weir.Tool
}

// New is the stage for one deployment. It belongs inside fallback and outside of
// everything that counts tokens, tries again or calls.
//
// A request that is not threaded costs nothing. Of others the stage decodes the
// body. Its errors are KindInvalid with the code previous_response_not_found,
// KindNotFound for a conversation, and KindConflict for one that is in use or a
// response that is not complete yet.
func New(o Options) weir.Middleware {
	if o.Keeper == nil {
		return nil
	}
	if o.IsThreaded == nil {
		o.IsThreaded = isResponses
	}
	return func(next weir.Handler) weir.Handler {
		return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
			if req.Op != weir.Generate && req.Op != weir.CountTokens || !o.IsThreaded(req) {
				return next.Handle(ctx, req)
			}
			return func(yield func(weir.Event, error) bool) { o.run(ctx, next, req, yield) }
		})
	}
}

// isResponses reports whether the client speaks the Responses API. A request
// that has been edited has its body decoded already.
func isResponses(req *weir.Request) bool {
	if req.Wire != nil {
		return req.Wire.Protocol == weir.OpenAIResponses
	}
	body, err := req.Body()
	return err == nil && body.From == weir.OpenAIResponses
}

func (o *Options) run(ctx context.Context, next weir.Handler, req *weir.Request, yield func(weir.Event, error) bool) {
	if err := ctx.Err(); err != nil {
		yield(weir.Event{}, weir.AsError(err))
		return
	}
	p, err := o.plan(ctx, req)
	if err != nil {
		yield(weir.Event{}, weir.AsError(err))
		return
	}
	defer p.release()
	if p.warm {
		next = warmUp
	}
	if p.idle() {
		for ev, err := range next.Handle(ctx, p.req) {
			if !yield(ev, err) {
				return
			}
		}
		return
	}
	c := call{options: o, plan: p, yield: yield}
	c.run(ctx, next)
}

// Kept is a note: the answer has been kept, before its end went out.
type Kept struct {
	ID string // under which it is kept
	// Err is why it could not be kept after all; nil when it was.
	Err *weir.Error

	keeper *Keeper // nil where a body is not kept
	tenant string
}

// NoteKind implements weir.Note.
func (*Kept) NoteKind() string { return "thread" }

// KeepBody keeps the final answer as the client reads it, for who encodes it;
// see Keeper.SetBody. It does nothing where the answer is not in the store.
func (n *Kept) KeepBody(ctx context.Context, body []byte) error {
	if n.keeper == nil {
		return nil
	}
	return n.keeper.SetBody(ctx, n.tenant, n.ID, body)
}
