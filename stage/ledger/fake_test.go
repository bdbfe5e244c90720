package ledger_test

import (
	"context"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/price"
	"github.com/weir-gateway/weir/stage/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A step of a fake upstream: a silence, then an event or an error.
type step struct {
	wait time.Duration
	ev   weir.Event
	err  error
}

// An upstream plays its steps and heeds its context.
type upstream struct {
	steps    []step
	calls    atomic.Int64
	open     atomic.Int64
	canceled atomic.Bool
}

func plays(steps ...step) *upstream { return &upstream{steps: steps} }

func (u *upstream) Handle(ctx context.Context, _ *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		u.calls.Add(1)
		u.open.Add(1)
		defer u.open.Add(-1)
		for _, s := range u.steps {
			if s.wait > 0 {
				select {
				case <-time.After(s.wait):
				case <-ctx.Done():
				}
			}
			if ctx.Err() != nil {
				u.canceled.Store(true)
				yield(weir.Event{}, ctx.Err())
				return
			}
			if s.err != nil {
				yield(weir.Event{}, s.err)
				return
			}
			if !yield(s.ev, nil) {
				return
			}
		}
	}
}

func ev(e weir.Event) step               { return step{ev: e} }
func after(d time.Duration, s step) step { s.wait = d; return s }
func fails(err error) step               { return step{err: err} }

func start() step { return ev(weir.Event{Type: weir.EventStart, Start: &weir.Start{}}) }
func block() step {
	return ev(weir.Event{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}})
}
func text(s string) step { return ev(weir.Event{Type: weir.EventDelta, Text: s}) }
func blockEnd() step     { return ev(weir.Event{Type: weir.EventBlockEnd}) }
func finish() step {
	return ev(weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}})
}

func used(in, out int64) *weir.Usage {
	u := &weir.Usage{}
	u.Set(weir.UsageInput, in)
	u.Set(weir.UsageOutput, out)
	return u
}

func usage(in, out int64) step { return ev(weir.Event{Type: weir.EventUsage, Usage: used(in, out)}) }

func attempted(err *weir.Error) step {
	return ev(weir.NoteEvent(&weir.Attempt{Deployment: "p/m-1", Provider: "p", Model: "m-1", Err: err}))
}

func answer() []step {
	return []step{attempted(nil), start(), block(), text("hello"), blockEnd(), finish(), usage(100, 10)}
}

// spentNote is what attempt sends, which this package knows by its method only.
type spentNote struct{ u *weir.Usage }

func (spentNote) NoteKind() string { return "spent" }
func (s spentNote) SpentUsage() (*weir.Usage, string, string, string) {
	return s.u, "q/m-2", "q", "m-2"
}

// prices are a nano-dollar a token at p, and unknown elsewhere but at q.
func prices(provider, _ string, u *weir.Usage, _ time.Time) (price.Money, bool) {
	switch provider {
	case "p":
		return price.Money{Nano: u.Total(), Currency: "USD"}, true
	case "q":
		return price.Money{Nano: 1000, Currency: "USD"}, true
	}
	return price.Money{}, false
}

func request() *weir.Request {
	body := []byte(`{"model":"m","messages":[{"role":"user","content":"secret-prompt-text"}]}`)
	req := weir.NewWireRequest(&weir.Wire{Protocol: weir.OpenAIChat, Body: body}, func() (*weir.Body, error) { return &weir.Body{}, nil })
	req.ID, req.Model, req.Stream = "id-1", "m", true
	req.Principal = &weir.Principal{Name: "ci"}
	return req
}

// books is a ledger around u, and where its entries go.
func books(u weir.Handler, drain time.Duration) (weir.Handler, *ledger.Ring) {
	ring := ledger.NewRing(8)
	return ledger.New(ledger.Options{Sink: ring, Drain: drain, Price: prices})(u), ring
}

// only is the one entry.
func only(t *testing.T, ring *ledger.Ring) *ledger.Entry {
	t.Helper()
	if ring.Total() != 1 {
		t.Fatalf("%d entries for one call", ring.Total()) // U-06
	}
	return ring.Entries()[0]
}
