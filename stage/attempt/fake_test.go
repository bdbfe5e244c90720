package attempt_test

import (
	"context"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/attempt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A step of a fake upstream: an event, a silence, or an error.
type step struct {
	ev   weir.Event
	wait time.Duration
	err  error
}

func wait(d time.Duration) step { return step{wait: d} }
func fails(err error) step      { return step{err: err} }
func emits(ev weir.Event) step  { return step{ev: ev} }
func startEvent() weir.Event    { return weir.Event{Type: weir.EventStart, Start: &weir.Start{ID: "a"}} }
func ping() weir.Event          { return weir.Event{Type: weir.EventPing} }
func delta(s string) weir.Event { return weir.Event{Type: weir.EventDelta, Text: s} }
func finish() weir.Event {
	return weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}}
}

func usage(in, out int64) weir.Event {
	u := &weir.Usage{}
	u.Set(weir.UsageInput, in)
	u.Set(weir.UsageOutput, out)
	return weir.Event{Type: weir.EventUsage, Usage: u}
}

// answer is a whole, well-formed answer.
func answer(text string) []step {
	return []step{
		emits(startEvent()),
		emits(weir.Event{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}}),
		emits(delta(text)), emits(weir.Event{Type: weir.EventBlockEnd}), emits(finish()), emits(usage(3, 1)),
	}
}

// An upstream plays one script after another, the last one for ever.
type upstream struct {
	calls   atomic.Int64
	open    atomic.Int64
	scripts [][]step
	got     atomic.Pointer[weir.Request]
}

func scripts(s ...[]step) *upstream { return &upstream{scripts: s} }

func (u *upstream) Handle(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		n := int(u.calls.Add(1))
		u.got.Store(req)
		u.open.Add(1)
		defer u.open.Add(-1)
		for _, s := range u.scripts[min(n, len(u.scripts))-1] {
			if s.wait > 0 {
				select {
				case <-time.After(s.wait):
				case <-ctx.Done():
				}
			}
			if ctx.Err() != nil {
				yield(weir.Event{}, ctx.Err())
				return
			}
			if s.err != nil {
				yield(weir.Event{}, s.err)
				return
			}
			if s.ev.Type != weir.EventNone && !yield(s.ev, nil) {
				return
			}
		}
	}
}

// outcome is what a consumer saw of a call.
type outcome struct {
	events   []weir.Event // without notes
	attempts []*weir.Attempt
	spent    []*attempt.Spent
	err      *weir.Error
}

func consume(ctx context.Context, h weir.Handler, req *weir.Request) outcome {
	var out outcome
	for ev, err := range h.Handle(ctx, req) {
		switch n := ev.Note.(type) {
		case *weir.Attempt:
			out.attempts = append(out.attempts, n)
			continue
		case *attempt.Spent:
			out.spent = append(out.spent, n)
			continue
		}
		if err != nil {
			out.err = weir.AsError(err)
			continue
		}
		out.events = append(out.events, ev)
	}
	return out
}

func (o outcome) count(t weir.EventType) (n int) {
	for _, ev := range o.events {
		if ev.Type == t {
			n++
		}
	}
	return n
}

func (o outcome) text() string {
	var s strings.Builder
	for _, ev := range o.events {
		if ev.Type == weir.EventDelta {
			s.WriteString(ev.Text)
		}
	}
	return s.String()
}

func request() *weir.Request { return weir.NewRequest("m", &weir.Body{}) }

func status(kind weir.Kind, code int) *weir.Error {
	return &weir.Error{Kind: kind, Status: code, Message: "no", Provider: "p"}
}
