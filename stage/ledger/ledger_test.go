package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/ledger"
	"github.com/weir-gateway/weir/weirtest"
)

func TestLedgerKeepsTheContract(t *testing.T) {
	for _, drain := range []time.Duration{0, time.Minute} {
		u := plays(answer()...)
		weirtest.HandlerSuite{
			New:     func() weir.Handler { h, _ := books(u, drain); return h },
			Request: request(), Probe: u.calls.Load, Open: u.open.Load,
		}.Run(t)
	}
}

func TestEntryOfAnAnswer(t *testing.T) { // U-01: the client did not ask to see usage
	synctest.Test(t, func(t *testing.T) {
		steps := answer()
		steps[3] = after(2*time.Second, steps[3])
		steps[2] = after(time.Second, steps[2])
		steps = append([]step{
			attempted(&weir.Error{Kind: weir.KindRateLimit, Status: 429}),
			ev(weir.NoteEvent(&weir.Upstream{Deployment: "p/m-1", Provider: "p", Model: "m-1", Status: 200, RequestID: "up-1"})),
			ev(weir.NoteEvent(&weir.Loss{Field: "top_k", Action: weir.LossDropped})),
		}, steps...)
		h, ring := books(plays(steps...), 0)
		done, err := weir.Collect(h.Handle(t.Context(), request()))
		if err != nil || done.Text() != "hello" {
			t.Fatalf("answer %q, error %v", done.Text(), err)
		}
		e := only(t, ring)
		if e.ID != "id-1" || e.Principal != "ci" || e.Protocol != weir.OpenAIChat || e.Model != "m" || !e.Streamed ||
			e.Deployment != "p/m-1" || e.Provider != "p" || e.UpstreamModel != "m-1" || e.UpstreamID != "up-1" {
			t.Errorf("identity: %+v", e)
		}
		if e.Outcome != ledger.Answered || e.Status != 200 || e.Attempts != 2 || !e.Committed || e.Finish != weir.FinishStop || e.Source != "upstream" || len(e.Losses) != 1 {
			t.Errorf("outcome: %+v", e)
		}
		if e.UsageState != ledger.UsageReported || e.Usage.Total() != 110 || !e.CostKnown || e.Cost.Nano != 110 {
			t.Errorf("usage %+v (%s), cost %v %t", e.Usage, e.UsageState, e.Cost, e.CostKnown)
		}
		if e.TTFT != time.Second || e.Duration != 3*time.Second {
			t.Errorf("first token after %s, end after %s", e.TTFT, e.Duration)
		}
		last, ok := done.Notes[len(done.Notes)-1].(*ledger.Settled)
		if !ok || last.Entry != e {
			t.Errorf("the last note is %+v", done.Notes[len(done.Notes)-1])
		}
	})
}

func TestUsageStates(t *testing.T) {
	refused := &weir.Error{Kind: weir.KindRateLimit, Status: 429}
	accepted := ev(weir.NoteEvent(&weir.Upstream{Provider: "p", Status: 200}))
	relay := ev(weir.Event{Type: weir.EventRelay, Frame: &weir.Frame{Raw: make([]byte, 200)}})
	inputOnly := &weir.Usage{}
	inputOnly.Set(weir.UsageInput, 77)
	tests := []struct {
		name      string
		steps     []step
		state     ledger.UsageState
		in, out   int64 // -1: more than zero
		costKnown bool
	}{
		{"an explicit zero stays zero", []step{attempted(nil), start(), text("x"), finish(), usage(0, 0)}, ledger.UsageReported, 0, 0, true},                                     // U-03
		{"the last of cumulative reports counts", []step{attempted(nil), start(), usage(5, 1), text("x"), usage(5, 2), finish(), usage(5, 3)}, ledger.UsageReported, 5, 3, true}, // U-06
		{"a missing report is estimated", []step{attempted(nil), start(), text("hello world"), finish()}, ledger.UsageEstimated, -1, 4, true},
		{"undecoded frames count as a token each at least", []step{attempted(nil), start(), relay, relay, relay, finish()}, ledger.UsageEstimated, -1, 3, true},
		{"what was reported before a break is kept", []step{attempted(nil), start(), ev(weir.Event{Type: weir.EventUsage, Usage: inputOnly}), text("abcdef"), fails(weir.Errorf(weir.KindUpstream, "cut"))}, ledger.UsageEstimated, 77, 2, true},
		{"what was reported at the start is not the end", []step{attempted(nil), start(), usage(77, 1), text("abcdefghijkl"), fails(weir.Errorf(weir.KindUpstream, "cut"))}, ledger.UsageEstimated, 77, 4, true},
		{"usage of an error after content is kept", []step{attempted(nil), start(), text("x"), finish(), usage(5, 3), fails(weir.Errorf(weir.KindUpstream, "cut"))}, ledger.UsageReported, 5, 3, true},
		{"usage in a failure is the last word", []step{attempted(nil), start(), text("abcdefghijkl"), usage(5, 2), fails(weir.Errorf(weir.KindUpstream, "failed"))}, ledger.UsageReported, 5, 2, true}, // U-04
		{"a refusal by Weir used nothing", []step{fails(weir.Errorf(weir.KindPermission, "no"))}, ledger.UsageNone, 0, 0, true},
		{"refusals by upstreams used nothing", []step{attempted(refused), attempted(refused), fails(refused)}, ledger.UsageNone, 0, 0, true},
		{"an upstream that never answered is unknown", []step{attempted(&weir.Error{Kind: weir.KindTimeout}), fails(weir.Errorf(weir.KindTimeout, "late"))}, ledger.UsageUnknown, 0, 0, false},
		{"an upstream that accepted and broke is unknown", []step{accepted, attempted(&weir.Error{Kind: weir.KindUpstream}), fails(weir.Errorf(weir.KindUpstream, "cut"))}, ledger.UsageUnknown, 0, 0, false},
		{"without attempts told, a slow upstream is unknown too", []step{fails(weir.Errorf(weir.KindTimeout, "late"))}, ledger.UsageUnknown, 0, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h, ring := books(plays(test.steps...), 0)
			_, _ = weir.Collect(h.Handle(t.Context(), request()))
			e := only(t, ring)
			if e.UsageState != test.state || e.CostKnown != test.costKnown {
				t.Errorf("state %s, cost known %t", e.UsageState, e.CostKnown)
			}
			if none := test.state == ledger.UsageNone || test.state == ledger.UsageUnknown; none != (e.Usage == nil) {
				t.Fatalf("usage %+v", e.Usage)
			}
			if e.Usage == nil {
				return
			}
			if got := e.Usage.InputTokens; got != test.in && (test.in >= 0 || got <= 0) {
				t.Errorf("%d input tokens, want %d", got, test.in)
			}
			if e.Usage.OutputTokens != test.out || e.Usage.Estimated != (test.state == ledger.UsageEstimated) {
				t.Errorf("usage %+v, want %d output tokens", e.Usage, test.out)
			}
		})
	}
}

func TestDiscardedAttemptsAreBilled(t *testing.T) {
	steps := append([]step{ev(weir.NoteEvent(spentNote{used(50, 0)})), attempted(&weir.Error{Kind: weir.KindUpstream})}, answer()...)
	h, ring := books(plays(steps...), 0)
	_, _ = weir.Collect(h.Handle(t.Context(), request()))
	e := only(t, ring)
	if len(e.Spent) != 1 || e.Spent[0].Deployment != "q/m-2" || e.Usage.Total() != 110 || e.Cost.Nano != 1110 {
		t.Errorf("spent %+v, usage %+v, cost %v", e.Spent, e.Usage, e.Cost)
	}
	h, ring = books(plays(ev(weir.NoteEvent(spentNote{used(50, 0)})), attempted(&weir.Error{Kind: weir.KindUpstream}), fails(weir.KindUpstream)), 0)
	_, _ = weir.Collect(h.Handle(t.Context(), request()))
	if e := only(t, ring); e.Cost.Nano != 1000 || !e.CostKnown || e.UsageState != ledger.UsageReported {
		t.Errorf("when nothing answered: %v %t %s", e.Cost, e.CostKnown, e.UsageState)
	}
}

func TestUnknownPriceIsNotFree(t *testing.T) { // B-09
	steps := answer()
	steps[0] = ev(weir.NoteEvent(&weir.Attempt{Deployment: "x/y", Provider: "x", Model: "y"}))
	h, ring := books(plays(steps...), 0)
	_, _ = weir.Collect(h.Handle(t.Context(), request()))
	if e := only(t, ring); e.CostKnown || e.Usage.Total() != 110 {
		t.Errorf("cost %v known %t", e.Cost, e.CostKnown)
	}
	h, ring = books(plays(append([]step{ev(weir.NoteEvent(spentNote{used(50, 0)}))}, steps...)...), 0)
	_, _ = weir.Collect(h.Handle(t.Context(), request()))
	if e := only(t, ring); e.CostKnown {
		t.Errorf("the price of a part became that of the whole: %v", e.Cost)
	}
}

func TestEntryOfAFailure(t *testing.T) {
	upstream := &weir.Error{Kind: weir.KindInvalid, Status: 422, Code: "bad_field", Provider: "p", Message: "secret-prompt-text is wrong, key sk-canary", Deployment: "p/m-1"}
	h, ring := books(plays(fails(upstream)), 0)
	_, err := weir.Collect(h.Handle(t.Context(), request()))
	if !errors.Is(err, weir.KindInvalid) {
		t.Fatalf("the client got %v", err)
	}
	e := only(t, ring)
	if e.Outcome != ledger.Failed || e.Status != 422 || e.Kind != weir.KindInvalid || e.Code != "bad_field" || e.Deployment != "p/m-1" || e.Committed || e.Source != "" {
		t.Errorf("entry %+v", e)
	}
	if e.Message != "" {
		t.Errorf("what an upstream said is kept: %s", e.Message)
	}
}

func TestEveryWayOutLeavesOneEntry(t *testing.T) { // U-06, R-18
	panicking := weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		return func(func(weir.Event, error) bool) { panic("a stage broke") }
	})
	tests := []struct {
		name string
		run  func(weir.Handler)
		of   weir.Handler
		want ledger.Outcome
	}{
		{"the inner stage panics", func(h weir.Handler) {
			defer func() { _ = recover() }()
			_, _ = weir.Collect(h.Handle(context.Background(), request()))
		}, panicking, ledger.Failed},
		{"the consumer panics", func(h weir.Handler) {
			defer func() { _ = recover() }()
			for range h.Handle(context.Background(), request()) {
				panic("a client broke")
			}
		}, plays(answer()...), ledger.Failed},
		{"the consumer stops at the answer's end", func(h weir.Handler) {
			for ev := range h.Handle(context.Background(), request()) {
				if ev.Type == weir.EventFinish {
					break
				}
			}
		}, plays(answer()...), ledger.Answered},
		{"the call is canceled before", func(h weir.Handler) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_, _ = weir.Collect(h.Handle(ctx, request()))
		}, plays(answer()...), ledger.Canceled},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h, ring := books(test.of, 0)
			test.run(h)
			if e := only(t, ring); e.Outcome != test.want {
				t.Errorf("outcome %s", e.Outcome)
			}
		})
	}
	h, ring := books(plays(answer()...), 0)
	_ = h.Handle(context.Background(), request())
	if ring.Total() != 0 {
		t.Error("a call that never began has an entry")
	}
}

func TestClientThatLeaves(t *testing.T) { // R-18, conflict 1
	slowly := func(last ...step) []step {
		return append([]step{attempted(nil), start(), block(), text("hello"), after(10*time.Second, text(" world")), blockEnd()}, last...)
	}
	whole := slowly(finish(), usage(100, 42))
	tests := []struct {
		name  string
		drain time.Duration
		steps []step
		leave time.Duration // when the client's context is canceled
		took  time.Duration // until the range statement ends
		state ledger.UsageState
		out   int64
	}{
		{"before content is canceled at once", time.Minute, []step{after(time.Hour, start())}, time.Second, time.Second, ledger.UsageUnknown, 0},
		{"after content is drained for the usage", time.Minute, whole, time.Second, 10 * time.Second, ledger.UsageReported, 42},
		{"is drained no longer than allowed, then estimated", 2 * time.Second, whole, time.Second, 3 * time.Second, ledger.UsageEstimated, 2},
		{"is not drained when told so", 0, whole, time.Second, time.Second, ledger.UsageEstimated, 2},
		{"is drained no further than the usage", time.Minute, slowly(finish(), usage(100, 42), after(time.Hour, ev(weir.Event{Type: weir.EventPing}))), time.Second, 10 * time.Second, ledger.UsageReported, 42},
	}
	for _, test := range tests {
		for _, stops := range []bool{false, true} {
			how := " (context canceled)"
			if stops {
				how = " (consumer stopped)"
			}
			t.Run(test.name+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					u := plays(test.steps...)
					h, ring := books(u, test.drain)
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					began, before := time.Now(), test.state == ledger.UsageUnknown
					if !stops || before {
						time.AfterFunc(test.leave, cancel)
					}
					var last error
					after := 0
					for ev, err := range h.Handle(ctx, request()) {
						last = err
						if ctx.Err() != nil && err == nil && ev.Type != weir.EventNote {
							after++
						}
						if stops && ev.Type == weir.EventDelta {
							time.Sleep(test.leave)
							break
						}
					}
					// Who stops has first taken its time over the first piece.
					latest := test.took
					if stops {
						latest += test.leave
					}
					if took := time.Since(began); took < min(test.took, test.leave) || took > latest || !stops && took != test.took {
						t.Errorf("the call ended after %s, want %s", took, test.took)
					}
					if !stops && (!errors.Is(weir.AsError(last), weir.KindCanceled) || after != 0) {
						t.Errorf("a client that left got %d events and %v", after, last)
					}
					if u.calls.Load() != 1 || u.open.Load() != 0 {
						t.Errorf("%d calls, %d still open", u.calls.Load(), u.open.Load())
					}
					e := only(t, ring)
					if e.Outcome != ledger.Canceled || e.Status != 499 || e.UsageState != test.state {
						t.Errorf("outcome %s (%d), usage %s", e.Outcome, e.Status, e.UsageState)
					}
					if e.Usage != nil && e.Usage.OutputTokens != test.out {
						t.Errorf("%d output tokens, want %d", e.Usage.OutputTokens, test.out)
					}
				})
			})
		}
	}
}

func TestDeadlineStillApplies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := plays(start(), text("x"), after(time.Hour, finish()))
		h, ring := books(u, time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		_, err := weir.Collect(h.Handle(ctx, request()))
		if !errors.Is(err, weir.KindTimeout) || time.Since(began) != 5*time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		if e := only(t, ring); e.Outcome != ledger.Failed || e.Kind != weir.KindTimeout {
			t.Errorf("entry %+v", e)
		}
	})
}

func TestInnerContextHasTheValuesOfTheClients(t *testing.T) {
	type key struct{}
	var got any
	h, _ := books(weir.HandlerFunc(func(ctx context.Context, _ *weir.Request) iter.Seq2[weir.Event, error] {
		got = ctx.Value(key{})
		return func(func(weir.Event, error) bool) {}
	}), 0)
	_, _ = weir.Collect(h.Handle(context.WithValue(t.Context(), key{}, "trace"), request()))
	if got != "trace" {
		t.Errorf("value %v", got)
	}
}

func TestLogSinkHoldsNoSecrets(t *testing.T) {
	var buf bytes.Buffer
	log := slog.New(slog.NewTextHandler(&buf, nil))
	sink := ledger.Tee(nil, ledger.LogSink(log), ledger.NewRing(1))
	chatty := &weir.Error{Kind: weir.KindUpstreamAuth, Status: 401, Provider: "p", Message: "wrong key sk-canary for secret-prompt-text"}
	for _, steps := range [][]step{
		answer(),
		{attempted(chatty), fails(chatty)},
		{attempted(nil), start(), text("secret-prompt-text"), fails(chatty)},
	} {
		_, _ = weir.Collect(ledger.New(ledger.Options{Sink: sink, Price: prices})(plays(steps...)).Handle(t.Context(), request()))
	}
	lines := strings.Split(strings.TrimSpace(buf.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines for three calls:\n%s", len(lines), buf.String())
	}
	for _, secret := range []string{"secret-prompt", "sk-canary", "hello"} {
		if strings.Contains(buf.String(), secret) {
			t.Errorf("the log holds %q:\n%s", secret, buf.String())
		}
	}
	for _, part := range []string{"id=id-1", "key=ci", "model=m", "deployment=p/m-1", "outcome=answered", "status=200", "usage=reported", "input_tokens=100", `cost="0.00000011 USD"`} {
		if !strings.Contains(lines[0], part) {
			t.Errorf("no %s in: %s", part, lines[0])
		}
	}
	if !strings.Contains(lines[1], "level=WARN") || !strings.Contains(lines[1], "kind=upstream_auth") || !strings.Contains(lines[1], "status=401") {
		t.Errorf("line: %s", lines[1])
	}
}

func TestRingKeepsTheLatest(t *testing.T) {
	r := ledger.NewRing(3)
	if len(r.Entries()) != 0 {
		t.Error("a new ring is not empty")
	}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		r.Record(&ledger.Entry{ID: id})
	}
	var got []string
	for _, e := range r.Entries() {
		got = append(got, e.ID)
	}
	if !slices.Equal(got, []string{"e", "d", "c"}) || r.Total() != 5 {
		t.Errorf("%v of %d", got, r.Total())
	}
}

func BenchmarkCall(b *testing.B) {
	for name, h := range map[string]weir.Handler{"bare": plays(answer()...), "booked": ledger.New(ledger.Options{Sink: ledger.NewRing(1), Price: prices, Drain: time.Second})(plays(answer()...))} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			req := request()
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			for b.Loop() {
				for range h.Handle(ctx, req) {
				}
			}
		})
	}
}

func BenchmarkEvent(b *testing.B) {
	many := weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			ev := weir.Event{Type: weir.EventDelta, Text: "word"}
			for range b.N {
				if !yield(ev, nil) {
					return
				}
			}
		}
	})
	b.ReportAllocs()
	h := ledger.New(ledger.Options{Price: prices})(many)
	for range h.Handle(b.Context(), request()) {
	}
}
