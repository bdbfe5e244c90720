package share_test

import (
	"context"
	"iter"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/share"
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

var benchBody = make([]byte, 20<<10)

// benched are the stages with nobody to share with: the price of the chance.
func benched(n int) map[string]weir.Handler {
	key := func(*weir.Request) string { return "k" }
	return map[string]weir.Handler{
		"bare":    stream(n),
		"off":     weir.Chain(stream(n), share.New(share.Options{Key: func(*weir.Request) string { return "" }}).Middleware()),
		"share":   weir.Chain(stream(n), share.New(share.Options{Key: key}).Middleware()),
		"digest":  weir.Chain(stream(n), share.New(share.Options{Key: share.Digest}).Middleware()),
		"no keys": weir.Chain(stream(n), share.NewIdempotency(share.IdempotencyOptions{Key: func(*weir.Request) string { return "" }}).Middleware()),
	}
}

var benchNames = []string{"bare", "off", "no keys", "share", "digest"}

func benchRequest() *weir.Request {
	return weir.NewWireRequest(&weir.Wire{Protocol: weir.OpenAIChat, Body: benchBody}, nil)
}

// BenchmarkEvent is the cost of an event: ns/op is for one delta.
func BenchmarkEvent(b *testing.B) {
	for _, name := range benchNames[:4] {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			h := benched(b.N)[name]
			b.ResetTimer()
			for _, err := range h.Handle(b.Context(), benchRequest()) {
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCall is the cost of a call of two events with a request of 20 KB.
func BenchmarkCall(b *testing.B) {
	for _, name := range benchNames {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			h, req := benched(1)[name], benchRequest()
			for b.Loop() {
				for range h.Handle(b.Context(), req) {
				}
			}
		})
	}
}

// BenchmarkReplay is the cost of an answer of 100 events that is kept.
func BenchmarkReplay(b *testing.B) {
	b.ReportAllocs()
	h := once(stream(100))
	req := keyed("k", "q")
	for b.Loop() {
		for _, err := range h.Handle(b.Context(), req) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
