package weirtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// recordedProtocols are what the recordings call the protocols.
var recordedProtocols = map[weir.Protocol][]string{
	weir.OpenAIChat:        {"chat"},
	weir.AnthropicMessages: {"messages"},
	weir.OpenAIResponses:   {"responses"},
	weir.GeminiGenerate:    {"generate-content"},
	weir.OllamaChat:        {"native-chat"},
	weir.BedrockConverse:   {"converse", "converse-stream"},
	weir.OpenAICompletions: {"completions"}, // Mistral's "fim" answers in the shape of Chat: see its own tests
}

// recorded are the recordings of a codec's protocol.
func recorded(tb testing.TB, c codec.Codec) []*Recording {
	tb.Helper()
	var out []*Recording
	for _, name := range recordedProtocols[c.Protocol()] {
		out = append(out, Recordings(tb, name)...)
	}
	return out
}

// target is an upstream that does what its protocol says.
func target() *codec.Target {
	return &codec.Target{Provider: "test", Model: "test-model", Quirks: &codec.Quirks{}}
}

// a reading is how an answer is decoded.
type reading struct {
	stream bool
	relay  bool
	op     weir.Operation
	header http.Header
}

func readingOf(rec *Recording) reading {
	return reading{stream: rec.IsStream(), header: rec.Response.Headers}
}

func (r reading) open(c codec.Codec, body io.Reader) iter.Seq2[weir.Event, error] {
	header := r.header
	if header == nil {
		header = http.Header{"Content-Type": {contentType(c, r.stream)}}
	}
	return c.Decode(&codec.Answer{Header: header, Body: body, Stream: r.stream, Relay: r.relay, Op: r.op, Target: target()})
}

// contentType is that of the answers which c writes.
func contentType(c codec.Codec, stream bool) string {
	req, err := simpleRequest(c, stream)
	if err != nil {
		return "application/json"
	}
	return c.NewEncoder(req).ContentType()
}

// decode reads a whole answer. The error is that of the answer; a broken
// promise of the decoder itself is a *contractError.
func (r reading) decode(c codec.Codec, body io.Reader) ([]weir.Event, error) {
	var events []weir.Event
	var last error
	var frames weir.FrameCloner
	for ev, err := range r.open(c, body) {
		if last != nil {
			return events, &contractError{"an error was not the last pair"}
		}
		if err != nil {
			last = err
			continue
		}
		events = append(events, frames.Clone(ev))
	}
	// Upstreams do correct their counts downwards at the end, and the last one
	// counts: two of the recordings do so.
	g := &grammar{shrinks: true}
	check := func() error { return checkWhole(g, events) }
	if last != nil || r.op != weir.Generate {
		check = func() error { return g.all(events) }
	}
	if err := check(); err != nil {
		return events, &contractError{err.Error()}
	}
	return events, last
}

// A contractError is a promise that a codec has broken.
type contractError struct{ text string }

func (e *contractError) Error() string { return e.text }

func isContract(err error) bool {
	_, ok := errors.AsType[*contractError](err)
	return ok
}

// clientRequest is a request of a client that speaks c, as received.
func clientRequest(c codec.Codec, body *weir.Body, stream bool) (*weir.Request, error) {
	in := weir.NewRequest("test-model", body)
	in.Stream = stream
	call, err := c.EncodeRequest(in, target())
	if err != nil {
		return nil, fmt.Errorf("encode a request: %w", err)
	}
	return c.OpenRequest(weir.Generate, received(c, call))
}

// received is a call as the server half of its protocol receives it.
func received(c codec.Codec, call *codec.Call) *weir.Wire {
	return &weir.Wire{Protocol: c.Protocol(), Method: call.Method, Path: call.Path, Query: call.Query,
		Body: bytes.Join(call.Body, nil), Header: call.Header}
}

// simpleRequest is a short request whose client wants to see everything that an
// answer may hold.
func simpleRequest(c codec.Codec, stream bool) (*weir.Request, error) {
	req, err := clientRequest(c, &weir.Body{
		Messages:    []weir.Message{weir.UserText("hi")},
		MaxTokens:   new(int64(100)),
		StreamUsage: new(true),
	}, stream)
	if err != nil {
		return nil, err
	}
	if req.Stream != stream {
		return nil, fmt.Errorf("the request was written with stream=%v and read with %v", stream, req.Stream)
	}
	return req, nil
}

// encode writes an answer for the client of req.
func encode(c codec.Codec, req *weir.Request, events []weir.Event, failed *weir.Error) ([]byte, []weir.Loss) {
	enc := c.NewEncoder(req)
	var out []byte
	for _, ev := range events {
		out = enc.Encode(out, ev)
	}
	out = enc.Close(out, failed)
	return out, enc.Losses()
}

// detached are events without their frames: what an edit leaves.
func detached(events []weir.Event) []weir.Event {
	out := make([]weir.Event, 0, len(events))
	for _, ev := range events {
		if ev.Type != weir.EventPing && ev.Type != weir.EventRelay {
			out = append(out, ev.Detach())
		}
	}
	return out
}

// collected is the completion of events.
func collected(events []weir.Event) *weir.Completion {
	var c weir.Collector
	for _, ev := range events {
		c.Add(ev)
	}
	return c.Completion()
}
