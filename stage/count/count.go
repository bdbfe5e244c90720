// Package count answers token counts that an upstream cannot give: a client
// that counts tokens, as Claude Code does before it compacts a conversation,
// gets an answer for every model, exact where the provider has one and an
// estimate, biased upward, where it has not.
package count

import (
	"context"
	"errors"
	"iter"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/tokens"
)

// New is the stage around a deployment. A CountTokens call that the inner
// Handler cannot serve (KindUnsupported or KindNotFound, before any content)
// is answered with tokens.EstimateBody: a start, a usage event with UsageInput
// known and Estimated set, and a finish. Other operations pass untouched.
func New() weir.Middleware {
	return func(next weir.Handler) weir.Handler {
		return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
			if req.Op != weir.CountTokens {
				return next.Handle(ctx, req)
			}
			return func(yield func(weir.Event, error) bool) { run(ctx, next, req, yield) }
		})
	}
}

func run(ctx context.Context, next weir.Handler, req *weir.Request, yield func(weir.Event, error) bool) {
	begun := false
	for ev, err := range next.Handle(ctx, req) {
		if err != nil {
			if begun || !unsupported(err) {
				yield(ev, err)
				return
			}
			break
		}
		begun = begun || ev.Type != weir.EventNote && ev.Type != weir.EventPing
		if !yield(ev, nil) {
			return
		}
	}
	if !begun {
		answer(req, yield)
	}
}

// unsupported reports whether err says that there is no such endpoint.
func unsupported(err error) bool {
	return errors.Is(err, weir.KindUnsupported) || errors.Is(err, weir.KindNotFound)
}

func answer(req *weir.Request, yield func(weir.Event, error) bool) {
	body, err := req.Body()
	if err != nil {
		yield(weir.Event{}, err)
		return
	}
	usage := &weir.Usage{Estimated: true}
	usage.Set(weir.UsageInput, tokens.EstimateBody(body))
	for _, ev := range [...]weir.Event{
		{Type: weir.EventStart, Start: &weir.Start{Model: req.Model}},
		{Type: weir.EventUsage, Usage: usage},
		{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}},
	} {
		if !yield(ev, nil) {
			return
		}
	}
}
