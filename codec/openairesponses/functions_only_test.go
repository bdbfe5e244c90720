package openairesponses_test

import (
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

var functionsOnly = codec.Quirks{NoCustomTools: true}

// An upstream of this protocol that knows functions only is sent nothing else, and
// the client has its own tools back. // S-13
func TestUpstreamsWithFunctionsOnly(t *testing.T) {
	got, call := send(t, codex(t), functionsOnly)
	if strings.Contains(got, "custom") || strings.Contains(got, `"format"`) || !strings.Contains(got, `start: PATCH`) {
		t.Errorf("%s", got)
	}
	same(t, string(jsonx.Get([]byte(got), "input")), `[{"role":"user","content":"edit"},{"type":"function_call","call_id":"c0","name":"apply_patch","arguments":`+
		string(jsonx.AppendString(nil, codec.WrapCustom(patch)))+`},{"type":"function_call_output","call_id":"c0","output":"Done!"}]`)
	if !call.Custom["apply_patch"] || losses(call.Losses) != "tools[0].format approximated" {
		t.Errorf("%v, %s", call.Custom, losses(call.Losses))
	}
	item := `{"type":"function_call","id":"fc_9","status":"completed","call_id":"c1","name":"apply_patch","arguments":` + string(jsonx.AppendString(nil, codec.WrapCustom(patch))) + `}`
	for _, stream := range []bool{true, false} {
		text := wholeOf("completed", "null", "null", item)
		if stream {
			text = sse([][2]string{nativeEvents()[0],
				{"response.output_item.added", `,"output_index":0,"item":{"type":"function_call","id":"fc_9","status":"in_progress","call_id":"c1","name":"apply_patch","arguments":""}`},
				{"response.function_call_arguments.delta", `,"output_index":0,"item_id":"fc_9","delta":"{\"input\":\"*** Beg"`},
				{"response.output_item.done", `,"output_index":0,"item":` + item},
				{"response.completed", `,"response":` + text}}...)
		}
		d := decodeOf(&codec.Answer{Body: strings.NewReader(text), Stream: stream, Relay: true, Target: plain(functionsOnly), Names: call.Names, Custom: call.Custom})
		if b := d.block(t, 0); b.Call == nil || b.Call.Type != weir.ToolCustom || b.Call.Arguments != patch {
			t.Errorf("%+v", b.Call)
		}
		req := codex(t)
		req.Stream = stream
		answer, _ := written(req, d.events, nil)
		if !strings.Contains(answer, `"type":"custom_tool_call"`) || strings.Contains(answer, `"type":"function_call"`) {
			t.Errorf("%s", answer)
		}
	}
}

// Namespaces and searches become functions there as they do elsewhere.
func TestGroupsOfToolsBecomeFunctions(t *testing.T) {
	req := open(t, strings.Replace(later, `"input":[`, `"tools":[`+searchTool+`],"input":[`+searched+`,`+found+`,`, 1))
	got, call := send(t, req, functionsOnly)
	for _, no := range []string{`"namespace"`, `"type":"tool_search"`, "tool_search_call", "tool_search_output", "additional_tools", "custom"} {
		if strings.Contains(got, no) {
			t.Errorf("%s in %s", no, got)
		}
	}
	var names []string
	_ = jsonx.EachElement(jsonx.Get([]byte(got), "tools"), func(_ int, tool []byte) error {
		names = append(names, jsonx.StringOr(jsonx.Get(tool, "name"), ""))
		return nil
	})
	if all := strings.Join(names, " "); all != "tool_search functions__exec functions__wait mcp__maps__river" {
		t.Errorf("%s", all)
	}
	d := decodeOf(&codec.Answer{Body: strings.NewReader(wholeOf("completed", "null", "null",
		`{"type":"function_call","id":"fc_1","call_id":"c5","name":"tool_search","arguments":"{\"query\":\"a\"}"}`,
		`{"type":"function_call","id":"fc_2","call_id":"c6","name":"functions__wait","arguments":"{}"}`)), Target: plain(functionsOnly), Names: call.Names, Custom: call.Custom})
	answer, _ := written(req, d.events, nil)
	for _, want := range []string{`"type":"tool_search_call"`, `"name":"wait","namespace":"functions"`} {
		if !strings.Contains(answer, want) {
			t.Errorf("no %s in %s", want, answer)
		}
	}
}

// A request that has functions only keeps its bytes there.
func TestFunctionsKeepTheirBytes(t *testing.T) {
	body := `{"model":"up", "input":[{"role":"user","content":"custom"}],  "tools":[{"type":"function","name":"f","parameters":{"type":"object"}}],"stream":false}`
	if got, _ := send(t, open(t, body), functionsOnly); got != body {
		t.Errorf("%s", got)
	}
}

// A custom tool of Chat is a function there too.
func TestForeignCustomToolsBecomeFunctions(t *testing.T) {
	got, call := send(t, foreign(weir.OpenAIChat, weir.Body{Messages: []weir.Message{weir.UserText("q"),
		{Role: weir.RoleAssistant, Blocks: []weir.Block{{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "c", Name: "p", Type: weir.ToolCustom, Arguments: "raw"}}}}, weir.ToolResultText("c", "r")},
		Tools: []weir.Tool{{Type: weir.ToolCustom, Name: "p"}}, ToolChoice: &weir.ToolChoice{Mode: weir.ToolModeNamed, Names: []string{"p"}, Type: weir.ToolCustom}}), functionsOnly)
	if strings.Contains(got, "custom") || !strings.Contains(got, `"arguments":"{\"input\":\"raw\"}"`) || !strings.Contains(got, `"tool_choice":{"type":"function","name":"p"}`) || !call.Custom["p"] {
		t.Errorf("%s, %v", got, call.Custom)
	}
}
