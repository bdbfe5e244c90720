package thread_test

import (
	"context"
	"iter"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/thread"
)

// BenchmarkEvent is the cost of one delta of a native stream: kept, not kept,
// and of another protocol.
func BenchmarkEvent(b *testing.B) {
	for name, a := range map[string]ask{"kept": says("x"), "not_kept": says("x").store(false)} {
		b.Run(name, func(b *testing.B) { benchmarkEvent(b, a.request()) })
	}
	b.Run("other_protocol", func(b *testing.B) {
		benchmarkEvent(b, weir.NewWireRequest(&weir.Wire{Protocol: weir.OpenAIChat}, nil))
	})
}

func benchmarkEvent(b *testing.B, req *weir.Request) {
	n := b.N
	upstream := weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			delta := framed("delta", weir.Event{Type: weir.EventDelta, Text: "word "})[0]
			if !yield(weir.Event{Type: weir.EventStart, Start: &weir.Start{ID: "a"}}, nil) ||
				!yield(weir.Event{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}}, nil) {
				return
			}
			for range n {
				if !yield(delta, nil) {
					return
				}
			}
			yield(weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}}, nil)
		}
	})
	h := thread.New(thread.Options{Keeper: newKeeper(), Native: true, Keep: true})(upstream)
	b.ReportAllocs()
	b.ResetTimer()
	for _, err := range h.Handle(b.Context(), req) {
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTurn is a turn that follows ten others.
func BenchmarkTurn(b *testing.B) {
	h, id := stand(newKeeper(), &model{}), ""
	for range 10 {
		id = answerTo(b.Context(), h, says("a question of a usual length, more or less").after(id)).Start.ID
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range h.Handle(b.Context(), says("and now?").after(id).request()) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
