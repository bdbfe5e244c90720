package share_test

import (
	"context"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/share"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An upstream says a text word by word, each in a frame whose bytes it uses
// again, and waits before each.
type upstream struct {
	text   string
	wait   time.Duration
	err    error // at the end, in place of a finish
	panics bool
	calls  atomic.Int64
	open   atomic.Int64
	said   atomic.Int64 // words
	relay  atomic.Bool  // of the latest request
}

func (u *upstream) Handle(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		u.calls.Add(1)
		u.relay.Store(req.Relay)
		u.open.Add(1)
		defer u.open.Add(-1)
		if ctx.Err() != nil {
			yield(weir.Event{}, ctx.Err())
			return
		}
		buf := make([]byte, 0, 64)
		say := func(ev weir.Event) bool {
			if ctx.Err() != nil {
				yield(weir.Event{}, ctx.Err())
				return false
			}
			clear(buf[:cap(buf)])
			buf = append(buf[:0], ev.Type.String()+ev.Text...)
			ev.Frame = &weir.Frame{Protocol: weir.OpenAIChat, Raw: buf, Events: 1}
			return yield(ev, nil)
		}
		if !yield(weir.NoteEvent(&weir.Attempt{Number: 1, Deployment: "p/m", Provider: "p", Model: "m"}), nil) ||
			!yield(weir.NoteEvent(&weir.Loss{Field: "x", Action: weir.LossDropped}), nil) ||
			!say(weir.Event{Type: weir.EventStart, Start: &weir.Start{ID: "a"}}) ||
			!say(weir.Event{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}}) {
			return
		}
		for word := range strings.SplitAfterSeq(u.text, " ") {
			if u.wait > 0 {
				select {
				case <-time.After(u.wait):
				case <-ctx.Done():
				}
			}
			if ctx.Err() != nil {
				yield(weir.Event{}, ctx.Err())
				return
			}
			u.said.Add(1)
			if !say(weir.Event{Type: weir.EventDelta, Text: word}) {
				return
			}
		}
		if u.panics {
			panic("bad")
		}
		if u.err != nil {
			yield(weir.Event{}, u.err)
			return
		}
		usage := &weir.Usage{}
		usage.Set(weir.UsageInput, 3)
		usage.Set(weir.UsageOutput, 5)
		_ = say(weir.Event{Type: weir.EventBlockEnd}) &&
			say(weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}}) &&
			say(weir.Event{Type: weir.EventUsage, Usage: usage})
	}
}

// An outcome is what one reader had of a call.
type outcome struct {
	text     string
	raw      string // all frames
	reused   []*share.Reused
	attempts int
	losses   int
	usage    *weir.Usage
	err      *weir.Error
	panicked any
}

func read(ctx context.Context, h weir.Handler, req *weir.Request) outcome {
	return readSlowly(ctx, h, req, 0, -1)
}

// readSlowly takes a while for each event, and leaves after so many words; -1
// is never.
func readSlowly(ctx context.Context, h weir.Handler, req *weir.Request, each time.Duration, words int) (out outcome) {
	defer func() { out.panicked = recover() }()
	for ev, err := range h.Handle(ctx, req) {
		if err != nil {
			out.err = weir.AsError(err)
			continue
		}
		switch n := ev.Note.(type) {
		case *share.Reused:
			out.reused = append(out.reused, n)
		case *weir.Attempt:
			out.attempts++
		case *weir.Loss:
			out.losses++
		}
		if ev.Frame != nil {
			out.raw += string(ev.Frame.Raw)
		}
		out.text += ev.Text
		if ev.Usage != nil {
			out.usage = ev.Usage
		}
		if ev.Type == weir.EventDelta {
			if words--; words == 0 {
				return out
			}
		}
		time.Sleep(each)
	}
	return out
}

// many reads a call as often at once.
func many(ctx context.Context, h weir.Handler, n int, req func(int) *weir.Request) []outcome {
	out := make([]outcome, n)
	var wg sync.WaitGroup
	for i := range out {
		wg.Go(func() { out[i] = read(ctx, h, req(i)) })
	}
	wg.Wait()
	return out
}

func wired(body string) *weir.Request {
	req := weir.NewWireRequest(&weir.Wire{Protocol: weir.OpenAIChat, Body: []byte(body)}, func() (*weir.Body, error) { return &weir.Body{}, nil })
	req.ID = "id of " + body
	return req
}

func same(int) *weir.Request { return wired("q") }

func grouped(u weir.Handler, change ...func(*share.Options)) weir.Handler {
	o := share.Options{Key: share.Digest}
	for _, c := range change {
		c(&o)
	}
	return weir.Chain(u, share.New(o).Middleware())
}
