package ollama

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// head and last are how lines of a made-up answer begin and end.
const (
	head = `{"model":"m","created_at":"2026-11-20T10:00:00.123456789Z",`
	last = head + `"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":5,"prompt_eval_count":3,"eval_count":4}` + "\n"
)

func piece(members string) string {
	return head + `"message":{"role":"assistant","content":""` + members + `},"done":false}` + "\n"
}

func words(text string) string {
	return head + `"message":{"role":"assistant","content":"` + text + `"},"done":false}` + "\n"
}

// received is an answer to be decoded.
func received(body string, stream bool) *codec.Answer {
	return &codec.Answer{Body: strings.NewReader(body), Header: http.Header{}, Stream: stream, Target: target(codec.Quirks{})}
}

func collect(t *testing.T, a *codec.Answer) *weir.Completion {
	t.Helper()
	done, err := weir.Collect(New().Decode(a))
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// written is an answer as the client of req reads it.
func written(req *weir.Request, a *codec.Answer, edit func(weir.Event) weir.Event) (string, codec.Encoder) {
	e := New().NewEncoder(req)
	var out []byte
	var failed *weir.Error
	for ev, err := range New().Decode(a) {
		if err != nil {
			failed = weir.AsError(err)
			break
		}
		out = e.Encode(out, edit(ev))
	}
	return string(e.Close(out, failed)), e
}

func same(ev weir.Event) weir.Event { return ev }

func asked(stream bool) *weir.Request {
	req := weir.NewRequest("alias", &weir.Body{From: protocol})
	req.Stream = stream
	return req
}

// What the quirks of servers and proxies are, each once.
func TestAnswersAreRead(t *testing.T) {
	const call = `{"function":{"name":"f","arguments":{"a":1.0}}}`
	tests := []struct {
		name, body string
		text       string
		thought    string
		calls      string
		finish     weir.FinishReason
	}{
		{"a text", words("a") + words("b") + last, "ab", "", "", weir.FinishStop},
		{"thinking before text", piece(`,"thinking":"x"`) + words("a") + last, "a", "x", "", weir.FinishStop},
		{"calls without ids and index", piece(`,"tool_calls":[`+call+`]`) + piece(`,"tool_calls":[`+call+`]`) + last, "", "", "f{\"a\":1.0} f{\"a\":1.0} ", weir.FinishToolCalls},
		{"calls of one index", piece(`,"tool_calls":[{"function":{"index":0,"name":"f","arguments":{}}},{"function":{"index":0,"name":"g","arguments":{}}}]`) + last, "", "", "f{} g{} ", weir.FinishToolCalls},
		{"arguments as text", piece(`,"tool_calls":[{"id":"x","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]`) + last, "", "", "f{\"a\":1} ", weir.FinishToolCalls},
		{"no arguments", piece(`,"tool_calls":[{"function":{"name":"f"}},{"function":{"name":"g","arguments":null}}]`) + last, "", "", "f{} g{} ", weir.FinishToolCalls},
		{"an empty list of calls", piece(`,"tool_calls":[]`) + words("a") + last, "a", "", "", weir.FinishStop},
		{"a call in the last line", strings.Replace(last, `"content":""`, `"content":"","tool_calls":[`+call+`]`, 1), "", "", "f{\"a\":1.0} ", weir.FinishToolCalls},
		{"a call that was cut", piece(`,"tool_calls":[`+call+`]`) + strings.Replace(last, `"stop"`, `"length"`, 1), "", "", "f{\"a\":1.0} ", weir.FinishLength},
		{"a model that was loaded", strings.Replace(last, `"stop"`, `"load"`, 1), "", "", "", weir.FinishStop},
		{"no reason", words("a") + head + `"done":true}`, "a", "", "", weir.FinishStop},
		{"a reason of tomorrow", words("a") + strings.Replace(last, `"stop"`, `"tired"`, 1), "a", "", "", weir.FinishOther},
		{"a prompt", head + `"response":"","thinking":"x","done":false}` + "\n" + head + `"response":"a","done":false}` + "\n" + head + `"response":"","done":true,"done_reason":"stop","context":[1]}`, "a", "x", "", weir.FinishStop},
		{"blank lines", "\n\r\n" + words("a") + "\n" + last + "\n", "a", "", "", weir.FinishStop},
		{"other line ends", strings.ReplaceAll(words("a")+last, "\n", "\r\n"), "a", "", "", weir.FinishStop},
		{"text that looks like members", words(`\"done\": true, \"error\": \"x\", \"tool_calls\":`) + last, `"done": true, "error": "x", "tool_calls":`, "", "", weir.FinishStop},
		{"arguments that look like members", piece(`,"tool_calls":[{"function":{"name":"f","arguments":{"done":true,"error":"x"}}}]`) + last, "", "", "f{\"done\":true,\"error\":\"x\"} ", weir.FinishToolCalls},
	}
	for _, tt := range tests {
		for _, stream := range []bool{true, false} { // W-12
			a := received(tt.body, stream)
			if tt.name == "other line ends" {
				a.Body = iotest.OneByteReader(a.Body)
			}
			done := collect(t, a)
			c := done.Choices[0]
			var calls, thought strings.Builder
			ids := map[string]bool{}
			for _, call := range c.Message.ToolCalls() {
				calls.WriteString(call.Name + call.Arguments + " ")
				if call.ID == "" || ids[call.ID] {
					t.Errorf("%s: the id %q is not the call's own", tt.name, call.ID) // S-03
				}
				ids[call.ID] = true
			}
			for _, b := range c.Message.Blocks {
				if b.Type == weir.BlockReasoning {
					thought.WriteString(b.Text)
				}
			}
			if done.Text() != tt.text || thought.String() != tt.thought || calls.String() != tt.calls || c.Finish.Reason != tt.finish || done.Start.Created != 1795168800 {
				t.Errorf("%s, stream=%v: %q, %q, %q, %s, %d", tt.name, stream, done.Text(), thought.String(), calls.String(), c.Finish.Reason, done.Start.Created)
			}
		}
	}
}

// W-05, E-02: what is no complete answer is an error of the right kind.
func TestBrokenAnswersAreErrors(t *testing.T) {
	tests := []struct {
		name, body string
		kind       weir.Kind
	}{
		{"no end", words("a"), weir.KindUpstream},
		{"cut in a line", words("a") + words("b")[:90], weir.KindUpstream},
		{"cut in the first line", words("b")[:90], weir.KindUpstream},
		{"nothing", "", weir.KindUpstream},
		{"blank lines", "\n\n", weir.KindUpstream},
		{"an error in the stream", words("a") + `{"error":"an unknown error was encountered while running the model"}` + "\n", weir.KindUpstream},
		{"an error in place of an answer", `{"error":"model 'x' not found"}`, weir.KindModelNotFound},
		{"a broken line", words("a") + "{\"message\":{\"content\":\"b\n" + last, weir.KindUpstream},
		{"a page", "<html><title>Bad Gateway</title></html>", weir.KindUpstream},
		{"an answer of Chat", `{"id":"x","object":"chat.completion","choices":[{"message":{"role":"assistant","content":"a"}}]}`, weir.KindUpstream},
	}
	for _, tt := range tests {
		for _, relay := range []bool{true, false} {
			for _, stream := range []bool{true, false} {
				a := received(tt.body, stream)
				a.Relay = relay
				_, err := weir.Collect(New().Decode(a))
				if e := weir.AsError(err); err == nil || e.Kind != tt.kind || e.Provider != "p" {
					t.Errorf("%s, relay=%v, stream=%v: %v", tt.name, relay, stream, err)
				}
			}
		}
	}
	long := received(words(strings.Repeat("a", 500))+last, true)
	long.MaxFrame = 300
	if _, err := weir.Collect(New().Decode(long)); !errors.Is(err, weir.KindUpstream) || !strings.Contains(err.Error(), "300") {
		t.Errorf("a long line: %v", err) // W-02
	}
	long = received(last, false)
	long.MaxBody = 10
	if _, err := weir.Collect(New().Decode(long)); !errors.Is(err, weir.KindUpstream) {
		t.Errorf("a long answer: %v", err)
	}
	broken := received("", true)
	broken.Body = io.MultiReader(strings.NewReader(words("a")), iotest.ErrReader(errors.New("reset")))
	if _, err := weir.Collect(New().Decode(broken)); !errors.Is(err, weir.KindUpstream) || !strings.Contains(err.Error(), "reset") {
		t.Errorf("a broken connection: %v", err)
	}
}

// U-03, U-08: what is not said is unknown, what cannot be a number too.
func TestUsage(t *testing.T) {
	for body, want := range map[string]weir.Usage{
		last: {InputTokens: 3, OutputTokens: 4, Known: weir.UsageInput | weir.UsageOutput},
		strings.Replace(last, `"prompt_eval_count":3,`, "", 1):                         {OutputTokens: 4, Known: weir.UsageOutput},
		strings.Replace(last, `"prompt_eval_count":3`, `"prompt_eval_count":-3`, 1):    {OutputTokens: 4, Known: weir.UsageOutput},
		strings.Replace(last, `"prompt_eval_count":3`, `"prompt_eval_count":"3"`, 1):   {OutputTokens: 4, Known: weir.UsageOutput},
		strings.Replace(last, `"prompt_eval_count":3`, `"prompt_eval_count":1e300`, 1): {OutputTokens: 4, Known: weir.UsageOutput},
	} {
		u := collect(t, received(body, true)).Usage
		if u == nil || u.InputTokens != want.InputTokens || u.OutputTokens != want.OutputTokens || u.Known != want.Known {
			t.Errorf("%s counts %+v", body, u)
		}
	}
	if done := collect(t, received(head+`"done":true}`, true)); done.Usage != nil {
		t.Errorf("nothing counts %+v", done.Usage)
	}
}

// A proxy may put an answer over several lines, or stream without being asked.
func TestTheFormOfAnAnswerIsRecognised(t *testing.T) {
	pretty := "{\n  \"model\": \"m\",\n  \"message\": {\"role\": \"assistant\", \"content\": \"ab\"},\n  \"done\": true\n}\n"
	for name, body := range map[string]string{"pretty": pretty, "lines": words("a") + words("b") + last} {
		for _, relay := range []bool{true, false} {
			for _, stream := range []bool{true, false} {
				a := received(body, stream)
				a.Relay = relay
				out, _ := written(asked(stream), a, same)
				if got := collect(t, received(out, stream)).Text(); got != "ab" {
					t.Errorf("%s, relay=%v, stream=%v: the client reads %q in %s", name, relay, stream, got, out)
				}
			}
		}
	}
}

// S-13, S-09: names are mapped back, wrapped inputs unwrapped.
func TestNamesAndCustomToolsAreMappedBack(t *testing.T) {
	body := piece(`,"tool_calls":[{"id":"1","function":{"name":"p","arguments":{"input":"*** \"x\""}}},{"id":"2","function":{"name":"s","arguments":{"b":2}}}]`) + last
	for _, stream := range []bool{true, false} {
		a := received(body, stream)
		a.Relay = true
		a.Names, a.Custom = map[string]string{"s": "long.name", "p": "patch it"}, map[string]bool{"p": true}
		calls := collect(t, a).ToolCalls()
		if len(calls) != 2 || calls[0].Name != "patch it" || calls[0].Type != weir.ToolCustom || calls[0].Arguments != `*** "x"` ||
			calls[1].Name != "long.name" || calls[1].Arguments != `{"b":2}` {
			t.Errorf("stream=%v: %+v", stream, calls)
		}
	}
}

// What is in an answer beside text is kept, streamed and whole, and written anew.
func TestAnswersAreWrittenAnew(t *testing.T) {
	body := head + `"remote_model":"big","message":{"role":"assistant","content":"","images":["iVBORw0KGgo="]},"done":false}` + "\n" +
		head + `"message":{"role":"assistant","content":"a"},"logprobs":[{"token":"a","logprob":-0.5}],"done":false}` + "\n" +
		piece(`,"tool_calls":[{"id":"x","function":{"index":0,"name":"f","arguments":{"a":1.0}}}]`) + last
	for _, stream := range []bool{true, false} {
		out, e := written(asked(stream), received(body, stream), weir.Event.Detach)
		done := collect(t, received(out, stream))
		blocks := done.Choices[0].Message.Blocks
		if len(blocks) != 3 || done.Text() != "a" || len(done.ToolCalls()) != 1 || done.ToolCalls()[0].ID != "x" || done.ToolCalls()[0].Arguments != `{"a":1.0}` ||
			len(done.Choices[0].Logprobs) != 1 || done.Usage.Total() != 7 || done.Start.Extra.Value("remote_model") == nil ||
			done.Choices[0].Finish.Extra.Value("total_duration") == nil || len(e.Losses()) != 0 {
			t.Errorf("stream=%v: %s became %+v, losses %v", stream, out, done, e.Losses())
		}
		if strings.Count(out, "\n") != strings.Count(strings.TrimRight(out, "\n"), "\n")+1 && stream || !strings.HasPrefix(out, `{"model":"m"`) {
			t.Errorf("stream=%v: %s", stream, out)
		}
	}
}

// S-01, S-06, §12.6: calls are held until they are complete. One that was cut by the
// token cap is left out, one that is no object fails the answer.
func TestCallsAreWrittenWhole(t *testing.T) {
	events := func(reason weir.FinishReason, end bool) []weir.Event {
		call := func(id string) *weir.Block {
			return &weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: id, Name: "f"}}
		}
		args := func(i int32, text string) weir.Event {
			return weir.Event{Type: weir.EventDelta, Part: weir.PartArguments, Index: i, Text: text}
		}
		out := []weir.Event{
			{Type: weir.EventStart, Start: &weir.Start{Model: "gpt", Created: 1}},
			{Type: weir.EventBlockStart, Index: 0, Block: call("1")}, {Type: weir.EventBlockStart, Index: 1, Block: call("2")},
			args(0, `{"a"`), args(1, `{"b":`), args(0, ":\n1}"), {Type: weir.EventBlockEnd, Index: 0},
		}
		if end {
			out = append(out, args(1, "2}"))
		}
		return append(out, weir.Event{Type: weir.EventBlockEnd, Index: 1}, weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: reason}})
	}
	write := func(stream bool, events []weir.Event) (string, codec.Encoder) {
		e := New().NewEncoder(asked(stream))
		var out []byte
		for _, ev := range events {
			out = e.Encode(out, ev)
		}
		return string(e.Close(out, nil)), e
	}
	const first = `{"id":"1","function":{"index":0,"name":"f","arguments":{"a":1}}}`
	for _, stream := range []bool{true, false} {
		out, e := write(stream, events(weir.FinishToolCalls, true))
		if !strings.Contains(out, first) || !strings.Contains(out, `{"id":"2","function":{"index":1,"name":"f","arguments":{"b":2}}}`) ||
			!strings.Contains(out, `"done":true,"done_reason":"stop"`) || len(e.Losses()) != 0 || !strings.HasPrefix(out, `{"model":"alias","created_at":"1970-01-01T00:00:01Z",`) {
			t.Errorf("stream=%v: %s", stream, out)
		}
		out, e = write(stream, events(weir.FinishLength, false))
		if !strings.Contains(out, first) || strings.Contains(out, `"2"`) || !strings.Contains(out, `"done_reason":"length"`) || len(e.Losses()) != 1 {
			t.Errorf("cut, stream=%v: %s, losses %v", stream, out, e.Losses())
		}
		out, e = write(stream, events(weir.FinishToolCalls, false))
		if strings.Contains(out, `"done":true`) || !strings.HasSuffix(strings.TrimSpace(out), `{"error":"the model called the tool \"f\" with arguments that are not a JSON object"}`) {
			t.Errorf("broken, stream=%v: %s", stream, out)
		}
		if f, ok := e.(codec.Failer); !stream && (!ok || f.Failed() == nil || out[0] != '{' || strings.Contains(out, "model\":")) {
			t.Errorf("broken, stream=%v: %s", stream, out)
		}
	}
}

// A thought is in the answer: what is left out is its signature, or what only its
// maker can read, and that is what is told. // T-13
func TestTheStateOfThoughtsIsLeftOut(t *testing.T) {
	thought := func(part weir.Part, state string) []weir.Event {
		return []weir.Event{
			{Type: weir.EventStart, Start: &weir.Start{Model: "claude", Created: 1}},
			{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{Format: "anthropic-claude-v1"}}},
			{Type: weir.EventDelta, Text: "hm"}, {Type: weir.EventDelta, Part: part, Text: state},
			{Type: weir.EventBlockEnd}, {Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}},
		}
	}
	for _, stream := range []bool{true, false} {
		for part, want := range map[weir.Part]string{weir.PartSignature: "message.thinking.signature", weir.PartEncrypted: "message.thinking.encrypted"} {
			e := New().NewEncoder(asked(stream))
			var out []byte
			for _, ev := range thought(part, "STATE") {
				out = e.Encode(out, ev)
			}
			out = e.Close(out, nil)
			if l := e.Losses(); len(l) != 1 || l[0].Field != want || !strings.Contains(string(out), `"thinking":"hm"`) || strings.Contains(string(out), "STATE") {
				t.Errorf("stream=%v: %v, %s", stream, l, out)
			}
		}
	}
}

// W-06: a silent client gets lines that say nothing, in the words of its endpoint.
func TestKeepAlive(t *testing.T) {
	for path, want := range map[string]string{"/api/chat": `"message":{"role":"assistant","content":""},"done":false}`, "/api/generate": `"response":"","done":false}`} {
		req := open(t, weir.Generate, path, `{"model":"m","messages":[]}`)
		e := New().NewEncoder(req)
		out := string(e.KeepAlive(nil))
		if !strings.HasPrefix(out, `{"model":"m","created_at":"20`) || !strings.HasSuffix(out, want+"\n") {
			t.Errorf("%s: %s", path, out)
		}
		if e.Close(nil, nil); len(e.KeepAlive(nil)) != 0 {
			t.Errorf("%s: something comes behind the end", path)
		}
	}
	if out := New().NewEncoder(asked(false)).KeepAlive(nil); len(out) != 0 {
		t.Errorf("not streamed: %s", out)
	}
}

// An upstream may answer a prompt that became a conversation: its lines are put in
// the words of the client's endpoint, decoded or not.
func TestAnswersInTheWordsOfTheOtherEndpoint(t *testing.T) {
	body := piece(`,"thinking":"x"`) + words("a") + words("b") + last
	for _, relay := range []bool{true, false} {
		for _, stream := range []bool{true, false} {
			req := open(t, weir.Generate, "/api/generate", `{"model":"m","prompt":"a"}`)
			req.Stream = stream
			a := received(body, stream)
			if !stream {
				a = received(head+`"message":{"role":"assistant","content":"ab","thinking":"x"},"done":true,"done_reason":"stop","eval_count":1}`, false)
			}
			a.Relay = relay
			out, _ := written(req, a, same)
			if strings.Contains(out, "message") || !strings.Contains(out, `"response":`) || !strings.Contains(out, `"thinking":"x"`) ||
				collect(t, received(out, stream)).Text() != "ab" {
				t.Errorf("relay=%v, stream=%v: %s", relay, stream, out)
			}
		}
	}
}

// E-03, X-01: errors have the one form that there is, the upstream's own words where
// it spoke this protocol and they are fit to be shown.
func TestErrors(t *testing.T) {
	own := New().DecodeError(404, http.Header{}, []byte("{\n\"error\": \"model 'x' not found\"}"), target(codec.Quirks{}))
	if own.Kind != weir.KindModelNotFound || string(New().AppendError(nil, own)) != `{"error":"model 'x' not found"}` {
		t.Errorf("%v became %s", own, New().AppendError(nil, own))
	}
	secret := New().DecodeError(400, http.Header{}, []byte(`{"error":"bad key sk-abcdefghijklmnop1234"}`), target(codec.Quirks{}))
	if out := New().AppendError(nil, secret); bytes.Contains(out, []byte("abcdefgh")) {
		t.Errorf("a credential is shown: %s", out)
	}
	several := weir.Errorf(weir.KindUnavailable, "nobody answers")
	several.Attempts = []*weir.Attempt{{Deployment: "a/b", Err: weir.Errorf(weir.KindOverloaded, "busy")}, {Deployment: "c/d"}}
	several.Hint = "try later"
	if out := string(New().AppendError(nil, several)); out != `{"error":"nobody answers (try later); attempts: a/b: overloaded; c/d"}` {
		t.Errorf("several attempts: %s", out)
	}
	e := New().NewEncoder(asked(true))
	out := e.Encode(nil, weir.Event{Type: weir.EventRelay, Frame: &weir.Frame{Protocol: protocol, Raw: []byte(words("a")[:100]), Events: 1}})
	if out = e.Close(out, weir.Errorf(weir.KindUpstream, "cut")); !bytes.HasSuffix(out, []byte("\n{\"error\":\"cut\"}\n")) {
		t.Errorf("behind half a line: %s", out)
	}
	if out := New().NewEncoder(asked(false)).Close(nil, weir.Errorf(weir.KindUpstream, "cut")); len(out) != 0 {
		t.Errorf("ahead of a whole answer: %s", out)
	}
}
