package weir

import (
	"context"
	"iter"
	"slices"
)

// A Handler answers a Request with a sequence of Events.
//
// Nothing happens until the sequence is ranged over; ranging performs the call
// on the caller's goroutine and returns when the call is over. A non-nil error
// is the last pair, and its Event is the zero Event. The consumer may stop at
// any point; the Handler releases everything before the range statement ends.
// Handle does not modify req. A Handler is safe for concurrent use; a sequence
// is not, and is used once.
//
// An Event's Frame, and only that, is borrowed: it is valid until the consumer
// asks for the next Event. [Event.Clone] makes one that can be kept.
//
// Errors are *Error, or the context's error when the caller gave up; [AsError]
// turns either into an *Error.
type Handler interface {
	Handle(ctx context.Context, req *Request) iter.Seq2[Event, error]
}

// HandlerFunc lets a function be a Handler.
type HandlerFunc func(ctx context.Context, req *Request) iter.Seq2[Event, error]

// Handle calls f.
func (f HandlerFunc) Handle(ctx context.Context, req *Request) iter.Seq2[Event, error] {
	return f(ctx, req)
}

// Middleware wraps a Handler in another one: a stage.
type Middleware func(Handler) Handler

// Chain wraps h in the stages given, the first of them outermost: the request
// meets them in the order in which they are written. A nil stage is skipped, so
// that an optional one can be written in place.
func Chain(h Handler, stages ...Middleware) Handler {
	for _, stage := range slices.Backward(stages) {
		if stage != nil {
			h = stage(h)
		}
	}
	return h
}

// Fail is the sequence of a call that ends with err before anything else.
func Fail(err error) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) { yield(Event{}, err) }
}
