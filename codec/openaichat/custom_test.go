package openaichat

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

const customRequest = `{"model":"m","messages":[{"role":"user","content":"a"},` +
	`{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"custom","custom":{"name":"patch","input":"*** \"x\"\n"}}]},` +
	`{"role":"tool","tool_call_id":"c","content":"done"}],` +
	`"tools":[{"type":"custom","custom":{"name":"patch","description":"applies","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"start: X"}}}},` +
	`{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"tool_choice":{"type":"custom","custom":{"name":"patch"}}}`

func encodeCustom(t *testing.T, wire string, q *codec.Quirks) (*codec.Call, string) {
	t.Helper()
	req, err := New().OpenRequest(weir.Generate, &weir.Wire{Protocol: protocol, Body: []byte(wire)})
	if err != nil {
		t.Fatal(err)
	}
	call, err := New().EncodeRequest(req, &codec.Target{Model: "m", Quirks: q})
	if err != nil {
		t.Fatal(err)
	}
	return call, string(join(call.Body))
}

// S-13: where the target knows functions only, a custom tool is a function of one
// text, in the history too; elsewhere its bytes are kept.
func TestCustomToolsBecomeFunctions(t *testing.T) {
	if _, got := encodeCustom(t, customRequest, &codec.Quirks{}); got != customRequest {
		t.Errorf("untouched: %s", got)
	}
	call, got := encodeCustom(t, customRequest, &codec.Quirks{NoCustomTools: true})
	want := `{"model":"m","messages":[{"role":"user","content":"a"},` +
		`{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"patch","arguments":"{\"input\":\"*** \\\"x\\\"\\n\"}"}}]},` +
		`{"role":"tool","tool_call_id":"c","content":"done"}],` +
		`"tools":[{"type":"function","function":{"name":"patch","description":"applies\n\nThe input must follow this grammar:\nstart: X","parameters":` + string(codec.CustomSchema()) + `}},` +
		`{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"tool_choice":{"type":"function","function":{"name":"patch"}}}`
	if !jsonx.Equal([]byte(got), []byte(want)) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !call.Custom["patch"] || len(call.Custom) != 1 {
		t.Errorf("the answer is to be read with %v", call.Custom)
	}
	if len(call.Losses) != 1 || call.Losses[0].Field != "tools[0].custom.format" || call.Losses[0].Action != weir.LossApproximated {
		t.Errorf("losses: %v", call.Losses)
	}
	const plain = `{"model":"m","messages":[{"role":"user","content":"a"}],"tools":[{"type":"function","function":{"name":"f"}}],"user":"custom"}`
	if call, got := encodeCustom(t, plain, &codec.Quirks{NoCustomTools: true}); got != plain || call.Custom != nil {
		t.Errorf("a request without custom tools became %s", got)
	}
}

// S-13, W-12: the calls come back as free text, whole and streamed in any pieces,
// and a client of this protocol reads them as custom calls.
func TestCustomCallsComeBackAsText(t *testing.T) {
	const input = "*** \"x\"\n😀"
	arguments := codec.WrapCustom(input)
	check := func(how, body string, stream bool) {
		answer := &codec.Answer{Body: strings.NewReader(body), Header: http.Header{}, Stream: stream, Relay: true,
			Target: &codec.Target{Quirks: &codec.Quirks{}}, Custom: map[string]bool{"patch": true}}
		enc := New().NewEncoder(weir.NewRequest("m", &weir.Body{}))
		if stream {
			req := weir.NewRequest("m", &weir.Body{})
			req.Stream = true
			enc = New().NewEncoder(req)
		}
		var all weir.Collector
		var out []byte
		for ev, err := range New().Decode(answer) {
			if err != nil {
				t.Fatalf("%s: %v", how, err)
			}
			out = enc.Encode(out, ev)
			all.Add(ev)
		}
		out = enc.Close(out, nil)
		done := all.Completion()
		if len(done.ToolCalls()) != 1 {
			t.Fatalf("%s: %d calls", how, len(done.ToolCalls()))
		}
		if c := done.ToolCalls()[0]; c.Type != weir.ToolCustom || c.Arguments != input {
			t.Errorf("%s: %+v", how, c)
		}
		again, err := weir.Collect(New().Decode(&codec.Answer{Body: strings.NewReader(string(out)), Header: http.Header{}, Stream: stream,
			Target: &codec.Target{Quirks: &codec.Quirks{}}}))
		if err != nil || len(again.ToolCalls()) != 1 || again.ToolCalls()[0].Type != weir.ToolCustom || again.ToolCalls()[0].Arguments != input {
			t.Errorf("%s: the client reads %+v (%v) in %s", how, again.Choices, err, out)
		}
	}
	quoted := func(s string) string { return string(jsonx.AppendString(nil, s)) }
	check("whole", `{"id":"i","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[`+
		`{"id":"c","type":"function","function":{"name":"patch","arguments":`+quoted(arguments)+`}}]},"finish_reason":"tool_calls"}]}`, false)
	const chunk = "data: {\"id\":\"i\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":%s,\"finish_reason\":%s}]}\n\n"
	for size := 1; size <= len(arguments); size++ {
		var wire strings.Builder
		fmt.Fprintf(&wire, chunk, `{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"patch","arguments":""}}]}`, "null")
		for runes := []rune(arguments); len(runes) > 0; {
			n := min(size, len(runes))
			fmt.Fprintf(&wire, chunk, `{"tool_calls":[{"index":0,"function":{"arguments":`+quoted(string(runes[:n]))+`}}]}`, "null")
			runes = runes[n:]
		}
		check(fmt.Sprintf("in pieces of %d", size), wire.String()+fmt.Sprintf(chunk, "{}", `"tool_calls"`)+"data: [DONE]\n\n", true)
	}
}
