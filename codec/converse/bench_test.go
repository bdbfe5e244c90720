package converse

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

const chunks = 1000

// longStream is a stream of many text deltas.
func longStream() []byte {
	pairs := []string{messageStart, `{"p":"abcdefghijk","role":"assistant"}`}
	for i := range chunks {
		pairs = append(pairs, contentBlockDelta, fmt.Sprintf(`{"contentBlockIndex":0,"delta":{"text":"word %d and a few more"},"p":"abcdefghijklmn"}`, i))
	}
	pairs = append(pairs, contentBlockStop, `{"contentBlockIndex":0,"p":"abc"}`, messageStop, `{"p":"abcdef","stopReason":"end_turn"}`,
		metadataEvent, `{"metrics":{"latencyMs":500},"p":"abc","usage":{"inputTokens":10,"outputTokens":1000,"totalTokens":1010}}`)
	return []byte(frames(pairs...))
}

// BenchmarkStream is one chunk of text, read and written.
func BenchmarkStream(b *testing.B) {
	long := longStream()
	for _, mode := range []struct {
		name           string
		relay, byValue bool
	}{{"relayed frame", true, false}, {"decoded frame, verbatim", false, false}, {"decoded frame, by value", false, true}} {
		b.Run(mode.name, func(b *testing.B) {
			b.ReportAllocs()
			dst := make([]byte, 0, 4<<10)
			for b.Loop() {
				e := New().NewEncoder(&weir.Request{Stream: true})
				a := &codec.Answer{Body: bytes.NewReader(long), Stream: true, Relay: mode.relay, Target: plainTarget(claude)}
				for ev, err := range New().Decode(a) {
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
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/chunks, "ns/frame")
		})
	}
}

// BenchmarkRelayRequest is a request of 20 KB whose content nobody reads.
func BenchmarkRelayRequest(b *testing.B) {
	body := []byte(`{"messages":[{"role":"user","content":[{"text":"` + strings.Repeat("word ", 4000) + `"}]}],"inferenceConfig":{"maxTokens":100}}`)
	target := plainTarget(claude)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		req, err := New().OpenRequest(weir.Generate, &weir.Wire{Path: "/model/m/converse-stream", Body: body})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := New().EncodeRequest(req, target); err != nil {
			b.Fatal(err)
		}
	}
}
