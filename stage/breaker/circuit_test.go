package breaker_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/breaker"
	"github.com/weir-gateway/weir/weirtest"
)

func TestHealthKeepsTheContract(t *testing.T) {
	b := breaker.NewBoard(breaker.Options{})
	h := b.Health("p/m")
	u := replies(reply{})
	weirtest.HandlerSuite{
		New: func() weir.Handler { return h.Wrap(u) }, Request: streaming(),
		Probe: func() int64 { return int64(u.called()) },
		Open:  func() int64 { return int64(h.InFlight()) },
	}.Run(t)
	if s := h.Status(); s.Failed != 0 || s.Denied != 0 || s.State != breaker.Closed {
		t.Errorf("callers that went away count against the deployment: %+v", s)
	}
}

func TestTheCircuitOpensByRateOverEnoughCalls(t *testing.T) {
	tests := []struct {
		name         string
		good, failed int
		want         breaker.State
	}{
		{"not after one failure", 0, 1, breaker.Closed},
		{"not below the minimum of calls", 0, 9, breaker.Closed},
		{"at the minimum", 0, 10, breaker.Open},
		{"not below the rate", 11, 10, breaker.Closed},
		{"at the rate", 10, 10, breaker.Open},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := breaker.NewBoard(breaker.Options{})
				u := replies(reply{})
				h := b.Health("d").Wrap(u)
				times(t, test.good, h)
				u.next(broken(weir.KindUpstream))
				times(t, test.failed, h)
				s := status(b, "d")
				if s.State != test.want || s.Succeeded != test.good || s.Failed != test.failed || s.LastError != "upstream" {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestAnOpenCircuitRefusesWithoutCalling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log told
		b := breaker.NewBoard(breaker.Options{OnChange: log.hear})
		u := replies(broken(weir.KindOverloaded))
		health := b.Health("d")
		h := health.Wrap(u)
		changes := times(t, 10, h)
		if len(changes) != 1 || changes[0].From != breaker.Closed || changes[0].To != breaker.Open || changes[0].Deployment != "d" ||
			!strings.Contains(changes[0].Reason, "10 of 10 calls failed within 1m0s") || !strings.Contains(changes[0].Reason, "overloaded") {
			t.Fatalf("the call that opened it was told %+v", changes)
		}
		if !slices.Equal(log.changes, changes) || time.Until(changes[0].Until) != 30*time.Second {
			t.Errorf("OnChange was told %+v, the call %+v", log.changes, changes)
		}
		time.Sleep(10 * time.Second)
		if changes, err := call(t.Context(), h); err == nil || err.Kind != weir.KindUnavailable || err.Code != breaker.CodeOpen ||
			err.RetryAfter != 20*time.Second || err.Deployment != "d" || len(changes) != 0 {
			t.Errorf("refused with %+v, changes %v", err, changes)
		}
		if s := status(b, "d"); u.called() != 10 || s.Weight != 0 || s.State != breaker.Open || time.Until(s.Until) != 20*time.Second || health.Standing() != breaker.Down {
			t.Errorf("%d calls, %+v", u.called(), s)
		}
	})
}

func TestFailuresAreForgottenWithTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.NewBoard(breaker.Options{})
		h := b.Health("d").Wrap(replies(broken(weir.KindTimeout)))
		times(t, 9, h)
		time.Sleep(61 * time.Second)
		times(t, 9, h)
		if s := status(b, "d"); s.State != breaker.Closed || s.Failed != 9 {
			t.Errorf("%+v", s)
		}
	})
}

func TestWhatCountsAsAFailure(t *testing.T) {
	tests := []struct {
		name string
		r    reply
		want breaker.Status
	}{
		{"a broken upstream", broken(weir.KindUpstream), breaker.Status{Failed: 20}},
		{"an answer that is cut short", reply{err: &weir.Error{Kind: weir.KindUpstream}, cut: true}, breaker.Status{Failed: 20}},
		{"a time limit", reply{err: &weir.Error{Kind: weir.KindTimeout}}, breaker.Status{Failed: 20}},
		{"a busy upstream", broken(weir.KindOverloaded), breaker.Status{Failed: 20}},
		{"not a rate limit", broken(weir.KindRateLimit), breaker.Status{Neutral: 20}},
		{"not an invalid request", broken(weir.KindInvalid), breaker.Status{Neutral: 20}},
		{"not a long prompt", broken(weir.KindContextLength), breaker.Status{Neutral: 20}},
		{"not refused content", broken(weir.KindContentFilter), breaker.Status{Neutral: 20}},
		{"not what Weir breaks", reply{err: &weir.Error{Kind: weir.KindInternal}}, breaker.Status{Neutral: 20}},
		{"not what Weir forbids", reply{err: &weir.Error{Kind: weir.KindPermission}}, breaker.Status{Neutral: 20}},
		{"a refused key, when all are", broken(weir.KindUpstreamAuth), breaker.Status{Denied: 20}},
		{"an empty account, when all are", broken(weir.KindQuota), breaker.Status{Denied: 20}},
		{"a model that is gone", broken(weir.KindModelNotFound), breaker.Status{Denied: 20}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := breaker.NewBoard(breaker.Options{MinCalls: 20})
				times(t, 20, b.Health("d").Wrap(replies(test.r)))
				got := status(b, "d")
				if got.Failed != test.want.Failed || got.Denied != test.want.Denied || got.Neutral != test.want.Neutral {
					t.Errorf("%+v", got)
				}
				if opened := test.want.Failed+test.want.Denied > 0; opened != (got.State == breaker.Open) {
					t.Errorf("the circuit is %s", got.State)
				}
			})
		})
	}
}

func TestOneRefusedKeyOfSeveralIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.NewBoard(breaker.Options{})
		u := replies(reply{})
		h := b.Health("d").Wrap(u)
		times(t, 1, h)
		u.next(broken(weir.KindUpstreamAuth))
		times(t, 50, h)
		if s := status(b, "d"); s.State != breaker.Closed || s.Denied != 50 {
			t.Errorf("%+v", s)
		}
	})
}

// opened is a circuit that has just opened.
func opened(t *testing.T, o breaker.Options) (*breaker.Board, *upstream, weir.Handler) {
	t.Helper()
	b := breaker.NewBoard(o)
	u := replies(broken(weir.KindUpstream))
	h := b.Health("d").Wrap(u)
	times(t, 10, h)
	if s := status(b, "d"); s.State != breaker.Open {
		t.Fatalf("%+v", s)
	}
	return b, u, h
}

func TestTheCircuitClosesWhenProbesSucceed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log told
		b, u, h := opened(t, breaker.Options{OnChange: log.hear})
		u.next(reply{})
		time.Sleep(30 * time.Second)
		if got := b.Health("d").Standing(); got != breaker.Ready {
			t.Errorf("a circuit that takes probes is %s", got)
		}
		if changes, err := call(t.Context(), h); err != nil || len(changes) != 1 || changes[0].To != breaker.HalfOpen {
			t.Errorf("the first probe was told %+v, %v", changes, err)
		}
		times(t, 3, h)
		if s := status(b, "d"); s.State != breaker.HalfOpen {
			t.Errorf("after four probes: %+v", s)
		}
		if changes := times(t, 1, h); len(changes) != 1 || changes[0].To != breaker.Closed {
			t.Errorf("the last probe was told %+v", changes)
		}
		if s := status(b, "d"); s.State != breaker.Closed || s.Failed != 0 || s.Weight != 1 {
			t.Errorf("old failures are paid for: %+v", s)
		}
		if want := []breaker.State{breaker.Open, breaker.HalfOpen, breaker.Closed}; !slices.Equal(log.states(), want) {
			t.Errorf("told %v", log.states())
		}
	})
}

func TestTheCircuitOpensLongerEachTimeUpToABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, u, h := opened(t, breaker.Options{})
		for _, seconds := range []float64{60, 120, 240, 300, 300} {
			time.Sleep(time.Until(status(b, "d").Until))
			changes := times(t, 1, h)
			if len(changes) != 2 || changes[1].To != breaker.Open || changes[1].Until.Sub(changes[1].At).Seconds() != seconds {
				t.Errorf("changes %+v, want a rest of %g s", changes, seconds)
			}
		}
		time.Sleep(time.Until(status(b, "d").Until))
		u.next(reply{})
		times(t, 5, h)
		u.next(broken(weir.KindUpstream))
		if changes := times(t, 10, h); len(changes) != 1 || changes[0].Until.Sub(changes[0].At) != 30*time.Second {
			t.Errorf("after it was closed it opens for %+v", changes)
		}
	})
}

func TestANeutralProbeFreesItsPlace(t *testing.T) {
	neutral := map[string]func(t *testing.T, u *upstream, h weir.Handler){
		"a rate limit": func(t *testing.T, u *upstream, h weir.Handler) {
			u.next(broken(weir.KindRateLimit))
			times(t, 1, h)
		},
		"a caller that goes away": func(t *testing.T, u *upstream, h weir.Handler) {
			u.next(reply{wait: time.Hour})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			call(ctx, h)
		},
		"a consumer that stops": func(t *testing.T, u *upstream, h weir.Handler) {
			u.next(reply{})
			for range h.Handle(t.Context(), streaming()) {
				break
			}
		},
		"a panic": func(t *testing.T, u *upstream, h weir.Handler) {
			u.next(reply{})
			defer func() { _ = recover() }()
			for ev := range h.Handle(t.Context(), streaming()) {
				if ev.Type == weir.EventDelta {
					panic("the consumer broke")
				}
			}
		},
	}
	for name, do := range neutral {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, u, h := opened(t, breaker.Options{Probes: 1})
				time.Sleep(30 * time.Second)
				for range 3 {
					do(t, u, h)
				}
				if s := status(b, "d"); s.State != breaker.HalfOpen || s.InFlight != 0 || s.Failed != 10 {
					t.Fatalf("%+v", s)
				}
				u.next(reply{})
				if _, err := call(t.Context(), h); err != nil {
					t.Errorf("the place of the probe is taken: %v", err)
				}
				if s := status(b, "d"); s.State != breaker.Closed {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestARateLimitIsCooledDownForItsWholeTime(t *testing.T) {
	tests := []struct {
		name  string
		after []time.Duration // Retry-After of one rate limit after another
		want  time.Duration
	}{
		{"for a while where nothing is said", []time.Duration{0}, 5 * time.Second},
		{"as long as the upstream says", []time.Duration{20 * time.Second}, 20 * time.Second},
		{"up to a bound", []time.Duration{time.Hour}, time.Minute},
		{"and a shorter one cuts nothing short", []time.Duration{20 * time.Second, time.Second}, 20 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := breaker.NewBoard(breaker.Options{})
				u := replies(reply{})
				h := b.Health("d").Wrap(u)
				for _, d := range test.after {
					u.next(reply{err: &weir.Error{Kind: weir.KindRateLimit, Status: 429, RetryAfter: d}})
					times(t, 1, h)
				}
				u.next(reply{})
				times(t, 1, h) // an answer meanwhile does not end it
				if s := status(b, "d"); time.Until(s.Cooling) != test.want || s.State != breaker.Closed {
					t.Errorf("%+v", s)
				}
				time.Sleep(test.want - time.Millisecond)
				if got := b.Health("d").Standing(); got != breaker.Cooling {
					t.Errorf("just before its end it is %s", got)
				}
				time.Sleep(time.Millisecond)
				if got := b.Health("d").Standing(); got != breaker.Ready {
					t.Errorf("at its end it is %s", got)
				}
			})
		})
	}
}

func TestARealtimeConversationIsJudgedWhenItIsAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, u, h := opened(t, breaker.Options{Probes: 1})
		u.next(reply{})
		time.Sleep(30 * time.Second)
		req := weir.NewRequest("m", nil)
		req.Op = weir.Realtime
		for ev := range h.Handle(t.Context(), req) {
			if ev.Type == weir.EventDelta && status(b, "d").State != breaker.Closed {
				t.Error("the circuit waits for the end of the conversation")
			}
		}
		if s := status(b, "d"); s.Succeeded != 0 || s.Whole != 0 { // the window is empty after closing
			t.Errorf("%+v", s)
		}
	})
}

// A step of a random story about a half-open circuit: after some time one more
// call is made.
type step struct {
	after time.Duration
	reply reply
}

var steps = rapid.Custom(func(r *rapid.T) step {
	kinds := []reply{{}, broken(weir.KindUpstream), broken(weir.KindRateLimit), broken(weir.KindInvalid)}
	s := step{reply: rapid.SampledFrom(kinds).Draw(r, "reply")}
	s.after = time.Duration(rapid.IntRange(0, 12).Draw(r, "after")) * time.Second
	s.reply.wait = time.Duration(rapid.IntRange(0, 30).Draw(r, "takes")) * time.Second
	return s
})

func TestHalfOpenNeverLetsMoreThanTheProbesThrough(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		probes := rapid.IntRange(1, 5).Draw(r, "probes")
		story := rapid.SliceOfN(steps, 20, 60).Draw(r, "story")
		problem := ""
		synctest.Test(t, func(t *testing.T) { problem = tell(t, probes, story) })
		if problem != "" {
			r.Fatal(problem)
		}
	})
}

// tell plays a story and says what went wrong in it.
func tell(t *testing.T, probes int, story []step) string {
	b := breaker.NewBoard(breaker.Options{Probes: probes, MinCalls: 3, Open: 10 * time.Second})
	u := replies(broken(weir.KindUpstream))
	health := b.Health("d")
	h := health.Wrap(u)
	times(t, 3, h)
	var wg sync.WaitGroup
	var probing atomic.Int64 // calls in progress that began while the circuit was not closed
	problem := ""
	for _, s := range story {
		time.Sleep(s.after)
		synctest.Wait()
		before, was := u.called(), status(b, "d")
		u.next(s.reply)
		wg.Go(func() {
			if was.State != breaker.Closed {
				probing.Add(1)
				defer probing.Add(-1)
			}
			call(t.Context(), h)
		})
		synctest.Wait()
		switch admitted := u.called() > before; {
		case admitted && was.State == breaker.Open && time.Until(was.Until) > 0:
			problem = "an open circuit let a call through"
		case int(probing.Load()) > probes: // one that was refused has ended
			problem = fmt.Sprintf("%d of %d probes are in progress", probing.Load(), probes)
		}
	}
	wg.Wait()
	if n := health.InFlight(); n != 0 {
		problem = fmt.Sprintf("%d calls are in flight at the end", n)
	}
	return problem
}

func TestProbesOfAnEarlierTurnStillCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, u, h := opened(t, breaker.Options{Probes: 2, Open: 10 * time.Second})
		time.Sleep(10 * time.Second)
		var wg sync.WaitGroup
		long := func() {
			u.next(reply{wait: time.Hour})
			wg.Go(func() { call(t.Context(), h) })
			synctest.Wait()
		}
		long()
		u.next(broken(weir.KindUpstream))
		times(t, 1, h)
		time.Sleep(20 * time.Second)
		long()
		if s := status(b, "d"); s.State != breaker.HalfOpen || s.InFlight != 2 {
			t.Fatalf("%+v", s)
		}
		if _, err := call(t.Context(), h); err == nil || err.RetryAfter != time.Second {
			t.Errorf("a third probe: %v", err)
		}
		if got := b.Health("d").Standing(); got != breaker.Down {
			t.Errorf("with all probes in progress it is %s", got)
		}
		wg.Wait() // the first succeeds, and is of an earlier turn
		u.next(reply{})
		if changes := times(t, 1, h); len(changes) != 1 || changes[0].To != breaker.Closed {
			t.Errorf("the second probe of this turn was told %+v", changes)
		}
	})
}
