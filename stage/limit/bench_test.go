package limit_test

import (
	"context"
	"iter"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/limit"
)

// ready answers at once, and allocates nothing.
func ready() weir.Handler {
	answer := func(yield func(weir.Event, error) bool) {
		_ = yield(weir.Event{Type: weir.EventDelta, Text: "x"}, nil) &&
			yield(weir.Event{Type: weir.EventFinish}, nil)
	}
	return weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] { return answer })
}

// The consumer is made once, so that what is allocated is the stage's.
func BenchmarkAdaptive(b *testing.B) {
	for _, c := range []struct {
		name   string
		max    int
		stream bool
	}{
		{name: "bare"},
		{name: "whole", max: 8},
		{name: "streamed", max: 8, stream: true},
	} {
		b.Run(c.name, func(b *testing.B) {
			h := limit.NewAdaptive(limit.AdaptiveOptions{Max: c.max}).Middleware()(ready())
			req := weir.NewRequest("m", nil)
			req.Stream = c.stream
			consume := func(weir.Event, error) bool { return true }
			b.ReportAllocs()
			for b.Loop() {
				h.Handle(context.Background(), req)(consume)
			}
		})
	}
}

func BenchmarkAdaptiveContended(b *testing.B) {
	h := limit.NewAdaptive(limit.AdaptiveOptions{Max: 1 << 20, Start: 1 << 20}).Middleware()(ready())
	req := weir.NewRequest("m", nil)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			for range h.Handle(context.Background(), req) {
			}
		}
	})
}
