package ollama

import (
	"bytes"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func target(q codec.Quirks) *codec.Target {
	return &codec.Target{Provider: "p", Model: "m", Quirks: &q}
}

func open(t *testing.T, op weir.Operation, path, body string) *weir.Request {
	t.Helper()
	req, err := New().OpenRequest(op, &weir.Wire{Path: path, Body: []byte(body)})
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return req
}

func encodeFor(t *testing.T, req *weir.Request, q codec.Quirks) (*codec.Call, string) {
	t.Helper()
	call, err := New().EncodeRequest(req, target(q))
	if err != nil {
		t.Fatal(err)
	}
	return call, string(bytes.Join(call.Body, nil))
}

func edited(t *testing.T, req *weir.Request, fn func(*weir.Body)) *weir.Request {
	t.Helper()
	out, err := req.Edit(func(b *weir.Body) error { fn(b); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func unchanged(*weir.Body) {}

func lossFields(c *codec.Call) string {
	var out []string
	for _, l := range c.Losses {
		out = append(out, string(l.Action)+" "+l.Field)
	}
	return strings.Join(out, ", ")
}

// nativeRequests say everything that the protocol can, in the ways in which its
// clients say it.
var nativeRequests = []struct {
	op         weir.Operation
	path, body string
}{
	{weir.Generate, "/api/chat", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`},
	{weir.Generate, "/ollama/api/chat", `{"model":"m","messages":[],"keep_alive":0}`}, // unloads the model
	{weir.Generate, "/api/chat", `{"model":"m"}`},                                     // loads it
	{weir.Generate, "/api/chat", `{"model":"m","stream":true,"format":"","tools":[],"options":{},"keep_alive":null,"messages":[` +
		`{"role":"system","content":"s"},{"role":"user","content":"look","images":["iVBORw0KGgoAAA==","/9j/AAAA"]},` +
		`{"role":"assistant","content":"","thinking":"hm","tool_calls":[{"function":{"name":"f","arguments":{"a":1.0,"b":{"c":[]}}}},` +
		`{"id":"x","type":"function","function":{"index":1,"name":"g","arguments":{}}}]},` +
		`{"role":"tool","content":"1","tool_name":"f"},{"role":"tool","content":"2","tool_name":"g","tool_call_id":"x"},` +
		`{"role":"control","content":"thinking"},{"role":"assistant","content":null,"images":[],"extra":1}]}`},
	{weir.Generate, "/api/chat", `{"model":"m","stream":false,"format":"json","think":true,"logprobs":true,"top_logprobs":3,"truncate":false,"shift":true,` +
		`"messages":[{"role":"user","content":""}],"options":{"num_predict":5,"temperature":0,"top_p":0.5,"top_k":4,"seed":7,"frequency_penalty":1,` +
		`"presence_penalty":0.5,"stop":"x","num_ctx":4096,"min_p":0.1,"mirostat":null}}`},
	{weir.Generate, "/api/chat", `{"model":"m","format":{"type":"object","properties":{"a":{"type":"string"}}},"think":"high","keep_alive":"5m",` +
		`"messages":[{"role":"user","content":"a"}],"options":{"num_predict":-1,"stop":["x","y"]},` +
		`"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{}},"strict":true,"more":1},"x":2},` +
		`{"function":{"name":"g"}},{"type":"web_search","x":1}]}`},
	{weir.Generate, "/api/chat", `{"model":"m","think":false,"messages":[{"role":"assistant","content":"a","tool_calls":[{"function":{"name":"f","arguments":"{\"a\":1}"}}]}]}`},
	{weir.Generate, "/api/generate", `{"model":"m","prompt":"hi"}`},
	{weir.Generate, "/api/generate", `{"model":"m","prompt":""}`},
	{weir.Generate, "/api/generate", `{"model":"m","prompt":"look","system":"s","images":["/9j/AAAA"],"suffix":"z","template":"{{ .Prompt }}","context":[1,2],"raw":true,` +
		`"stream":false,"format":"json","options":{"num_predict":9,"num_ctx":1},"think":"max","keep_alive":-1}`},
	{weir.Generate, "/api/generate", `{"model":"m","prompt":"a","system":"","template":"","context":[],"raw":false,"images":[],"format":"","options":{},"keep_alive":null}`},
	{weir.Embed, "/api/embed", `{"model":"m","input":"a"}`},
	{weir.Embed, "/api/embed", `{"model":"m","input":["a","b"],"truncate":false,"dimensions":8,"options":{"num_ctx":5},"keep_alive":"1m"}`},
	{weir.Embed, "/api/embed", `{"model":"m","input":[]}`},
	{weir.Embed, "/api/embeddings", `{"model":"m","prompt":"a","options":{}}`},
}

// P-02: what nobody edits keeps its bytes, what an edit does not touch its value.
func TestNativeRequestsAreSentOn(t *testing.T) {
	for _, tt := range nativeRequests {
		req := open(t, tt.op, tt.path, tt.body)
		call, got := encodeFor(t, req, codec.Quirks{})
		if got != tt.body || call.Path != strings.TrimPrefix(tt.path, "/ollama") || len(call.Losses) > 0 {
			t.Errorf("untouched, %s became %s to %s, losses %s", tt.body, got, call.Path, lossFields(call))
		}
		call, got = encodeFor(t, edited(t, req, unchanged), codec.Quirks{})
		if !jsonx.Equal([]byte(got), []byte(tt.body)) || len(call.Losses) > 0 || call.Path != strings.TrimPrefix(tt.path, "/ollama") {
			t.Errorf("edited, %s\nbecame %s to %s, losses %s", tt.body, got, call.Path, lossFields(call))
		}
		if again, same := encodeFor(t, edited(t, req, unchanged), codec.Quirks{}); same != got || again.Stream != req.Stream {
			t.Errorf("written twice, %s became %s and %s", tt.body, got, same) // C-03
		}
	}
}

// A stream is what there is without a word, and can be had otherwise (S-12).
func TestStreamsAreTheDefault(t *testing.T) {
	req := open(t, weir.Generate, "/api/chat", `{"model":"m","messages":[]}`)
	if !req.Stream {
		t.Fatal("a request without a word is not streamed")
	}
	req.Stream = false
	if call, got := encodeFor(t, req, codec.Quirks{}); call.Stream || got != `{"model":"m","messages":[],"stream":false}` {
		t.Errorf("sent as %s", got)
	}
	if req := open(t, weir.Generate, "/api/generate", `{"model":"m","stream":false}`); req.Stream {
		t.Error("stream:false is streamed")
	}
	if req := open(t, weir.Embed, "/api/embed", `{"model":"m","input":"a"}`); req.Stream {
		t.Error("vectors are streamed")
	}
}

// Without a path, the members tell the endpoint.
func TestTheMembersTellTheEndpoint(t *testing.T) {
	for body, want := range map[string]string{
		`{"model":"m","prompt":"a"}`: "/api/generate", `{"model":"m","messages":[]}`: "/api/chat", `{"model":"m","messages":[],"prompt":""}`: "/api/chat",
	} {
		if call, _ := encodeFor(t, open(t, weir.Generate, "", body), codec.Quirks{}); call.Path != want {
			t.Errorf("%s goes to %s", body, call.Path)
		}
	}
	for body, want := range map[string]string{`{"model":"m","prompt":"a"}`: "/api/embeddings", `{"model":"m","input":"a"}`: "/api/embed"} {
		if call, _ := encodeFor(t, open(t, weir.Embed, "", body), codec.Quirks{}); call.Path != want {
			t.Errorf("%s goes to %s", body, call.Path)
		}
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	chat := func(members string) string { return `{"model":"m","messages":[` + members + `]}` }
	tests := []struct {
		op                weir.Operation
		path, body, param string
	}{
		{weir.Generate, "/api/chat", `{"messages":[]}`, "model"},
		{weir.Generate, "/api/chat", `{"model":7}`, "model"},
		{weir.Generate, "/api/chat", `{"model":"m","messages":{}}`, "messages"},
		{weir.Generate, "/api/chat", `{"model":"m","stream":"yes"}`, "stream"},
		{weir.Generate, "/api/chat", chat(`7`), "messages[0]"},
		{weir.Generate, "/api/chat", chat(`{"content":"a"}`), "messages[0].role"},
		{weir.Generate, "/api/chat", chat(`{"role":"user","content":[]}`), "messages[0].content"},
		{weir.Generate, "/api/chat", chat(`{"role":"user","images":[7]}`), "messages[0].images[0]"},
		{weir.Generate, "/api/chat", chat(`{"role":"assistant","tool_calls":[{"function":{"arguments":{}}}]}`), "messages[0].tool_calls[0].function.name"},
		{weir.Generate, "/api/chat", chat(`{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":[]}}]}`), "messages[0].tool_calls[0].function.arguments"},
		{weir.Generate, "/api/chat", `{"model":"m","tools":[{"type":"function","function":{}}]}`, "tools[0].function.name"},
		{weir.Generate, "/api/chat", `{"model":"m","tools":[{"type":"function","function":{"name":"f","parameters":"x"}}]}`, "tools[0].function.parameters"},
		{weir.Generate, "/api/chat", `{"model":"m","format":"xml"}`, "format"},
		{weir.Generate, "/api/chat", `{"model":"m","think":"hard"}`, "think"},
		{weir.Generate, "/api/chat", `{"model":"m","options":[]}`, "options"},
		{weir.Generate, "/api/chat", `{"model":"m","options":{"temperature":"hot"}}`, "options.temperature"},
		{weir.Generate, "/api/chat", `{"model":"m","options":{"stop":[7]}}`, "options.stop[0]"},
		{weir.Generate, "/api/generate", `{"model":"m","prompt":[]}`, "prompt"},
		{weir.Embed, "/api/embed", `{"model":"m","input":[7]}`, "input[0]"},
		{weir.Embed, "/api/embed", `{"model":"m","dimensions":"8"}`, "dimensions"},
		{weir.CountTokens, "/api/chat", `{"model":"m"}`, ""},
	}
	for _, tt := range tests {
		req, err := New().OpenRequest(tt.op, &weir.Wire{Path: tt.path, Body: []byte(tt.body)})
		if err == nil {
			_, err = req.Body()
		}
		if e := weir.AsError(err); err == nil || e.Kind != weir.KindInvalid || e.Param != tt.param {
			t.Errorf("%s is refused with %v, which names %q", tt.body, err, weir.AsError(err).Param)
		}
	}
}

// S-03: calls and results without ids get the same ones in every turn.
func TestCallsAndResultsArePaired(t *testing.T) {
	body, err := open(t, weir.Generate, "/api/chat", `{"model":"m","messages":[{"role":"user","content":"a"},`+
		`{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{}}},{"function":{"name":"g","arguments":{}}},{"id":"own","function":{"name":"f","arguments":{}}}]},`+
		`{"role":"tool","content":"of g","tool_name":"g"},{"role":"tool","content":"of f","tool_name":"f"},{"role":"tool","content":"of own","tool_call_id":"own"},`+
		`{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]},{"role":"tool","content":"unnamed"},{"role":"tool","content":"surplus"}]}`).Body()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range body.Messages {
		for _, c := range body.Messages[i].ToolCalls() {
			got = append(got, c.Name+"="+c.ID)
		}
		for _, b := range body.Messages[i].Blocks {
			if b.Result != nil {
				got = append(got, b.Result.Content[0].Text+"="+b.Result.CallID)
			}
		}
	}
	want := "f=call_1_0 g=call_1_1 f=own of g=call_1_1 of f=call_1_0 of own=own f=call_5_0 unnamed=call_5_0 surplus="
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

// P-01: what a client of Ollama loses elsewhere is told in its words, and what would
// ask for something else is refused.
func TestOllamaRequestsElsewhere(t *testing.T) {
	req := open(t, weir.Generate, "/api/chat", `{"model":"m","keep_alive":"5m","options":{"num_ctx":5,"temperature":1,"num_predict":-1},"think":"max","messages":[`+
		`{"role":"assistant","content":"a","thinking":"hm","tool_calls":[{"function":{"name":"f","arguments":{}}}],"x":1},{"role":"tool","content":"b","tool_name":"f"}]}`)
	call, err := openaichat.New().EncodeRequest(req, target(codec.Quirks{Thinking: "none", MaxStop: 1}))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"messages[0].x", "keep_alive", "options.num_ctx", "think"} {
		if !strings.Contains(lossFields(call)+",", "dropped "+field+",") {
			t.Errorf("%s is not among the losses: %s", field, lossFields(call))
		}
	}
	if strings.Contains(lossFields(call), "num_predict") {
		t.Errorf("no cap is not a loss: %s", lossFields(call))
	}
	for param, body := range map[string]string{
		"raw": `{"model":"m","prompt":"a","raw":true}`, "context": `{"model":"m","prompt":"a","context":[1]}`,
		"template": `{"model":"m","prompt":"a","template":"{{ .Prompt }}"}`, "suffix": `{"model":"m","prompt":"a","suffix":"b"}`,
	} {
		_, err := openaichat.New().EncodeRequest(open(t, weir.Generate, "/api/generate", body), target(codec.Quirks{}))
		if e := weir.AsError(err); err == nil || e.Kind != weir.KindUnsupported || e.Param != param {
			t.Errorf("%s is refused with %v", body, err)
		}
	}
	plain := open(t, weir.Generate, "/api/generate", `{"model":"m","prompt":"a","system":"s","images":["/9j/AAAA"],"raw":false,"context":[]}`)
	call, err = openaichat.New().EncodeRequest(plain, target(codec.Quirks{}))
	want := `{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},` +
		`{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,/9j/AAAA"}}]}],"stream":true,"stream_options":{"include_usage":true}}`
	if got := bytes.Join(call.Body, nil); err != nil || !jsonx.Equal(got, []byte(want)) || len(call.Losses) > 0 {
		t.Errorf("a prompt became %s (%v), losses %s", got, err, lossFields(call))
	}
}

// An edit may make a conversation of a prompt: then it goes to /api/chat.
func TestAPromptMayBecomeAConversation(t *testing.T) {
	req := open(t, weir.Generate, "/api/generate", `{"model":"m","prompt":"a","raw":true,"stream":false}`)
	call, got := encodeFor(t, edited(t, req, func(b *weir.Body) {
		b.Messages = append(b.Messages, weir.AssistantText("b"), weir.UserText("c"))
	}), codec.Quirks{})
	want := `{"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}],"stream":false}`
	if call.Path != "/api/chat" || got != want || lossFields(call) != "dropped raw" {
		t.Errorf("%s to %s, losses %s", got, call.Path, lossFields(call))
	}
}
