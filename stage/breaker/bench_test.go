package breaker_test

import (
	"context"
	"iter"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/breaker"
)

// benchAnswer answers with a start, n deltas and a finish, and allocates nothing.
func benchAnswer(n int) weir.Handler {
	start := weir.Event{Type: weir.EventStart, Start: &weir.Start{}}
	delta := weir.Event{Type: weir.EventDelta, Text: "word "}
	finish := weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}}
	seq := func(yield func(weir.Event, error) bool) {
		if !yield(start, nil) {
			return
		}
		for range n {
			if !yield(delta, nil) {
				return
			}
		}
		yield(finish, nil)
	}
	return weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] { return seq })
}

func benchBoard() (*breaker.Board, *breaker.Group) {
	b := breaker.NewBoard(breaker.Options{})
	g := b.NewGroup("m", "a", "b", "c", "d")
	b.Install(g)
	return b, g
}

// BenchmarkCall is the cost of a call of three events.
func BenchmarkCall(b *testing.B) {
	board, _ := benchBoard()
	bare := benchAnswer(1)
	for _, c := range []struct {
		name string
		h    weir.Handler
	}{{"bare", bare}, {"breaker", board.Health("x").Wrap(bare)}, {"member", board.Health("a").Wrap(bare)}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			req := weir.NewRequest("m", nil)
			req.Stream = true
			for b.Loop() {
				for range c.h.Handle(b.Context(), req) {
				}
			}
		})
	}
}

// BenchmarkEvent is the cost of an event after the first content.
func BenchmarkEvent(b *testing.B) {
	board, _ := benchBoard()
	for _, name := range []string{"bare", "breaker"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			h := benchAnswer(b.N)
			if name == "breaker" {
				h = board.Health("x").Wrap(h)
			}
			b.ResetTimer()
			for range h.Handle(b.Context(), weir.NewRequest("m", nil)) {
			}
		})
	}
}

// BenchmarkRefusal is the cost of a call that an open circuit refuses.
func BenchmarkRefusal(b *testing.B) {
	board := breaker.NewBoard(breaker.Options{MinCalls: 1})
	fail := weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		return weir.Fail(&weir.Error{Kind: weir.KindUpstream})
	})
	h := board.Health("x").Wrap(fail)
	req := weir.NewRequest("m", nil)
	b.ReportAllocs()
	for b.Loop() {
		for range h.Handle(b.Context(), req) {
		}
	}
}
