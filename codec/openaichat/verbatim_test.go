package openaichat

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// relayed is what a client of this protocol receives of an answer.
func relayed(s string, streamed, relay bool, q codec.Quirks) (string, error) {
	a := &codec.Answer{Header: http.Header{}, Body: strings.NewReader(s), Stream: streamed, Relay: relay,
		Target: &codec.Target{Provider: "test", Model: "m", Quirks: &q}}
	out, err := encodeAll(clientAsking(streamed), New().Decode(a))
	return string(out), err
}

const callDelta = `{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}`

func TestAnAnswerThatNobodyEditedIsSentOnByteForByte(t *testing.T) { // P-12
	for _, c := range []struct{ name, answer string }{
		{"a stream with [DONE]", stream(chunkOf(`{"content":"a"}`), finishOf(`"stop"`), "[DONE]")},
		{"a stream without [DONE]", stream(chunkOf(`{"content":"a"}`), finishOf(`"stop"`))},
		{"a reason that hides calls", stream(chunkOf(callDelta), finishOf(`"stop"`), "[DONE]")},
		{"no blank line at the end", stream(chunkOf(`{"content":"a"}`), finishOf(`"stop"`)) + "data: [DONE]"},
		{"no line end behind the last event", stream(chunkOf(`{"content":"a"}`)) + "data: " + finishOf(`"stop"`)},
		{"carriage returns", strings.ReplaceAll(stream(chunkOf(`{"content":"a"}`), finishOf(`"stop"`)), "\n", "\r\n")},
		{"a comment behind the end, cut", stream(chunkOf(`{"content":"a"}`), finishOf(`"stop"`)) + ": bye"},
		{"a body whose reason hides calls", `{"id":"c1","choices":[{"index":0,"message":` + callDelta + `,"finish_reason": "stop"}]}`},
		{"a body behind a byte order mark", "\ufeff" + `{"id":"c1","choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}`},
		{"a body with odd spaces", "\n {\"id\": \"c1\" ,\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n"},
	} {
		for _, relay := range []bool{false, true} {
			got, err := relayed(c.answer, strings.HasPrefix(c.answer, "data"), relay, codec.Quirks{})
			if err != nil || got != c.answer {
				t.Errorf("%s (relay %v): %v\n got %q\nwant %q", c.name, relay, err, got, c.answer)
			}
		}
	}
}

func TestAReasonThatHidesCallsIsCorrectedWhereTheQuirkSaysSo(t *testing.T) { // S-05
	two := `{"id":"c1","choices":[{"index":0,"delta":{"content":"\"finish_reason\":\"stop\""},"finish_reason":"stop"},` +
		`{"index":1,"delta":` + callDelta + `,"finish_reason" : "stop"}]}`
	for _, c := range []struct{ name, answer, want string }{
		{"a stream", stream(chunkOf(callDelta), finishOf(`"stop"`), "[DONE]"), stream(chunkOf(callDelta), finishOf(`"tool_calls"`), "[DONE]")},
		{"said twice", stream(chunkOf(callDelta), finishOf(`"stop"`), finishOf(`"stop"`)), stream(chunkOf(callDelta), finishOf(`"tool_calls"`), finishOf(`"tool_calls"`))},
		{"one choice of two", stream(two), stream(strings.Replace(two, `"finish_reason" : "stop"`, `"finish_reason" : "tool_calls"`, 1))},
		{"a body", `{"id":"c1","choices":[{"index":0,"message":` + callDelta + `,"finish_reason": "stop"}]}`,
			`{"id":"c1","choices":[{"index":0,"message":` + callDelta + `,"finish_reason": "tool_calls"}]}`},
		{"no calls", stream(chunkOf(`{"content":"a"}`), finishOf(`"stop"`)), stream(chunkOf(`{"content":"a"}`), finishOf(`"stop"`))},
		{"a call that was cut", stream(chunkOf(callDelta), finishOf(`"length"`)), stream(chunkOf(callDelta), finishOf(`"length"`))}, // S-06
	} {
		for _, relay := range []bool{false, true} {
			got, err := relayed(c.answer, strings.HasPrefix(c.answer, "data"), relay, codec.Quirks{FinishToolCalls: true})
			if err != nil || got != c.want {
				t.Errorf("%s (relay %v): %v\n got %s\nwant %s", c.name, relay, err, got, c.want)
			}
		}
	}
}

func TestAnAnswerThatIsWrittenAnewTellsOfItsCalls(t *testing.T) { // S-05
	s := stream(chunkOf(callDelta), finishOf(`"stop"`))
	for _, streamed := range []bool{true, false} {
		e := New().NewEncoder(clientAsking(streamed))
		var out []byte
		for ev, err := range New().Decode(&codec.Answer{Header: http.Header{}, Body: strings.NewReader(s), Stream: true, Target: neutral("m")}) {
			if err != nil {
				t.Fatal(err)
			}
			out = e.Encode(out, ev.Detach())
		}
		out = e.Close(out, nil)
		if !bytes.Contains(out, []byte(`"finish_reason":"tool_calls"`)) || streamed && !bytes.HasSuffix(out, []byte("data: [DONE]\n\n")) {
			t.Errorf("%s", out)
		}
	}
}

func TestAStreamThatIsCutInsideAnEventEndsBeforeIt(t *testing.T) { // R-04, W-05
	whole := stream(chunkOf(`{"content":"a"}`), chunkOf(`{"content":"b"}`), finishOf(`"stop"`))
	first := stream(chunkOf(`{"content":"a"}`))
	for at := len(first); at < len(whole)-len(stream(finishOf(`"stop"`))); at++ {
		for _, relay := range []bool{false, true} {
			got, err := relayed(whole[:at], true, relay, codec.Quirks{})
			if !errors.Is(err, weir.KindUpstream) || weir.AsError(err).Code != "truncated" {
				t.Fatalf("cut at %d (relay %v): %v", at, relay, err)
			}
			rest, ok := strings.CutPrefix(got, first)
			if i := strings.LastIndex(rest, "\n\ndata: {\"error\""); ok && i >= 0 { // the whole event, its blank line missing
				ok = rest[:i] == strings.TrimRight(whole[len(first):at], "\n")
				rest = rest[i+2:]
			}
			if data, found := strings.CutPrefix(rest, "data: {\"error\""); !ok || !found || !strings.HasSuffix(data, "}\n\n") {
				t.Fatalf("cut at %d (relay %v): %q", at, relay, got)
			}
		}
	}
}

func TestAnErrorStandsInAFrameOfItsOwn(t *testing.T) {
	const failed = `data: {"error":{"message":"gone","type":"server_error","param":null,"code":"upstream_error"}}` + "\n\n"
	for _, c := range []struct{ raw, between string }{
		{"data: {}\n\n", ""}, {"data: {}\r\n\r\n", ""}, {"data: {}\r\r", ""}, {"data: {}\n\r\n", ""}, {": ping\n", ""}, {"\n", ""},
		{"data: {}", "\n\n"}, {"data: {}\n", "\n"}, {"data: {}\r\n", "\n"}, {": pi", "\n\n"}, {"event: ping\n", "\n"},
	} {
		for _, typ := range []weir.EventType{weir.EventRelay, weir.EventPing} {
			e := New().NewEncoder(clientAsking(true))
			out := e.Encode(nil, weir.Event{Type: typ, Frame: &weir.Frame{Protocol: protocol, Raw: []byte(c.raw), Events: 1}})
			if alive := e.KeepAlive(nil); (len(alive) > 0) != (c.between == "") { // W-06
				t.Errorf("behind %q: %q", c.raw, alive)
			}
			if out = e.Close(out, weir.Errorf(weir.KindUpstream, "gone")); string(out) != c.raw+c.between+failed {
				t.Errorf("%q", out)
			}
		}
	}
}

func TestUsageThatWasEditedStandsBeforeTheEnd(t *testing.T) {
	s := stream(chunkOf(`{"content":"a"}`), finishOf(`"stop"`), `{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}`, "[DONE]")
	e := New().NewEncoder(clientAsking(true))
	var out []byte
	for ev, err := range New().Decode(&codec.Answer{Header: http.Header{}, Body: strings.NewReader(s), Stream: true, Target: neutral("m")}) {
		if err != nil {
			t.Fatal(err)
		}
		if ev.Type == weir.EventUsage {
			ev = ev.Detach()
		}
		out = e.Encode(out, ev)
	}
	out = e.Close(out, nil)
	if !bytes.Contains(out, []byte(`"prompt_tokens":1`)) || !bytes.HasSuffix(out, []byte("}\n\ndata: [DONE]\n\n")) {
		t.Errorf("%s", out)
	}
}

func TestMalformedEventsFailTheStream(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"usage that is no JSON, first", `data:{"usage":{{}}}` + "\n\n", "ERROR upstream"},
		{"usage that is no JSON", stream(chunkOf(`{"content":"a"}`), `{"choices":[],"usage":{"prompt_tokens":1,{}}}`), "ERROR upstream"},
		{"a word that is none", stream(`{"id":"c1","choices":[tru]}`), "ERROR upstream"},
		{"no member in braces", stream(chunkOf(`{"content":"a"}`), "data: {oops}\n\n"), "ERROR upstream"},
		{"a number", "data: 0\n\n", "ERROR upstream"},
		{"a body", `{"id":"c1","choices":[{"message":{"content":"a"}}],"x":tru}`, "ERROR upstream"},
	} {
		for _, relay := range []bool{false, true} {
			d := decodeString(c.line, codec.Answer{Stream: c.name != "a body", Relay: relay})
			got := tell(d)
			if relay && c.name == "a body" { // the client's to judge
				continue
			}
			if !strings.HasSuffix(got, c.want) || strings.Contains(got, "usage") || !strings.Contains(d.err.Error(), "malformed") {
				t.Errorf("%s (relay %v): %s (%v)", c.name, relay, got, d.err)
			}
			checkOrder(t, d.events)
		}
	}
}

func TestUsageBeginsAnAnswerThatHasNot(t *testing.T) {
	s := stream(`{"usage":{"prompt_tokens":3,"completion_tokens":0}}`, chunkOf(`{"content":"a"}`), finishOf(`"stop"`))
	if got := tell(decodeString(s, codec.Answer{Stream: true})); got != "start  | usage 3/0 | +0 text | 0 a | -0 | finish stop" {
		t.Error(got)
	}
}

// Snowflake fills every message up with empty members (recordings).
func TestEmptyMembersAreNoCallAndNoSound(t *testing.T) {
	const empty = `"audio":{"data":"","expires_at":0,"id":"","transcript":""},"function_call":{"arguments":"","name":""},"refusal":"","annotations":null`
	for _, c := range []struct{ name, message, want string }{
		{"a text", `{"role":"assistant","content":"a",` + empty + `,"tool_calls":null}`, "start c1 | +0 text | 0 a | -0 | finish stop"},
		{"a call with an empty custom", `{"content":"",` + empty + `,"tool_calls":[{"custom":{"input":"","name":""},"function":{"arguments":"{\"x\":1}","name":"f"},"id":"a","type":"function"}]}`,
			`start c1 | +0 call a f | 0 args {"x":1} | -0 | finish tool_calls`},
		{"the same without a type", `{"tool_calls":[{"function":{"arguments":"{}","name":"f"},"custom":{"input":"","name":""},"id":"a"}]}`,
			`start c1 | +0 call a f | 0 args {} | -0 | finish tool_calls`},
		{"a custom call with an empty function", `{"tool_calls":[{"function":{"arguments":"","name":""},"custom":{"input":"x","name":"c"},"id":"a","type":"custom"}]}`,
			`start c1 | +0 call a c | 0 args x | -0 | finish tool_calls`},
		{"an id alone", `{"content":"a","tool_calls":[{"id":"a","type":"function"}]}`, "start c1 | +0 text | 0 a | -0 | finish stop"},
	} {
		body := `{"id":"c1","choices":[{"index":0,"message":` + c.message + `,"finish_reason":""}]}`
		d := decodeString(body, codec.Answer{})
		if got := tell(d); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
		for _, ev := range d.events {
			if ev.Type != weir.EventBlockStart || ev.Block.Call == nil {
				continue
			}
			if typ := ev.Block.Call.Type; typ != weir.ToolFunction && (typ != weir.ToolCustom || ev.Block.Call.Name != "c") {
				t.Errorf("%s: the call is of type %s", c.name, typ)
			}
		}
		flat := stream(chunkOf(c.message), finishOf(`"stop"`))
		relay, decoded := decodeString(flat, codec.Answer{Stream: true, Relay: true}), decodeString(flat, codec.Answer{Stream: true})
		if a, b := relay.events[len(relay.events)-1].Finish.Reason, decoded.events[len(decoded.events)-1].Finish.Reason; a != b {
			t.Errorf("%s: finish %s relayed, %s decoded", c.name, a, b)
		}
	}
}

func TestAnEmptyCustomDoesNotDecideAheadOfTheName(t *testing.T) {
	const empty = `{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"","arguments":""},"custom":{"input":"","name":""}}]}`
	d := decodeString(stream(chunkOf(empty), chunkOf(callDelta), finishOf(`"tool_calls"`)), codec.Answer{Stream: true})
	if got := tell(d); got != "start c1 | +0 call a f | 0 args {} | -0 | finish tool_calls" || d.events[1].Block.Call.Type != weir.ToolFunction {
		t.Errorf("%s (%+v)", got, d.events[1].Block)
	}
}

func TestCitationsAreTheSameStreamedAndNot(t *testing.T) {
	from := weir.AnthropicMessages
	cited := []weir.Citation{
		{Type: "url", URL: "https://x", Title: "X", From: from, Raw: []byte(`{"type":"web_search_result_location"}`)},
		{Type: "char_location", Cited: "the grass is green", From: from, Raw: []byte(`{"type":"char_location"}`)},
	}
	events := func(inBlock bool) []weir.Event {
		block := &weir.Block{Type: weir.BlockText, Text: "a"}
		list := []weir.Event{{Type: weir.EventStart, Start: &weir.Start{ID: "msg_1", From: from}}, {Type: weir.EventBlockStart, Block: block}}
		if inBlock {
			block.Citations = cited
		} else {
			for i := range cited {
				list = append(list, weir.Event{Type: weir.EventDelta, Part: weir.PartCitation, Citation: &cited[i]})
			}
		}
		return append(list, weir.Event{Type: weir.EventBlockEnd}, weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop, From: from}})
	}
	const want = `"annotations":[{"type":"url_citation","url_citation":{"url":"https://x","title":"X"}}]`
	for _, inBlock := range []bool{true, false} {
		for _, streamed := range []bool{true, false} {
			e := New().NewEncoder(clientAsking(streamed))
			var out []byte
			for _, ev := range events(inBlock) {
				out = e.Encode(out, ev)
			}
			out = e.Close(out, nil)
			if strings.Count(string(out), want) != 1 || strings.Count(string(out), "annotations") != 1 {
				t.Errorf("in the block %v, streamed %v: %s", inBlock, streamed, out)
			}
			if got := fields(e.Losses()); got != "choices.message.annotations.url_citation dropped" {
				t.Errorf("in the block %v, streamed %v: losses %s", inBlock, streamed, got)
			}
			if !streamed && jsonx.Valid(out) != nil {
				t.Errorf("%s", out)
			}
		}
	}
}
