package openairesponses_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/openairesponses"
	"github.com/weir-gateway/weir/internal/jsonx"
)

var responses = openairesponses.New()

// plain is an upstream that does what the protocol says.
func plain(q codec.Quirks) *codec.Target {
	return &codec.Target{Provider: "openai", Model: "up", Quirks: &q}
}

// open is a request of a client of this protocol.
func open(tb testing.TB, body string) *weir.Request {
	tb.Helper()
	req, err := responses.OpenRequest(weir.Generate, &weir.Wire{Protocol: weir.OpenAIResponses, Body: []byte(body)})
	if err != nil {
		tb.Fatalf("%v in %s", err, body)
	}
	return req
}

// edited is a request whose bytes are forgotten and whose body is the same.
func edited(tb testing.TB, req *weir.Request) *weir.Request {
	tb.Helper()
	out, err := req.Edit(func(*weir.Body) error { return nil })
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// foreign is a request whose body came in another protocol.
func foreign(from weir.Protocol, b weir.Body) *weir.Request {
	b.From = from
	return weir.NewRequest("m", &b)
}

// send is a request as it goes up.
func send(tb testing.TB, req *weir.Request, q codec.Quirks) (string, *codec.Call) {
	tb.Helper()
	call, err := responses.EncodeRequest(req, plain(q))
	if err != nil {
		tb.Fatalf("%+v", err)
	}
	return string(bytes.Join(call.Body, nil)), call
}

// refused is the error of a request that cannot go up.
func refused(tb testing.TB, req *weir.Request, q codec.Quirks) *weir.Error {
	tb.Helper()
	call, err := responses.EncodeRequest(req, plain(q))
	if err == nil {
		tb.Fatalf("it was sent: %s", bytes.Join(call.Body, nil))
	}
	return weir.AsError(err)
}

// losses are what a call lost, "field action" each.
func losses(all []weir.Loss) string {
	var out []string
	for _, l := range all {
		out = append(out, l.Field+" "+string(l.Action))
	}
	return strings.Join(out, ", ")
}

// same fails unless two texts are the same JSON by value.
func same(tb testing.TB, got, want string) {
	tb.Helper()
	if !jsonx.Equal([]byte(got), []byte(want)) {
		tb.Errorf("\n got %s\nwant %s", got, want)
	}
}

// a decoded answer; its frames are copies.
type decoded struct {
	events []weir.Event
	err    *weir.Error
}

func decodeOf(a *codec.Answer) decoded {
	var d decoded
	var frames weir.FrameCloner
	for ev, err := range responses.Decode(a) {
		if err != nil {
			d.err = weir.AsError(err)
			break
		}
		d.events = append(d.events, frames.Clone(ev))
	}
	return d
}

// decodeText is an answer from its text, of openai.
func decodeText(text string, relay bool) decoded {
	stream := !strings.HasPrefix(strings.TrimSpace(text), "{")
	typ := "application/json"
	if stream {
		typ = "text/event-stream"
	}
	return decodeOf(&codec.Answer{Header: http.Header{"Content-Type": {typ}}, Body: strings.NewReader(text),
		Stream: stream, Relay: relay, Target: plain(codec.Quirks{})})
}

// completion is the whole of an answer that is complete.
func (d decoded) completion(tb testing.TB) *weir.Completion {
	tb.Helper()
	if d.err != nil {
		tb.Fatal(d.err)
	}
	var c weir.Collector
	for _, ev := range d.events {
		c.Add(ev)
	}
	return c.Completion()
}

// block is the nth block of an answer that is complete.
func (d decoded) block(tb testing.TB, n int) weir.Block {
	tb.Helper()
	c := d.completion(tb)
	if len(c.Choices) != 1 || n >= len(c.Choices[0].Message.Blocks) {
		tb.Fatalf("there is no block %d in %+v", n, c)
	}
	return c.Choices[0].Message.Blocks[n]
}

// byValue are events that an encoder cannot send on as they came.
func byValue(events []weir.Event) []weir.Event {
	out := make([]weir.Event, 0, len(events))
	for _, ev := range events {
		if ev.Type != weir.EventRelay {
			out = append(out, ev.Detach())
		}
	}
	return out
}

// written is an answer as its client reads it; err is how it ended.
func written(req *weir.Request, events []weir.Event, err *weir.Error) (string, []weir.Loss) {
	enc := responses.NewEncoder(req)
	var out []byte
	for _, ev := range events {
		out = enc.Encode(out, ev)
	}
	out = enc.Close(out, err)
	return string(out), enc.Losses()
}

// client is a client's request for an answer.
func client(tb testing.TB, stream bool) *weir.Request {
	tb.Helper()
	req := open(tb, `{"model":"m","input":"hi"}`)
	req.Stream, req.ID = stream, "req1"
	return req
}

// A script makes events.
type script struct {
	events []weir.Event
	blocks int32
}

// say begins an answer of a protocol.
func say(from weir.Protocol) *script {
	s := &script{}
	return s.add(weir.Event{Type: weir.EventStart, Start: &weir.Start{ID: "a1", Model: "up", Created: 7, From: from}})
}

func (s *script) add(events ...weir.Event) *script {
	s.events = append(s.events, events...)
	return s
}

// block adds a block with deltas.
func (s *script) block(b weir.Block, deltas ...weir.Event) *script {
	i := s.blocks
	s.blocks++
	s.add(weir.Event{Type: weir.EventBlockStart, Index: i, Block: &b})
	for _, d := range deltas {
		d.Type, d.Index = weir.EventDelta, i
		s.add(d)
	}
	return s.add(weir.Event{Type: weir.EventBlockEnd, Index: i})
}

func (s *script) text(pieces ...string) *script {
	return s.block(weir.Block{Type: weir.BlockText}, texts(pieces...)...)
}

// call adds a call of a function, its arguments in pieces.
func (s *script) call(id, name string, pieces ...string) *script {
	deltas := texts(pieces...)
	for i := range deltas {
		deltas[i].Part = weir.PartArguments
	}
	return s.block(weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: id, Name: name, Type: weir.ToolFunction}}, deltas...)
}

func texts(pieces ...string) []weir.Event {
	var out []weir.Event
	for _, p := range pieces {
		out = append(out, weir.Event{Text: p})
	}
	return out
}

// done ends the answer.
func (s *script) done(reason weir.FinishReason) []weir.Event {
	u := &weir.Usage{}
	u.Set(weir.UsageInput, 5)
	u.Set(weir.UsageOutput, 3)
	s.add(weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: reason}}, weir.Event{Type: weir.EventUsage, Usage: u})
	return s.events
}
