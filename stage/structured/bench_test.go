package structured_test

import (
	"context"
	"iter"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/structured"
)

// played answers with the events of steps, and asks nothing of the request.
func played(steps []step) weir.Handler {
	return weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			for i := range steps {
				if !yield(steps[i].ev, nil) {
					return
				}
			}
		}
	})
}

// BenchmarkCall is the cost of a small call: without the stage, past it, and
// through each of its modes, compiling the schema included.
func BenchmarkCall(b *testing.B) {
	bench := func(name string, h weir.Handler, req *weir.Request) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for range h.Handle(b.Context(), req) {
				}
			}
		})
	}
	none := func(*weir.Request) bool { return false }
	streamed := asks(person())
	streamed.Stream = true
	bench("bare", played(says(good)), asks(nil))
	bench("passes", stage(structured.Options{HasFormat: none}, played(says(good))), asks(nil))
	bench("prompt", stage(structured.Options{}, played(says(good))), asks(person()))
	bench("tool", stage(structured.Options{Support: structured.Tool}, played(calls(good))), streamed)
}
