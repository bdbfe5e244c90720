package breaker_test

import (
	"context"
	"iter"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/breaker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A reply is what the fake upstream does once: it waits, and then answers or
// fails. A cut reply fails after its first content.
type reply struct {
	wait time.Duration
	err  error
	cut  bool
}

// An upstream gives one reply after another, the last one for ever.
type upstream struct {
	mu      sync.Mutex
	replies []reply
	calls   int
}

func replies(r ...reply) *upstream { return &upstream{replies: r} }

// next sets what comes from now on.
func (u *upstream) next(r ...reply) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.replies = r
}

func (u *upstream) called() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.calls
}

func (u *upstream) take() reply {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.calls++
	r := u.replies[0]
	if len(u.replies) > 1 {
		u.replies = u.replies[1:]
	}
	return r
}

var answer = []weir.Event{
	{Type: weir.EventStart, Start: &weir.Start{}},
	{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}},
	{Type: weir.EventDelta, Text: "hi"},
	{Type: weir.EventBlockEnd},
	{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}},
}

func (u *upstream) Handle(ctx context.Context, _ *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		r := u.take()
		if r.wait > 0 {
			select {
			case <-time.After(r.wait):
			case <-ctx.Done():
			}
		}
		for i, ev := range answer {
			switch {
			case ctx.Err() != nil:
				yield(weir.Event{}, ctx.Err())
				return
			case r.err != nil && (!r.cut || i == 3):
				yield(weir.Event{}, r.err)
				return
			}
			if !yield(ev, nil) {
				return
			}
		}
	}
}

// broken is an upstream's error of a kind.
func broken(k weir.Kind) reply { return reply{err: &weir.Error{Kind: k, Status: 599, Message: "no"}} }

func streaming() *weir.Request {
	req := weir.NewRequest("m", &weir.Body{})
	req.Stream = true
	return req
}

// call makes one call and returns the changes that it was told, and its error.
func call(ctx context.Context, h weir.Handler) (changes []breaker.Change, failure *weir.Error) {
	for ev, err := range h.Handle(ctx, streaming()) {
		if err != nil {
			failure = weir.AsError(err)
		}
		if c, ok := ev.Note.(*breaker.Change); ok {
			changes = append(changes, *c)
		}
	}
	return changes, failure
}

// times makes n calls one after another and returns the last one's changes.
func times(t *testing.T, n int, h weir.Handler) (changes []breaker.Change) {
	t.Helper()
	for range n {
		changes, _ = call(t.Context(), h)
	}
	return changes
}

// told collects what OnChange is told.
type told struct {
	mu      sync.Mutex
	changes []breaker.Change
}

func (l *told) hear(c breaker.Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes = append(l.changes, c)
}

func (l *told) states() (out []breaker.State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.changes {
		out = append(out, c.To)
	}
	return out
}

func status(b *breaker.Board, name string) breaker.Status {
	for _, s := range b.List() {
		if s.Deployment == name {
			return s
		}
	}
	return breaker.Status{}
}
