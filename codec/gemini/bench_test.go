package gemini_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/gemini"
)

const benchChunks = 1000

// longStream is a stream of many pieces of text.
func longStream() []byte {
	var b strings.Builder
	for range benchChunks {
		b.WriteString(sse(`{"candidates":[{"content":{"parts":[{"text":" water over stone"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":19,"totalTokenCount":19},"modelVersion":"gemini-3-flash","responseId":"r1"}`))
	}
	b.WriteString(sse(parts(`{"text":""}`, `,"finishReason":"STOP"`)))
	return []byte(b.String())
}

// A chunk relayed, decoded for a stage that reads it, and written by value.
func BenchmarkChunk(b *testing.B) {
	stream := longStream()
	for _, mode := range []struct {
		name           string
		relay, byValue bool
	}{{"relayed", true, false}, {"decoded, verbatim", false, false}, {"decoded, by value", false, true}} {
		b.Run(mode.name, func(b *testing.B) {
			b.ReportAllocs()
			req := open(b, weir.Generate, streamPath+"?alt=sse", `{"contents":[]}`)
			to := target("gemini-3-flash")
			var dst []byte
			for b.Loop() {
				e := gemini.New().NewEncoder(req)
				for ev, err := range gemini.New().Decode(&codec.Answer{Body: bytes.NewReader(stream), Stream: true, Relay: mode.relay, Target: to}) {
					if err != nil {
						b.Fatal(err)
					}
					if mode.byValue {
						ev = ev.Detach()
					}
					dst = e.Encode(dst[:0], ev)
				}
				dst = e.Close(dst[:0], nil)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchChunks, "ns/chunk")
		})
	}
}

// A request of 20 KB sent on, and written anew.
func BenchmarkRequest(b *testing.B) {
	body := []byte(`{"contents":[{"role":"user","parts":[{"text":"` + strings.Repeat("word ", 4000) + `"}]}],"generationConfig":{"temperature":0.5}}`)
	for _, edit := range []bool{false, true} {
		b.Run(map[bool]string{false: "relayed", true: "edited"}[edit], func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			to := target("gemini-3-flash")
			for b.Loop() {
				req, err := gemini.New().OpenRequest(weir.Generate, &weir.Wire{Path: generatePath, Body: body})
				if err == nil && edit {
					req, err = req.Edit(func(*weir.Body) error { return nil })
				}
				if err == nil {
					_, err = gemini.New().EncodeRequest(req, to)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
