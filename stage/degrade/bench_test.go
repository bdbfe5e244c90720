package degrade_test

import (
	"context"
	"iter"
	"testing"

	"github.com/weir-gateway/weir"
)

// BenchmarkEvent is the cost of one delta of a healthy answer: without the
// stage, and through it.
func BenchmarkEvent(b *testing.B) {
	for _, staged := range []bool{false, true} {
		name := "bare"
		if staged {
			name = "healthy"
		}
		b.Run(name, func(b *testing.B) {
			n := b.N
			var h weir.Handler = weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
				return func(yield func(weir.Event, error) bool) {
					for range n {
						if !yield(weir.Event{Type: weir.EventDelta, Text: "word "}, nil) {
							return
						}
					}
				}
			})
			if staged {
				h = stage(b, sorry())(h)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range h.Handle(b.Context(), asks("hi")) {
			}
		})
	}
}

// BenchmarkCall is the cost of a small call: healthy without the stage, healthy
// through it, and answered by it.
func BenchmarkCall(b *testing.B) {
	bench := func(name string, h weir.Handler) {
		req := asks("hi")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for range h.Handle(b.Context(), req) {
				}
			}
		})
	}
	bench("bare", answers("yes"))
	bench("healthy", stage(b, sorry())(answers("yes")))
	bench("degraded", stage(b, sorry())(fails(weir.KindUpstream)))
}
