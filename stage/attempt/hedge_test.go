package attempt_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/attempt"
	"github.com/weir-gateway/weir/weirtest"
)

// hedging hedges after a second, as often as it likes.
func hedging(change ...func(*attempt.Hedge)) weir.Handler {
	h := &attempt.Hedge{
		Delay:  func(*weir.Deployment) (time.Duration, bool) { return time.Second, true },
		Budget: attempt.NewBudget(attempt.BudgetOptions{Ratio: 1, Burst: 1000}),
	}
	for _, c := range change {
		c(h)
	}
	return attempt.Fallback(attempt.FallbackOptions{Hedge: h})
}

func late(d time.Duration, text string) []step { return append([]step{wait(d)}, answer(text)...) }

// hedged are the notes of that kind in a call.
func hedged(ctx context.Context, h weir.Handler, req *weir.Request) (notes []*attempt.Hedged, order []string) {
	for ev, err := range h.Handle(ctx, req) {
		switch n := ev.Note.(type) {
		case *attempt.Hedged:
			notes = append(notes, n)
			order = append(order, "hedged")
		case *weir.Attempt:
			order = append(order, fmt.Sprintf("%s %v", n.Deployment, n.Err == nil))
		case *attempt.Spent:
			order = append(order, "spent "+n.Deployment)
		case *attempt.Withheld:
			order = append(order, "withheld "+n.Deployment)
		}
		if err == nil && ev.Type != weir.EventNote {
			order = append(order, ev.Type.String())
		}
	}
	return notes, order
}

func TestHedgeKeepsTheContract(t *testing.T) {
	after := func(d time.Duration) func(*attempt.Hedge) {
		return func(h *attempt.Hedge) {
			h.Delay = func(*weir.Deployment) (time.Duration, bool) { return d, true }
		}
	}
	tests := []struct {
		name  string
		delay time.Duration
		first []step
	}{
		{"the first answers in time", time.Hour, answer("hi")},
		{"the second answers", time.Millisecond, []step{wait(time.Hour)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, b := scripts(test.first), scripts(answer("hi"))
			weirtest.HandlerSuite{
				New: func() weir.Handler { return hedging(after(test.delay)) }, Request: over(a, b),
				Probe: func() int64 { return a.calls.Load() + b.calls.Load() },
				Open:  func() int64 { return a.open.Load() + b.open.Load() },
			}.Run(t)
		})
	}
}

func TestHedge(t *testing.T) {
	busy := fails(status(weir.KindInvalid, 400))
	down := fails(status(weir.KindModelNotFound, 404)) // not tried again at the same deployment
	tests := []struct {
		name         string
		first, other []step
		text         string // empty: it fails
		calls        int64  // of the second deployment
		took         time.Duration
		won          string // "first", "second", or empty: nothing was hedged
	}{
		{"a quick answer is not hedged", late(900*time.Millisecond, "a"), answer("b"), "a", 0, 900 * time.Millisecond, ""},
		{"a slow one is, and the second wins", late(time.Minute, "a"), late(time.Second, "b"), "b", 1, 2 * time.Second, "second"},
		{"a slow one is, and wins all the same", late(1500*time.Millisecond, "a"), late(time.Minute, "b"), "a", 1, 1500 * time.Millisecond, "first"},
		{"pings and a start are no content", append([]step{emits(startEvent()), emits(ping())}, late(time.Minute, "a")...), answer("b"), "b", 1, time.Second, "second"},
		{"content in time, then silence", append(answer("a")[:3], append([]step{wait(time.Hour)}, answer("a")[3:]...)...), answer("b"), "a", 0, time.Hour, ""},
		{"the first fails before the second begins", []step{wait(500 * time.Millisecond), down}, answer("b"), "b", 1, 500 * time.Millisecond, ""},
		{"the first fails after, and the second is waited for", []step{wait(2 * time.Second), down}, late(3*time.Second, "b"), "b", 1, 4 * time.Second, "second"},
		{"the second fails, and the first is waited for", late(3*time.Second, "a"), []step{down}, "a", 1, 3 * time.Second, "first"},
		{"both fail", []step{wait(2 * time.Second), down}, []step{down}, "", 1, 2 * time.Second, "first"},
		{"what is wrong with the request ends both", []step{wait(2 * time.Second), busy}, late(time.Hour, "b"), "", 1, 2 * time.Second, "first"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := scripts(test.first), scripts(test.other)
				began := time.Now()
				out := consume(t.Context(), hedging(), over(a, b))
				if out.text() != test.text || (out.err == nil) != (test.text != "") {
					t.Fatalf("text %q, error %v", out.text(), out.err)
				}
				if took := time.Since(began); took != test.took {
					t.Errorf("took %s, want %s", took, test.took)
				}
				if a.calls.Load() != 1 || b.calls.Load() != test.calls || a.open.Load()+b.open.Load() != 0 {
					t.Errorf("%d and %d calls, %d open", a.calls.Load(), b.calls.Load(), a.open.Load()+b.open.Load())
				}
				if test.text != "" && out.count(weir.EventStart) != 1 {
					t.Errorf("%d starts", out.count(weir.EventStart))
				}
				notes, _ := hedged(t.Context(), hedging(), over(scripts(test.first), scripts(test.other)))
				won := ""
				if len(notes) == 1 {
					won = map[bool]string{false: "first", true: "second"}[notes[0].Won]
				}
				if won != test.won || len(notes) > 1 {
					t.Errorf("notes %+v", notes)
				}
			})
		})
	}
}

func TestTheCostOfTheLoserIsTold(t *testing.T) {
	costly := func(d time.Duration, text string) []step {
		return append([]step{emits(startEvent()), emits(usage(7, 0)), wait(d)}, answer(text)[1:]...)
	}
	tests := []struct {
		name          string
		first, second []step
		loser, winner string
	}{
		{"the first", costly(time.Minute, "a"), answer("b"), "a", "b"},
		{"the second", costly(2*time.Second, "a"), costly(time.Minute, "b"), "b", "a"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, order := hedged(t.Context(), hedging(), over(scripts(test.first), scripts(test.second)))
				// What it cost may be known a moment later than that it lost.
				order = slices.DeleteFunc(order, func(s string) bool { return s == "spent "+test.loser })
				got := strings.Join(order[:4], ", ")
				want := test.loser + " false, hedged, " + test.winner + " true, start"
				if got != want {
					t.Errorf("notes %s\nwant  %s", got, want)
				}
				out := consume(t.Context(), hedging(), over(scripts(test.first), scripts(test.second)))
				if len(out.spent) != 1 || out.spent[0].Usage.InputTokens != 7 || out.spent[0].Deployment != test.loser {
					t.Errorf("spent %+v", out.spent)
				}
				lost := out.attempts[0]
				if lost.Err.Kind != weir.KindCanceled || lost.Deployment != test.loser || out.attempts[1].Number != 2 {
					t.Errorf("attempts %+v, %+v", lost, out.attempts[1])
				}
			})
		})
	}
}

func TestHedgeAsksWhetherARequestMayBeRepeated(t *testing.T) {
	yes, no := true, false
	with := func(change func(*weir.Request, *weir.Body)) *weir.Request {
		body := &weir.Body{}
		req := weir.NewRequest("m", body)
		change(req, body)
		return req
	}
	op := func(o weir.Operation) *weir.Request {
		return with(func(r *weir.Request, _ *weir.Body) { r.Op = o })
	}
	thread := func(th weir.Thread) *weir.Request {
		return with(func(_ *weir.Request, b *weir.Body) { b.Thread = &th })
	}
	from := func(th *weir.Thread) *weir.Request {
		return with(func(_ *weir.Request, b *weir.Body) { b.Thread, b.From = th, weir.OpenAIResponses })
	}
	tests := []struct {
		name string
		req  *weir.Request
		want bool
	}{
		{"a completion", op(weir.Generate), true},
		{"vectors", op(weir.Embed), true},
		{"a count", op(weir.CountTokens), true},
		{"an image", op(weir.Image), false},
		{"a file", op(weir.Files), false},
		{"a batch", op(weir.Batches), false},
		{"anything else", op(weir.Other), false},
		{"a stored response", thread(weir.Thread{Store: &yes}), false},
		{"one that is not", thread(weir.Thread{Store: &no}), true},
		{"one in the background", thread(weir.Thread{Background: &yes}), false},
		{"one of a conversation", thread(weir.Thread{Conversation: "c", Store: &no}), false},
		{"one that the protocol stores by default", from(nil), false},
		{"one that it was told not to", from(&weir.Thread{Store: &no}), true},
		{"a tool that the provider runs", with(func(_ *weir.Request, b *weir.Body) { b.Tools = []weir.Tool{{Type: weir.ToolHosted}} }), false},
		{"a tool that the client runs", with(func(_ *weir.Request, b *weir.Body) { b.Tools = []weir.Tool{{Type: weir.ToolFunction}} }), true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if attempt.Repeatable(test.req) != test.want {
				t.Errorf("repeatable: %t", !test.want)
			}
			synctest.Test(t, func(t *testing.T) {
				a, b := scripts(late(time.Minute, "a")), scripts(answer("b"))
				test.req.Deployments, test.req.Allowance = over(a, b).Deployments, nil
				consume(t.Context(), hedging(), test.req)
				if got := b.calls.Load() > 0; got != test.want {
					t.Errorf("hedged: %t", got)
				}
			})
		})
	}
}

func TestHedgeObeysTheCallersJudgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := scripts(answer("b"))
		h := hedging(func(h *attempt.Hedge) { h.Hedgeable = func(*weir.Request) bool { return false } })
		out := consume(t.Context(), h, over(scripts(late(time.Minute, "a")), b))
		if b.calls.Load() != 0 || out.text() != "a" {
			t.Errorf("%d calls, text %q", b.calls.Load(), out.text())
		}
	})
}

func TestHedgesAreBoundedByTheirBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := scripts(answer("b"))
		h := attempt.Fallback(attempt.FallbackOptions{Hedge: &attempt.Hedge{
			Delay: func(*weir.Deployment) (time.Duration, bool) { return time.Second, true },
		}})
		withheld := 0
		for range 200 {
			_, order := hedged(t.Context(), h, over(scripts(late(2*time.Second, "a")), b))
			if order[0] == "withheld b" {
				withheld++
			}
		}
		if n := b.calls.Load(); n != 10 || withheld != 190 {
			t.Errorf("%d of 200 calls were hedged, %d withheld", n, withheld)
		}
	})
}

func TestHedgeWithoutKnowledgeOrChoice(t *testing.T) {
	unknown := func(h *attempt.Hedge) { h.Delay = func(*weir.Deployment) (time.Duration, bool) { return 0, false } }
	nothing := func(h *attempt.Hedge) { h.Delay = nil }
	for name, change := range map[string]func(*attempt.Hedge){"unknown": unknown, "nil": nothing} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := scripts(answer("b"))
				out := consume(t.Context(), hedging(change), over(scripts(late(time.Minute, "a")), b))
				if out.text() != "a" || b.calls.Load() != 0 {
					t.Errorf("text %q, %d calls of the second", out.text(), b.calls.Load())
				}
			})
		})
	}
	t.Run("one deployment", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			out := consume(t.Context(), hedging(), over(scripts(late(time.Minute, "a"))))
			if out.text() != "a" {
				t.Errorf("text %q, error %v", out.text(), out.err)
			}
		})
	})
}

func TestHedgeGoesOnToTheThirdWhenBothFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := fails(status(weir.KindModelNotFound, 404))
		a, b, c := scripts([]step{wait(2 * time.Second), down}), scripts([]step{down}), scripts(late(time.Minute, "c"))
		out := consume(t.Context(), hedging(), over(a, b, c))
		if out.text() != "c" || a.calls.Load() != 1 || b.calls.Load() != 1 || c.calls.Load() != 1 {
			t.Errorf("text %q, calls %d, %d, %d, error %v", out.text(), a.calls.Load(), b.calls.Load(), c.calls.Load(), out.err)
		}
	})
}

func TestHedgeDrawsOnTheAllowance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := scripts(answer("b"))
		req := over(scripts(late(time.Minute, "a")), b)
		req.Allowance = weir.NewAllowance(1)
		out := consume(t.Context(), hedging(), req)
		if b.calls.Load() != 0 || out.text() != "a" {
			t.Errorf("%d calls of the second with an allowance of 1, text %q", b.calls.Load(), out.text())
		}
	})
}

func TestHedgeAroundBareHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		req := request()
		req.Deployments = []weir.Deployment{{Name: "a", Handler: scripts(late(time.Minute, "a"))}, {Name: "b", Handler: scripts(answer("b"))}}
		req.Allowance = weir.NewAllowance(4)
		out := consume(t.Context(), hedging(), req)
		if out.text() != "b" || req.Allowance.Used() != 2 || out.attempts[0].Number != 1 || out.attempts[1].Number != 2 {
			t.Errorf("text %q, %d used, %+v", out.text(), req.Allowance.Used(), out.attempts)
		}
	})
}

func TestHedgeEndsWithTheClient(t *testing.T) {
	for _, after := range []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(after, cancel)
			a, b, began := scripts(late(time.Minute, "a")), scripts(late(time.Minute, "b")), time.Now()
			out := consume(ctx, hedging(), over(a, b))
			if out.err == nil || out.err.Kind != weir.KindCanceled || time.Since(began) != after || a.open.Load()+b.open.Load() != 0 {
				t.Errorf("after %s: %v, %d open", time.Since(began), out.err, a.open.Load()+b.open.Load())
			}
		})
	}
}

func TestHedgeAnswersForAPanicOnTheCallersGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
			return func(func(weir.Event, error) bool) { panic("bad") }
		})
		req := over(scripts(late(time.Minute, "a")))
		req.Deployments = append(req.Deployments, weir.Deployment{Name: "bad", Handler: bad})
		defer func() {
			if p := recover(); p != "bad" {
				t.Errorf("recovered %v", p)
			}
		}()
		consume(t.Context(), hedging(), req)
		t.Error("there was no panic")
	})
}

// borrowed answers with frames that are overwritten as soon as the next event is
// asked for, as a decoder's buffer is.
func borrowed(d time.Duration, text string) weir.Handler {
	return weir.HandlerFunc(func(ctx context.Context, _ *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			buf := make([]byte, 0, 64)
			say := func(raw string, ev weir.Event) bool {
				clear(buf[:cap(buf)])
				buf = append(buf[:0], raw...)
				ev.Frame = &weir.Frame{Raw: buf, Events: 1}
				return yield(ev, nil)
			}
			if !say("start "+text, startEvent()) {
				return
			}
			select {
			case <-time.After(d):
			case <-ctx.Done():
				yield(weir.Event{}, ctx.Err())
				return
			}
			_ = say("ping "+text, ping()) && say("delta "+text, delta(text)) && say("finish "+text, finish())
		}
	})
}

func TestHedgeHandsFramesOverWhole(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		first := time.Duration(rapid.IntRange(0, 3000).Draw(rt, "first")) * time.Millisecond
		second := time.Duration(rapid.IntRange(0, 3000).Draw(rt, "second")) * time.Millisecond
		stop := rapid.IntRange(0, 20).Draw(rt, "stop")
		synctest.Test(t, func(t *testing.T) {
			req := request()
			req.Deployments = []weir.Deployment{{Name: "a", Handler: borrowed(first, "a")}, {Name: "b", Handler: borrowed(second, "b")}}
			var raw []string
			n := 0
			for ev, err := range hedging().Handle(t.Context(), req) {
				if err != nil {
					rt.Fatal(err)
				}
				if ev.Frame != nil {
					raw = append(raw, string(ev.Frame.Raw))
				}
				if n++; n > stop {
					return
				}
			}
			winner := "a"
			if first > time.Second && second+time.Second < first {
				winner = "b"
			}
			if first > time.Second && second+time.Second == first && len(raw) > 0 { // a tie is anybody's
				winner = raw[0][len(raw[0])-1:]
			}
			want := fmt.Sprintf("start %[1]s, ping %[1]s, delta %[1]s, finish %[1]s", winner)
			if got := strings.Join(raw, ", "); got != want {
				rt.Fatalf("frames %s, want %s", got, want)
			}
		})
	})
}
