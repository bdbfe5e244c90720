package openairesponses_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/gemini"
	"github.com/weir-gateway/weir/codec/ollama"
	"github.com/weir-gateway/weir/codec/openairesponses"
	"github.com/weir-gateway/weir/internal/jsonx"
)

const (
	additional = `{"type":"additional_tools","role":"developer","tools":[{"type":"namespace","name":"functions","description":"all","tools":[` +
		`{"type":"custom","name":"exec","description":"runs","format":{"type":"text"}},` +
		`{"type":"function","name":"wait","strict":false,"parameters":{"type":"object","properties":{}}}]}]}`
	later = `{"model":"m","instructions":"be brief","input":[` + additional + `,{"role":"developer","content":"dev"},{"role":"user","content":"q"},` +
		`{"type":"custom_tool_call","call_id":"c1","name":"exec","namespace":"functions","input":"ls"},{"type":"custom_tool_call_output","call_id":"c1","output":"x"}]}`
)

// Tools that are declared in the input are the tools of the request for every other
// protocol: without them an agent would have none. // C-01, S-13
func TestToolsInTheInput(t *testing.T) {
	for name, c := range map[string]codec.Codec{"anthropic": anthropic.New(), "gemini": gemini.New(), "ollama": ollama.New()} {
		call, err := c.EncodeRequest(open(t, later), plain(codec.Quirks{}))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"functions__exec", "functions__wait", "be brief", "dev"} {
			if got := string(join(call.Body)); !strings.Contains(got, want) || strings.Contains(got, `system\u003e`) {
				t.Errorf("%s: no %s in %s", name, want, got)
			}
		}
		if !call.Custom["functions__exec"] || strings.Contains(losses(call.Losses), "input[0]") {
			t.Errorf("%s: %v, %s", name, call.Custom, losses(call.Losses))
		}
	}
	got, _ := toChat(t, open(t, later))
	same(t, string(jsonx.Get([]byte(got), "messages")), `[{"role":"system","content":"be brief"},{"role":"developer","content":"dev"},{"role":"user","content":"q"},`+
		`{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"custom","custom":{"name":"functions__exec","input":"ls"}}]},{"role":"tool","tool_call_id":"c1","content":"x"}]`)
	answer, _ := written(open(t, later), say(weir.OpenAIChat).
		block(weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "c2", Name: "functions__exec", Type: weir.ToolCustom}}, weir.Event{Part: weir.PartArguments, Text: "pwd"}).
		call("c3", "functions__wait", "{}").done(weir.FinishToolCalls), nil)
	for _, want := range []string{`"input":"pwd","call_id":"c2","name":"exec","namespace":"functions"`, `"call_id":"c3","name":"wait","namespace":"functions"`} {
		if !strings.Contains(answer, want) {
			t.Errorf("no %s in %s", want, answer)
		}
	}
}

// In the middle of a conversation they move nothing.
func TestToolsInTheMiddleOfTheInput(t *testing.T) {
	body := `{"model":"m","max_output_tokens":99,"tools":[{"type":"function","name":"wait","strict":false,"parameters":{"type":"object"}}],"tool_choice":{"type":"function","name":"wait","namespace":"late"},"input":[{"role":"user","content":"q"},` +
		`{"type":"additional_tools","role":"developer","tools":[{"type":"function","name":"wait","strict":false,"parameters":{"type":"object"}},{"type":"namespace","name":"late","tools":[{"type":"function","name":"wait","strict":false,"parameters":{"type":"object"}}]}]},{"role":"user","content":"r"}]}`
	call, err := anthropic.New().EncodeRequest(open(t, body), plain(codec.Quirks{}))
	if err != nil {
		t.Fatal(err)
	}
	got := join(call.Body)
	same(t, string(jsonx.Get(got, "messages")), `[{"role":"user","content":[{"type":"text","text":"q"},{"type":"text","text":"r"}]}]`)
	same(t, string(jsonx.Get(got, "tool_choice")), `{"type":"tool","name":"late__wait"}`)
	if strings.Count(string(got), `"name":"wait"`) != 1 || strings.Contains(losses(call.Losses), "input[") {
		t.Errorf("%s, %s", got, losses(call.Losses))
	}
}

// A client of the same protocol keeps its item where it was; one whose tools were
// edited has what is left of them. // P-01
func TestToolsInTheInputOfTheSameProtocol(t *testing.T) {
	want := strings.Replace(later, `"model":"m"`, `"model":"up"`, 1)
	got, _ := send(t, open(t, later), codec.Quirks{})
	same(t, got, want)
	got, _ = send(t, edited(t, open(t, later)), codec.Quirks{})
	same(t, got, want)
	less, err := open(t, later).Edit(func(b *weir.Body) error {
		b.Tools = b.Tools[:1]
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, _ = send(t, less, codec.Quirks{})
	if !strings.Contains(got, `"exec"`) || strings.Contains(got, `"wait"`) || jsonx.Get([]byte(got), "tools") != nil {
		t.Errorf("%s", got)
	}
	// A target that wants its messages in another order has them with the others.
	got, _ = send(t, open(t, strings.Replace(later, `{"role":"user","content":"q"}`, `{"role":"user","content":"q"},{"role":"system","content":"s"}`, 1)), codec.Quirks{SystemFirst: true})
	if strings.Contains(got, "additional_tools") || !strings.Contains(string(jsonx.Get([]byte(got), "tools")), `"namespace"`) {
		t.Errorf("%s", got)
	}
}

// A message tells of the tools that it declares, as a body that has it does; of any
// other there are none.
func TestDeclaredTools(t *testing.T) {
	for name, body := range map[string]string{"an item of tools": later, "what a search has found": withSearch} {
		b, err := open(t, body).Body()
		if err != nil {
			t.Fatal(err)
		}
		var got []weir.Tool
		for i := range b.Messages {
			got = append(got, openairesponses.DeclaredTools(&b.Messages[i])...)
		}
		want := slices.DeleteFunc(slices.Clone(b.Tools), func(t weir.Tool) bool { return t.Extra.Value("later") == nil })
		if len(want) == 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
}

// Calls of tools that the client has declared in an earlier request come back as it
// knows them. // P-08, S-13
func TestCallsOfToolsOfAnEarlierRequest(t *testing.T) {
	b, err := open(t, later).Body()
	if err != nil {
		t.Fatal(err)
	}
	for _, stream := range []bool{true, false} {
		req := open(t, `{"model":"m","previous_response_id":"r","input":"q"}`)
		req.Stream = stream
		events := say(weir.OpenAIChat).call("c3", "functions__wait", "{}").done(weir.FinishToolCalls)
		events[0].Start.Tools = b.Tools
		if answer, _ := written(req, events, nil); !strings.Contains(answer, `"name":"wait","namespace":"functions"`) {
			t.Errorf("%s", answer)
		}
	}
}
