package openaichat

import (
	"errors"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// cachedText is a text with a cache mark.
func cachedText(s string) weir.Block {
	b := text(s)
	b.Cache = &weir.CacheControl{}
	return b
}

func TestLossesCountTheClientsOwnMessages(t *testing.T) { // P-01
	call := func(id string) weir.Block {
		return weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: id, Name: "f", Type: weir.ToolFunction, Arguments: "{}"}}
	}
	result := func(id string, b ...weir.Block) weir.Block {
		return weir.Block{Type: weir.BlockToolResult, Result: &weir.ToolResult{CallID: id, Content: b}}
	}
	image := weir.Block{Type: weir.BlockImage, Media: &weir.Media{URL: "https://x"}, Cache: &weir.CacheControl{}}
	signed := weir.Block{Type: weir.BlockReasoning, Text: "hm", Reasoning: &weir.Reasoning{Signature: "s"}}
	user := func(b ...weir.Block) weir.Message { return weir.Message{Role: weir.RoleUser, Blocks: b} }
	assistant := func(b ...weir.Block) weir.Message { return weir.Message{Role: weir.RoleAssistant, Blocks: b} }
	system := weir.Message{Role: weir.RoleSystem, Blocks: []weir.Block{text("a"), cachedText("b")}}
	for _, c := range []struct {
		name   string
		msgs   []weir.Message
		quirks codec.Quirks
		want   string
	}{
		{"behind a system text", []weir.Message{system, user(text("x"), cachedText("y"))}, codec.Quirks{},
			"system[1].cache_control dropped, messages[0].content[1].cache_control dropped"},
		{"behind tool results", []weir.Message{system, user(text("x")), assistant(signed, text("a"), call("1"), call("2")), user(result("1"), result("2"), cachedText("y")), assistant(text("z")), user(cachedText("w"))}, codec.Quirks{},
			"system[1].cache_control dropped, messages[1].content[0].signature dropped, messages[2].content[2].cache_control dropped, messages[4].content[0].cache_control dropped"},
		{"inside tool results", []weir.Message{user(text("x")), assistant(call("1")), user(result("1", cachedText("r"), image))}, codec.Quirks{},
			"messages[2].content[0].content[0].cache_control dropped, messages[2].content[0].content[1] moved, messages[2].content[0].content[1].cache_control dropped"},
		{"behind system text that moves", []weir.Message{system, user(text("x")), weir.SystemText("more"), user(cachedText("y"))}, codec.Quirks{SystemFirst: true},
			"messages[1] moved, system[1].cache_control dropped, messages[2].content[0].cache_control dropped"},
		{"in turns that were made one", []weir.Message{user(text("x")), user(text("y"), cachedText("z"))}, codec.Quirks{StrictAlternation: true},
			"messages[1].content[1].cache_control dropped"},
		{"thinking that is refused", []weir.Message{system, user(text("x")), assistant(text("a"), signed), user(text("y"))}, codec.Quirks{ReasoningReplay: "never"},
			"system[1].cache_control dropped, messages[1].content[1] dropped"},
		{"a call with a mark", []weir.Message{user(text("x")), assistant(func() weir.Block { b := call("1"); b.Cache = &weir.CacheControl{}; return b }()), user(result("1"))}, codec.Quirks{},
			"messages[1].content[0].cache_control dropped"},
	} {
		_, got := encode(t, foreign(weir.Body{Messages: c.msgs}), c.quirks)
		if fields(got.Losses) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, fields(got.Losses), c.want)
		}
	}
	_, got := encode(t, open(t, `{"model":"m","messages":[{"role":"user","content":"a"},{"role":"developer","content":"b"}]}`), codec.Quirks{DeveloperRole: "system"})
	if want := "messages[1].role renamed"; fields(got.Losses) != want {
		t.Errorf("a client of this protocol: %s", fields(got.Losses))
	}
}

func TestLossesNameTheClientsOwnMembers(t *testing.T) { // P-01
	effort := &weir.ReasoningConfig{Mode: "adaptive", Effort: "max"}
	for _, c := range []struct {
		name   string
		body   weir.Body
		quirks codec.Quirks
		want   string
	}{
		{"stop sequences", weir.Body{Stop: []string{"a", "b"}}, codec.Quirks{MaxStop: 1}, "stop_sequences[1] dropped"},
		{"the user", weir.Body{User: "u"}, codec.Quirks{DropParams: []string{"user"}}, "metadata.user_id dropped"},
		{"the format", weir.Body{Format: &weir.Format{Type: weir.FormatJSONSchema, Schema: []byte("{}")}}, codec.Quirks{Formats: []string{"json_object"}}, "output_config.format approximated"},
		{"parallel calls", weir.Body{ParallelToolCalls: new(false)}, codec.Quirks{DropParams: []string{"parallel_tool_calls"}}, "tool_choice.disable_parallel_tool_use dropped"},
		{"the cap", weir.Body{MaxTokens: new(int64(9))}, codec.Quirks{MaxTokensField: "max_completion_tokens"}, "max_tokens renamed"},
		{"the effort", weir.Body{Reasoning: effort}, codec.Quirks{Efforts: []string{"low", "high"}}, "output_config.effort clamped"},
		{"top_k", weir.Body{TopK: new(int64(3))}, codec.Quirks{DropParams: []string{"top_k"}}, "top_k dropped"},
	} {
		_, got := encode(t, foreign(c.body), c.quirks)
		if fields(got.Losses) != c.want {
			t.Errorf("%s: %s, want %s", c.name, fields(got.Losses), c.want)
		}
	}
	_, got := encode(t, open(t, `{"model":"m","messages":[],"stop":["a","b"]}`), codec.Quirks{MaxStop: 1})
	if fields(got.Losses) != "stop[1] dropped" {
		t.Errorf("a client of this protocol: %s", fields(got.Losses))
	}
}

func TestThinkingThatIsSaidOnlyNearlyIsALoss(t *testing.T) { // P-01, T-11
	budget := func(n int64) *weir.ReasoningConfig { return &weir.ReasoningConfig{Mode: "enabled", Budget: &n} }
	for _, c := range []struct {
		name   string
		config *weir.ReasoningConfig
		quirks codec.Quirks
		want   string
		losses string
	}{
		{"a budget as an effort", budget(1024), codec.Quirks{}, `"reasoning_effort":"low"`, "thinking.budget_tokens approximated"},
		{"a budget as a switch", budget(1024), codec.Quirks{Thinking: "type"}, `"thinking":{"type":"enabled"}`, "thinking.budget_tokens dropped"},
		{"a budget as both", budget(20000), codec.Quirks{Thinking: "type_effort"}, `"thinking":{"type":"enabled"},"reasoning_effort":"high"`, "thinking.budget_tokens approximated"},
		{"a budget as one", budget(2000), codec.Quirks{Thinking: "enable_thinking"}, `"enable_thinking":true,"thinking_budget":2000`, ""},
		{"a budget as OpenRouter's", budget(2000), codec.Quirks{Thinking: "reasoning"}, `"reasoning":{"max_tokens":2000}`, ""},
		{"no switch", budget(2000), codec.Quirks{Thinking: "none"}, ``, "thinking.type dropped, thinking.budget_tokens dropped"},
		{"an effort", &weir.ReasoningConfig{Mode: "adaptive", Effort: "high"}, codec.Quirks{}, `"reasoning_effort":"high"`, ""},
		{"on", &weir.ReasoningConfig{Mode: "enabled"}, codec.Quirks{}, `"reasoning_effort":"medium"`, ""}, // T-11
		{"on where it cannot be", &weir.ReasoningConfig{Mode: "enabled"}, codec.Quirks{Efforts: []string{"none"}}, `"reasoning_effort":"none"`, "thinking.type approximated"},
		{"as it thinks fit", &weir.ReasoningConfig{Mode: "adaptive"}, codec.Quirks{}, ``, "thinking.type approximated"},
		{"off", &weir.ReasoningConfig{Mode: "disabled"}, codec.Quirks{}, `"reasoning_effort":"none"`, ""},
		{"off where it cannot be", &weir.ReasoningConfig{Mode: "disabled"}, codec.Quirks{Efforts: []string{"low", "high"}}, `"reasoning_effort":"low"`, "thinking.type approximated"},
		{"modes: enabled becomes adaptive", budget(2000), codec.Quirks{Thinking: "type", ThinkingModes: []string{"adaptive", "disabled"}},
			`"thinking":{"type":"adaptive"}`, "thinking.type approximated, thinking.budget_tokens dropped"},
		{"modes: adaptive stays", &weir.ReasoningConfig{Mode: "adaptive"}, codec.Quirks{Thinking: "type", ThinkingModes: []string{"adaptive", "disabled"}}, `"thinking":{"type":"adaptive"}`, ""},
		{"modes: adaptive becomes enabled", &weir.ReasoningConfig{Mode: "adaptive"}, codec.Quirks{Thinking: "type"}, `"thinking":{"type":"enabled"}`, "thinking.type approximated"},
		{"modes: off", &weir.ReasoningConfig{Mode: "disabled"}, codec.Quirks{Thinking: "type", ThinkingModes: []string{"adaptive", "disabled"}}, `"thinking":{"type":"disabled"}`, ""},
		{"modes: off is refused", &weir.ReasoningConfig{Mode: "disabled"}, codec.Quirks{Thinking: "type", ThinkingModes: []string{"adaptive"}}, ``, "thinking.type dropped"},
	} {
		got, call := encode(t, foreign(weir.Body{Reasoning: c.config}), c.quirks)
		want := `{"model":"up","messages":[]` + strings.TrimSuffix(","+c.want, ",") + `}`
		if !jsonx.Equal([]byte(got), []byte(want)) || fields(call.Losses) != c.losses {
			t.Errorf("%s:\n got %s (%s)\nwant %s (%s)", c.name, got, fields(call.Losses), want, c.losses)
		}
	}
	got, call := encode(t, open(t, `{"model":"m","messages":[],"thinking":{"type":"enabled","x":1}}`), codec.Quirks{Thinking: "type", ThinkingModes: []string{"adaptive", "disabled"}})
	if want := `{"model":"up","messages":[],"thinking":{"type":"adaptive","x":1}}`; got != want || fields(call.Losses) != "thinking.type approximated" {
		t.Errorf("a client of this protocol: %s (%s)", got, fields(call.Losses))
	}
}

func TestTheOnlyEffortBesideToolsIsSent(t *testing.T) {
	const tools = `,"tools":[{"type":"function","function":{"name":"f"}}]`
	q := codec.Quirks{ToolsEffort: "none"}
	for _, c := range []struct{ name, body, want, losses string }{
		{"nothing was said", tools, tools + `,"reasoning_effort":"none"`, ""},
		{"another was asked for", tools + `,"reasoning_effort":"high"`, tools + `,"reasoning_effort":"none"`, "reasoning_effort approximated"},
		{"the same was asked for", tools + `,"reasoning_effort":"none"`, tools + `,"reasoning_effort":"none"`, ""},
		{"no tools", `,"reasoning_effort":"high"`, `,"reasoning_effort":"high"`, ""},
		{"an empty list", `,"tools":[],"reasoning_effort":"high"`, `,"tools":[],"reasoning_effort":"high"`, ""},
		{"other tools", `,"tools":[{"type":"web_search"}],"reasoning_effort":"high"`, `,"tools":[{"type":"web_search"}],"reasoning_effort":"high"`, ""},
		{"functions", `,"functions":[{"name":"f"}]`, `,"functions":[{"name":"f"}],"reasoning_effort":"none"`, ""},
	} {
		got, call := encode(t, open(t, `{"model":"up","messages":[]`+c.body+`}`), q)
		if want := `{"model":"up","messages":[]` + c.want + `}`; !jsonx.Equal([]byte(got), []byte(want)) || fields(call.Losses) != c.losses {
			t.Errorf("%s:\n got %s (%s)\nwant %s (%s)", c.name, got, fields(call.Losses), want, c.losses)
		}
	}
	body := weir.Body{Tools: []weir.Tool{{Type: weir.ToolFunction, Name: "f"}}, Reasoning: &weir.ReasoningConfig{Mode: "adaptive"}}
	if got, call := encode(t, foreign(body), q); !strings.Contains(got, `"reasoning_effort":"none"`) || fields(call.Losses) != "thinking.type approximated, thinking.type approximated" {
		t.Errorf("%s (%s)", got, fields(call.Losses))
	}
}

func TestAnUntouchedRequestKeepsItsBytes(t *testing.T) { // P-12
	for _, body := range []string{
		`{"model":"m","messages":[],"stream":false,"stream_options":null}`,
		`{"messages" : [], "stream":null,"stream_options":null, "model":"m"}`,
		`{"model":"m","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{cut"}}]}]}`, // S-07
	} {
		req := open(t, body)
		call, err := New().EncodeRequest(req, neutral("m"))
		if err != nil || string(join(call.Body)) != body {
			t.Errorf("%v: %s became %s", err, body, join(call.Body))
		}
	}
}

func TestHistoryThatNoModelCanReadIsRefusedByName(t *testing.T) { // S-07
	msgs := func(arguments string) []weir.Message {
		return []weir.Message{weir.SystemText("s"), weir.UserText("x"),
			{Role: weir.RoleAssistant, Blocks: []weir.Block{text("a"), {Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "1", Name: "f", Arguments: arguments}}}},
			weir.ToolResultText("1", "r")}
	}
	_, err := New().EncodeRequest(foreign(weir.Body{Messages: msgs(`{"a":`)}), neutral("m"))
	if e := weir.AsError(err); !errors.Is(err, weir.KindInvalid) || e.Param != "messages[1].content[1]" || strings.Contains(e.Message, `{"a"`) {
		t.Errorf("%+v", err)
	}
	if got, _ := encode(t, foreign(weir.Body{Messages: msgs(`{}{"a":1}`)}), codec.Quirks{}); !strings.Contains(got, `"arguments":"{\"a\":1}"`) {
		t.Errorf("not repaired: %s", got)
	}
	edited, err := open(t, `{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{cut"}}]}]}`).Edit(func(*weir.Body) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := encode(t, edited, codec.Quirks{}); !strings.Contains(got, `"arguments":"{cut"`) {
		t.Errorf("edited in the same protocol: %s", got)
	}
}

func TestCallsAndResultsThatDoNotMatch(t *testing.T) { // S-03, protocols.md §13.1
	call := func(id string) weir.Block {
		return weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: id, Name: "f", Arguments: "{}"}}
	}
	turn := func(b ...weir.Block) weir.Message { return weir.Message{Role: weir.RoleAssistant, Blocks: b} }
	for _, c := range []struct {
		name  string
		msgs  []weir.Message
		param string
	}{
		{"a call without a result", []weir.Message{turn(call("1"), call("2")), weir.ToolResultText("1", "r"), weir.UserText("x")}, "messages[0].content[1]"},
		{"a call at the end", []weir.Message{weir.UserText("x"), turn(call("1"))}, "messages[1].content[0]"},
		{"a result without a call", []weir.Message{weir.UserText("x"), weir.ToolResultText("1", "r")}, "messages[1].content[0]"},
		{"a result twice", []weir.Message{turn(call("1")), weir.ToolResultText("1", "r"), weir.ToolResultText("1", "r")}, "messages[2].content[0]"},
		{"in another order", []weir.Message{turn(call("1"), call("2")), weir.ToolResultText("2", "r"), weir.ToolResultText("1", "r")}, ""},
	} {
		_, err := New().EncodeRequest(foreign(weir.Body{Messages: c.msgs}), neutral("m"))
		if (err != nil) != (c.param != "") || err != nil && (!errors.Is(err, weir.KindInvalid) || weir.AsError(err).Param != c.param) {
			t.Errorf("%s: %+v", c.name, err)
		}
	}
	for _, messages := range []string{
		`{"role":"tool","tool_call_id":"a","content":"r"}`, `{"role":"tool","content":"r"}`,
		`{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"user","content":"x"}`,
		`{"role":"assistant","tool_calls":[{"type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","content":"r"},{"role":"tool","tool_call_id":null,"content":"r"}`,
		`{"role":"assistant","content":"a","audio":{"data":"","expires_at":0,"id":"","transcript":""},"function_call":{"arguments":"","name":""},"tool_calls":[{"custom":{"input":"","name":""},"function":{"arguments":"{}","name":"f"},"id":"a","type":"function"}]}`,
	} {
		body := `{"model":"up","messages":[` + messages + `]}`
		edited, err := open(t, body).Edit(func(*weir.Body) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if got, call := encode(t, edited, codec.Quirks{}); !jsonx.Equal([]byte(got), []byte(body)) || len(call.Losses) > 0 {
			t.Errorf("in the same protocol:\n got %s (%s)\nwant %s", got, fields(call.Losses), body)
		}
	}
}

func TestResultsWithoutAnIDAnswerTheCallsInTheirOrder(t *testing.T) { // S-03
	b, err := open(t, `{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},`+
		`{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]},{"role":"tool","content":"1"},{"role":"tool","content":"2"},{"role":"tool","content":"3"}]}`).Body()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"a", "b", ""} {
		if got := b.Messages[i+1].Blocks[0].Result.CallID; got != want {
			t.Errorf("result %d answers %q", i, got)
		}
	}
}
