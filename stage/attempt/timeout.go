package attempt

import (
	"context"
	"iter"
	"time"

	"github.com/weir-gateway/weir"
)

// TimeoutOptions are the limits of one attempt. 0 is no limit. The limit for
// connecting is the transport's, not one of these.
type TimeoutOptions struct {
	// FirstToken is from the start of the attempt to its first content event.
	// An answer that is not streamed comes in one piece, so there it bounds
	// the whole answer.
	FirstToken time.Duration
	// Idle is between one event and the next, once there was content; without
	// FirstToken, once there was any event. Pings of the upstream are events:
	// a provider that says it is working is not silent. The time that the
	// consumer takes for an event does not count. It is checked in steps of an
	// eighth, so it may be exceeded by that much and is never cut short.
	Idle time.Duration
	// Total is for the whole attempt, however lively.
	Total time.Duration
}

// Timeout bounds an attempt. What runs into a limit fails with a KindTimeout
// error that names the limit and its length. A Request whose Stretch is above 1
// has limits that many times longer. The inner Handler must heed its context.
func Timeout(o TimeoutOptions) weir.Middleware {
	if o.FirstToken <= 0 && o.Idle <= 0 && o.Total <= 0 {
		return func(next weir.Handler) weir.Handler { return next }
	}
	return func(next weir.Handler) weir.Handler {
		return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
			if req.Op == weir.Realtime { // a conversation may be silent for as long as people are
				return next.Handle(ctx, req)
			}
			return func(yield func(weir.Event, error) bool) { o.run(ctx, next, req, yield) }
		})
	}
}

func (o *TimeoutOptions) run(ctx context.Context, next weir.Handler, req *weir.Request, yield func(weir.Event, error) bool) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := watch{TimeoutOptions: o.stretched(req.Stretch), cancel: cancel}
	w.start()
	defer w.stop()
	for ev, err := range next.Handle(ctx, req) {
		if err != nil {
			yield(weir.Event{}, w.explain(err))
			return
		}
		if ev.Type == weir.EventNote { // Weir's own word, no sign of life
			if !yield(ev, nil) {
				return
			}
			continue
		}
		w.enter(&ev)
		if !yield(ev, nil) {
			return
		}
		w.leave()
	}
}

// stretched is o with limits that are longer by a factor.
func (o *TimeoutOptions) stretched(by float64) TimeoutOptions {
	if by <= 1 {
		return *o
	}
	longer := func(d time.Duration) time.Duration { return time.Duration(float64(d) * by) }
	return TimeoutOptions{FirstToken: longer(o.FirstToken), Idle: longer(o.Idle), Total: longer(o.Total)}
}
