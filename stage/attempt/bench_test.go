package attempt_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/attempt"
)

// stream answers with a start and n deltas, of frames as a decoder makes them.
func stream(n int) weir.Handler {
	first := weir.Event{Type: weir.EventStart, Start: &weir.Start{}, Frame: &weir.Frame{Raw: make([]byte, 200), Events: 1}}
	ev := weir.Event{Type: weir.EventDelta, Text: "word ", Frame: &weir.Frame{Raw: make([]byte, 200), Events: 1}}
	return weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			if !yield(first, nil) {
				return
			}
			for range n {
				if !yield(ev, nil) {
					return
				}
			}
		}
	})
}

var benchTimeouts = attempt.TimeoutOptions{FirstToken: time.Minute, Idle: time.Minute, Total: time.Hour}

func benchChains(n int) map[string]weir.Handler {
	bare, budget := stream(n), attempt.NewBudget(attempt.RetryBudget())
	retry := attempt.Retry(attempt.RetryOptions{Deployment: "p/m"})
	timeout := attempt.Timeout(benchTimeouts)
	fallback := attempt.Fallback(attempt.FallbackOptions{})
	over := func(h weir.Handler) weir.Handler {
		req := weir.NewRequest("m", &weir.Body{})
		req.Deployments = []weir.Deployment{{Name: "p/m", Handler: h}}
		return weir.HandlerFunc(func(ctx context.Context, _ *weir.Request) iter.Seq2[weir.Event, error] {
			return fallback.Handle(ctx, req)
		})
	}
	policies := attempt.Retry(attempt.RetryOptions{Deployment: "p/m", Policies: &attempt.Policies{}, Budget: budget})
	hedged := attempt.Fallback(attempt.FallbackOptions{Hedge: &attempt.Hedge{
		Delay: func(*weir.Deployment) (time.Duration, bool) { return time.Minute, true },
	}})
	two := func(h weir.Handler) weir.Handler {
		req := weir.NewRequest("m", &weir.Body{})
		req.Deployments = []weir.Deployment{{Name: "p/m", Handler: h}, {Name: "p/n", Handler: h}}
		return weir.HandlerFunc(func(ctx context.Context, _ *weir.Request) iter.Seq2[weir.Event, error] {
			return hedged.Handle(ctx, req)
		})
	}
	continued := attempt.Continue(attempt.ContinueOptions{
		Enabled: func(*weir.Request) bool { return true },
		Prefill: func(*weir.Deployment) bool { return true },
	})
	return map[string]weir.Handler{
		"policies": policies(bare), "hedge": two(bare), "continue": continued(bare),
		"bare": bare, "retry": retry(bare), "timeout": timeout(bare), "fallback": over(bare),
		"all": over(weir.Chain(bare, retry, timeout)),
	}
}

var benched = []string{"bare", "retry", "policies", "timeout", "fallback", "hedge", "continue", "all"}

// BenchmarkEvent is the cost of an event: ns/op is for one delta.
func BenchmarkEvent(b *testing.B) {
	for _, name := range benched {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			h := benchChains(b.N)[name]
			b.ResetTimer()
			for _, err := range h.Handle(b.Context(), request()) {
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCall is the cost of a call of two events.
func BenchmarkCall(b *testing.B) {
	for _, name := range benched {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			h, req := benchChains(1)[name], request()
			for b.Loop() {
				for range h.Handle(b.Context(), req) {
				}
			}
		})
	}
}
