package converse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/eventstream"
	"github.com/weir-gateway/weir/internal/jsonx"
)

const (
	claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
	nova   = "us.amazon.nova-2-lite-v1:0"
)

func plainTarget(model string) *codec.Target {
	return &codec.Target{Provider: "bedrock", Model: model, Quirks: &codec.Quirks{}}
}

// frames writes events given as name, payload, name, payload …; a name that ends
// in Exception is one.
func frames(pairs ...string) string {
	var out []byte
	for i := 0; i+1 < len(pairs); i += 2 {
		if strings.HasSuffix(pairs[i], "Exception") {
			out = eventstream.AppendException(out, pairs[i], []byte(pairs[i+1]))
			continue
		}
		out = eventstream.AppendEvent(out, pairs[i], []byte(pairs[i+1]))
	}
	return string(out)
}

func streamOf(body string, relay bool) *codec.Answer {
	return &codec.Answer{Body: strings.NewReader(body), Stream: true, Relay: relay, Target: plainTarget(claude)}
}

// decoded is an answer that was read, with the bytes of its frames.
type decoded struct {
	events []weir.Event
	raw    []byte
	err    error
}

func (d decoded) completion() *weir.Completion {
	var c weir.Collector
	for _, ev := range d.events {
		c.Add(ev)
	}
	return c.Completion()
}

func decode(a *codec.Answer) decoded {
	var d decoded
	var keep weir.FrameCloner
	for ev, err := range New().Decode(a) {
		if err != nil {
			d.err = err
			break
		}
		if ev.Frame != nil && ev.FrameSeq == 0 {
			d.raw = append(d.raw, ev.Frame.Raw...)
		}
		d.events = append(d.events, keep.Clone(ev))
	}
	return d
}

func encode(req *weir.Request, events []weir.Event, failed *weir.Error) []byte {
	e := New().NewEncoder(req)
	var out []byte
	for _, ev := range events {
		out = e.Encode(out, ev)
	}
	return e.Close(out, failed)
}

func byValue(events []weir.Event) []weir.Event {
	var out []weir.Event
	for _, ev := range events {
		out = append(out, ev.Detach())
	}
	return out
}

// shown is a stream in words, an event a line.
func shown(t testing.TB, stream []byte) string {
	t.Helper()
	var out strings.Builder
	r := eventstream.NewReader(bytes.NewReader(stream), 0)
	defer r.Release()
	for {
		f, err := r.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("what was written is no stream: %v", err)
			}
			return out.String()
		}
		fmt.Fprintf(&out, "%s %s\n", f.Name, f.Payload)
	}
}

// sent is a body as it is written for a target.
func sent(t testing.TB, body *weir.Body, target *codec.Target) (string, []weir.Loss) {
	t.Helper()
	call, err := New().EncodeRequest(weir.NewRequest("m", body), target)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.Join(call.Body, nil)), call.Losses
}

func open(t testing.TB, op weir.Operation, path, body string) *weir.Request {
	t.Helper()
	req, err := New().OpenRequest(op, &weir.Wire{Path: path, Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func equalJSON(t testing.TB, what, got, want string) {
	t.Helper()
	if !jsonx.Equal([]byte(got), []byte(want)) {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

func lossText(losses []weir.Loss) string {
	var out []string
	for _, l := range losses {
		out = append(out, l.Field+" "+string(l.Action))
	}
	return strings.Join(out, ", ")
}

// Events, for short.
func begin(i int32, b weir.Block) weir.Event {
	return weir.Event{Type: weir.EventBlockStart, Index: i, Block: &b}
}
func add(i int32, p weir.Part, text string) weir.Event {
	return weir.Event{Type: weir.EventDelta, Index: i, Part: p, Text: text}
}
func end(i int32) weir.Event { return weir.Event{Type: weir.EventBlockEnd, Index: i} }
func finish(r weir.FinishReason) weir.Event {
	return weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: r}}
}
func start() weir.Event {
	return weir.Event{Type: weir.EventStart, Start: &weir.Start{ID: "x", Model: "y"}}
}
func text(i int32) weir.Event { return begin(i, weir.Block{Type: weir.BlockText}) }
func call(i int32, id string) weir.Event {
	return begin(i, weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: id, Name: "f"}})
}
func thought(i int32, format string) weir.Event {
	return begin(i, weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{Format: format}})
}
