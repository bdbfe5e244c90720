package openaicompletions_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/openaicompletions"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/weirtest"
)

const (
	textPath = "/v1/completions"
	fimPath  = "/v1/fim/completions"
)

// client is a request whose answer is written, of a client that called path.
func client(t testing.TB, path string, stream bool) *weir.Request {
	t.Helper()
	body := `{"model":"asked","prompt":"Once"}`
	if stream {
		body = `{"model":"asked","prompt":"Once","stream":true,"stream_options":{"include_usage":true}}`
	}
	req, err := openaicompletions.New().OpenRequest(weir.Generate, &weir.Wire{Protocol: weir.OpenAICompletions, Path: path, Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// passed is an answer as a client sees it, with its completion as it was decoded.
func passed(t testing.TB, req *weir.Request, wire string, relay bool) (string, *weir.Completion, codec.Encoder, error) {
	t.Helper()
	a := &codec.Answer{Header: http.Header{}, Body: iotest.HalfReader(strings.NewReader(wire)), Stream: req.Stream, Relay: relay, Target: neutral()}
	enc := openaicompletions.New().NewEncoder(req)
	var all weir.Collector
	var out []byte
	var events []weir.Event
	var frames weir.FrameCloner
	for ev, err := range openaicompletions.New().Decode(a) {
		if err != nil {
			return string(enc.Close(out, weir.AsError(err))), all.Completion(), enc, err
		}
		events = append(events, frames.Clone(ev))
		all.Add(ev)
		out = enc.Encode(out, ev)
	}
	if err := weirtest.CheckEvents(events); err != nil {
		t.Errorf("%v in %s", err, wire)
	}
	return string(enc.Close(out, nil)), all.Completion(), enc, nil
}

const (
	textStream = `data: {"id":"c1","object":"text_completion","created":7,"model":"m","choices":[{"index":0,"text":"a","logprobs":null,"finish_reason":null}],"usage":null}` + "\n\n" +
		`data: {"id":"c1","object":"text_completion","created":7,"model":"m","choices":[{"index":1,"text":"x","finish_reason":null},{"index":0,"text":"b","finish_reason":null}]}` + "\n\n" +
		`data: {"id":"c1","object":"text_completion","created":7,"model":"m","choices":[{"index":0,"text":"c","finish_reason":"length","stop_reason":"q"}]}` + "\n\n" +
		`data: {"id":"c1","object":"text_completion","created":7,"model":"m","choices":[{"index":1,"text":"","finish_reason":"stop"}]}` + "\n\n" +
		`data: {"id":"c1","object":"text_completion","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}` + "\n\n" +
		"data: [DONE]\n\n"
	fimStream = `data: {"id":"f1","object":"chat.completion.chunk","created":7,"model":"codestral","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n" +
		`data: {"id":"f1","object":"chat.completion.chunk","created":7,"model":"codestral","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}],"p":"abc"}` + "\n\n" +
		`data: {"id":"f1","object":"chat.completion.chunk","created":7,"model":"codestral","choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"length"}],"usage":{"prompt_tokens":9,"total_tokens":11,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":0}},"p":"ab"}` + "\n\n" +
		"data: [DONE]\n\n"
	textWhole = `{"id":"c1","object":"text_completion","created":7,"model":"m","choices":[{"text":"abc","index":0,"logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}`
	fimWhole  = `{"id":"f1","object":"chat.completion","created":7,"model":"codestral","choices":[{"index":0,"message":{"role":"assistant","content":"ab","tool_calls":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}`
)

// An answer in the shape that the client reads is the upstream's byte for byte.
func TestOwnShapeIsVerbatim(t *testing.T) {
	for _, c := range []struct {
		name, path, wire string
		stream           bool
	}{
		{"a stream of texts", textPath, textStream, true}, {"a text", textPath, textWhole, false},
		{"a stream of Mistral", fimPath, fimStream, true}, {"an answer of Mistral", fimPath, fimWhole, false},
		{"without [DONE]", textPath, strings.TrimSuffix(textStream, "data: [DONE]\n\n"), true},
		{"CRLF", textPath, strings.ReplaceAll(textStream, "\n", "\r\n"), true},
		{"comments", textPath, ": hello\n\n" + textStream, true},
	} {
		for _, relay := range []bool{false, true} {
			got, _, _, err := passed(t, client(t, c.path, c.stream), c.wire, relay)
			if err != nil || got != c.wire {
				t.Errorf("%s, relay=%v: %v\n%s", c.name, relay, err, got)
			}
		}
	}
}

// The other shape is written anew: who reads texts has no use for messages.
func TestOtherShapeIsTranslated(t *testing.T) {
	for _, c := range []struct {
		name, path, wire, text string
		stream                 bool
		want                   []string
	}{
		{"Mistral's stream to a reader of texts", textPath, fimStream, "ab", true, []string{`"object":"text_completion"`, `"text":"a"`, `"finish_reason":"length"`, `"prompt_tokens":9`, "[DONE]"}},
		{"Mistral's answer to a reader of texts", textPath, fimWhole, "ab", false, []string{`"text":"ab"`, `"logprobs":null`}},
		{"texts to a reader of messages", fimPath, textStream, "abc", true, []string{`"object":"chat.completion.chunk"`, `"delta":{"role":"assistant","content":"a"}`, `"delta":{"content":"b"}`, `"finish_reason":"length"`, `"index":1`}},
		{"a text to a reader of messages", fimPath, textWhole, "abc", false, []string{`"message":{"role":"assistant","content":"abc"}`}},
	} {
		for _, relay := range []bool{false, true} {
			got, _, _, err := passed(t, client(t, c.path, c.stream), c.wire, relay)
			if err != nil {
				t.Fatal(c.name, err)
			}
			for _, part := range c.want {
				if !strings.Contains(got, part) {
					t.Errorf("%s, relay=%v: no %s in\n%s", c.name, relay, part, got)
				}
			}
			if _, again, _, err := passed(t, client(t, textPath, c.stream), got, false); err != nil || again.Text() != c.text {
				t.Errorf("%s, relay=%v: reads as %q, %v", c.name, relay, again.Text(), err)
			}
		}
	}
}

// What Mistral sends is understood and sent on, however it is asked for.
func TestRecordedFIM(t *testing.T) {
	for _, rec := range weirtest.Recordings(t, "fim") {
		if rec.Response.Status >= 300 {
			continue
		}
		for _, relay := range []bool{false, true} {
			wire := string(rec.Response.Body)
			got, done, _, err := passed(t, client(t, fimPath, rec.IsStream()), wire, relay)
			if err != nil || got != wire || done.Text() == "" || done.Usage == nil {
				t.Errorf("%s: %v, %q, usage %v", rec.Path, err, done.Text(), done.Usage)
			}
			text, _, _, err := passed(t, client(t, textPath, rec.IsStream()), wire, relay)
			if err != nil || strings.Contains(text, `"delta"`) || strings.Contains(text, `"message"`) {
				t.Errorf("%s: %v, %s", rec.Path, err, text)
			}
		}
	}
}

// A client that did not ask for usage does not see the chunk of usage alone. // U-01
func TestUsageIsForWhoAsked(t *testing.T) {
	req := client(t, textPath, true)
	req.Wire.Body = []byte(`{"model":"asked","prompt":"Once","stream":true}`)
	req.Wire.Index = nil
	got, done, _, err := passed(t, req, textStream, true)
	if err != nil || strings.Contains(got, "prompt_tokens") || done.Usage == nil || done.Usage.InputTokens != 3 {
		t.Errorf("%v, usage %+v in\n%s", err, done.Usage, got)
	}
}

// What an upstream calls an answer and is none, or half of one, is an error.
// // E-02, W-05, R-04
func TestBrokenAnswers(t *testing.T) {
	head := `data: {"id":"c","model":"m","choices":[{"index":0,"text":"a","finish_reason":null}]}` + "\n\n"
	cases := []struct {
		name, wire string
		kind       weir.Kind
		stream     bool
	}{
		{"nothing", "", weir.KindUpstream, true},
		{"[DONE] alone", "data: [DONE]\n\n", weir.KindUpstream, true},
		{"cut behind a chunk", head, weir.KindUpstream, true},
		{"cut in a chunk", head + `data: {"id":"c","choices":[{"index":0,"te`, weir.KindUpstream, true},
		{"no JSON", head + "data: {{\n\n", weir.KindUpstream, true},
		{"an error", `data: {"error":{"message":"overloaded","code":503}}` + "\n\n", weir.KindOverloaded, true},
		{"an error event", head + "event: error\ndata: {\"message\":\"x\"}\n\n", weir.KindUpstream, true},
		{"a late error", head + `data: {"error":{"message":"rate limit","code":"rate_limit_exceeded"}}` + "\n\n", weir.KindRateLimit, true},
		{"given up", head + `data: {"id":"c","choices":[{"index":0,"text":"","finish_reason":"abort"}]}` + "\n\n", weir.KindUpstream, true},
		{"a page", "<html><title>no</title>", weir.KindUpstream, true},
		{"an error body", `{"error":{"message":"no such model","code":"model_not_found"}}`, weir.KindModelNotFound, false},
		{"no choice", `{"id":"c","choices":[]}`, weir.KindUpstream, false},
		{"cut JSON", `{"id":"c","choices":[{"text":"a"`, weir.KindUpstream, false},
		{"a list", `[1]`, weir.KindUpstream, false},
		{"a word", `hello`, weir.KindUpstream, false},
	}
	for _, c := range cases {
		for _, relay := range []bool{false, true} {
			out, _, _, err := passed(t, client(t, textPath, c.stream), c.wire, relay)
			if !errors.Is(err, c.kind) {
				t.Errorf("%s, relay=%v: %v", c.name, relay, err)
			}
			if _, typed := errors.AsType[*weir.Error](err); !typed {
				t.Errorf("%s: an error of type %T", c.name, err)
			}
			if c.stream && !strings.HasSuffix(out, "\n\n") {
				t.Errorf("%s: the client's stream ends with %q", c.name, out[max(0, len(out)-20):])
			}
		}
	}
	long := &codec.Answer{Header: http.Header{}, Body: strings.NewReader(textWhole), MaxBody: 50, Target: neutral()}
	for _, err := range openaicompletions.New().Decode(long) {
		if e := weir.AsError(err); !errors.Is(err, weir.KindUpstream) || e.Hint == "" {
			t.Errorf("an answer over the limit: %v", err)
		}
	}
	for _, err := range openaicompletions.New().Decode(&codec.Answer{Header: http.Header{}, Body: strings.NewReader(head), Stream: true, MaxFrame: 20, Target: neutral()}) {
		if e := weir.AsError(err); err == nil || e.Hint == "" {
			t.Errorf("an event over the limit: %v", err)
		}
	}
}

// The error of an upstream that spoke this protocol reaches the client as it was
// said, but for what it says of the gateway's credential. // E-01, X-01
func TestErrors(t *testing.T) {
	body := []byte(`{"error":{"message":"The model does not exist","type":"invalid_request_error","param":null,"code":"model_not_found"}}`)
	e := openaicompletions.New().DecodeError(404, http.Header{"Content-Type": {"application/json"}}, body, neutral())
	if !errors.Is(e, weir.KindModelNotFound) || e.Provider != "test" || !bytes.Equal(openaicompletions.New().AppendError(nil, e), body) {
		t.Errorf("%+v written as %s", e, openaicompletions.New().AppendError(nil, e))
	}
	e = openaicompletions.New().DecodeError(401, nil, []byte(`{"error":{"message":"Incorrect API key provided: sk-abcdefgh12345678","code":"invalid_api_key"}}`), neutral())
	if out := string(openaicompletions.New().AppendError(nil, e)); strings.Contains(out, "abcdefgh") || jsonx.Valid([]byte(out)) != nil {
		t.Errorf("the credential is in %s", out)
	}
}

// An answer that has been edited, or comes from a model of conversations, is
// written by value: texts stay, thinking and calls are told as lost.
func TestAnswerOfAConversation(t *testing.T) {
	events := []weir.Event{
		{Type: weir.EventStart, Start: &weir.Start{ID: "msg_1", Model: "claude", Created: 5, From: weir.AnthropicMessages}},
		{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockReasoning}},
		{Type: weir.EventDelta, Text: "hmm"},
		{Type: weir.EventBlockEnd},
		{Type: weir.EventBlockStart, Index: 1, Block: &weir.Block{Type: weir.BlockText}},
		{Type: weir.EventDelta, Index: 1, Text: "upon"},
		{Type: weir.EventBlockEnd, Index: 1},
		{Type: weir.EventBlockStart, Index: 2, Block: &weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "t", Name: "f"}}},
		{Type: weir.EventDelta, Index: 2, Part: weir.PartArguments, Text: "{}"},
		{Type: weir.EventBlockEnd, Index: 2},
		{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishToolCalls, Native: "tool_use", From: weir.AnthropicMessages}},
	}
	for _, stream := range []bool{true, false} {
		enc := openaicompletions.New().NewEncoder(client(t, textPath, stream))
		var out []byte
		for _, ev := range events {
			out = enc.Encode(out, ev)
		}
		out = enc.Close(out, nil)
		for _, part := range []string{`"id":"cmpl-msg_1"`, `"text":"upon"`, `"model":"asked"`, `"native_finish_reason":"tool_use"`, `"created":5`} {
			if !bytes.Contains(out, []byte(part)) {
				t.Errorf("stream=%v: no %s in %s", stream, part, out)
			}
		}
		if bytes.Contains(out, []byte("hmm")) {
			t.Errorf("stream=%v: thinking in %s", stream, out)
		}
		var fields []string
		for _, l := range enc.Losses() {
			fields = append(fields, l.Field)
		}
		if got := strings.Join(fields, " "); got != "choices.reasoning choices.tool_calls choices.finish_reason" {
			t.Errorf("stream=%v: losses of %s", stream, got)
		}
	}
}

// Chat's log probabilities become lists side by side, with the place of each token
// behind the prompt.
func TestLogprobsOfChat(t *testing.T) {
	piece := func(token string) string {
		return `{"content":[{"token":"` + token + `","logprob":-0.5,"bytes":[1],"top_logprobs":[{"token":"x","logprob":-1},{"token":"y","logprob":-2}]}]}`
	}
	events := []weir.Event{
		{Type: weir.EventStart, Start: &weir.Start{ID: "c", From: weir.OpenAIChat}},
		{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}},
		{Type: weir.EventDelta, Text: "é"},
		{Type: weir.EventDelta, Part: weir.PartLogprobs, Text: piece("é")},
		{Type: weir.EventDelta, Text: "b"},
		{Type: weir.EventDelta, Part: weir.PartLogprobs, Text: piece("b")},
		{Type: weir.EventBlockEnd},
		{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}},
	}
	write := func(stream bool, from weir.Protocol) (string, []weir.Loss) {
		enc := openaicompletions.New().NewEncoder(client(t, textPath, stream))
		var out []byte
		for _, ev := range events {
			if ev.Start != nil {
				ev.Start = &weir.Start{ID: "c", From: from}
			}
			out = enc.Encode(out, ev)
		}
		return string(enc.Close(out, nil)), enc.Losses()
	}
	got, _ := write(false, weir.OpenAIChat)
	want := `{"tokens":["é","b"],"token_logprobs":[-0.5,-0.5],"top_logprobs":[{"x":-1,"y":-2},{"x":-1,"y":-2}],"text_offset":[4,5]}`
	if lp := jsonx.GetPath(firstChoice(got), "logprobs"); string(lp) != want {
		t.Errorf("logprobs %s", lp)
	}
	stream, _ := write(true, weir.OpenAIChat)
	if !strings.Contains(stream, `"text_offset":[4]`) || !strings.Contains(stream, `"text_offset":[5]`) {
		t.Errorf("stream %s", stream)
	}
	if out, losses := write(true, weir.GeminiGenerate); strings.Contains(out, "top_logprobs") || len(losses) != 1 {
		t.Errorf("of another protocol: %v in %s", losses, out)
	}
}

func firstChoice(body string) []byte {
	var first []byte
	_ = jsonx.EachElement(jsonx.Get([]byte(body), "choices"), func(i int, v []byte) error {
		if i == 0 {
			first = v
		}
		return nil
	})
	return first
}

// An edited stream still says everything: own log probabilities are put together,
// usage is shown at the end.
func TestEditedAnswer(t *testing.T) {
	wire := `data: {"id":"c1","model":"m","prompt_filter_results":[{"x":1}],"choices":[{"index":0,"text":"a","logprobs":{"tokens":["a"],"token_logprobs":[-1],"top_logprobs":null,"text_offset":[4]},"finish_reason":null}]}` + "\n\n" +
		`data: {"id":"c1","model":"m","choices":[{"index":0,"text":"b","logprobs":{"tokens":["b"],"token_logprobs":[-2],"top_logprobs":[{"b":-2}],"text_offset":[5]},"finish_reason":"stop","stop_reason":"q"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}` + "\n\n"
	var events []weir.Event
	for ev, err := range openaicompletions.New().Decode(&codec.Answer{Header: http.Header{}, Body: strings.NewReader(wire), Stream: true, Target: neutral()}) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, ev.Detach())
	}
	enc := openaicompletions.New().NewEncoder(client(t, textPath, false))
	var out []byte
	for _, ev := range events {
		out = enc.Encode(out, ev)
	}
	out = enc.Close(out, nil)
	choice := firstChoice(string(out))
	if got := string(jsonx.Get(choice, "logprobs")); got != `{"tokens":["a","b"],"token_logprobs":[-1,-2],"top_logprobs":[{"b":-2}],"text_offset":[4,5]}` {
		t.Errorf("logprobs %s", got)
	}
	if jsonx.Get(out, "prompt_filter_results") == nil || string(jsonx.Get(choice, "stop_reason")) != `"q"` {
		t.Errorf("what has no word is gone in %s", out)
	}
	enc = openaicompletions.New().NewEncoder(client(t, textPath, true))
	out = enc.KeepAlive(nil)
	for _, ev := range events {
		out = enc.Encode(out, ev)
	}
	out = enc.Close(out, nil)
	if !bytes.HasPrefix(out, []byte(": keep-alive\n")) || !bytes.HasSuffix(out, []byte("\"total_tokens\":3}}\n\ndata: [DONE]\n\n")) {
		t.Errorf("stream %s", out)
	}
}

// A frame that was cut behind its last brace is ended before anything follows.
func TestCutFrameIsEnded(t *testing.T) {
	for _, cut := range []string{"\n\n", "\n"} {
		wire := strings.TrimSuffix(strings.TrimSuffix(textStream, "data: [DONE]\n\n"), cut)
		got, _, _, err := passed(t, client(t, textPath, true), wire, false)
		if err != nil || got != wire {
			t.Errorf("%v: %q", err, got)
		}
		enc := openaicompletions.New().NewEncoder(client(t, textPath, true))
		var out []byte
		for ev, err := range openaicompletions.New().Decode(&codec.Answer{Header: http.Header{}, Body: strings.NewReader(wire), Stream: true, Target: neutral()}) {
			if err != nil {
				t.Fatal(err)
			}
			out = enc.Encode(out, ev)
		}
		if ka := enc.KeepAlive(nil); len(ka) > 0 {
			t.Errorf("a comment inside of a frame: %q", ka)
		}
		out = enc.Close(out, weir.Errorf(weir.KindTimeout, "late"))
		if !bytes.Contains(out, []byte("}\n\ndata: {\"error\"")) {
			t.Errorf("%q", out[len(out)-200:])
		}
	}
}

// A number of choices that nobody can mean costs nothing.
func TestAbsurdChoice(t *testing.T) {
	wire := `data: {"id":"c","choices":[{"index":1000000000000,"text":"a","finish_reason":"stop"}]}` + "\n\n"
	if _, done, _, err := passed(t, client(t, textPath, true), wire, false); err != nil || len(done.Choices) > 1<<16 {
		t.Errorf("%v, %d choices", err, len(done.Choices))
	}
}
