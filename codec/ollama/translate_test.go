package ollama

import (
	"errors"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func say(role weir.Role, blocks ...weir.Block) weir.Message {
	return weir.Message{Role: role, Blocks: blocks}
}

func textBlock(s string) weir.Block { return weir.Block{Type: weir.BlockText, Text: s} }

func callBlock(id, name, arguments string) weir.Block {
	return weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: id, Name: name, Arguments: arguments}}
}

func resultBlock(id string, content ...weir.Block) weir.Block {
	return weir.Block{Type: weir.BlockToolResult, Result: &weir.ToolResult{CallID: id, Content: content}}
}

func imageBlock(m weir.Media) weir.Block { return weir.Block{Type: weir.BlockImage, Media: &m} }

func TestRequestsOfOtherProtocolsAreTranslated(t *testing.T) {
	user := []weir.Message{weir.UserText("a")}
	f := weir.Tool{Type: weir.ToolFunction, Name: "f", Schema: []byte(`{"type":"object"}`)}
	g := weir.Tool{Type: weir.ToolFunction, Name: "g", Description: "d"}
	tests := []struct {
		name   string
		body   weir.Body
		quirks codec.Quirks
		want   string // members of the body, but for model and stream
		losses string
	}{
		{"settings go into options", // P-03
			weir.Body{Messages: user, MaxTokens: new(int64(5)), Temperature: new(1.5), TopP: new(0.5), TopK: new(int64(3)), Seed: new(int64(7)),
				FrequencyPenalty: new(0.5), PresencePenalty: new(1.0), Stop: []string{"x"}, Logprobs: new(true), TopLogprobs: new(int64(2)), N: new(int64(1))}, codec.Quirks{},
			`{"messages":[{"role":"user","content":"a"}],"options":{"num_predict":5,"temperature":1.5,"top_p":0.5,"top_k":3,"seed":7,` +
				`"frequency_penalty":0.5,"presence_penalty":1,"stop":["x"]},"logprobs":true,"top_logprobs":2}`, ""},
		{"what there is no place for is reported", // P-01
			weir.Body{Messages: user, ParallelToolCalls: new(false), Verbosity: "low", User: "u", Metadata: []weir.Pair{{Key: "k", Value: "v"}}, ServiceTier: "flex",
				CacheKey: "c", Cache: &weir.CacheControl{}, Extra: weir.Fields{{Name: "logit_bias", Value: []byte(`{}`)}}}, codec.Quirks{},
			`{"messages":[{"role":"user","content":"a"}]}`,
			"dropped parallel_tool_calls, dropped verbosity, dropped user, dropped metadata, dropped service_tier, dropped prompt_cache_key, dropped cache_control, dropped logit_bias"},
		{"ranges are the target's", // P-03
			weir.Body{Messages: user, Temperature: new(1.5), Stop: []string{"x", "y"}}, codec.Quirks{TemperatureMax: new(1.0), MaxStop: 1},
			`{"messages":[{"role":"user","content":"a"}],"options":{"temperature":1,"stop":["x"]}}`, "clamped temperature, dropped stop[1]"},
		{"an effort is a level", // T-11
			weir.Body{Messages: user, Reasoning: &weir.ReasoningConfig{Effort: "high"}}, codec.Quirks{}, `{"messages":[{"role":"user","content":"a"}],"think":"high"}`, ""},
		{"the least effort is the least level", weir.Body{Messages: user, Reasoning: &weir.ReasoningConfig{Effort: "minimal"}}, codec.Quirks{},
			`{"messages":[{"role":"user","content":"a"}],"think":"low"}`, "clamped reasoning_effort"},
		{"the next to highest is the highest", weir.Body{Messages: user, Reasoning: &weir.ReasoningConfig{Effort: "xhigh"}}, codec.Quirks{},
			`{"messages":[{"role":"user","content":"a"}],"think":"max"}`, "clamped reasoning_effort"},
		{"levels may be fewer", weir.Body{Messages: user, Reasoning: &weir.ReasoningConfig{Effort: "xhigh"}}, codec.Quirks{Efforts: []string{"low", "high"}},
			`{"messages":[{"role":"user","content":"a"}],"think":"high"}`, "clamped reasoning_effort"},
		{"a budget is a level", weir.Body{Messages: user, Reasoning: &weir.ReasoningConfig{Mode: "enabled", Budget: new(int64(2048))}}, codec.Quirks{},
			`{"messages":[{"role":"user","content":"a"}],"think":"low"}`, "approximated thinking_budget"},
		{"thinking is turned on", weir.Body{Messages: user, Reasoning: &weir.ReasoningConfig{Mode: "enabled"}}, codec.Quirks{},
			`{"messages":[{"role":"user","content":"a"}],"think":true}`, ""},
		{"thinking is turned off", weir.Body{Messages: user, Reasoning: &weir.ReasoningConfig{Effort: "none"}}, codec.Quirks{},
			`{"messages":[{"role":"user","content":"a"}],"think":false}`, ""},
		{"a schema is native", weir.Body{Messages: user, Format: &weir.Format{Type: weir.FormatJSONSchema, Name: "n", Schema: []byte(`{"type":"object"}`), Strict: new(true)}}, codec.Quirks{},
			`{"messages":[{"role":"user","content":"a"}],"format":{"type":"object"}}`, ""}, // P-08
		{"so is JSON", weir.Body{Messages: user, Format: &weir.Format{Type: weir.FormatJSONObject}}, codec.Quirks{},
			`{"messages":[{"role":"user","content":"a"}],"format":"json"}`, ""},
		{"and text is what there is", weir.Body{Messages: user, Format: &weir.Format{Type: weir.FormatText}}, codec.Quirks{},
			`{"messages":[{"role":"user","content":"a"}]}`, ""},
		{"tools", weir.Body{Messages: user, Tools: []weir.Tool{f, {Type: weir.ToolFunction, Name: "g", Strict: new(true), Cache: &weir.CacheControl{}}}}, codec.Quirks{},
			`{"messages":[{"role":"user","content":"a"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}},` +
				`{"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}}]}`,
			"dropped tools[1].strict, dropped tools[1].cache_control"},
		{"a custom tool is a function", // S-13
			weir.Body{Messages: []weir.Message{weir.UserText("a"), say(weir.RoleAssistant, weir.Block{Type: weir.BlockToolCall,
				Call: &weir.ToolCall{ID: "c", Name: "p", Type: weir.ToolCustom, Arguments: "*** \"x\""}}), weir.ToolResultText("c", "ok")},
				Tools: []weir.Tool{{Type: weir.ToolCustom, Name: "p", Extra: weir.Fields{{Name: "format", Value: []byte(`{"type":"grammar","definition":"s: X"}`)}}}}}, codec.Quirks{},
			`{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"","tool_calls":[{"id":"c","function":{"name":"p","arguments":{"input":"*** \"x\""}}}]},` +
				`{"role":"tool","tool_name":"p","tool_call_id":"c","content":"ok"}],"tools":[{"type":"function","function":{"name":"p",` +
				`"description":"The input must follow this grammar:\ns: X","parameters":` + string(codec.CustomSchema()) + `}}]}`, "approximated tools[0].format"},
		{"no tool may be called", // S-11
			weir.Body{Messages: user, Tools: []weir.Tool{f}, ToolChoice: &weir.ToolChoice{Mode: weir.ToolModeNone}}, codec.Quirks{},
			`{"messages":[{"role":"user","content":"a"}]}`, "dropped tools[0], approximated tool_choice"},
		{"one tool must be called", // S-11
			weir.Body{Messages: []weir.Message{weir.SystemText("s"), weir.UserText("a")}, Tools: []weir.Tool{f, g}, ToolChoice: &weir.ToolChoice{Mode: weir.ToolModeNamed, Names: []string{"g"}}}, codec.Quirks{},
			`{"messages":[{"role":"system","content":"s"},{"role":"system","content":"Answer with a call of the tool g, not with text."},{"role":"user","content":"a"}],` +
				`"tools":[{"type":"function","function":{"name":"g","description":"d","parameters":{"type":"object","properties":{}}}}]}`, "dropped tools[0], approximated tool_choice"},
		{"names are shortened where it is asked for", // S-09
			weir.Body{Messages: user, Tools: []weir.Tool{{Type: weir.ToolFunction, Name: "a.b"}}}, codec.Quirks{ToolNameMax: 64},
			`{"messages":[{"role":"user","content":"a"}],"tools":[{"type":"function","function":{"name":"` + codec.ShortenName("a.b", 64) + `","parameters":{"type":"object","properties":{}}}}]}`,
			"renamed tools[0].name"},
		{"a conversation", // P-05, S-10, T-01
			weir.Body{Messages: []weir.Message{say(weir.RoleDeveloper, textBlock("be brief")), say(weir.RoleUser, textBlock("a"), imageBlock(weir.Media{Data: "AAAA", MIME: "image/png", Detail: "low"}), textBlock("b")),
				say(weir.RoleAssistant, weir.Block{Type: weir.BlockReasoning, Text: "hm", Reasoning: &weir.Reasoning{Signature: "s"}}, textBlock("c"), textBlock("d"), callBlock("1", "f", ""), callBlock("2", "g", `{"x":1.0}`)),
				say(weir.RoleUser, resultBlock("1", textBlock("r")), resultBlock("2", textBlock("see"), imageBlock(weir.Media{URL: "data:image/png;base64,BBBB"})), textBlock("go on")),
				{Role: weir.RoleUser, Name: "Ann", Plain: true, Blocks: []weir.Block{textBlock("e")}}, weir.AssistantText("")}}, codec.Quirks{},
			`{"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"a\n\nb","images":["AAAA"]},` +
				`{"role":"assistant","content":"cd","thinking":"hm","tool_calls":[{"id":"1","function":{"name":"f","arguments":{}}},{"id":"2","function":{"name":"g","arguments":{"x":1.0}}}]},` +
				`{"role":"tool","tool_name":"f","tool_call_id":"1","content":"r"},{"role":"tool","tool_name":"g","tool_call_id":"2","content":"see\n[image 1 attached below]"},` +
				`{"role":"user","content":"[image 1, from the result of tool call 2]\n\ngo on","images":["BBBB"]},{"role":"user","content":"Ann: e"}]}`,
			"moved messages[3].content[1].content[1], renamed messages[0].role, dropped messages[1].content[1].detail, dropped messages[2].content[0], approximated messages[4].name"},
		{"images of several results follow all of them", // §13.3
			weir.Body{Messages: []weir.Message{say(weir.RoleAssistant, callBlock("1", "f", "{}"), callBlock("2", "f", "{}")),
				say(weir.RoleTool, resultBlock("1", imageBlock(weir.Media{Data: "AAAA"}))),
				{Role: weir.RoleTool, Blocks: []weir.Block{{Type: weir.BlockToolResult, Result: &weir.ToolResult{CallID: "2", IsError: true, Content: []weir.Block{textBlock("no")}}}}},
				weir.AssistantText("so")}}, codec.Quirks{},
			`{"messages":[{"role":"assistant","content":"","tool_calls":[{"id":"1","function":{"name":"f","arguments":{}}},{"id":"2","function":{"name":"f","arguments":{}}}]},` +
				`{"role":"tool","tool_name":"f","tool_call_id":"1","content":"[image 1 attached below]"},{"role":"tool","tool_name":"f","tool_call_id":"2","content":"Error: no"},` +
				`{"role":"user","content":"[image 1, from the result of tool call 1]","images":["AAAA"]},{"role":"assistant","content":"so"}]}`,
			"moved messages[1].content[0].content[0], approximated messages[2].content[0].is_error"},
		{"documents are text", weir.Body{Messages: []weir.Message{say(weir.RoleUser, weir.Block{Type: weir.BlockFile, Media: &weir.Media{Text: "once", Name: "n", Citations: new(true)}, Cache: &weir.CacheControl{}})}}, codec.Quirks{},
			`{"messages":[{"role":"user","content":"Document: n\n\nonce"}]}`, "dropped messages[0].content[0].citations, dropped messages[0].content[0].cache_control"},
		{"what a model said aloud is its words", weir.Body{Messages: []weir.Message{say(weir.RoleAssistant, weir.Block{Type: weir.BlockAudio, Media: &weir.Media{ID: "x", Transcript: "hi"}})}}, codec.Quirks{},
			`{"messages":[{"role":"assistant","content":"hi"}]}`, "approximated messages[0].content[0]"},
		{"templates may want system text first and turns to alternate", // P-05, P-06
			weir.Body{Messages: []weir.Message{weir.UserText("a"), weir.SystemText("s"), weir.UserText("b")}}, codec.Quirks{SystemFirst: true, StrictAlternation: true},
			`{"messages":[{"role":"user","content":"a\n\n<system>\ns\n</system>\n\nb"}]}`, "moved messages[1]"},
		{"thinking may be refused", weir.Body{Messages: []weir.Message{say(weir.RoleAssistant, weir.Block{Type: weir.BlockReasoning, Text: "hm"}, textBlock("a"))}}, codec.Quirks{ReasoningReplay: "never"},
			`{"messages":[{"role":"assistant","content":"a"}]}`, "dropped messages[0].content[0]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.body.From = weir.OpenAIChat
			req := weir.NewRequest("alias", &tt.body)
			call, got := encodeFor(t, req, tt.quirks)
			want := `{"model":"m","stream":false,` + tt.want[1:]
			if !jsonx.Equal([]byte(got), []byte(want)) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if l := lossFields(call); l != tt.losses {
				t.Errorf("losses: %s\nwant:   %s", l, tt.losses)
			}
			lossy := strings.Contains(tt.losses, "dropped") || strings.Contains(tt.losses, "approximated")
			strict := req.Clone()
			strict.Strict = true
			if _, err := New().EncodeRequest(strict, target(tt.quirks)); errors.Is(err, weir.KindUnsupported) != lossy {
				t.Errorf("a strict request ends with %v", err)
			}
		})
	}
}

// P-10: what would change the question if it were left out is refused by name.
func TestWhatCannotBeCarriedIsRefused(t *testing.T) {
	block := func(b weir.Block) weir.Body {
		return weir.Body{Messages: []weir.Message{say(weir.RoleUser, textBlock("a"), b)}}
	}
	tests := []struct {
		name, param string
		body        weir.Body
		kind        weir.Kind
	}{
		{"an address", "messages[0].content[1]", block(imageBlock(weir.Media{URL: "https://x/y.png"})), weir.KindUnsupported},
		{"a file elsewhere", "messages[0].content[1]", block(imageBlock(weir.Media{FileID: "f"})), weir.KindUnsupported},
		{"a PDF", "messages[0].content[1]", block(weir.Block{Type: weir.BlockFile, Media: &weir.Media{Data: "AAAA", MIME: "application/pdf"}}), weir.KindUnsupported},
		{"a sound", "messages[0].content[1]", block(weir.Block{Type: weir.BlockAudio, Media: &weir.Media{Data: "AAAA"}}), weir.KindUnsupported},
		{"several choices", "n", weir.Body{N: new(int64(2)), Messages: []weir.Message{weir.UserText("a")}}, weir.KindUnsupported},
		{"a hosted tool", "tools[0]", weir.Body{Tools: []weir.Tool{{Type: weir.ToolHosted, Name: "web_search", Raw: []byte(`{}`)}}}, weir.KindUnsupported},
		{"cut arguments", "messages[0].content[1]", block(callBlock("c", "f", `{"a`)), weir.KindInvalid}, // S-07
		{"what is kept elsewhere", "previous_response_id", weir.Body{Thread: &weir.Thread{Previous: "r"}}, weir.KindUnsupported},
	}
	for _, tt := range tests {
		_, err := New().EncodeRequest(weir.NewRequest("a", &tt.body), target(codec.Quirks{}))
		if e := weir.AsError(err); err == nil || e.Kind != tt.kind || e.Param != tt.param || e.Hint == "" {
			t.Errorf("%s: %+v", tt.name, err)
		}
	}
	if _, err := New().EncodeRequest(&weir.Request{Op: weir.CountTokens}, target(codec.Quirks{})); !errors.Is(err, weir.KindUnsupported) {
		t.Errorf("counting tokens: %v", err)
	}
	body := weir.Body{Messages: []weir.Message{weir.UserText("a"), weir.AssistantText("b")}}
	if _, err := New().EncodeRequest(weir.NewRequest("a", &body), target(codec.Quirks{Prefill: "refused"})); !errors.Is(err, weir.KindUnsupported) {
		t.Errorf("a prefix: %v", err)
	}
}

// Quirks reach into requests of this protocol too, in its own words.
func TestQuirksOfNativeRequests(t *testing.T) {
	req := open(t, weir.Generate, "/api/chat", `{"model":"m","messages":[{"role":"user","content":"a"}],"options":{"temperature":2,"num_ctx":5},"think":"max","shift":true}`)
	q := codec.Quirks{TemperatureMax: new(1.0), DropParams: []string{"shift"}, SetParams: map[string]any{"keep_alive": "1m"}, Efforts: []string{"low"}}
	call, got := encodeFor(t, req, q)
	want := `{"model":"m","messages":[{"role":"user","content":"a"}],"options":{"temperature":1,"num_ctx":5},"think":"low","keep_alive":"1m"}`
	if !jsonx.Equal([]byte(got), []byte(want)) || lossFields(call) != "clamped think, clamped options.temperature, dropped shift" {
		t.Errorf("sent as %s, losses %s", got, lossFields(call))
	}
}

func TestVectorsOfOtherProtocols(t *testing.T) {
	body := &weir.Body{From: weir.OpenAIREST, Messages: []weir.Message{weir.UserText("a"), weir.UserText("b")}, User: "u",
		Embed: &weir.EmbedConfig{Dimensions: new(int64(8)), Truncate: new(true), Encoding: "base64", Task: "query"}}
	req := weir.NewRequest("alias", body)
	req.Op = weir.Embed
	call, got := encodeFor(t, req, codec.Quirks{})
	if want := `{"model":"m","input":["a","b"],"dimensions":8,"truncate":true}`; got != want || call.Path != "/api/embed" || call.Stream {
		t.Errorf("sent as %s to %s", got, call.Path)
	}
	if l := lossFields(call); l != "dropped task, dropped user" {
		t.Errorf("losses: %s", l)
	}
	body.Messages = []weir.Message{say(weir.RoleUser, imageBlock(weir.Media{Data: "AAAA"}))}
	if _, err := New().EncodeRequest(req, target(codec.Quirks{})); !errors.Is(err, weir.KindUnsupported) {
		t.Errorf("an image: %v", err)
	}
	legacy := open(t, weir.Embed, "/api/embeddings", `{"model":"m","prompt":"a"}`)
	decoded, err := legacy.Body()
	if err != nil || len(decoded.Messages) != 1 || decoded.Messages[0].Text() != "a" || decoded.Embed == nil {
		t.Errorf("read as %+v, %v", decoded, err)
	}
	if codec.NewPaths(decoded).Message(0) != "prompt" {
		t.Errorf("its place is %s", codec.NewPaths(decoded).Message(0))
	}
}
