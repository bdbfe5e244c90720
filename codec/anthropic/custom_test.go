package anthropic

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func customBody() *weir.Body {
	return &weir.Body{
		MaxTokens: new(int64(9)),
		Messages: []weir.Message{
			weir.UserText("a"),
			{Role: weir.RoleAssistant, Blocks: []weir.Block{{Type: weir.BlockToolCall,
				Call: &weir.ToolCall{ID: "c", Name: "patch it", Type: weir.ToolCustom, Arguments: "*** \"x\"\n"}}}},
			weir.ToolResultText("c", "done"),
		},
		Tools: []weir.Tool{{Type: weir.ToolCustom, Name: "patch it", Description: "applies",
			Extra: weir.Fields{{Name: "format", Value: []byte(`{"type":"grammar","syntax":"lark","definition":"start: X"}`)}}}},
		ToolChoice: &weir.ToolChoice{Mode: weir.ToolModeNamed, Names: []string{"patch it"}, Type: weir.ToolCustom},
	}
}

// S-13: a custom tool is a function of one text, here and in the history.
func TestACustomToolIsAFunctionOfOneText(t *testing.T) {
	call, got := encodeFor(t, foreign(customBody()), codec.Quirks{})
	name := codec.ShortenName("patch it", 64)
	want := `{"model":"claude","max_tokens":9,"tools":[{"name":"` + name + `","description":"applies\n\nThe input must follow this grammar:\nstart: X","input_schema":` +
		string(codec.CustomSchema()) + `}],"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"` + name +
		`","input":{"input":"*** \"x\"\n"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"done"}]}],` +
		`"tool_choice":{"type":"tool","name":"` + name + `"}}`
	if !jsonx.Equal([]byte(got), []byte(want)) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if l := lossFields(call); l != "renamed tools[0].name, approximated tools[0].format" && l != "approximated tools[0].format, renamed tools[0].name" {
		t.Errorf("losses: %s", l)
	}
	if !call.Custom[name] || call.Names[name] != "patch it" {
		t.Errorf("the answer is to be read with %v and %v", call.Custom, call.Names)
	}
	body := customBody()
	body.Tools[0].Extra = nil
	if call, _ := encodeFor(t, foreign(body), codec.Quirks{}); strings.Contains(lossFields(call), "tools[0],") {
		t.Errorf("a plain custom tool loses %s", lossFields(call))
	}
}

// S-13, W-12: its calls come back as free text, streamed in any pieces and whole.
func TestCustomCallsComeBackAsText(t *testing.T) {
	const input = "*** \"x\"\n😀"
	arguments := codec.WrapCustom(input)
	answer := func(body string, stream bool) *codec.Answer {
		return &codec.Answer{Body: strings.NewReader(body), Header: http.Header{}, Stream: stream,
			Target: &codec.Target{Quirks: &codec.Quirks{}}, Names: map[string]string{"p": "patch it"}, Custom: map[string]bool{"p": true}}
	}
	check := func(how, body string, stream bool) {
		done, err := weir.Collect(New().Decode(answer(body, stream)))
		if err != nil || len(done.ToolCalls()) != 1 {
			t.Fatalf("%s: %v, %d calls", how, err, len(done.ToolCalls()))
		}
		if c := done.ToolCalls()[0]; c.Type != weir.ToolCustom || c.Name != "patch it" || c.Arguments != input {
			t.Errorf("%s: %+v", how, c)
		}
	}
	check("whole", `{"type":"message","content":[{"type":"tool_use","id":"c","name":"p","input":`+arguments+`}],"stop_reason":"tool_use"}`, false)
	const head = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"c\",\"name\":\"p\",\"input\":%s}}\n\n"
	const tail = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
	check("at the start", fmt.Sprintf(head, arguments)+tail, true)
	for size := 1; size <= len(arguments); size++ {
		var wire strings.Builder
		fmt.Fprintf(&wire, head, "{}")
		runes := []rune(arguments)
		for len(runes) > 0 {
			n := min(size, len(runes))
			wire.WriteString("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":" +
				string(jsonx.AppendString(nil, string(runes[:n]))) + "}}\n\n")
			runes = runes[n:]
		}
		check(fmt.Sprintf("in pieces of %d", size), wire.String()+tail, true)
	}
}

// P-01: places and settings are named as the client named them.
func TestLossesAreInTheClientsWords(t *testing.T) {
	body := &weir.Body{From: weir.GeminiGenerate, MaxTokens: new(int64(9)), Seed: new(int64(1)), Messages: []weir.Message{
		weir.SystemText("s"), weir.UserText("a"),
		{Role: weir.RoleAssistant, Blocks: []weir.Block{{Type: weir.BlockReasoning, Text: "hm"}, {Type: weir.BlockText, Text: "b"}}},
		weir.UserText("c")}}
	call, _ := encodeFor(t, foreign(body), codec.Quirks{})
	if got := lossFields(call); got != "dropped contents[1].parts[0], dropped generationConfig.seed" {
		t.Errorf("losses: %s", got)
	}
}
