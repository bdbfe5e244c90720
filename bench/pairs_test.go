package bench

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/all"
)

// pairUpstreams are the protocols that an answer may come in, and pairClients those in
// which it may go out.
var (
	pairUpstreams = []weir.Protocol{weir.OpenAIChat, weir.OpenAIResponses, weir.AnthropicMessages, weir.GeminiGenerate, weir.OllamaChat, weir.BedrockConverse}
	pairClients   = pairUpstreams[:5]
)

// BenchmarkPairChunk is one chunk of text of a long stream through every pair of
// protocols, read and written: where both are the same it is relayed. What a
// socket costs is not part of it.
func BenchmarkPairChunk(b *testing.B) {
	for _, up := range pairUpstreams {
		for _, client := range pairClients {
			from, into := all.For(up), all.For(client)
			b.Run(fmt.Sprintf("%s/%s", up, client), func(b *testing.B) {
				chunks := b.N
				wire, contentType := written(b, from, chunks)
				req := asked(b, into)
				enc := into.NewEncoder(req)
				buf := make([]byte, 0, 4<<10)
				b.ReportAllocs()
				b.ResetTimer()
				answer := &codec.Answer{Header: http.Header{"Content-Type": {contentType}}, Body: bytes.NewReader(wire), Stream: true, Relay: up == client, Target: target}
				n := 0
				for ev, err := range from.Decode(answer) {
					if err != nil {
						b.Fatal(err)
					}
					buf = enc.Encode(buf[:0], ev)
					n += len(buf)
				}
				if buf = enc.Close(buf[:0], nil); n+len(buf) < chunks {
					b.Fatal("the text did not come out")
				}
			})
		}
	}
}

// written is an answer of n chunks as an upstream of a protocol streams it.
func written(b *testing.B, c codec.Codec, n int) ([]byte, string) {
	b.Helper()
	enc := c.NewEncoder(asked(b, c))
	var wire []byte
	add := func(ev weir.Event) { wire = enc.Encode(wire, ev) }
	add(weir.Event{Type: weir.EventStart, Start: &weir.Start{ID: "bench-1", Model: "bench", Created: 1790000000}})
	add(weir.Event{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}})
	for range n {
		add(weir.Event{Type: weir.EventDelta, Text: " water over stone"})
	}
	add(weir.Event{Type: weir.EventBlockEnd})
	add(weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}})
	u := new(weir.Usage)
	u.Set(weir.UsageInput, 19)
	u.Set(weir.UsageOutput, int64(n))
	add(weir.Event{Type: weir.EventUsage, Usage: u})
	return enc.Close(wire, nil), enc.ContentType()
}

// asked is a streaming request of a client of a protocol.
func asked(b *testing.B, c codec.Codec) *weir.Request {
	b.Helper()
	in := weir.NewRequest("bench", &weir.Body{Messages: []weir.Message{weir.UserText("hi")}, MaxTokens: new(int64(100))})
	in.Stream = true
	call, err := c.EncodeRequest(in, target)
	if err != nil {
		b.Fatal(err)
	}
	req, err := c.OpenRequest(weir.Generate, &weir.Wire{Protocol: c.Protocol(), Path: call.Path, Query: call.Query, Header: call.Header, Body: bytes.Join(call.Body, nil)})
	if err != nil {
		b.Fatal(err)
	}
	return req
}
