package openaichat

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func open(t testing.TB, body string) *weir.Request {
	t.Helper()
	req, err := New().OpenRequest(weir.Generate, &weir.Wire{Protocol: protocol, Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestBadRequestsAreRefusedAtTheDoor(t *testing.T) {
	for _, c := range []struct{ name, body, param string }{
		{"no object", `[]`, ""},
		{"no model", `{"messages":[]}`, "model"},
		{"a model that is no string", `{"model":1,"messages":[]}`, "model"},
		{"an empty model", `{"model":"","messages":[]}`, "model"},
		{"two models", `{"model":"a","model":"b","messages":[]}`, "model"},
		{"a stream that is no boolean", `{"model":"m","stream":"yes","messages":[]}`, "stream"},
		{"no messages", `{"model":"m"}`, "messages"},
		{"messages that are no array", `{"model":"m","messages":{}}`, "messages"},
	} {
		_, err := New().OpenRequest(weir.Generate, &weir.Wire{Protocol: protocol, Body: []byte(c.body)})
		var e *weir.Error
		if !errors.As(err, &e) || e.Kind != weir.KindInvalid || e.Param != c.param {
			t.Errorf("%s: %+v", c.name, err)
		}
	}
	if _, err := New().OpenRequest(weir.CountTokens, &weir.Wire{Body: []byte(`{}`)}); !errors.Is(err, weir.KindInvalid) {
		t.Errorf("count_tokens: %v", err)
	}
	req := weir.NewRequest("m", &weir.Body{})
	req.Op = weir.CountTokens
	if _, err := New().EncodeRequest(req, neutral("m")); !errors.Is(err, weir.KindUnsupported) {
		t.Errorf("count_tokens upstream: %v", err)
	}
}

func TestWrongTypesAreNamedByTheirPath(t *testing.T) {
	for _, c := range []struct{ body, param string }{
		{`"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":1}}]}]`, "messages[0].content[0].image_url.url"},
		{`"messages":[{"role":"user","content":"x"},{"role":"user","content":{}}]`, "messages[1].content"},
		{`"messages":[{"content":"x"}]`, "messages[0].role"},
		{`"messages":[{"role":"assistant","tool_calls":[{"id":1}]}]`, "messages[0].tool_calls[0].id"},
		{`"messages":[{"role":"user","content":[{"text":"x"}]}]`, "messages[0].content[0].type"},
		{`"messages":[],"temperature":"hot"`, "temperature"},
		{`"messages":[],"max_tokens":1.5`, "max_tokens"},
		{`"messages":[],"tools":[{"type":"function","function":{}}]`, "tools[0].function.name"},
		{`"messages":[],"stop":[1]`, "stop[0]"},
		{`"messages":[],"response_format":{}`, "response_format.type"},
		{`"messages":[],"stream_options":{"include_usage":1}`, "stream_options.include_usage"},
	} {
		_, err := open(t, `{"model":"m",`+c.body+`}`).Body()
		var e *weir.Error
		if !errors.As(err, &e) || e.Kind != weir.KindInvalid || e.Param != c.param {
			t.Errorf("%s: %v", c.body, err)
		}
	}
	if _, err := open(t, "{\"model\":\"m\",\n\"messages\":[{\"a\":tru}]}").Body(); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("syntax: %v", err)
	}
}

// Requests that hold every member that the protocol, or a dialect, has.
var roundTrips = map[string]string{
	"every setting": `{"model":"m","messages":[],"temperature":0.70,"top_p":1,"n":2,"seed":12345678901,"stop":"x","max_completion_tokens":5,` +
		`"logprobs":true,"top_logprobs":2,"frequency_penalty":-1,"presence_penalty":1e0,"user":"u","metadata":{"a":"b"},"service_tier":"flex",` +
		`"prompt_cache_key":"k","parallel_tool_calls":false,"verbosity":"low","reasoning_effort":"high","store":false,"logit_bias":{"1":2},` +
		`"modalities":["text"],"prediction":{"type":"content","content":"x"},"odd":{"x":[1,2]}}`,
	"nulls": `{"model":"m","messages":[{"role":"assistant","content":null,"refusal":null,"tool_calls":null,"audio":null,"function_call":null}],` +
		`"temperature":null,"stop":null,"tools":null,"tool_choice":null,"max_tokens":null,"response_format":null,"stream_options":null}`,
	"both caps":     `{"model":"m","messages":[],"max_tokens":1,"max_completion_tokens":2}`,
	"empty strings": `{"model":"m","messages":[{"role":"user","content":""},{"role":"assistant","content":[]},{"role":"tool","tool_call_id":"a","content":""}],"user":"","verbosity":""}`,
	"tools": `{"model":"m","messages":[],"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"},"strict":true,"x":1}},` +
		`{"type":"custom","custom":{"name":"c","format":{"type":"text"}}},{"type":"web_search","x":1},{"function":{"name":"g"}}],` +
		`"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}}]}}}`,
	"functions": `{"model":"m","messages":[{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},` +
		`{"role":"function","name":"f","content":"r"}],"functions":[{"name":"f","parameters":{}}],"function_call":{"name":"f"}}`,
	"parts": `{"model":"m","messages":[{"role":"user","name":"n","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}},` +
		`{"type":"image_url","image_url":{"url":"https://x/y.png","detail":"low"}},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},` +
		`{"type":"image_url","image_url":"https://x/z.png"},{"type":"image_url","image_url":{"url":"data:image/png;x=y;base64,AA=="}},` +
		`{"type":"input_audio","input_audio":{"data":"AA==","format":"mp3"}},{"type":"input_audio","input_audio":{"data":"data:;base64,AA==","format":"wav"}},` +
		`{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AA=="}},{"type":"file","file":{"file_id":"f"}},` +
		`{"type":"file","file":{"file_data":"AAAA"}},{"type":"video_url","video_url":{"url":"u"}},{"type":"text","text":"","prompt_cache_breakpoint":{"mode":"explicit"}}]}]}`,
	"calls": `{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"1","type":"function","index":0,"function":{"name":"f","arguments":""}},` +
		`{"id":"2","type":"custom","custom":{"name":"c","input":"x"}},{"id":"3","type":"function","function":{"name":"f","arguments":{"a":1}},` +
		`"extra_content":{"google":{"thought_signature":"s"}}},{"id":"4","function":{"name":"f","arguments":"{cut"}}]},` +
		`{"role":"tool","tool_call_id":"1","content":[{"type":"text","text":"r"}],"odd":1}]}`,
	"thinking": `{"model":"m","messages":[{"role":"assistant","content":"a","reasoning_content":"r"},{"role":"assistant","content":"a","reasoning_content":""},` +
		`{"role":"assistant","content":"a","reasoning":"xy","reasoning_details":[{"type":"reasoning.text","text":"xy","signature":"s","format":"f","index":0},` +
		`{"type":"reasoning.encrypted","data":"d","index":1}]},{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]},` +
		`{"type":"text","text":"x"},{"type":"refusal","refusal":"no"}]}],"thinking":{"type":"enabled","budget_tokens":2000,"clear_thinking":true}}`,
	"prefix":  `{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y","prefix":true}],"enable_thinking":false,"thinking_budget":1}`,
	"schema":  `{"model":"m","messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"b":1,"a":2},"strict":true,"odd":1}}}`,
	"options": `{"model":"m","messages":[],"stream_options":{"include_usage":true,"include_obfuscation":false},"reasoning":{"max_tokens":5,"exclude":true}}`,
}

func TestEveryMemberSurvivesTheCanonicalForm(t *testing.T) { // P-01, C-02
	for name, body := range roundTrips {
		t.Run(name, func(t *testing.T) {
			b, err := open(t, body).Body()
			if err != nil {
				t.Fatal(err)
			}
			got, err := newWriter(b, neutral("m")).body()
			if err != nil || !jsonx.Equal(got, []byte(body)) {
				t.Errorf("%v\n got %s\nwant %s", err, got, body)
			}
			again, _ := newWriter(b, neutral("m")).body()
			if !bytes.Equal(got, again) { // C-03
				t.Error("two writings differ")
			}
		})
	}
}

// encode gives the body that goes upstream.
func encode(t testing.TB, req *weir.Request, q codec.Quirks) (string, *codec.Call) {
	t.Helper()
	call, err := New().EncodeRequest(req, &codec.Target{Provider: "p", Model: "up", Quirks: &q})
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.Join(call.Body, nil)), call
}

func fields(losses []weir.Loss) string {
	var s []string
	for _, l := range losses {
		s = append(s, l.Field+" "+string(l.Action))
	}
	return strings.Join(s, ", ")
}

func TestQuirksAreAppliedToRelayedRequests(t *testing.T) {
	const head = `{"model":"m","messages":[{"role":"user","content":"hi"}]`
	for _, c := range []struct {
		name, body string
		quirks     codec.Quirks
		want       string // of the body, after model and messages
		losses     string
	}{
		{"nothing to do", `}`, codec.Quirks{}, `}`, ""},
		{"usage is asked for in a stream", `,"stream":true}`, codec.Quirks{}, `,"stream":true,"stream_options":{"include_usage":true}}`, ""}, // U-01
		{"other options stay", `,"stream":true,"stream_options":{"x":1,"include_usage":false}}`, codec.Quirks{}, `,"stream":true,"stream_options":{"x":1,"include_usage":true}}`, ""},
		{"no options where they are refused", `,"stream":true,"stream_options":{"include_usage":true}}`, codec.Quirks{NoStreamOptions: true}, `,"stream":true}`, ""},
		{"the cap is renamed", `,"max_tokens":5}`, codec.Quirks{MaxTokensField: "max_completion_tokens"}, `,"max_completion_tokens":5}`, "max_tokens renamed"}, // P-03
		{"the cap is renamed back", `,"max_completion_tokens":5}`, codec.Quirks{MaxTokensField: "max_tokens"}, `,"max_tokens":5}`, "max_completion_tokens renamed"},
		{"a cap is filled in", `}`, codec.Quirks{MaxTokensRequired: true, MaxTokensDefault: 7}, `,"max_tokens":7}`, ""},
		{"all refused parameters go at once", `,"temperature":1,"top_p":1,"stop":["a"]}`, codec.Quirks{DropParams: []string{"temperature", "stop", "absent"}}, `,"top_p":1}`, "temperature dropped, stop dropped"}, // P-03
		{"names of the vendor", `,"seed":3}`, codec.Quirks{RenameParams: map[string]string{"seed": "random_seed"}}, `,"random_seed":3}`, "seed renamed"},
		{"members that are always sent", `,"a":1}`, codec.Quirks{SetParams: map[string]any{"a": 2, "b": true}}, `,"a":1,"b":true}`, ""},
		{"ranges", `,"temperature":1.8,"top_p":1}`, codec.Quirks{TemperatureMax: new(1.0), TopPMax: new(0.99)}, `,"temperature":1,"top_p":0.99}`, "temperature clamped, top_p clamped"},
		{"fewer stop sequences", `,"stop":["a","b","c"]}`, codec.Quirks{MaxStop: 2}, `,"stop":["a","b"]}`, "stop[2] dropped"},
		{"a choice that is refused", `,"tool_choice":"required"}`, codec.Quirks{ToolChoices: []string{"auto", "none"}}, `,"tool_choice":"auto"}`, "tool_choice approximated"},
		{"an effort that is not taken", `,"reasoning_effort":"medium"}`, codec.Quirks{Efforts: []string{"low", "high", "max"}}, `,"reasoning_effort":"high"}`, "reasoning_effort clamped"}, // T-11
		{"the effort as a switch", `,"reasoning_effort":"none"}`, codec.Quirks{Thinking: "type"}, `,"thinking":{"type":"disabled"}}`, "reasoning_effort renamed"},
		{"the switch and the effort", `,"reasoning_effort":"low"}`, codec.Quirks{Thinking: "type_effort"}, `,"reasoning_effort":"low"}`, ""},
		{"the effort as Qwen has it", `,"reasoning_effort":"high"}`, codec.Quirks{Thinking: "enable_thinking"}, `,"enable_thinking":true,"thinking_budget":16384}`, "reasoning_effort approximated"},
		{"the effort as OpenRouter has it", `,"thinking":{"type":"enabled","budget_tokens":3000}}`, codec.Quirks{Thinking: "reasoning"}, `,"reasoning":{"max_tokens":3000}}`, "thinking renamed"},
		{"a switch that there is not", `,"reasoning_effort":"high"}`, codec.Quirks{Thinking: "none"}, `}`, "reasoning_effort dropped"},
		{"thinking in streams only", `,"enable_thinking":true}`, codec.Quirks{Thinking: "enable_thinking", ThinkingNeedsStream: true}, `,"enable_thinking":false}`, "enable_thinking approximated"}, // T-10
	} {
		t.Run(c.name, func(t *testing.T) {
			got, call := encode(t, open(t, head+c.body), c.quirks)
			want := `{"model":"up","messages":[{"role":"user","content":"hi"}]` + c.want
			if !jsonx.Equal([]byte(got), []byte(want)) || fields(call.Losses) != c.losses {
				t.Errorf("\n got %s (%s)\nwant %s (%s)", got, fields(call.Losses), want, c.losses)
			}
		})
	}
}

func TestQuirksAreAppliedToMessages(t *testing.T) {
	const calls = `"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]`
	for _, c := range []struct {
		name, messages string
		quirks         codec.Quirks
		want           string
	}{
		{"the developer role", `{"role":"developer","content":"x"}`, codec.Quirks{DeveloperRole: "system"}, `{"role":"system","content":"x"}`},
		{"system text first", `{"role":"user","content":"a"},{"role":"system","content":"b"},{"role":"user","content":"c"}`, codec.Quirks{SystemFirst: true}, // P-05
			`{"role":"user","content":"a"},{"role":"user","content":[{"type":"text","text":"<system>\nb\n</system>"},{"type":"text","text":"c"}]}`},
		{"turns that alternate", `{"role":"user","content":"a"},{"role":"user","content":"b"}`, codec.Quirks{StrictAlternation: true}, `{"role":"user","content":"a\n\nb"}`}, // P-06
		{"text only", `{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}`, codec.Quirks{TextContentOnly: true}, `{"role":"user","content":"a\n\nb"}`},
		{"thinking that is owed", `{"role":"assistant","content":"",` + calls + `}`, codec.Quirks{ReasoningReplay: "tool_turns"}, // T-01
			`{"role":"assistant","reasoning_content":"","content":"",` + calls + `}`},
		{"thinking that is there", `{"role":"assistant","content":"","reasoning_content":"r",` + calls + `}`, codec.Quirks{ReasoningReplay: "tool_turns"},
			`{"role":"assistant","reasoning_content":"r","content":"",` + calls + `}`},
		{"thinking that is refused", `{"role":"assistant","content":"x","reasoning_content":"r"}`, codec.Quirks{ReasoningReplay: "never"}, `{"role":"assistant","content":"x"}`},
		{"thinking under another name", `{"role":"assistant","content":"x","reasoning_content":"r"}`, codec.Quirks{ReasoningField: "reasoning"}, `{"role":"assistant","reasoning":"r","content":"x"}`},
		{"no content beside calls", `{"role":"assistant","content":"",` + calls + `}`, codec.Quirks{EmptyContent: "null"}, `{"role":"assistant","content":null,` + calls + `}`},
		{"content left out beside calls", `{"role":"assistant","content":null,` + calls + `}`, codec.Quirks{EmptyContent: "omit"}, `{"role":"assistant",` + calls + `}`},
		{"a prefix is marked", `{"role":"assistant","content":"x"}`, codec.Quirks{Prefill: "prefix"}, `{"role":"assistant","content":"x","prefix":true}`},
		{"ids of nine characters", `{"role":"assistant","content":null,` + calls + `},{"role":"tool","tool_call_id":"a","content":"r"}`, codec.Quirks{ToolIDAlnum9: true}, // S-09
			`{"role":"assistant","content":null,"tool_calls":[{"id":"` + codec.AlnumID9("a") + `","type":"function","function":{"name":"f","arguments":"{}"}}]},` +
				`{"role":"tool","tool_call_id":"` + codec.AlnumID9("a") + `","content":"r"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _ := encode(t, open(t, `{"model":"m","messages":[`+c.messages+`]}`), c.quirks)
			if want := `{"model":"up","messages":[` + c.want + `]}`; !jsonx.Equal([]byte(got), []byte(want)) {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
	}
	t.Run("a prefix is refused", func(t *testing.T) {
		req := open(t, `{"model":"m","messages":[{"role":"assistant","content":"x"}]}`)
		_, err := New().EncodeRequest(req, &codec.Target{Model: "m", Quirks: &codec.Quirks{Prefill: "refused"}})
		if !errors.Is(err, weir.KindInvalid) {
			t.Error(err)
		}
	})
	t.Run("a prefix has its own path", func(t *testing.T) {
		_, call := encode(t, open(t, `{"model":"m","messages":[{"role":"assistant","content":"x"}]}`), codec.Quirks{Prefill: "prefix", PrefillPath: "/beta"})
		if call.Path != "/beta/chat/completions" {
			t.Error(call.Path)
		}
	})
	t.Run("a schema becomes an instruction", func(t *testing.T) { // P-08
		got, call := encode(t, open(t, `{"model":"m","messages":[{"role":"system","content":"s"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"a":1}}}}`),
			codec.Quirks{Formats: []string{"text", "json_object"}})
		if !strings.Contains(got, `{\"a\":1}`) || !strings.Contains(got, `"response_format":{"type":"json_object"}`) || fields(call.Losses) != "response_format approximated" {
			t.Errorf("%s (%s)", got, fields(call.Losses))
		}
	})
	t.Run("a long tool name is shortened and mapped back", func(t *testing.T) { // S-09
		name := strings.Repeat("mcp__x__", 12)
		got, call := encode(t, open(t, `{"model":"m","messages":[],"tools":[{"type":"function","function":{"name":"`+name+`"}}],"tool_choice":{"type":"function","function":{"name":"`+name+`"}}}`),
			codec.Quirks{ToolNameMax: 64})
		if strings.Contains(got, name) || len(call.Names) != 1 || call.Names[codec.ShortenName(name, 64)] != name {
			t.Errorf("%s %v", got, call.Names)
		}
	})
}

// foreign is a request as the Anthropic codec makes it.
func foreign(body weir.Body) *weir.Request {
	body.From = weir.AnthropicMessages
	return weir.NewRequest("claude", &body)
}

func text(s string) weir.Block { return weir.Block{Type: weir.BlockText, Text: s} }

func TestRequestsOfAnotherProtocolAreTranslated(t *testing.T) { // P-04
	image := weir.Block{Type: weir.BlockImage, Media: &weir.Media{MIME: "image/png", Data: "AA=="}}
	remote := weir.Block{Type: weir.BlockImage, Media: &weir.Media{URL: "https://x/y.png"}}
	call := weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "toolu_1", Name: "f", Type: weir.ToolFunction, Arguments: `{"a":1}`}}
	result := func(b ...weir.Block) weir.Block {
		return weir.Block{Type: weir.BlockToolResult, Result: &weir.ToolResult{CallID: "toolu_1", Content: b}}
	}
	cached := text("long")
	cached.Cache = &weir.CacheControl{TTL: "1h"}
	k := int64(5)
	const called = `{"role":"assistant","content":null,"tool_calls":[{"id":"toolu_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},`
	for _, c := range []struct {
		name   string
		body   weir.Body
		quirks codec.Quirks
		want   string
		losses string
	}{
		{"tool results come first, then the rest of the turn", weir.Body{Messages: []weir.Message{ // S-10
			{Role: weir.RoleAssistant, Blocks: []weir.Block{text("a"), text("b"), call}},
			{Role: weir.RoleUser, Blocks: []weir.Block{result(text("r")), text("go")}},
		}}, codec.Quirks{}, `"messages":[{"role":"assistant","content":"ab","tool_calls":[{"id":"toolu_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},` +
			`{"role":"tool","tool_call_id":"toolu_1","content":"r"},{"role":"user","content":"go"}]`, ""},
		{"images of results move behind them", weir.Body{Messages: []weir.Message{ // P-09
			{Role: weir.RoleAssistant, Blocks: []weir.Block{call}},
			{Role: weir.RoleUser, Blocks: []weir.Block{result(text("see "), image), text("go")}},
		}}, codec.Quirks{}, `"messages":[` + called + `{"role":"tool","tool_call_id":"toolu_1","content":"see [image 1 attached below]"},{"role":"user","content":[` +
			`{"type":"text","text":"[image 1, from the result of tool call toolu_1]"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},{"type":"text","text":"go"}]}]`,
			"messages[1].content[0].content[1] moved"},
		{"an error says so", weir.Body{Messages: []weir.Message{{Role: weir.RoleAssistant, Blocks: []weir.Block{call}}, {Role: weir.RoleUser, Blocks: []weir.Block{
			{Type: weir.BlockToolResult, Result: &weir.ToolResult{CallID: "toolu_1", IsError: true, Plain: true, Content: []weir.Block{text("no")}}}}}}},
			codec.Quirks{}, `"messages":[` + called + `{"role":"tool","tool_call_id":"toolu_1","content":"Error: no"}]`, "messages[1].content[0].is_error approximated"},
		{"an image by address stays one", weir.Body{Messages: []weir.Message{{Role: weir.RoleUser, Blocks: []weir.Block{remote}}}}, // P-10
			codec.Quirks{}, `"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]`, ""},
		{"thinking becomes reasoning_content", weir.Body{Messages: []weir.Message{{Role: weir.RoleAssistant, Blocks: []weir.Block{ // T-01
			{Type: weir.BlockReasoning, Text: "hm", Reasoning: &weir.Reasoning{Signature: "s"}}, text("a")}}}},
			codec.Quirks{}, `"messages":[{"role":"assistant","reasoning_content":"hm","content":"a"}]`, "messages[0].content[0].signature dropped"},
		{"OpenRouter gets the signature", weir.Body{Messages: []weir.Message{{Role: weir.RoleAssistant, Blocks: []weir.Block{ // T-03
			{Type: weir.BlockReasoning, Text: "hm", Reasoning: &weir.Reasoning{Signature: "s"}}, text("a")}}}},
			codec.Quirks{Thinking: "reasoning", ReasoningField: "reasoning"}, `"messages":[{"role":"assistant","reasoning":"hm","reasoning_details":[` +
				`{"type":"reasoning.text","text":"hm","signature":"s","format":"anthropic-claude-v1","index":0}],"content":"a"}]`, ""},
		{"cache marks are dropped with a note", weir.Body{Messages: []weir.Message{{Role: weir.RoleUser, Blocks: []weir.Block{cached}}}}, // C-02
			codec.Quirks{}, `"messages":[{"role":"user","content":"long"}]`, "messages[0].content[0].cache_control dropped"},
		{"cache marks are kept where they are taken", weir.Body{Messages: []weir.Message{{Role: weir.RoleUser, Blocks: []weir.Block{cached}}}},
			codec.Quirks{CacheControl: true}, `"messages":[{"role":"user","content":[{"type":"text","text":"long","cache_control":{"type":"ephemeral","ttl":"1h"}}]}]`, ""},
		{"settings", weir.Body{TopK: &k, MaxTokens: &k, Stop: []string{"x"}, ServiceTier: "standard_only", Reasoning: &weir.ReasoningConfig{Mode: "enabled", Budget: &k},
			Tools:      []weir.Tool{{Type: weir.ToolFunction, Name: "f"}},
			ToolChoice: &weir.ToolChoice{Mode: weir.ToolModeNamed, Names: []string{"f"}}, Extra: weir.Fields{{Name: "container", Value: []byte(`"c"`)}}}, codec.Quirks{},
			`"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],` +
				`"tool_choice":{"type":"function","function":{"name":"f"}},"max_tokens":5,"top_k":5,"stop":["x"],"reasoning_effort":"minimal"`,
			"thinking.budget_tokens approximated, service_tier dropped, container dropped"},
		{"a document of text", weir.Body{Messages: []weir.Message{{Role: weir.RoleUser, Blocks: []weir.Block{
			{Type: weir.BlockFile, Media: &weir.Media{MIME: "text/plain", Text: "body", Name: "t"}}, text("?")}}}}, codec.Quirks{},
			`"messages":[{"role":"user","content":[{"type":"text","text":"Document: t\n\nbody"},{"type":"text","text":"?"}]}]`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, call := encode(t, foreign(c.body), c.quirks)
			if want := `{"model":"up",` + c.want + `}`; !jsonx.Equal([]byte(got), []byte(want)) || fields(call.Losses) != c.losses {
				t.Errorf("\n got %s (%s)\nwant %s (%s)", got, fields(call.Losses), want, c.losses)
			}
			if again, _ := encode(t, foreign(c.body), c.quirks); again != got { // C-03
				t.Error("equal requests became different bytes")
			}
		})
	}
}

func TestWhatCannotBeTranslatedIsRefusedByName(t *testing.T) { // P-01, C-08
	for _, c := range []struct {
		name   string
		body   weir.Body
		strict bool
		param  string
	}{
		{"a hosted tool", weir.Body{Tools: []weir.Tool{{Type: weir.ToolHosted, Name: "web_search_20250305"}}}, false, "tools[0]"},
		{"a file of another provider", weir.Body{Messages: []weir.Message{{Role: weir.RoleUser, Blocks: []weir.Block{
			{Type: weir.BlockFile, Media: &weir.Media{FileID: "file_1"}}}}}}, false, "messages[0].content[0]"},
		{"a loss under strict", weir.Body{Cache: &weir.CacheControl{}}, true, "cache_control"},
	} {
		req := foreign(c.body)
		req.Strict = c.strict
		_, err := New().EncodeRequest(req, neutral("m"))
		var e *weir.Error
		if !errors.As(err, &e) || e.Kind != weir.KindUnsupported || e.Param != c.param {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAnEditChangesNothingElse(t *testing.T) {
	const body = `{"model":"m","messages":[{"role":"user","content":"a@b.c","x":1}],"max_completion_tokens":5,"odd":true}`
	req, err := open(t, body).Edit(func(b *weir.Body) error {
		b.Messages[0].Blocks[0].Text = "[mail]"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := encode(t, req, codec.Quirks{})
	if want := strings.Replace(strings.Replace(body, "a@b.c", "[mail]", 1), `"m"`, `"up"`, 1); !jsonx.Equal([]byte(got), []byte(want)) {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestHeadersOfTheProtocolGoOn(t *testing.T) {
	h := http.Header{"X-Client-Request-Id": {"r"}, "Authorization": {"Bearer client"}}
	w := &weir.Wire{Protocol: protocol, Header: h, Body: []byte(`{"model":"m","messages":[]}`)}
	req, err := New().OpenRequest(weir.Generate, w)
	if err != nil {
		t.Fatal(err)
	}
	edited, err := req.Edit(func(*weir.Body) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*weir.Request{req, edited} {
		if _, call := encode(t, r, codec.Quirks{}); len(call.Header) != 1 || call.Header.Get("X-Client-Request-Id") != "r" {
			t.Errorf("%v", call.Header)
		}
	}
}

func FuzzRequest(f *testing.F) {
	for _, name := range sortedKeys(roundTrips) {
		f.Add([]byte(roundTrips[name]))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := New().OpenRequest(weir.Generate, &weir.Wire{Protocol: protocol, Body: body})
		if err != nil {
			return
		}
		b, err := req.Body()
		if err != nil {
			if !errors.Is(err, weir.KindInvalid) {
				t.Error(err)
			}
			return
		}
		if got, err := newWriter(b, neutral("m")).body(); err != nil || jsonx.Valid(got) != nil {
			t.Errorf("%v: %q", err, got)
		}
		b.From = weir.AnthropicMessages // whatever came is no reason to panic
		_, _ = newWriter(b, neutral("m")).body()
	})
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
