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

// BenchmarkPairChunk is one chunk of text of a stream of pairChunks through every pair of
// protocols, read and written: where both are the same it is relayed. What a
// socket costs is not part of it.
func BenchmarkPairChunk(b *testing.B) {
	for _, up := range pairUpstreams {
		for _, client := range pairClients {
			from, into := all.For(up), all.For(client)
			b.Run(fmt.Sprintf("%s/%s", up, client), func(b *testing.B) {
				wire, contentType := written(b, from, pairChunks)
				header := http.Header{"Content-Type": {contentType}}
				req := asked(b, into)
				var buf []byte
				b.ReportAllocs()
				b.ResetTimer()
				for done := 0; done < b.N; done += pairChunks {
					answer := &codec.Answer{Header: header, Body: bytes.NewReader(wire), Stream: true, Relay: up == client, Target: target}
					buf = translated(b, from, answer, into.NewEncoder(req), buf[:0])
				}
			})
		}
	}
}

// pairChunks is how long one answer is.
const pairChunks = 500

// translated reads one answer and writes it anew.
func translated(b *testing.B, from codec.Codec, answer *codec.Answer, enc codec.Encoder, buf []byte) []byte {
	n := 0
	for ev, err := range from.Decode(answer) {
		if err != nil {
			b.Fatal(err)
		}
		buf = enc.Encode(buf[:0], ev)
		n += len(buf)
	}
	if buf = enc.Close(buf[:0], nil); n+len(buf) < pairChunks {
		b.Fatal("the text did not come out")
	}
	return buf
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
