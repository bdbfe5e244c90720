package gemini_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/gemini"
	"github.com/weir-gateway/weir/internal/jsonx"
)

const (
	generatePath = "/v1beta/models/gemini-3-flash:generateContent"
	streamPath   = "/v1beta/models/gemini-3-flash:streamGenerateContent"
	countPath    = "/v1beta/models/gemini-3-flash:countTokens"
	embedPath    = "/v1beta/models/e:embedContent"
	batchPath    = "/v1beta/models/e:batchEmbedContents"
)

// target is the Gemini API itself.
func target(model string) *codec.Target {
	return &codec.Target{Provider: "gemini", Model: model, Quirks: &codec.Quirks{}}
}

// odd is a target with quirks.
func odd(model string, q codec.Quirks) *codec.Target {
	return &codec.Target{Provider: "gemini", Model: model, Quirks: &q}
}

func wire(path, body string) *weir.Wire {
	path, query, _ := strings.Cut(path, "?")
	return &weir.Wire{Path: path, Query: query, Body: []byte(body)}
}

func open(t testing.TB, op weir.Operation, path, body string) *weir.Request {
	t.Helper()
	req, err := gemini.New().OpenRequest(op, wire(path, body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return req
}

func canonical(t testing.TB, op weir.Operation, path, body string) *weir.Body {
	t.Helper()
	b, err := open(t, op, path, body).Body()
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return b
}

func edited(t testing.TB, req *weir.Request, fn func(*weir.Body)) *weir.Request {
	t.Helper()
	out, err := req.Edit(func(b *weir.Body) error { fn(b); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func nothing(*weir.Body) {}

// sent is a request as it is written for a target.
func sent(t testing.TB, req *weir.Request, to *codec.Target) (*codec.Call, string) {
	t.Helper()
	call, err := gemini.New().EncodeRequest(req, to)
	if err != nil {
		t.Fatal(err)
	}
	return call, string(bytes.Join(call.Body, nil))
}

// translated is a body of another protocol as it is written for a target.
func translated(t testing.TB, body *weir.Body, to *codec.Target) (string, string) {
	t.Helper()
	call, out := sent(t, weir.NewRequest("m", body), to)
	return out, lossText(call.Losses)
}

// refused is the error of a request that cannot be written.
func refused(t testing.TB, req *weir.Request, to *codec.Target) *weir.Error {
	t.Helper()
	call, err := gemini.New().EncodeRequest(req, to)
	if err == nil {
		t.Fatalf("it was written as %s", bytes.Join(call.Body, nil))
	}
	return weir.AsError(err)
}

func equalJSON(t testing.TB, what, got, want string) {
	t.Helper()
	if !jsonx.Equal([]byte(got), []byte(want)) {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

// lossText is losses in words: "dropped user, approximated n".
func lossText(losses []weir.Loss) string {
	var out []string
	for _, l := range losses {
		out = append(out, string(l.Action)+" "+l.Field)
	}
	return strings.Join(out, ", ")
}

// member is a part of a JSON text by the names and numbers of its path.
func member(t testing.TB, text string, path ...any) string {
	t.Helper()
	raw := []byte(text)
	for _, step := range path {
		switch step := step.(type) {
		case string:
			raw = jsonx.Get(raw, step)
		case int:
			var found []byte
			_ = jsonx.EachElement(raw, func(i int, v []byte) error {
				if i == step {
					found = v
				}
				return nil
			})
			raw = found
		}
	}
	return string(raw)
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
	for ev, err := range gemini.New().Decode(a) {
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

func wholeAnswer(body string) *codec.Answer {
	return &codec.Answer{Body: strings.NewReader(body), Target: target("gemini-3-flash")}
}

func streamAnswer(body string, relay bool) *codec.Answer {
	return &codec.Answer{Body: strings.NewReader(body), Stream: true, Relay: relay, Target: target("gemini-3-flash")}
}

// encoded is an answer as the client of req reads it.
func encoded(req *weir.Request, events []weir.Event) []byte {
	e := gemini.New().NewEncoder(req)
	var out []byte
	for _, ev := range events {
		out = e.Encode(out, ev)
	}
	return e.Close(out, nil)
}

func detached(events []weir.Event) []weir.Event {
	var out []weir.Event
	for _, ev := range events {
		out = append(out, ev.Detach())
	}
	return out
}

// sse is a stream of chunks as Google writes it.
func sse(chunks ...string) string {
	var b strings.Builder
	for _, c := range chunks {
		b.WriteString("data: " + c + "\r\n\r\n")
	}
	return b.String()
}

// array is a stream of chunks without events.
func array(chunks ...string) string { return "[" + strings.Join(chunks, "\n,\r\n") + "\n]\n" }

// parts is a chunk with some parts; more are members behind the candidate's.
func parts(parts string, more ...string) string {
	return `{"candidates":[{"content":{"parts":[` + parts + `],"role":"model"}` + strings.Join(more, "") + `}],"modelVersion":"gemini-3-flash","responseId":"r1"}`
}

// dataOf are the JSON texts of an event stream.
func dataOf(t testing.TB, stream []byte) []string {
	t.Helper()
	var out []string
	for event := range strings.SplitSeq(strings.ReplaceAll(string(stream), "\r\n", "\n"), "\n\n") {
		if event == "" {
			continue
		}
		data, ok := strings.CutPrefix(event, "data: ")
		if !ok || jsonx.Valid([]byte(data)) != nil {
			t.Fatalf("the event %q is no JSON", event)
		}
		out = append(out, data)
	}
	return out
}

func blockTypes(m *weir.Message) []weir.BlockType {
	var out []weir.BlockType
	for i := range m.Blocks {
		out = append(out, m.Blocks[i].Type)
	}
	return out
}

func sameTypes(m *weir.Message, want ...weir.BlockType) bool {
	return slices.Equal(blockTypes(m), want)
}

// Bodies of a client of Chat, for short.
func chat(messages ...weir.Message) *weir.Body {
	return &weir.Body{From: weir.OpenAIChat, Messages: messages}
}

func calling(calls ...*weir.ToolCall) weir.Message {
	m := weir.Message{Role: weir.RoleAssistant}
	for _, c := range calls {
		m.Blocks = append(m.Blocks, weir.Block{Type: weir.BlockToolCall, Call: c})
	}
	return m
}

func call(id, name string) *weir.ToolCall { return &weir.ToolCall{ID: id, Name: name, Arguments: "{}"} }
