package replay_test

import (
	"context"
	"iter"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/replay"
)

// stream answers with a start, n deltas of reasoning and a finish.
func stream(n int) weir.Handler {
	first := []weir.Event{{Type: weir.EventStart, Start: &weir.Start{}}, {Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockReasoning}}}
	delta := weir.Event{Type: weir.EventDelta, Text: "word ", Frame: &weir.Frame{Raw: make([]byte, 200), Events: 1}}
	finish := weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}}
	return weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			for _, ev := range first {
				if !yield(ev, nil) {
					return
				}
			}
			for range n {
				if !yield(delta, nil) {
					return
				}
			}
			yield(finish, nil)
		}
	})
}

func benched(h weir.Handler, needs replay.Needs, tools bool) weir.Handler {
	return replay.New(replay.Options{
		Provider: "p", Needs: needs, Store: replay.NewMemory(replay.MemoryOptions{}),
		HasTools:   func(*weir.Request) bool { return tools },
		HasHistory: func(*weir.Request) bool { return false },
	})(h)
}

var benches = []struct {
	name  string
	needs replay.Needs
	tools bool
}{{"bare", 0, false}, {"passes", replay.Text, false}, {"watches", replay.Text, true}}

// BenchmarkEvent is the cost of an event: ns/op is for one delta.
func BenchmarkEvent(b *testing.B) {
	for _, bench := range benches {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			h, req := benched(stream(b.N), bench.needs, bench.tools), weir.NewRequest("m", &weir.Body{})
			b.ResetTimer()
			for range h.Handle(b.Context(), req) {
			}
		})
	}
}

// BenchmarkCall is the cost of a call of four events.
func BenchmarkCall(b *testing.B) {
	for _, bench := range benches {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			h, req := benched(stream(1), bench.needs, bench.tools), weir.NewRequest("m", &weir.Body{})
			for b.Loop() {
				for range h.Handle(b.Context(), req) {
				}
			}
		})
	}
}
