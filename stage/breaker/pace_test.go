package breaker_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/breaker"
)

// taking answers after d.
func taking(d time.Duration) reply { return reply{wait: d} }

func TestLatencyPeaksAtOnceAndDecays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := breaker.NewBoard(breaker.Options{}).Health("d")
		if p95, n := h.P95(); h.Latency(true) != 0 || p95 != 0 || n != 0 {
			t.Error("a latency without a sample")
		}
		u := replies(taking(200*time.Millisecond), taking(3*time.Second), taking(100*time.Millisecond))
		stage := h.Wrap(u)
		times(t, 1, stage)
		if got := h.Latency(true); got != 200*time.Millisecond {
			t.Errorf("after the first answer %s", got)
		}
		times(t, 1, stage)
		if got := h.Latency(true); got != 3*time.Second {
			t.Errorf("a peak counts at once: %s", got)
		}
		times(t, 1, stage)
		if got := h.Latency(true); got < 2900*time.Millisecond || got >= 3*time.Second {
			t.Errorf("one quick answer does not make it quick: %s", got)
		}
		before := h.Latency(true)
		time.Sleep(10 * time.Second)
		if got := h.Latency(true).Seconds() / before.Seconds(); got < 0.367 || got > 0.369 { // 1/e
			t.Errorf("after one time constant %.3f of it is left", got)
		}
	})
}

func TestLatencyOfWholeAnswersIsKeptApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := breaker.NewBoard(breaker.Options{}).Health("d")
		stage := h.Wrap(replies(taking(2 * time.Second)))
		ask := func(op weir.Operation) {
			req := weir.NewRequest("m", nil)
			req.Op = op
			for range stage.Handle(t.Context(), req) {
			}
		}
		for _, op := range []weir.Operation{weir.CountTokens, weir.Files, weir.Speech, weir.Realtime, weir.Other} {
			ask(op)
			if h.Latency(false) != 0 {
				t.Errorf("%s tells nothing about the next call", op)
			}
		}
		ask(weir.Embed)
		if _, n := h.P95(); h.Latency(false) != 2*time.Second || h.Latency(true) != 0 || n != 0 {
			t.Errorf("%s in one piece, %s streamed", h.Latency(false), h.Latency(true))
		}
	})
}

func TestWaitingInVainIsALatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := breaker.NewBoard(breaker.Options{}).Health("d")
		times(t, 1, h.Wrap(replies(reply{wait: time.Minute, err: &weir.Error{Kind: weir.KindTimeout}})))
		if got := h.Latency(true); got != time.Minute {
			t.Errorf("after a minute in vain the latency is %s", got)
		}
		quick := breaker.NewBoard(breaker.Options{}).Health("d")
		times(t, 1, quick.Wrap(replies(broken(weir.KindUpstream))))
		if got := quick.Latency(true); got != 0 {
			t.Errorf("to fail quickly is no speed: %s", got)
		}
	})
}

func TestP95ForgetsWithTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := breaker.NewBoard(breaker.Options{}).Health("d")
		u := replies(taking(100 * time.Millisecond))
		stage := h.Wrap(u)
		times(t, 90, stage)
		u.next(taking(4 * time.Second))
		times(t, 10, stage)
		if got, n := h.P95(); got < 3750*time.Millisecond || got > 4250*time.Millisecond || n != 100 {
			t.Errorf("P95 is %s of %d", got, n)
		}
		time.Sleep(2 * time.Minute)
		if got, _ := h.P95(); got != 0 {
			t.Errorf("after two windows it is %s", got)
		}
	})
}

func TestACallThatWasCalledOffCountsWhereItWasSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := breaker.NewBoard(breaker.Options{}).Health("d")
		u := replies(taking(time.Second))
		stage := h.Wrap(u)
		leave := func(after time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			u.next(taking(time.Hour))
			call(ctx, stage)
		}
		leave(time.Minute)
		if got := h.Latency(true); got != 0 {
			t.Errorf("nothing is usual yet, and the latency is %s", got)
		}
		u.next(taking(time.Second))
		times(t, 1, stage)
		leave(500 * time.Millisecond)
		if got := h.Latency(true); got > time.Second {
			t.Errorf("a caller that leaves early says nothing: %s", got)
		}
		leave(5 * time.Second)
		if got := h.Latency(true); got != 5*time.Second {
			t.Errorf("after five seconds in vain: %s", got)
		}
		if s := h.Status(); s.Failed != 0 || s.Neutral != 3 {
			t.Errorf("%+v", s)
		}
	})
}
