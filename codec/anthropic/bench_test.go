package anthropic

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
	var b strings.Builder
	b.WriteString(frame("message_start", `{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":1}}}`))
	b.WriteString(frame("content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`))
	for i := range chunks {
		b.WriteString(frame("content_block_delta", fmt.Sprintf(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"word %d and a few more"}}`, i)))
	}
	b.WriteString(frame("content_block_stop", `{"type":"content_block_stop","index":0}`))
	b.WriteString(frame("message_delta", `{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":1000}}`))
	b.WriteString(frame("message_stop", `{"type":"message_stop"}`))
	return []byte(b.String())
}

func frame(event, data string) string { return "event: " + event + "\ndata: " + data + "\n\n" }

func BenchmarkStream(b *testing.B) {
	stream := longStream()
	for _, mode := range []struct {
		name           string
		relay, byValue bool
	}{{"relayed frame", true, false}, {"decoded frame, verbatim", false, false}, {"decoded frame, by value", false, true}} {
		b.Run(mode.name, func(b *testing.B) {
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				e := New().NewEncoder(&weir.Request{Stream: true})
				a := &codec.Answer{Body: bytes.NewReader(stream), Stream: true, Relay: mode.relay, Target: plainTarget("m")}
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

func BenchmarkRelayRequest(b *testing.B) {
	body := []byte(`{"model":"a","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"` + strings.Repeat("word ", 4000) + `"}]}`)
	target := plainTarget("claude-b")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		req, err := New().OpenRequest(weir.Generate, &weir.Wire{Body: body})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := New().EncodeRequest(req, target); err != nil {
			b.Fatal(err)
		}
	}
}
