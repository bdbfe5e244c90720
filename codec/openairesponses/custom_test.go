package openairesponses_test

import (
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/internal/jsonx"
)

const patch = "*** Begin Patch\n*** Update File: \"a\"\n@@\n-é\n+\t堰\n*** End Patch\n"

// codex is a request with a freeform tool and an earlier call of it.
func codex(tb testing.TB) *weir.Request {
	quoted := string(jsonx.AppendString(nil, patch))
	return open(tb, `{"model":"m","max_output_tokens":999,"stream":true,"tools":[{"type":"custom","name":"apply_patch","description":"edits","format":{"type":"grammar","syntax":"lark","definition":"start: PATCH"}}],`+
		`"input":[{"role":"user","content":"edit"},{"type":"custom_tool_call","call_id":"c0","name":"apply_patch","input":`+quoted+`},{"type":"custom_tool_call_output","call_id":"c0","output":"Done!"}]}`)
}

// A freeform tool goes to an upstream that has functions only, and its call comes
// back as the raw text, streamed piece by piece. // S-13
func TestFreeformToolsComeBackRaw(t *testing.T) {
	wrapped := string(jsonx.AppendString(nil, codec.WrapCustom(patch)))
	wrapped = wrapped[1 : len(wrapped)-1]
	third := len(wrapped) / 3
	for wrapped[third-1] == '\\' {
		third++
	}
	delta := func(s string) string {
		return "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"" + s + "\"}}\n\n"
	}
	answer := "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"c\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n" +
		"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"c1\",\"name\":\"apply_patch\",\"input\":{}}}\n\n" +
		delta(wrapped[:third]) + delta(wrapped[third:]) +
		"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n" +
		"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":2}}\n\n" +
		"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
	req, target := codex(t), &codec.Target{Provider: "anthropic", Model: "c", Quirks: &codec.Quirks{}}
	call, err := anthropic.New().EncodeRequest(req, target)
	if err != nil {
		t.Fatal(err)
	}
	if want := "tools[0].format approximated"; !strings.Contains(losses(call.Losses), want) {
		t.Errorf("losses %s, want %s", losses(call.Losses), want)
	}
	var events []weir.Event
	for ev, err := range anthropic.New().Decode(&codec.Answer{Body: strings.NewReader(answer), Stream: true, Target: target, Custom: call.Custom, Names: call.Names}) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, ev.Detach())
	}
	wire, _ := written(req, events, nil)
	if err := checkStream(wire); err != nil {
		t.Fatalf("%v\n%s", err, wire)
	}
	if strings.Count(wire, "custom_tool_call_input.delta\"") < 2 || strings.Contains(wire, "function_call") {
		t.Errorf("%s", wire)
	}
	b := decodeText(wire, false).block(t, 0)
	if b.Call == nil || b.Call.Type != weir.ToolCustom || b.Call.Arguments != patch || b.Call.ID != "c1" || b.Call.Name != "apply_patch" {
		t.Errorf("%+v", b.Call)
	}
}

// A client of Chat that has a custom tool speaks to this protocol's, whose form of
// a grammar is flat, and back. // S-13
func TestCustomToolsOfChat(t *testing.T) {
	req, err := openaichat.New().OpenRequest(weir.Generate, &weir.Wire{Protocol: weir.OpenAIChat, Body: []byte(`{"model":"m","messages":[{"role":"user","content":"q"},` +
		`{"role":"assistant","tool_calls":[{"id":"c","type":"custom","custom":{"name":"p","input":"raw"}}]},{"role":"tool","tool_call_id":"c","content":"ok"}],` +
		`"tools":[{"type":"custom","custom":{"name":"p","description":"d","format":{"type":"grammar","grammar":{"syntax":"regex","definition":"a+"}}}}],"tool_choice":{"type":"custom","custom":{"name":"p"}}}`)})
	if err != nil {
		t.Fatal(err)
	}
	got, call := send(t, req, codec.Quirks{})
	same(t, string(jsonx.Get([]byte(got), "tools")), `[{"type":"custom","name":"p","description":"d","format":{"type":"grammar","syntax":"regex","definition":"a+"}}]`)
	same(t, string(jsonx.Get([]byte(got), "tool_choice")), `{"type":"custom","name":"p"}`)
	same(t, string(jsonx.Get([]byte(got), "input")), `[{"type":"message","role":"user","content":"q"},{"type":"custom_tool_call","call_id":"c","name":"p","input":"raw"},{"type":"custom_tool_call_output","call_id":"c","output":"ok"}]`)
	if len(call.Losses) > 0 {
		t.Error(call.Losses)
	}
}

// Tools in a namespace are known elsewhere by one name, and come back in it.
// // protocols.md §12.5
func TestToolsInANamespace(t *testing.T) {
	req := open(t, `{"model":"m","input":[{"role":"user","content":"q"},{"type":"function_call","call_id":"c","name":"find","namespace":"crm","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"x"}],`+
		`"tools":[{"type":"namespace","name":"crm","description":"customers","tools":[{"type":"function","name":"find","parameters":{"type":"object"},"strict":false}]}],"tool_choice":{"type":"function","name":"find","namespace":"crm"}}`)
	call, err := openaichat.New().EncodeRequest(req, plain(codec.Quirks{}))
	if err != nil {
		t.Fatal(err)
	}
	if wire := string(join(call.Body)); strings.Count(wire, `"name":"crm__find"`) != 3 {
		t.Errorf("%s", wire)
	}
	answer, _ := written(req, say(weir.OpenAIChat).call("c2", "crm__find", "{}").done(weir.FinishToolCalls), nil)
	if !strings.Contains(answer, `"call_id":"c2","name":"find","namespace":"crm"`) {
		t.Errorf("%s", answer)
	}
}

// Names that are too long for a target are shortened for it alone.
func TestLongNamesComeBackWhole(t *testing.T) {
	long := strings.Repeat("long_", 20) + "name"
	body := `{"model":"m","input":"q","tools":[{"type":"function","name":"` + long + `","parameters":{"type":"object"},"strict":false}],"tool_choice":{"type":"function","name":"` + long + `"}}`
	got, call := send(t, open(t, body), codec.Quirks{ToolNameMax: 64})
	short := jsonx.StringOr(jsonx.GetPath([]byte(got), "tool_choice", "name"), "")
	if strings.Contains(got, long) || len(short) > 64 || call.Names[short] != long {
		t.Fatalf("%s, %v", got, call.Names)
	}
	d := decodeOf(&codec.Answer{Body: strings.NewReader(sse([][2]string{nativeEvents()[0], {"response.completed", `,"response":` +
		wholeOf("completed", "null", "null", strings.Replace(callDone, "look", short, 1))}}...)), Stream: true, Relay: true, Target: plain(codec.Quirks{}), Names: call.Names})
	if b := d.block(t, 0); b.Call == nil || b.Call.Name != long {
		t.Errorf("%+v", b.Call)
	}
	for _, ev := range d.events {
		if ev.Frame != nil {
			t.Error("a frame with the short name may be sent on")
		}
	}
}
