package openairesponses_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func user(b ...weir.Block) weir.Message {
	return weir.Message{Role: weir.RoleUser, Blocks: b}
}

func assistant(b ...weir.Block) weir.Message {
	return weir.Message{Role: weir.RoleAssistant, Blocks: b}
}

func text(s string) weir.Block { return weir.Block{Type: weir.BlockText, Text: s} }

func aCall(id string) weir.Block {
	return weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: id, Name: "f", Type: weir.ToolFunction, Arguments: `{"a":1}`}}
}

func aResult(id string, b ...weir.Block) weir.Block {
	return weir.Block{Type: weir.BlockToolResult, Result: &weir.ToolResult{CallID: id, Content: b}}
}

func picture(m weir.Media) weir.Block { return weir.Block{Type: weir.BlockImage, Media: &m} }

func document(m weir.Media) weir.Block { return weir.Block{Type: weir.BlockFile, Media: &m} }

// What other protocols say, in this one's words.
func TestForeignConversations(t *testing.T) {
	citedText := text("a")
	citedText.Citations = []weir.Citation{{Type: "url", URL: "https://x.test", Title: "X", Start: 0, End: 1}}
	for name, c := range map[string]struct {
		messages []weir.Message
		input    string
		losses   string
	}{
		"system text stays where it was": {[]weir.Message{weir.SystemText("s"), weir.UserText("q"), {Role: weir.RoleDeveloper, Blocks: []weir.Block{text("d")}}},
			`[{"type":"message","role":"system","content":"s"},{"type":"message","role":"user","content":"q"},{"type":"message","role":"developer","content":"d"}]`, ""},
		"pictures": {[]weir.Message{user(text("q"), picture(weir.Media{URL: "https://x.test/a.png", Detail: "low"}), picture(weir.Media{MIME: "image/png", Data: "AAAA"}))}, // P-10
			`[{"type":"message","role":"user","content":[{"type":"input_text","text":"q"},{"type":"input_image","image_url":"https://x.test/a.png","detail":"low"},{"type":"input_image","image_url":"data:image/png;base64,AAAA"}]}]`, ""},
		"documents": {[]weir.Message{user(document(weir.Media{MIME: "application/pdf", Data: "AAAA", Name: "a.pdf"}), document(weir.Media{MIME: "application/pdf", Data: "AAAA"}), document(weir.Media{URL: "https://x.test/a.pdf", Context: "c"}), document(weir.Media{Text: "words", Name: "n"}))},
			`[{"type":"message","role":"user","content":[{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"},{"type":"input_file","filename":"document.pdf","file_data":"data:application/pdf;base64,AAAA"},{"type":"input_file","file_url":"https://x.test/a.pdf"},{"type":"input_text","text":"Document: n\n\nwords"}]}]`, "messages[0].content[2].context dropped"},
		"a result with a picture": {[]weir.Message{weir.UserText("q"), assistant(aCall("c")), user(aResult("c", text("see"), picture(weir.Media{MIME: "image/png", Data: "AAAA"})))}, // P-09
			`[{"type":"message","role":"user","content":"q"},{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"see"},{"type":"input_image","image_url":"data:image/png;base64,AAAA"}]}]`, ""},
		"results in front of what else the user said": {[]weir.Message{assistant(text("a"), aCall("c"), aCall("d")), user(text("and"), aResult("c", text("1")), aResult("d", text("2")))}, // S-10
			`[{"type":"message","role":"assistant","content":"a"},{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"},{"type":"function_call","call_id":"d","name":"f","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"c","output":"1"},{"type":"function_call_output","call_id":"d","output":"2"},{"type":"message","role":"user","content":"and"}]`, ""},
		"calls without ids": {[]weir.Message{assistant(aCall(""), aCall("")), user(aResult("", text("1")), aResult("", text("2")))}, // S-03
			`[{"type":"function_call","call_id":"call_0_0","name":"f","arguments":"{\"a\":1}"},{"type":"function_call","call_id":"call_0_1","name":"f","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"call_0_0","output":"1"},{"type":"function_call_output","call_id":"call_0_1","output":"2"}]`, ""},
		"a failed result": {[]weir.Message{assistant(aCall("c")), user(weir.Block{Type: weir.BlockToolResult, Result: &weir.ToolResult{CallID: "c", IsError: true, Content: []weir.Block{text("no")}}})},
			`[{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"c","output":"Error: no"}]`, "messages[1].content[0].is_error approximated"},
		"a refusal and a citation": {[]weir.Message{weir.UserText("q"), assistant(citedText, weir.Block{Type: weir.BlockRefusal, Text: "no"})},
			`[{"type":"message","role":"user","content":"q"},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a","annotations":[{"type":"url_citation","url":"https://x.test","title":"X","start_index":0,"end_index":1}]},{"type":"refusal","refusal":"no"}]}]`, ""},
		"what a model said aloud": {[]weir.Message{assistant(weir.Block{Type: weir.BlockAudio, Media: &weir.Media{ID: "a", Transcript: "hi"}})},
			`[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"hi","annotations":[]}]}]`, "messages[0].content[0] approximated"},
		"empty texts": {[]weir.Message{weir.UserText("q"), assistant(text(""))}, `[{"type":"message","role":"user","content":"q"}]`, ""},
		"a name":      {[]weir.Message{{Role: weir.RoleUser, Name: "ada", Blocks: []weir.Block{text("q")}}}, `[{"type":"message","role":"user","content":"q"}]`, "messages[0].name dropped"},
		"cache marks": {[]weir.Message{user(weir.Block{Type: weir.BlockText, Text: "q", Cache: &weir.CacheControl{}})}, `[{"type":"message","role":"user","content":"q"}]`, "messages[0].content[0].cache_control dropped"},
	} {
		t.Run(name, func(t *testing.T) {
			got, call := send(t, foreign(weir.OpenAIChat, weir.Body{Messages: c.messages}), codec.Quirks{})
			same(t, string(jsonx.Get([]byte(got), "input")), c.input)
			if losses(call.Losses) != c.losses {
				t.Errorf("losses %q, want %q", losses(call.Losses), c.losses)
			}
		})
	}
}

// What cannot be said here is refused by name where it would change the question.
// // P-01, P-09, S-07
func TestForeignConversationsThatAreRefused(t *testing.T) {
	sound := weir.Block{Type: weir.BlockAudio, Media: &weir.Media{MIME: "audio/wav", Data: "AAAA"}}
	broken := aCall("c")
	broken.Call = &weir.ToolCall{ID: "c", Name: "f", Arguments: `{"a":`}
	for name, c := range map[string]struct {
		body  weir.Body
		param string
		kind  weir.Kind
	}{
		"audio":            {weir.Body{Messages: []weir.Message{user(text("q"), sound)}}, "messages[0].content[1]", weir.KindUnsupported},
		"a kept file":      {weir.Body{Messages: []weir.Message{user(picture(weir.Media{FileID: "f"}))}}, "messages[0].content[0]", weir.KindUnsupported},
		"audio in results": {weir.Body{Messages: []weir.Message{assistant(aCall("c")), user(aResult("c", text("x"), sound))}}, "messages[1].content[0].content[1]", weir.KindUnsupported},
		"a hosted tool":    {weir.Body{Tools: []weir.Tool{{Type: weir.ToolHosted, Name: "web", Raw: []byte("{}")}}}, "tools[0]", weir.KindUnsupported},
		"no result":        {weir.Body{Messages: []weir.Message{assistant(aCall("c")), weir.UserText("q")}}, "messages[0].content[0]", weir.KindInvalid},
		"no call":          {weir.Body{Messages: []weir.Message{weir.UserText("q"), user(aResult("c"))}}, "messages[1].content[0]", weir.KindInvalid},
		"cut arguments":    {weir.Body{Messages: []weir.Message{assistant(broken), user(aResult("c"))}}, "messages[0].content[0]", weir.KindInvalid},
		"a kept thread":    {weir.Body{Thread: &weir.Thread{Previous: "p"}}, "previous_response_id", weir.KindUnsupported},
	} {
		e := refused(t, foreign(weir.OpenAIChat, c.body), codec.Quirks{})
		if e.Kind != c.kind || e.Param != c.param || !strings.Contains(e.Message, c.param) {
			t.Errorf("%s: %+v", name, e)
		}
	}
	req := weir.NewRequest("m", &weir.Body{})
	req.Op = weir.Embed
	if e := refused(t, req, codec.Quirks{}); e.Kind != weir.KindUnsupported {
		t.Errorf("%+v", e)
	}
}

// Settings of other protocols, and the losses in the words of their clients. // P-01, S-11
func TestForeignSettings(t *testing.T) {
	f := weir.Tool{Type: weir.ToolFunction, Name: "f"}
	g := weir.Tool{Type: weir.ToolFunction, Name: "g", Strict: new(true), Schema: []byte(`{"type":"object"}`)}
	const tools = `[{"type":"function","name":"f","parameters":{"type":"object","properties":{}},"strict":false},{"type":"function","name":"g","parameters":{"type":"object"},"strict":true}]`
	schema := &weir.Format{Type: weir.FormatJSONSchema, Schema: []byte(`{"type":"object"}`)}
	for name, c := range map[string]struct {
		from   weir.Protocol
		body   weir.Body
		member string
		want   string
		losses string
	}{
		"strictness is always said":  {weir.OpenAIChat, weir.Body{Tools: []weir.Tool{f, g}}, "tools", tools, ""}, // §4.4
		"a choice":                   {weir.OpenAIChat, weir.Body{Tools: []weir.Tool{f}, ToolChoice: &weir.ToolChoice{Mode: weir.ToolModeNamed, Names: []string{"f"}}}, "tool_choice", `{"type":"function","name":"f"}`, ""},
		"a subset":                   {weir.GeminiGenerate, weir.Body{Tools: []weir.Tool{f, g}, ToolChoice: &weir.ToolChoice{Mode: weir.ToolModeRequired, Names: []string{"g"}}}, "tool_choice", `{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"g"}]}`, ""},
		"parallel calls":             {weir.AnthropicMessages, weir.Body{Tools: []weir.Tool{f}, ParallelToolCalls: new(false)}, "parallel_tool_calls", `false`, ""},
		"a format of Chat":           {weir.OpenAIChat, weir.Body{Format: schema}, "text", `{"format":{"type":"json_schema","name":"answer","schema":{"type":"object"},"strict":false}}`, ""},
		"a format of Messages":       {weir.AnthropicMessages, weir.Body{Format: schema, Verbosity: "low"}, "text", `{"format":{"type":"json_schema","name":"answer","schema":{"type":"object"},"strict":true},"verbosity":"low"}`, ""},
		"the cap":                    {weir.OpenAIChat, weir.Body{MaxTokens: new(int64(3))}, "max_output_tokens", `16`, "max_tokens clamped"},
		"an effort":                  {weir.OpenAIChat, weir.Body{Reasoning: &weir.ReasoningConfig{Effort: "high"}}, "reasoning", `{"effort":"high"}`, ""},
		"a budget":                   {weir.AnthropicMessages, weir.Body{Reasoning: &weir.ReasoningConfig{Mode: "enabled", Budget: new(int64(8000)), Display: "summarized"}}, "reasoning", `{"effort":"medium","summary":"auto"}`, "thinking.budget_tokens approximated"},
		"thinking that is on":        {weir.OllamaChat, weir.Body{Reasoning: &weir.ReasoningConfig{Mode: "enabled"}}, "reasoning", `{"effort":"medium"}`, ""}, // T-11
		"no thinking":                {weir.AnthropicMessages, weir.Body{Reasoning: &weir.ReasoningConfig{Mode: "disabled"}}, "reasoning", `{"effort":"none"}`, ""},
		"thinking of its own":        {weir.AnthropicMessages, weir.Body{Reasoning: &weir.ReasoningConfig{Mode: "adaptive"}}, "reasoning", ``, "thinking approximated"},
		"logprobs":                   {weir.OpenAIChat, weir.Body{Logprobs: new(true), TopLogprobs: new(int64(2))}, "include", `["reasoning.encrypted_content","message.output_text.logprobs"]`, ""},
		"sampling of Chat":           {weir.OpenAIChat, weir.Body{Seed: new(int64(1)), Stop: []string{"a"}, N: new(int64(2)), PresencePenalty: new(0.5), FrequencyPenalty: new(0.0)}, "n", ``, "presence_penalty dropped, seed dropped, n dropped, stop dropped"},
		"sampling of Messages":       {weir.AnthropicMessages, weir.Body{TopK: new(int64(1)), Stop: []string{"a"}}, "stop", ``, "top_k dropped, stop_sequences dropped"},
		"sampling of Gemini":         {weir.GeminiGenerate, weir.Body{TopK: new(int64(1)), Seed: new(int64(1))}, "seed", ``, "generationConfig.topK dropped, generationConfig.seed dropped"},
		"members that Chat has too":  {weir.OpenAIChat, weir.Body{Extra: weir.Fields{{Name: "safety_identifier", Value: []byte(`"s"`)}, {Name: "store", Value: []byte(`true`)}, {Name: "logit_bias", Value: []byte(`{"1":2}`)}}}, "safety_identifier", `"s"`, "logit_bias dropped"},
		"the user, metadata, a tier": {weir.OpenAIChat, weir.Body{User: "u", Metadata: []weir.Pair{{Key: "a", Value: "b"}}, ServiceTier: "flex", CacheKey: "k"}, "metadata", `{"a":"b"}`, ""},
		"a tier of Messages":         {weir.AnthropicMessages, weir.Body{ServiceTier: "standard_only"}, "service_tier", ``, "service_tier dropped"},
	} {
		t.Run(name, func(t *testing.T) {
			c.body.Messages = []weir.Message{weir.UserText("q")}
			req := foreign(c.from, c.body)
			got, call := send(t, req, codec.Quirks{})
			if raw := string(jsonx.Get([]byte(got), c.member)); c.want == "" && raw != "" || c.want != "" && !jsonx.Equal([]byte(raw), []byte(c.want)) {
				t.Errorf("%s is %s, want %s", c.member, raw, c.want)
			}
			if losses(call.Losses) != c.losses {
				t.Errorf("losses %q, want %q", losses(call.Losses), c.losses)
			}
			req.Strict = true
			_, err := responses.EncodeRequest(req, plain(codec.Quirks{}))
			if lossy := strings.Contains(c.losses, "dropped") || strings.Contains(c.losses, "approximated"); lossy != (err != nil) || lossy && !errors.Is(err, weir.KindUnsupported) {
				t.Errorf("strict: %v", err)
			}
		})
	}
}

// Quirks are edits of what a client of this protocol sent. // P-03
func TestQuirksEditTheRequest(t *testing.T) {
	for name, c := range map[string]struct {
		body, want string
		q          codec.Quirks
		losses     string
	}{
		"the cap is required":     {`{"model":"m","input":"q"}`, `{"model":"up","input":"q","max_output_tokens":8192}`, codec.Quirks{MaxTokensRequired: true}, ""},
		"temperature":             {`{"model":"m","input":"q","temperature":2}`, `{"model":"up","input":"q","temperature":1}`, codec.Quirks{TemperatureMax: new(1.0)}, "temperature clamped"},
		"efforts":                 {`{"model":"m","input":"q","reasoning":{"effort":"max","summary":"auto"}}`, `{"model":"up","input":"q","reasoning":{"effort":"high","summary":"auto"}}`, codec.Quirks{Efforts: []string{"low", "high"}}, "reasoning.effort clamped"},
		"thinking needs a stream": {`{"model":"m","input":"q","reasoning":{"effort":"high"}}`, `{"model":"up","input":"q","reasoning":{"effort":"none"}}`, codec.Quirks{ThinkingNeedsStream: true}, "reasoning.effort approximated"}, // T-10
		"choices":                 {`{"model":"m","input":"q","tool_choice":{"type":"function","name":"f"}}`, `{"model":"up","input":"q","tool_choice":"auto"}`, codec.Quirks{ToolChoices: []string{"auto", "none"}}, "tool_choice approximated"},
		"members":                 {`{"model":"m","input":"q","user":"u","store":true}`, `{"model":"up","input":"q","end_user":"u","x":1}`, codec.Quirks{DropParams: []string{"store"}, RenameParams: map[string]string{"user": "end_user"}, SetParams: map[string]any{"x": 1}}, "store dropped, user renamed"},
		"formats":                 {`{"model":"m","input":"q","text":{"format":{"type":"json_schema","name":"a","schema":{"type":"object"}}}}`, `{"model":"up","input":[{"role":"system","content":"Answer with one JSON object and nothing else. It must match this JSON Schema:\n{\"type\":\"object\"}"},{"role":"user","content":"q"}],"text":{"format":{"type":"json_object"}}}`, codec.Quirks{Formats: []string{"text", "json_object"}}, "text.format approximated"}, // P-08
		"the developer":           {`{"model":"m","input":[{"role":"developer","content":"d"},{"role":"user","content":"q"}]}`, `{"model":"up","input":[{"role":"system","content":"d"},{"role":"user","content":"q"}]}`, codec.Quirks{DeveloperRole: "system"}, "input[0].role renamed"},
		"system text first":       {`{"model":"m","input":[{"role":"user","content":"q"},{"role":"system","content":"s"}]}`, `{"model":"up","input":[{"role":"user","content":"q"},{"role":"user","content":[{"type":"input_text","text":"<system>\ns\n</system>"}]}]}`, codec.Quirks{SystemFirst: true}, "input[1] moved"}, // P-05
		"alternation":             {`{"model":"m","input":[{"role":"user","content":"q"},{"role":"user","content":"r"}]}`, `{"model":"up","input":[{"role":"user","content":"q\n\nr"}]}`, codec.Quirks{StrictAlternation: true}, ""},                                                                                        // P-06
	} {
		t.Run(name, func(t *testing.T) {
			got, call := send(t, open(t, c.body), c.q)
			same(t, got, c.want)
			if losses(call.Losses) != c.losses {
				t.Errorf("losses %q, want %q", losses(call.Losses), c.losses)
			}
		})
	}
	if e := refused(t, open(t, `{"model":"m","input":[{"role":"assistant","content":"so"}]}`), codec.Quirks{Prefill: "refused"}); e.Kind != weir.KindInvalid || e.Param != "input[0]" {
		t.Errorf("%+v", e)
	}
	req := open(t, `{"model":"m","input":"q","max_output_tokens":9000}`)
	call, err := responses.EncodeRequest(req, &codec.Target{Model: "up", MaxOutput: 100, Quirks: &codec.Quirks{}})
	if err != nil || losses(call.Losses) != "max_output_tokens clamped" || !strings.Contains(string(join(call.Body)), `"max_output_tokens":100`) {
		t.Errorf("%v %+v", err, call)
	}
}

// Headers of the protocol go on to its own upstream, others do not.
func TestHeadersOfTheProtocol(t *testing.T) {
	w := &weir.Wire{Protocol: weir.OpenAIResponses, Body: []byte(`{"model":"m","input":"q"}`),
		Header: http.Header{"Openai-Beta": {"x=1"}, "X-Client-Request-Id": {"r"}, "Openai-Organization": {"org"}}}
	req, err := responses.OpenRequest(weir.Generate, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*weir.Request{req, edited(t, req)} {
		_, call := send(t, r, codec.Quirks{})
		if len(call.Header) != 2 || call.Header.Get("OpenAI-Beta") != "x=1" || call.Header.Get("X-Client-Request-Id") != "r" || call.Path != "/responses" {
			t.Errorf("%+v", call)
		}
	}
}

// An answer that is streamed is asked for as one, and not otherwise.
func TestStreamIsAskedForAsDecided(t *testing.T) {
	req := open(t, `{"model":"m","input":"q","stream":true,"stream_options":{"include_obfuscation":false}}`)
	req.Stream = false
	got, call := send(t, req, codec.Quirks{})
	if same(t, got, `{"model":"up","input":"q","stream":false}`); call.Stream {
		t.Error("a stream is expected")
	}
	req = open(t, `{"model":"m","input":"q"}`)
	req.Stream = true
	got, call = send(t, req, codec.Quirks{})
	if same(t, got, `{"model":"up","input":"q","stream":true}`); !call.Stream {
		t.Error("no stream is expected")
	}
}
