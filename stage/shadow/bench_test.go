package shadow_test

import (
	"context"
	"iter"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/shadow"
)

// BenchmarkCall is the cost of the stage for a call: without it, for one that is
// not sampled, and for one that is but finds no room.
func BenchmarkCall(b *testing.B) {
	events := (&model{text: "a word"}).events()
	first := weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			for i := range events {
				if !yield(events[i], nil) {
					return
				}
			}
		}
	})
	bench := func(name string, h weir.Handler) {
		req := asks("01J9Z5V6M4T0K3F2")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for range h.Handle(b.Context(), req) {
				}
			}
		})
	}
	bench("bare", first)
	o := always(&model{}, &sink{})
	o.Targets = []shadow.Target{{Model: "second", Percent: 0.001}, {Model: "third", Percent: 0.001}}
	bench("not_sampled", open(b, o).Middleware()(first))
	closed := open(b, always(&model{}, &sink{}))
	closed.Close(context.Background())
	bench("dropped", closed.Middleware()(first))
}
