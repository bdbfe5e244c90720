package openaichat

import (
	"bytes"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", name, got, want)
	}
}

// claude is an answer as the Anthropic codec makes it.
func claude() []weir.Event {
	from := weir.AnthropicMessages
	usage := &weir.Usage{From: from}
	usage.Set(weir.UsageInput, 10)
	usage.Set(weir.UsageCacheRead, 4)
	usage.Set(weir.UsageOutput, 20)
	call := &weir.ToolCall{ID: "toolu_1", Name: "f", Type: weir.ToolFunction}
	bare := &weir.ToolCall{ID: "toolu_2", Name: "g", Type: weir.ToolFunction}
	return []weir.Event{
		{Type: weir.EventStart, Start: &weir.Start{ID: "msg_1", Model: "claude", Created: 7, From: from}},
		{Type: weir.EventPing},
		{Type: weir.EventBlockStart, Index: 0, Block: &weir.Block{Type: weir.BlockReasoning}},
		{Type: weir.EventDelta, Index: 0, Text: "hm"},
		{Type: weir.EventDelta, Index: 0, Part: weir.PartSignature, Text: "sig"},
		{Type: weir.EventBlockEnd, Index: 0},
		{Type: weir.EventBlockStart, Index: 1, Block: &weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{Encrypted: "enc"}}},
		{Type: weir.EventBlockEnd, Index: 1},
		{Type: weir.EventBlockStart, Index: 2, Block: &weir.Block{Type: weir.BlockText}},
		{Type: weir.EventDelta, Index: 2, Text: "Hi \"you\" 你好"},
		{Type: weir.EventDelta, Index: 2, Part: weir.PartCitation, Citation: &weir.Citation{Type: "url", URL: "https://x", Title: "X", Cited: "c"}},
		{Type: weir.EventBlockEnd, Index: 2},
		{Type: weir.EventBlockStart, Index: 3, Block: &weir.Block{Type: weir.BlockToolCall, Call: call}},
		{Type: weir.EventDelta, Index: 3, Part: weir.PartArguments, Text: `{"a":`},
		{Type: weir.EventDelta, Index: 3, Part: weir.PartArguments, Text: `1}`},
		{Type: weir.EventBlockEnd, Index: 3},
		{Type: weir.EventBlockStart, Index: 4, Block: &weir.Block{Type: weir.BlockToolCall, Call: bare}},
		{Type: weir.EventBlockEnd, Index: 4},
		{Type: weir.EventUsage, Usage: usage},
		{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishToolCalls, Native: "tool_use", From: from}},
		weir.NoteEvent(&weir.Loss{}),
	}
}

func run1(req *weir.Request, events []weir.Event) []byte {
	e := New().NewEncoder(req)
	var out []byte
	for _, ev := range events {
		out = e.Encode(out, ev)
	}
	return e.Close(out, nil)
}

func TestAnswersOfAnotherProtocolAreWrittenAsChunks(t *testing.T) { // S-01, S-04, W-10, W-11, T-08
	out := run1(clientAsking(true), claude())
	golden(t, "claude.sse", out)
	for _, bad := range []string{`"finish_reason":""`, `"id":""`, `:{}}`, `"error"`} {
		if bytes.Contains(out, []byte(bad)) {
			t.Errorf("%s is in the stream", bad)
		}
	}
	golden(t, "claude.json", run1(clientAsking(false), claude()))
}

func TestUsageIsShownToThoseWhoAskOnly(t *testing.T) { // U-01
	req := weir.NewRequest("m", &weir.Body{})
	req.Stream = true
	if out := run1(req, claude()); bytes.Contains(out, []byte(`"usage"`)) {
		t.Errorf("%s", out)
	}
	s := stream(chunkOf(`{"content":"a"}`), finishOf(`"stop"`), `{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}`, "[DONE]")
	for _, relay := range []bool{false, true} {
		a := &codec.Answer{Header: http.Header{}, Body: strings.NewReader(s), Stream: true, Relay: relay, Target: neutral("m")}
		out, err := encodeAll(req, New().Decode(a))
		if want := stream(chunkOf(`{"content":"a"}`), finishOf(`"stop"`), "[DONE]"); err != nil || string(out) != want {
			t.Errorf("%v %s", err, out)
		}
	}
	wire := open(t, `{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}`)
	if !wantsUsage(wire) || wantsUsage(open(t, `{"model":"m","messages":[],"stream":true}`)) {
		t.Error("the client's wish is not read")
	}
}

func TestAFrameThatDoesNotComeWholeIsWrittenByValue(t *testing.T) {
	s := stream(chunkOf(`{"role":"assistant","content":"secret"}`), finishOf(`"stop"`), "[DONE]")
	a := &codec.Answer{Header: http.Header{}, Body: strings.NewReader(s), Stream: true, Target: neutral("m")}
	e := New().NewEncoder(clientAsking(true))
	var out []byte
	for ev, err := range New().Decode(a) {
		if err != nil {
			t.Fatal(err)
		}
		if ev.Type == weir.EventDelta {
			ev = ev.Detach()
			ev.Text = "[mail]"
		}
		out = e.Encode(out, ev)
	}
	out = e.Close(out, nil)
	if bytes.Contains(out, []byte("secret")) || !bytes.Contains(out, []byte(`"content":"[mail]"`)) || !bytes.HasSuffix(out, []byte("data: [DONE]\n\n")) {
		t.Errorf("%s", out)
	}
	if n := bytes.Count(out, doneMark); n != 1 {
		t.Errorf("%d times [DONE]", n)
	}
}

func TestNativeReasonsAreNotCollapsed(t *testing.T) { // P-11
	for _, c := range []struct {
		finish weir.Finish
		want   string
	}{
		{weir.Finish{Reason: weir.FinishPause, Native: "pause_turn"}, `"finish_reason":"stop","native_finish_reason":"pause_turn"`},
		{weir.Finish{Reason: weir.FinishContextWindow, Native: "model_context_window_exceeded"}, `"finish_reason":"length","native_finish_reason":"model_context_window_exceeded"`},
		{weir.Finish{Reason: weir.FinishRefusal, Native: "refusal", Details: []byte(`{"explanation":"not that"}`)}, `"finish_reason":"content_filter","native_finish_reason":"refusal"`},
		{weir.Finish{Reason: weir.FinishOther, Native: "odd", From: protocol}, `"finish_reason":"odd"`},
	} {
		out := run1(clientAsking(true), []weir.Event{{Type: weir.EventStart, Start: &weir.Start{ID: "x"}}, {Type: weir.EventFinish, Finish: &c.finish}})
		if !bytes.Contains(out, []byte(c.want)) {
			t.Errorf("%s: %s", c.finish.Native, out)
		}
		if c.finish.Reason == weir.FinishRefusal && !bytes.Contains(out, []byte(`"refusal":"not that"`)) {
			t.Errorf("%s", out)
		}
	}
}

func TestAFailureInAStreamIsSaidInItsOwnForm(t *testing.T) { // E-03
	e := New().NewEncoder(clientAsking(true))
	out := e.Encode(nil, claude()[0])
	out = e.Close(out, weir.Errorf(weir.KindOverloaded, "busy"))
	if want := `data: {"error":{"message":"busy","type":"server_error","param":null,"code":"overloaded"}}` + "\n\n"; string(out) != want {
		t.Errorf("%s", out)
	}
	whole := New().NewEncoder(clientAsking(false))
	if out := whole.Close(nil, weir.Errorf(weir.KindOverloaded, "busy")); len(out) != 0 {
		t.Errorf("the caller's to write, but: %s", out)
	}
}

func TestKeepAlivesStandBetweenFrames(t *testing.T) { // W-06
	e := New().NewEncoder(clientAsking(true))
	if got := string(e.KeepAlive(nil)); got != ": keep-alive\n" {
		t.Errorf("%q", got)
	}
	cut := weir.Event{Type: weir.EventRelay, Frame: &weir.Frame{Protocol: protocol, Raw: []byte("data: {}"), Events: 1}}
	out := e.Encode(nil, cut)
	if got := e.KeepAlive(nil); len(got) != 0 {
		t.Errorf("inside a frame: %q", got)
	}
	if out = e.Close(out, nil); string(out) != "data: {}" {
		t.Errorf("%q", out)
	}
	if got := New().NewEncoder(clientAsking(false)).KeepAlive(nil); len(got) != 0 {
		t.Errorf("ahead of JSON: %q", got)
	}
}

func TestErrorBodies(t *testing.T) { // E-01, E-05, X-01
	upstream := []byte(`{"error":{"message":"no such thing","type":"x","odd":1}}`)
	wire := func(b []byte) *weir.ErrorWire { return &weir.ErrorWire{Protocol: protocol, Status: 400, Body: b} }
	for _, c := range []struct {
		name string
		err  weir.Error
		want string
	}{
		{"our own", weir.Error{Kind: weir.KindInvalid, Message: "bad", Param: "messages[0]", Hint: "do this"},
			`{"error":{"message":"bad (do this)","type":"invalid_request_error","param":"messages[0]","code":"invalid_value"}}`},
		{"the upstream's bytes", weir.Error{Kind: weir.KindInvalid, Wire: wire(upstream)}, string(upstream)},
		{"no page of an intermediary", weir.Error{Kind: weir.KindUpstream, Message: "bad gateway", Wire: wire([]byte("<html>"))},
			`{"error":{"message":"bad gateway","type":"server_error","param":null,"code":"upstream_error"}}`},
		{"nothing about our own key", weir.Error{Kind: weir.KindUpstreamAuth, Message: "refused", Wire: wire(upstream)},
			`{"error":{"message":"refused","type":"server_error","param":null,"code":"upstream_auth_error"}}`},
		{"nothing that looks like a key", weir.Error{Kind: weir.KindInvalid, Message: "m", Wire: wire([]byte(`{"error":{"message":"sk-CANARY123456"}}`))},
			`{"error":{"message":"m","type":"invalid_request_error","param":null,"code":"invalid_value"}}`},
		{"the code that clients act on", weir.Error{Kind: weir.KindContextLength, Message: "too long", Code: "1261"},
			`{"error":{"message":"too long","type":"invalid_request_error","param":null,"code":"context_length_exceeded"}}`},
		{"all attempts", weir.Error{Kind: weir.KindUnavailable, Message: "no deployment could answer", Attempts: []*weir.Attempt{
			{Number: 1, Deployment: "a/x", Err: &weir.Error{Kind: weir.KindRateLimit, Status: 429, Message: "slow"}}, {Number: 2, Deployment: "b/y", Err: &weir.Error{Kind: weir.KindTimeout}}}},
			`{"error":{"message":"no deployment could answer. Attempts: 1. a/x: rate_limit (429): slow; 2. b/y: timeout","type":"server_error","param":null,"code":"unavailable"}}`},
	} {
		if got := New().AppendError(nil, &c.err); string(got) != c.want || jsonx.Valid(got) != nil {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	e := New().DecodeError(429, http.Header{"Retry-After": {"3"}}, []byte(`{"error":{"message":"slow"}}`), neutral("m"))
	if e.Kind != weir.KindRateLimit || e.RetryAfter.Seconds() != 3 || e.Wire == nil || e.Provider != "test" {
		t.Errorf("%+v", e)
	}
}

func TestRelayCostsNoAllocation(t *testing.T) {
	e := New().NewEncoder(clientAsking(true))
	f := &weir.Frame{Protocol: protocol, Raw: []byte(benchChunk), Events: 1}
	out := make([]byte, 0, 1024)
	d := newDecoder(&codec.Answer{Target: neutral("m"), Relay: true})
	data := []byte(strings.TrimSpace(benchChunk)[len("data: "):])
	n := testing.AllocsPerRun(100, func() {
		d.seen = look(data)
		if !d.plain(data) {
			t.Fatal("not plain")
		}
		out = e.Encode(out[:0], weir.Event{Type: weir.EventRelay, Frame: f})
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// T-02: the state that Gemini attaches to a call is kept, with its first fragment
// or with a later one, as it came and written anew, streamed and whole.
func TestASignatureMayComeBehindItsCall(t *testing.T) {
	const late = `data: {"id":"i","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{"}}]}}]}` + "\n\n" +
		`data: {"id":"i","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"},"extra_content":{"google":{"thought_signature":"S"}}}]}}]}` + "\n\n" +
		`data: {"id":"i","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}` + "\n\ndata: [DONE]\n\n"
	read := func(wire string, stream bool) []weir.Event {
		var events []weir.Event
		for ev, err := range New().Decode(&codec.Answer{Body: strings.NewReader(wire), Header: http.Header{}, Stream: stream, Target: &codec.Target{Quirks: &codec.Quirks{}}}) {
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, ev.Clone())
		}
		return events
	}
	signature := func(events []weir.Event) string {
		var c weir.Collector
		for _, ev := range events {
			c.Add(ev)
		}
		if calls := c.Completion().ToolCalls(); len(calls) == 1 && calls[0].Arguments == "{}" {
			return calls[0].Signature
		}
		return "no call"
	}
	events := read(late, true)
	if got := signature(events); got != "S" {
		t.Fatalf("read as %q", got)
	}
	for _, stream := range []bool{true, false} {
		req := weir.NewRequest("m", &weir.Body{})
		req.Stream = stream
		enc := New().NewEncoder(req)
		var out []byte
		for _, ev := range events {
			out = enc.Encode(out, ev.Detach())
		}
		out = enc.Close(out, nil)
		if got := signature(read(string(out), stream)); got != "S" {
			t.Errorf("stream=%v: written as %s", stream, out)
		}
	}
}
