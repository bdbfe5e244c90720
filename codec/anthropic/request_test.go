package anthropic

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

// foreign makes a request as another protocol's codec would.
func foreign(b *weir.Body) *weir.Request {
	if b.From == "" {
		b.From = weir.OpenAIChat
	}
	return weir.NewRequest("alias", b)
}

func user(text string) []weir.Message { return []weir.Message{weir.UserText(text)} }

func assistantCall(id, arguments string) weir.Message {
	return weir.Message{Role: weir.RoleAssistant, Blocks: []weir.Block{{
		Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: id, Name: "f", Arguments: arguments},
	}}}
}

func encodeFor(t *testing.T, req *weir.Request, q codec.Quirks) (*codec.Call, string) {
	t.Helper()
	call, err := New().EncodeRequest(req, &codec.Target{Provider: "p", Model: "claude", MaxOutput: 64000, Quirks: &q})
	if err != nil {
		t.Fatal(err)
	}
	return call, string(bytes.Join(call.Body, nil))
}

func lossFields(c *codec.Call) string {
	var out []string
	for _, l := range c.Losses {
		out = append(out, string(l.Action)+" "+l.Field)
	}
	return strings.Join(out, ", ")
}

func TestRequestsOfOtherProtocolsAreTranslated(t *testing.T) {
	tool := weir.Tool{Type: weir.ToolFunction, Name: "f", Schema: []byte(`{"type":"object"}`)}
	tests := []struct {
		name   string
		body   weir.Body
		quirks codec.Quirks
		want   string // members of the body, but for model
		losses string
	}{
		{"system text moves to the head",
			weir.Body{MaxTokens: new(int64(5)), Messages: []weir.Message{weir.SystemText("be brief"), weir.UserText("hi")}}, codec.Quirks{},
			`{"max_tokens":5,"system":"be brief","messages":[{"role":"user","content":"hi"}]}`, ""},
		{"later system text becomes user text", // P-05
			weir.Body{MaxTokens: new(int64(5)), Messages: []weir.Message{weir.UserText("a"), weir.AssistantText("b"), weir.SystemText("c"), weir.UserText("d")}}, codec.Quirks{},
			`{"max_tokens":5,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":[{"type":"text","text":"<system>\nc\n</system>"},{"type":"text","text":"d"}]}]}`,
			"moved messages[2]"},
		{"a cap is filled in from the catalog", weir.Body{Messages: user("a")}, codec.Quirks{},
			`{"max_tokens":64000,"messages":[{"role":"user","content":"a"}]}`, ""},
		{"a cap is filled in from the quirk", weir.Body{Messages: user("a")}, codec.Quirks{MaxTokensDefault: 77},
			`{"max_tokens":77,"messages":[{"role":"user","content":"a"}]}`, ""},
		{"neighbours of one role are merged, empty ones dropped", // P-06, §13.7
			weir.Body{MaxTokens: new(int64(5)), Messages: []weir.Message{weir.UserText("a"), weir.AssistantText(""), weir.UserText("b")}}, codec.Quirks{},
			`{"max_tokens":5,"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}`, ""},
		{"an assistant who speaks first is spoken to", // P-06
			weir.Body{MaxTokens: new(int64(5)), Messages: []weir.Message{weir.SystemText("s"), weir.AssistantText("hello"), weir.UserText("b")}}, codec.Quirks{},
			`{"max_tokens":5,"system":"s","messages":[{"role":"user","content":"Continue."},{"role":"assistant","content":"hello"},{"role":"user","content":"b"}]}`,
			"approximated messages"},
		{"an assistant who answers an empty message too", // P-06
			weir.Body{MaxTokens: new(int64(5)), Messages: []weir.Message{weir.UserText(""), weir.AssistantText("hello"), weir.UserText("b")}}, codec.Quirks{},
			`{"max_tokens":5,"messages":[{"role":"user","content":"Continue."},{"role":"assistant","content":"hello"},{"role":"user","content":"b"}]}`,
			"approximated messages"},
		{"instructions alone are followed by a user", // P-06
			weir.Body{MaxTokens: new(int64(5)), Messages: []weir.Message{weir.SystemText("s")}}, codec.Quirks{},
			`{"max_tokens":5,"system":"s","messages":[{"role":"user","content":"Continue."}]}`, "approximated messages"},
		{"results stand in one user message in the order of the calls", // S-10
			weir.Body{MaxTokens: new(int64(5)), Tools: []weir.Tool{tool}, Messages: []weir.Message{
				weir.UserText("a"),
				{Role: weir.RoleAssistant, Blocks: append(assistantCall("c1", `{"x":1}`).Blocks, assistantCall("c2", ``).Blocks...)},
				weir.ToolResultText("c2", "two"), weir.ToolResultText("c1", "one"), weir.UserText("go on")}}, codec.Quirks{},
			`{"max_tokens":5,"tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"a"},` +
				`{"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"f","input":{"x":1}},{"type":"tool_use","id":"c2","name":"f","input":{}}]},` +
				`{"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"one"},{"type":"tool_result","tool_use_id":"c2","content":"two"},{"type":"text","text":"go on"}]}]}`, ""},
		{"illegal ids are shortened alike in call and result", // S-09
			weir.Body{MaxTokens: new(int64(5)), Messages: []weir.Message{weir.UserText("a"), assistantCall("functions.f:0", "{}"), weir.ToolResultText("functions.f:0", "")}}, codec.Quirks{},
			`{"max_tokens":5,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"` + codec.ShortenID("functions.f:0", 64) +
				`","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"` + codec.ShortenID("functions.f:0", 64) + `"}]}]}`, ""},
		{"calls and results without ids are paired by their order", // S-03
			weir.Body{MaxTokens: new(int64(5)), Messages: []weir.Message{weir.UserText("a"),
				{Role: weir.RoleAssistant, Blocks: append(assistantCall("", "{}").Blocks, assistantCall("b", "{}").Blocks...)},
				weir.ToolResultText("b", "two"), weir.ToolResultText("", "one")}}, codec.Quirks{},
			`{"max_tokens":5,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"call_1_0","name":"f","input":{}},{"type":"tool_use","id":"b","name":"f","input":{}}]},` +
				`{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1_0","content":"one"},{"type":"tool_result","tool_use_id":"b","content":"two"}]}]}`, ""},
		{"images keep their form", // P-10
			weir.Body{MaxTokens: new(int64(5)), Messages: []weir.Message{{Role: weir.RoleUser, Blocks: []weir.Block{
				{Type: weir.BlockImage, Media: &weir.Media{URL: "data:image/png;base64,AAAA"}},
				{Type: weir.BlockImage, Media: &weir.Media{URL: "https://x/y.png"}},
				{Type: weir.BlockFile, Media: &weir.Media{MIME: "application/pdf", Data: "BBBB", Name: "a.pdf"}}}}}}, codec.Quirks{},
			`{"max_tokens":5,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},` +
				`{"type":"image","source":{"type":"url","url":"https://x/y.png"}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"BBBB"},"title":"a.pdf"}]}]}`, ""},
		{"settings without a place are reported", // P-01, P-03
			weir.Body{MaxTokens: new(int64(5)), Messages: user("a"), Temperature: new(1.5), Seed: new(int64(1)), FrequencyPenalty: new(0.5), PresencePenalty: new(0.0), User: "u", Stop: []string{"x"},
				Extra: weir.Fields{{Name: "logit_bias", Value: []byte(`{"1":1}`)}, {Name: "odd", Value: []byte(`null`), Spelling: true}}}, codec.Quirks{},
			`{"max_tokens":5,"messages":[{"role":"user","content":"a"}],"temperature":1,"stop_sequences":["x"],"metadata":{"user_id":"u"}}`,
			"clamped temperature, dropped frequency_penalty, dropped seed, dropped logit_bias"},
		{"effort becomes adaptive thinking", // T-11
			weir.Body{MaxTokens: new(int64(5000)), Messages: user("a"), Reasoning: &weir.ReasoningConfig{Effort: "high"}}, codec.Quirks{},
			`{"max_tokens":5000,"messages":[{"role":"user","content":"a"}],"thinking":{"type":"adaptive"},"output_config":{"effort":"high"}}`, ""},
		{"effort becomes a budget below the cap", // T-12
			weir.Body{MaxTokens: new(int64(5000)), Messages: user("a"), Reasoning: &weir.ReasoningConfig{Effort: "high"}}, codec.Quirks{ThinkingModes: []string{"enabled", "disabled"}},
			`{"max_tokens":5000,"messages":[{"role":"user","content":"a"}],"thinking":{"type":"enabled","budget_tokens":4999}}`, ""},
		{"effort becomes a budget and a cap above it",
			weir.Body{Messages: user("a"), Reasoning: &weir.ReasoningConfig{Effort: "high"}}, codec.Quirks{ThinkingModes: []string{"enabled"}, MaxTokensDefault: 100},
			`{"max_tokens":9216,"messages":[{"role":"user","content":"a"}],"thinking":{"type":"enabled","budget_tokens":1024}}`, ""},
		{"no effort turns thinking off", weir.Body{MaxTokens: new(int64(5)), Messages: user("a"), Reasoning: &weir.ReasoningConfig{Effort: "none"}}, codec.Quirks{},
			`{"max_tokens":5,"messages":[{"role":"user","content":"a"}],"thinking":{"type":"disabled"}}`, ""},
		{"no effort is the least one where thinking is always on", weir.Body{MaxTokens: new(int64(5)), Messages: user("a"), Reasoning: &weir.ReasoningConfig{Effort: "none"}}, codec.Quirks{ThinkingModes: []string{"adaptive"}},
			`{"max_tokens":5,"messages":[{"role":"user","content":"a"}],"output_config":{"effort":"low"}}`, "approximated thinking.type"},
		{"a schema is native", // P-08
			weir.Body{MaxTokens: new(int64(5)), Messages: user("a"), Format: &weir.Format{Type: weir.FormatJSONSchema, Name: "n", Schema: []byte(`{"type":"object"}`)}}, codec.Quirks{},
			`{"max_tokens":5,"messages":[{"role":"user","content":"a"}],"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}}`, ""},
		{"a JSON object is an instruction", weir.Body{MaxTokens: new(int64(5)), Messages: user("a"), Format: &weir.Format{Type: weir.FormatJSONObject}}, codec.Quirks{},
			`{"max_tokens":5,"system":"Answer with one JSON object and nothing else.","messages":[{"role":"user","content":"a"}]}`, "approximated response_format"},
		{"choices of tools", // S-11
			weir.Body{MaxTokens: new(int64(5)), Messages: user("a"), Tools: []weir.Tool{tool, {Type: weir.ToolFunction, Name: "g"}}, ToolChoice: &weir.ToolChoice{Mode: weir.ToolModeRequired, Names: []string{"g"}}, ParallelToolCalls: new(false)}, codec.Quirks{},
			`{"max_tokens":5,"tools":[{"name":"g","input_schema":{"type":"object","properties":{}}}],"messages":[{"role":"user","content":"a"}],"tool_choice":{"type":"any","disable_parallel_tool_use":true}}`,
			"approximated tool_choice, dropped tools[0]"},
		{"only signed thinking of this format is sent", // T-03
			weir.Body{MaxTokens: new(int64(5)), Messages: []weir.Message{weir.UserText("a"), {Role: weir.RoleAssistant, Blocks: []weir.Block{
				{Type: weir.BlockReasoning, Text: "mine", Reasoning: &weir.Reasoning{Format: reasoningFormat, Signature: "S"}},
				{Type: weir.BlockReasoning, Text: "unsigned"},
				{Type: weir.BlockReasoning, Text: "other", Reasoning: &weir.Reasoning{Format: "google-gemini-v1", Signature: "G"}},
				{Type: weir.BlockText, Text: "b "}}}}}, codec.Quirks{},
			`{"max_tokens":5,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"mine","signature":"S"},{"type":"text","text":"b"}]}]}`,
			"dropped messages[1].content[1], dropped messages[1].content[2]"},
		{"thinking stands before calls where it is wanted back", // T-01
			weir.Body{MaxTokens: new(int64(5)), Messages: []weir.Message{weir.UserText("a"), {Role: weir.RoleAssistant, Blocks: []weir.Block{
				{Type: weir.BlockReasoning, Text: "hm"}, assistantCall("c", "{}").Blocks[0]}}, weir.ToolResultText("c", "r"),
				assistantCall("d", "{}"), weir.ToolResultText("d", "r")}}, codec.Quirks{ReasoningReplay: "tool_turns"},
			`{"max_tokens":5,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":""},{"type":"tool_use","id":"c","name":"f","input":{}}]},` +
				`{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"r"}]},{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":""},{"type":"tool_use","id":"d","name":"f","input":{}}]},` +
				`{"role":"user","content":[{"type":"tool_result","tool_use_id":"d","content":"r"}]}]}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			call, got := encodeFor(t, foreign(&tt.body), tt.quirks)
			want := `{"model":"claude",` + tt.want[1:]
			if !jsonx.Equal([]byte(got), []byte(want)) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if l := lossFields(call); l != tt.losses {
				t.Errorf("losses: %s\nwant:   %s", l, tt.losses)
			}
			if err := codec.Losses(call.Losses).Refuse(true); (err != nil) != strings.Contains(tt.losses, "dropped") && (err != nil) != strings.Contains(tt.losses, "approximated") {
				t.Errorf("strict: %v", err)
			}
		})
	}
}

func TestWhatCannotBeTranslatedIsRefusedByName(t *testing.T) {
	tests := []struct {
		name  string
		body  weir.Body
		kind  weir.Kind
		param string
	}{
		{"several choices", weir.Body{Messages: user("a"), N: new(int64(2))}, weir.KindUnsupported, "n"},
		{"sound", weir.Body{Messages: []weir.Message{{Role: weir.RoleUser, Blocks: []weir.Block{{Type: weir.BlockAudio, Media: &weir.Media{Data: "AA"}}}}}}, weir.KindUnsupported, "messages[0].content[0]"},
		{"a hosted tool", weir.Body{Messages: user("a"), Tools: []weir.Tool{{Type: weir.ToolHosted, Name: "web_search"}}}, weir.KindUnsupported, "tools[0]"}, // C-08
		{"no message", weir.Body{}, weir.KindInvalid, "messages"},
		{"a call without its result", weir.Body{Messages: []weir.Message{weir.UserText("a"), assistantCall("c", "{}"), weir.UserText("b")}}, weir.KindInvalid, "messages[1].content[0]"},
		{"a result without its call", weir.Body{Messages: []weir.Message{weir.UserText("a"), weir.ToolResultText("c", "r")}}, weir.KindInvalid, "messages[1].content[0]"},
		{"arguments that are no object", weir.Body{Messages: []weir.Message{weir.UserText("a"), assistantCall("c", `{"a":`), weir.ToolResultText("c", "r")}}, weir.KindInvalid, "messages[1].content[0]"}, // S-07
		{"another provider's file", weir.Body{Messages: []weir.Message{{Role: weir.RoleUser, Blocks: []weir.Block{{Type: weir.BlockFile, Media: &weir.Media{FileID: "file-1"}}}}}}, weir.KindUnsupported, "messages[0].content[0]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New().EncodeRequest(foreign(&tt.body), plainTarget("m"))
			var e *weir.Error
			if !errors.As(err, &e) || e.Kind != tt.kind || e.Param != tt.param {
				t.Errorf("got %v (%+v)", err, e)
			}
		})
	}
}

func TestStrictRequestsAreNotApproximated(t *testing.T) { // P-01
	req := foreign(&weir.Body{Messages: user("a"), Seed: new(int64(1))})
	req.Strict = true
	if _, err := New().EncodeRequest(req, plainTarget("m")); !errors.Is(err, weir.KindUnsupported) {
		t.Errorf("got %v", err)
	}
}

func TestLongToolNamesComeBack(t *testing.T) { // S-09
	name := strings.Repeat("very_long_", 10)
	call, _ := encodeFor(t, foreign(&weir.Body{Messages: user("a"), Tools: []weir.Tool{{Type: weir.ToolFunction, Name: name}}}), codec.Quirks{})
	if len(call.Names) != 1 {
		t.Fatalf("names: %v", call.Names)
	}
	for short := range call.Names {
		body := `{"type":"message","role":"assistant","model":"m","content":[{"type":"tool_use","id":"t","name":"` + short + `","input":{}}],"stop_reason":"tool_use","usage":{}}`
		for ev, err := range New().Decode(&codec.Answer{Body: strings.NewReader(body), Names: call.Names, Target: plainTarget("m")}) {
			if err != nil || ev.Block != nil && ev.Block.Call.Name != name {
				t.Errorf("got %v, %v", ev, err)
			}
		}
	}
}

func TestAtMostFourCacheBreakpointsAreSent(t *testing.T) { // C-02
	var blocks []weir.Block
	for range 5 {
		blocks = append(blocks, weir.Block{Type: weir.BlockText, Text: "a", Cache: &weir.CacheControl{TTL: "1h"}})
	}
	call, got := encodeFor(t, foreign(&weir.Body{Messages: []weir.Message{{Role: weir.RoleUser, Blocks: blocks}}}), codec.Quirks{})
	if n := strings.Count(got, `"cache_control":{"type":"ephemeral","ttl":"1h"}`); n != 4 || lossFields(call) != "dropped messages[0].content[0].cache_control" {
		t.Errorf("%d breakpoints, %s", n, lossFields(call))
	}
}

func wire(t *testing.T, op weir.Operation, header http.Header, body string) *weir.Request {
	t.Helper()
	req, err := New().OpenRequest(op, &weir.Wire{Protocol: protocol, Header: header, Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestQuirksChangeTheReceivedBytesAndNothingElse(t *testing.T) {
	const head, tail = `{"model": "a", "max_tokens": 5000, `, `"messages": [ {"role":"user","content":"hi"} ]}`
	tests := []struct {
		name, in, want string
		quirks         codec.Quirks
		losses         string
	}{
		{"no quirk", `"x": 1.0, `, `"x": 1.0, `, codec.Quirks{}, ""},
		{"dropped", `"top_k": 1, "x": 1, `, `"x": 1, `, codec.Quirks{DropParams: []string{"top_k", "seed"}}, "dropped top_k"},
		{"renamed", `"x": 1, `, `"y": 1, `, codec.Quirks{RenameParams: map[string]string{"x": "y"}}, "renamed x"},
		{"clamped", `"temperature": 1.5, `, `"temperature": 1, `, codec.Quirks{TemperatureMax: new(1.0)}, "clamped temperature"},
		{"stops", `"stop_sequences": ["a", "b"], `, `"stop_sequences": ["a"], `, codec.Quirks{MaxStop: 1}, "dropped stop_sequences"},
		{"a forced call", `"tool_choice": {"type":"any"}, `, `"tool_choice": {"type":"auto"}, `, codec.Quirks{ToolChoices: []string{"auto"}}, "approximated tool_choice"},
		{"a budget", `"thinking": {"type":"enabled","budget_tokens":2000}, `, `"thinking": {"type":"adaptive"}, `, codec.Quirks{ThinkingModes: []string{"adaptive"}}, "approximated thinking.type"},
		{"no budget", `"thinking": {"type":"adaptive","display":"omitted"}, `, `"thinking": {"type":"enabled","budget_tokens":4999,"display":"omitted"}, `, codec.Quirks{ThinkingModes: []string{"enabled"}}, "approximated thinking.type"},
		{"thinking that needs a stream", `"thinking": {"type":"adaptive"}, `, `"thinking": {"type":"disabled"}, `, codec.Quirks{ThinkingNeedsStream: true}, "approximated thinking"}, // T-10
		{"an effort", `"output_config": {"effort":"xhigh","x":1}, `, `"output_config": {"x":1,"effort":"high"}, `, codec.Quirks{Efforts: []string{"low", "high"}}, "clamped output_config.effort"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			call, err := New().EncodeRequest(wire(t, weir.Generate, nil, head+tt.in+tail), &codec.Target{Model: "a", Quirks: &tt.quirks})
			if err != nil {
				t.Fatal(err)
			}
			got, want := bytes.Join(call.Body, nil), []byte(head+tt.want+tail)
			if tt.name == "a budget" {
				want = []byte(strings.Replace(string(want), tail, tail[:len(tail)-1]+`,"output_config":{"effort":"low"}}`, 1))
			}
			if !jsonx.Equal(got, want) || !bytes.Contains(got, []byte(`"messages": [ {"role":"user","content":"hi"} ]`)) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if l := lossFields(call); l != tt.losses {
				t.Errorf("losses: %s, want %s", l, tt.losses)
			}
		})
	}
}

func TestQuirksThatReachIntoMessagesRewriteThem(t *testing.T) { // T-01, P-05
	const body = `{"model":"a","max_tokens":5,"x":1,"messages":[{"role":"user","content":"u"},` +
		`{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]},` +
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"t"}]},{"role":"system","content":"s"}]}`
	_, got := encodeFor(t, wire(t, weir.Generate, nil, body), codec.Quirks{ReasoningReplay: "tool_turns", SystemFirst: true})
	for _, want := range []string{
		`"x":1`, `{"type":"thinking","thinking":"","signature":""},{"type":"tool_use"`, "<system>\\ns\\n</system>",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	if strings.Contains(got, `"role":"system"`) {
		t.Errorf("a system message is left in %s", got)
	}
}

func TestHeadersAreSetOnceAndBetasFiltered(t *testing.T) { // C-01
	client := http.Header{headerVersion: {version2026, version2026}, headerBeta: {"a-1,b-2", "c-3"}}
	tests := []struct {
		name     string
		provider string
		quirks   codec.Quirks
		version  string
		beta     string
	}{
		{"Anthropic gets all", "anthropic", codec.Quirks{}, version2026, "a-1,b-2|c-3"},
		{"others get none", "deepseek", codec.Quirks{}, version2026, ""},
		{"others get what is listed", "bedrock", codec.Quirks{BetaHeaders: []string{"b-2", "c-3"}}, version2026, "b-2,c-3"},
		{"others get all where all are listed", "vertex", codec.Quirks{BetaHeaders: []string{"*"}}, version2026, "a-1,b-2|c-3"},
		{"the version may be pinned", "kimi", codec.Quirks{AnthropicVersion: version2023}, version2023, ""},
	}
	req := wire(t, weir.Generate, client, `{"model":"a","max_tokens":1,"messages":[]}`)
	edited, err := wire(t, weir.Generate, http.Header{headerVersion: {version2026}, headerBeta: client[headerBeta]}, `{"model":"a","max_tokens":1,"messages":[]}`).Edit(func(*weir.Body) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		for _, r := range []*weir.Request{req, edited} {
			call, err := New().EncodeRequest(r, &codec.Target{Provider: tt.provider, Model: "a", Quirks: &tt.quirks})
			if err != nil {
				t.Fatal(err)
			}
			if v := call.Header.Values(headerVersion); len(v) != 1 || v[0] != tt.version {
				t.Errorf("%s: version %v", tt.name, v)
			}
			if b := strings.Join(call.Header.Values(headerBeta), "|"); b != tt.beta {
				t.Errorf("%s: betas %q", tt.name, b)
			}
		}
	}
	call, _ := encodeFor(t, foreign(&weir.Body{Messages: user("a")}), codec.Quirks{})
	if v := call.Header.Get(headerVersion); v != version2023 {
		t.Errorf("translated: version %q", v)
	}
}

func TestTokensAreCountedWithoutSettings(t *testing.T) { // C-05
	req := foreign(&weir.Body{Messages: user("a"), Temperature: new(1.0), MaxTokens: new(int64(3)), User: "u", Seed: new(int64(1))})
	req.Op = weir.CountTokens
	call, got := encodeFor(t, req, codec.Quirks{})
	if call.Path != "/v1/messages/count_tokens" || got != `{"model":"claude","messages":[{"role":"user","content":"a"}]}` {
		t.Errorf("%s %s", call.Path, got)
	}
	same := wire(t, weir.CountTokens, nil, `{"model":"a","messages":[{"role":"user","content":"a"}]}`)
	if b, err := same.Body(); err != nil || len(b.Messages) != 1 {
		t.Errorf("a count needs no max_tokens: %v", err)
	}
}
