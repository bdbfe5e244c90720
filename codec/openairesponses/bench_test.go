package openairesponses_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

const benchChunks = 1000

// benchAnswer is a stream of many deltas.
func benchAnswer() []byte {
	events := nativeEvents()
	out := append([][2]string(nil), events[:14]...)
	for range benchChunks {
		out = append(out, [2]string{"response.output_text.delta", `,"item_id":"msg_1","output_index":1,"content_index":0,"delta":" water over stone","logprobs":[],"obfuscation":"abcd"`})
	}
	full := strings.Repeat(" water over stone", benchChunks)
	for _, e := range events[16:19] {
		out = append(out, [2]string{e[0], strings.ReplaceAll(e[1], "let me look", full)})
	}
	out = append(out, [2]string{events[24][0], strings.ReplaceAll(events[24][1], "let me look", full)})
	return []byte(sse(out...))
}

// BenchmarkStream is one delta of a long stream: relayed, decoded and sent on as it
// came, and decoded and written anew.
func BenchmarkStream(b *testing.B) {
	wire := benchAnswer()
	for _, mode := range []struct {
		name           string
		relay, byValue bool
	}{{"relayed", true, false}, {"decoded", false, false}, {"written anew", false, true}} {
		b.Run(mode.name, func(b *testing.B) {
			b.ReportAllocs()
			req := client(b, true)
			var dst []byte
			for b.Loop() {
				enc := responses.NewEncoder(req)
				a := &codec.Answer{Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: bytes.NewReader(wire), Stream: true, Relay: mode.relay, Target: plain(codec.Quirks{})}
				for ev, err := range responses.Decode(a) {
					if err != nil {
						b.Fatal(err)
					}
					if mode.byValue {
						ev = ev.Detach()
					}
					dst = enc.Encode(dst[:0], ev)
				}
				dst = enc.Close(dst[:0], nil)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchChunks, "ns/delta")
		})
	}
}

// BenchmarkRequest is a request of 20 KB that goes up: spliced, and written anew.
func BenchmarkRequest(b *testing.B) {
	body := []byte(`{"model":"m","stream":true,"input":[{"role":"user","content":"` + strings.Repeat("word ", 4000) + `"}]}`)
	for _, name := range []string{"spliced", "written anew"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				req, err := responses.OpenRequest(weir.Generate, &weir.Wire{Protocol: weir.OpenAIResponses, Body: body})
				if err != nil {
					b.Fatal(err)
				}
				if name != "spliced" {
					req = edited(b, req)
				}
				if _, err := responses.EncodeRequest(req, plain(codec.Quirks{})); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
