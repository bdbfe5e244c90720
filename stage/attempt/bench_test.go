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
	bare := stream(n)
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
	return map[string]weir.Handler{
		"bare": bare, "retry": retry(bare), "timeout": timeout(bare), "fallback": over(bare),
		"all": over(weir.Chain(bare, retry, timeout)),
	}
}

// BenchmarkEvent is the cost of an event: ns/op is for one delta.
func BenchmarkEvent(b *testing.B) {
	for _, name := range []string{"bare", "retry", "timeout", "fallback", "all"} {
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
	for _, name := range []string{"bare", "retry", "timeout", "fallback", "all"} {
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
