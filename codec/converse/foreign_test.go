package converse

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func user(blocks ...weir.Block) weir.Message {
	return weir.Message{Role: weir.RoleUser, Blocks: blocks}
}

func model(blocks ...weir.Block) weir.Message {
	return weir.Message{Role: weir.RoleAssistant, Blocks: blocks}
}

func say(s string) weir.Block { return weir.Block{Type: weir.BlockText, Text: s} }

func called(id, name, arguments string) weir.Block {
	return weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: id, Name: name, Arguments: arguments}}
}

func result(id string, content ...weir.Block) weir.Block {
	return weir.Block{Type: weir.BlockToolResult, Result: &weir.ToolResult{CallID: id, Content: content}}
}

func media(typ weir.BlockType, m weir.Media) weir.Block { return weir.Block{Type: typ, Media: &m} }

func chatBody(messages ...weir.Message) *weir.Body {
	return &weir.Body{From: weir.OpenAIChat, Messages: messages}
}

var weather = weir.Tool{Type: weir.ToolFunction, Name: "get_weather", Description: "the weather", Schema: []byte(`{"type":"object","properties":{"city":{"type":"string"}}}`)}

// A conversation of another protocol in full.
func TestForeignRequests(t *testing.T) {
	b := chatBody(weir.SystemText("be brief"), user(say("look"), media(weir.BlockImage, weir.Media{URL: "data:image/jpg;base64,aGk="})),
		model(say("hm"), called("a", "get_weather", `{"city":"Oslo"}`), called("b", "get_weather", `{"city":"Rome"}`)),
		weir.Message{Role: weir.RoleTool, Blocks: []weir.Block{result("b", say("sun"))}},
		weir.Message{Role: weir.RoleTool, Blocks: []weir.Block{result("a", say("snow"), media(weir.BlockImage, weir.Media{MIME: "image/png", Data: "aGk="}))}},
		user(say("so?")))
	b.Tools = []weir.Tool{weather}
	b.ToolChoice = &weir.ToolChoice{Mode: weir.ToolModeRequired}
	b.MaxTokens, b.Temperature, b.TopP, b.Stop = new(int64(50)), new(0.5), new(0.9), []string{"END"}
	got, losses := sent(t, b, plainTarget(claude))
	equalJSON(t, "sent", got, `{"toolConfig":{"tools":[{"toolSpec":{"name":"get_weather","description":"the weather","inputSchema":{"json":{"type":"object","properties":{"city":{"type":"string"}}}}}}],"toolChoice":{"any":{}}},
	 "system":[{"text":"be brief"}],
	 "messages":[{"role":"user","content":[{"text":"look"},{"image":{"format":"jpeg","source":{"bytes":"aGk="}}}]},
	  {"role":"assistant","content":[{"text":"hm"},{"toolUse":{"toolUseId":"a","name":"get_weather","input":{"city":"Oslo"}}},{"toolUse":{"toolUseId":"b","name":"get_weather","input":{"city":"Rome"}}}]},
	  {"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"text":"snow"},{"image":{"format":"png","source":{"bytes":"aGk="}}}]}},{"toolResult":{"toolUseId":"b","content":[{"text":"sun"}]}},{"text":"so?"}]}],
	 "inferenceConfig":{"maxTokens":50,"temperature":0.5,"topP":0.9,"stopSequences":["END"]}}`) // S-10 P-09
	if len(losses) > 0 {
		t.Errorf("losses %v", losses)
	}
}

// What the API refuses is mended, and told. // P-06
func TestTurnsAreMended(t *testing.T) {
	got, losses := sent(t, chatBody(model(say("hello")), user(say(" ")), user(say("a")), user(say("b")), model(say("")), user(say("c")), model(say("so \n"))), plainTarget(claude))
	equalJSON(t, "sent", got, `{"messages":[{"role":"user","content":[{"text":"Continue."}]},{"role":"assistant","content":[{"text":"hello"}]},
	 {"role":"user","content":[{"text":"a"},{"text":"b"},{"text":"c"}]},{"role":"assistant","content":[{"text":"so"}]}]}`)
	if lossText(losses) != "messages approximated" {
		t.Errorf("losses %v", losses)
	}
	named := user(say("hi"))
	named.Name = "Ada"
	got, losses = sent(t, chatBody(named, model(called("", "f", "")), user(result("")), weir.SystemText("late"), user(say("x"))), plainTarget(claude)) // S-03 S-04
	if !strings.Contains(got, `{"toolUse":{"toolUseId":"call_1_0","name":"f","input":{}}}`) || !strings.Contains(got, `{"toolResult":{"toolUseId":"call_1_0","content":[{"text":"(no output)"}]}}`) ||
		!strings.Contains(got, `"Ada: hi"`) || !strings.Contains(got, `"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema"`) {
		t.Errorf("sent %s", got)
	}
	if text := lossText(losses); !strings.Contains(text, "messages[0].name approximated") || !strings.Contains(text, "tools approximated") || !strings.Contains(text, "messages[2].content[0] approximated") {
		t.Errorf("losses %s", text)
	}
}

// What cannot be mended is refused with the name of the field.
func TestForeignRefusals(t *testing.T) {
	file := func(m weir.Media) *weir.Body { return chatBody(user(say("a"), media(weir.BlockFile, m))) }
	hosted := chatBody(user(say("a")))
	hosted.Tools = []weir.Tool{{Type: weir.ToolHosted, Name: "web_search", Raw: []byte("{}")}}
	several := chatBody(user(say("a")))
	several.N = new(int64(2))
	bound := chatBody(user(say("a")))
	bound.Thread = &weir.Thread{Previous: "resp_1"}
	for name, v := range map[string]struct {
		body  *weir.Body
		kind  weir.Kind
		param string
	}{
		"no message":               {chatBody(), weir.KindInvalid, "messages"},
		"a call without a result":  {chatBody(user(say("a")), model(called("a", "f", "{}")), user(say("b"))), weir.KindInvalid, "messages[1].content[0]"},
		"a result without a call":  {chatBody(user(result("a", say("x")))), weir.KindInvalid, "messages[0].content[0]"},
		"a call twice":             {chatBody(user(say("a")), model(called("a", "f", "{}"), called("a", "f", "{}")), user(result("a"))), weir.KindInvalid, "messages[1].content[1]"},
		"broken arguments":         {chatBody(user(say("a")), model(called("a", "f", `{"x`)), user(result("a"))), weir.KindInvalid, "messages[1].content[0]"}, // S-07
		"an address":               {file(weir.Media{MIME: "application/pdf", URL: "https://example.org/a.pdf"}), weir.KindUnsupported, "messages[0].content[1]"},
		"a file of another":        {file(weir.Media{FileID: "file-1"}), weir.KindUnsupported, "messages[0].content[1]"},
		"a format that is unknown": {file(weir.Media{MIME: "application/zip", Data: "aGk="}), weir.KindUnsupported, "messages[0].content[1]"},
		"a file of nothing":        {file(weir.Media{MIME: "application/pdf"}), weir.KindUnsupported, "messages[0].content[1]"},
		"a tool of another":        {hosted, weir.KindUnsupported, "tools[0]"},
		"several choices":          {several, weir.KindUnsupported, "n"},
		"a conversation elsewhere": {bound, weir.KindUnsupported, "previous_response_id"},
	} {
		_, err := New().EncodeRequest(weir.NewRequest("m", v.body), plainTarget(claude))
		if e := weir.AsError(err); e == nil || e.Kind != v.kind || e.Param != v.param {
			t.Errorf("%s: %+v", name, e)
		}
	}
	target := plainTarget(claude)
	target.Quirks.Prefill = "refused"
	_, err := New().EncodeRequest(weir.NewRequest("m", chatBody(user(say("a")), model(say("b")))), target)
	if e := weir.AsError(err); e == nil || e.Kind != weir.KindUnsupported || e.Param != "messages[1]" {
		t.Errorf("prefill: %+v", e)
	}
}

// Images, documents, sounds and videos in all formats. (botocore, 2026-08-07)
func TestMediaFormats(t *testing.T) {
	for _, v := range []struct {
		typ        weir.BlockType
		mime, want string
	}{
		{weir.BlockImage, "image/png", `"image":{"format":"png"`}, {weir.BlockImage, "image/jpeg", `"image":{"format":"jpeg"`}, {weir.BlockImage, "IMAGE/JPG", `"image":{"format":"jpeg"`},
		{weir.BlockImage, "image/gif", `"image":{"format":"gif"`}, {weir.BlockImage, "image/webp; x=1", `"image":{"format":"webp"`},
		{weir.BlockFile, "application/pdf", `"document":{"format":"pdf"`}, {weir.BlockFile, "text/csv", `"document":{"format":"csv"`}, {weir.BlockFile, "text/html", `"document":{"format":"html"`},
		{weir.BlockFile, "text/markdown", `"document":{"format":"md"`}, {weir.BlockFile, "application/msword", `"document":{"format":"doc"`}, {weir.BlockFile, "text/x-go", `"document":{"format":"txt"`},
		{weir.BlockFile, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", `"document":{"format":"docx"`}, {weir.BlockFile, "application/vnd.ms-excel", `"document":{"format":"xls"`},
		{weir.BlockFile, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", `"document":{"format":"xlsx"`}, {weir.BlockFile, "application/json", `"document":{"format":"txt"`},
		{weir.BlockFile, "video/mp4", `"video":{"format":"mp4"`}, {weir.BlockFile, "video/3gpp", `"video":{"format":"three_gp"`}, {weir.BlockFile, "audio/mpeg", `"audio":{"format":"mp3"`}, {weir.BlockAudio, "audio/wav", `"audio":{"format":"wav"`},
		{weir.BlockFile, "", `"document":{"format":"pdf"`}, // by its name
	} {
		m := weir.Media{MIME: v.mime, Data: "aGk=", Name: "a.pdf"}
		got, _ := sent(t, chatBody(user(say("x"), media(v.typ, m))), plainTarget(nova))
		if !strings.Contains(got, v.want) || !strings.Contains(got, `"source":{"bytes":"aGk="}`) {
			t.Errorf("%s: %s", v.mime, got)
		}
	}
	got, _ := sent(t, chatBody(user(say("x"), media(weir.BlockFile, weir.Media{FileID: "s3://b/k", MIME: "application/pdf", Context: "c", Citations: new(true)}))), plainTarget(claude))
	if !strings.Contains(got, `{"document":{"format":"pdf","name":"document","context":"c","citations":{"enabled":true},"source":{"s3Location":{"uri":"s3://b/k"}}}}`) {
		t.Errorf("in S3: %s", got)
	}
	plain := chatBody(user(say("x"), media(weir.BlockFile, weir.Media{Text: "plain", MIME: "text/plain"})))
	if got, _ := sent(t, plain, plainTarget(claude)); !strings.Contains(got, `"source":{"text":"plain"}`) {
		t.Errorf("a text for Claude: %s", got)
	}
	if got, _ := sent(t, plain, plainTarget(nova)); !strings.Contains(got, `"source":{"bytes":"`+base64.StdEncoding.EncodeToString([]byte("plain"))+`"}`) {
		t.Errorf("a text for others: %s", got)
	}
	got, losses := sent(t, chatBody(user(media(weir.BlockImage, weir.Media{MIME: "image/png", Data: "aGk=", Detail: "high"})), model(media(weir.BlockAudio, weir.Media{Transcript: "spoken"})), user(say("x"))), plainTarget(claude))
	if !strings.Contains(got, `{"text":"spoken"}`) || lossText(losses) != "messages[0].content[0].detail dropped, messages[1].content[0] approximated" {
		t.Errorf("%s, %v", got, losses)
	}
}

// The names of documents have the characters that the API takes, and no two are
// the same; beside a document stands a text.
func TestDocuments(t *testing.T) {
	doc := func(name string) weir.Block {
		return media(weir.BlockFile, weir.Media{MIME: "application/pdf", Data: "aGk=", Name: name})
	}
	var names []string
	list := []weir.Block{say("x")}
	for _, name := range []string{"report.pdf", "report_pdf", "a  b", "(x) [y]-1", "报告", "", "", strings.Repeat("long ", 100), "report-pdf"} {
		list = append(list, doc(name))
	}
	got, losses := sent(t, chatBody(user(list...)), plainTarget(claude))
	_ = jsonx.EachElement(jsonx.GetPath([]byte(got), "messages"), func(_ int, m []byte) error {
		return jsonx.EachElement(jsonx.Get(m, "content"), func(_ int, b []byte) error {
			if name := jsonx.GetPath(b, "document", "name"); name != nil {
				names = append(names, jsonx.StringOr(name, ""))
			}
			return nil
		})
	})
	want := []string{"report-pdf", "report-pdf 2", "a b", "(x) [y]-1", "document", "document 2", "document 3", strings.TrimSpace(strings.Repeat("long ", 38)), "report-pdf 3"}
	if fmt.Sprint(names) != fmt.Sprint(want) {
		t.Errorf("names %q", names)
	}
	if len(losses) == 0 || losses[0].Action != weir.LossRenamed || losses[0].Field != "messages[0].content[1]" {
		t.Errorf("losses %v", losses)
	}
	got, losses = sent(t, chatBody(user(doc("a"))), plainTarget(claude)) // P-06
	if !strings.Contains(got, `"content":[{"text":"The document is attached."},{"document":{"format":"pdf","name":"a"`) || lossText(losses) != "messages[0].content[0] approximated" {
		t.Errorf("%s, %v", got, losses)
	}
	got, losses = sent(t, chatBody(user(media(weir.BlockFile, weir.Media{MIME: "video/mp4", Data: "aGk="}))), plainTarget(claude))
	if strings.Contains(got, "text") || len(losses) > 0 {
		t.Errorf("a video needs none: %s, %v", got, losses)
	}
}

// Cache marks become cache points: four at most, the last ones. // C-02
func TestCachePoints(t *testing.T) {
	mark := func(b weir.Block, ttl string) weir.Block { b.Cache = &weir.CacheControl{TTL: ttl}; return b }
	inside := result("a", mark(say("x"), ""))
	b := &weir.Body{From: weir.AnthropicMessages, Messages: []weir.Message{
		{Role: weir.RoleSystem, Blocks: []weir.Block{mark(say("s"), "1h")}}, user(mark(say("u"), "5m")), model(called("a", "f", "{}")), user(inside, mark(say("v"), "7d")),
	}, Tools: []weir.Tool{weather}}
	b.Tools[0].Cache = &weir.CacheControl{}
	got, losses := sent(t, b, plainTarget(claude))
	for _, want := range []string{
		`"system":[{"text":"s"},{"cachePoint":{"type":"default","ttl":"1h"}}]`, `{"text":"u"},{"cachePoint":{"type":"default","ttl":"5m"}}`,
		`{"toolResult":{"toolUseId":"a","content":[{"text":"x"}]}},{"cachePoint":{"type":"default"}},{"text":"v"},{"cachePoint":{"type":"default"}}`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	if strings.Count(got, "cachePoint") != 4 || strings.Contains(string(jsonx.Get([]byte(got), "toolConfig")), "cachePoint") {
		t.Errorf("the first of five is left out: %s", got)
	}
	if text := lossText(losses); !strings.Contains(text, "tools[0].cache_control dropped") || !strings.Contains(text, "messages[2].content[0].content.cache_control moved") || !strings.Contains(text, "messages[2].content[1].cache_control.ttl approximated") {
		t.Errorf("losses %s", text)
	}
	got, losses = sent(t, b, plainTarget("mistral.mistral-large-2407-v1:0"))
	if strings.Contains(got, "cachePoint") || strings.Count(lossText(losses), "dropped") < 5 {
		t.Errorf("a model without cache points: %s, %v", got, losses)
	}
	auto := chatBody(user(say("a")), model(say("b")), user(say("c")))
	auto.Cache = &weir.CacheControl{}
	got, losses = sent(t, auto, plainTarget(nova))
	if !strings.Contains(got, `{"text":"c"},{"cachePoint":{"type":"default"}}]`) || lossText(losses) != "cache_control moved" {
		t.Errorf("automatic: %s, %v", got, losses)
	}
}

// Thinking goes back to its maker only, with its signature as it came. // T-03 T-04
func TestThinkingGoesBack(t *testing.T) {
	think := func(text string, r *weir.Reasoning) weir.Block {
		return weir.Block{Type: weir.BlockReasoning, Text: text, Reasoning: r}
	}
	b := chatBody(user(say("a")), model(think("hm", &weir.Reasoning{Format: claudeFormat, Signature: "c2ln"}), think("", &weir.Reasoning{Format: claudeFormat, Encrypted: "EtkE"}),
		think("unsigned", nil), think("foreign", &weir.Reasoning{Format: "openai-responses-v1", Encrypted: "x"}), say("b")), user(say("c")))
	got, losses := sent(t, b, plainTarget(claude))
	if !strings.Contains(got, `{"reasoningContent":{"reasoningText":{"text":"hm","signature":"c2ln"}}},{"reasoningContent":{"redactedContent":"RXRrRQ=="}},{"text":"b"}`) {
		t.Errorf("sent %s", got)
	}
	if lossText(losses) != "messages[1].content[2] dropped, messages[1].content[3] dropped" {
		t.Errorf("losses %v", losses)
	}
	if got, losses = sent(t, b, plainTarget(nova)); strings.Contains(got, "reasoningContent") || len(losses) != 4 {
		t.Errorf("for another maker: %s, %v", got, losses)
	}
}

// One wish for thinking in the terms of every maker. // T-11 T-12
func TestThinkingSwitches(t *testing.T) {
	for _, v := range []struct {
		model  string
		r      weir.ReasoningConfig
		cap    int64
		want   string
		losses string
	}{
		{claude, weir.ReasoningConfig{Effort: "high"}, 20000, `"thinking":{"type":"enabled","budget_tokens":`, "reasoning_effort approximated"},
		{claude, weir.ReasoningConfig{Mode: "enabled", Budget: new(int64(500))}, 4000, `"thinking":{"type":"enabled","budget_tokens":1024}`, "reasoning clamped"},
		{claude, weir.ReasoningConfig{Effort: "high"}, 1000, `"thinking":{"type":"disabled"}`, "reasoning_effort approximated, reasoning approximated"},
		{claude, weir.ReasoningConfig{Effort: "none"}, 0, `"thinking":{"type":"disabled"}`, ""},
		{"us.anthropic.claude-sonnet-5", weir.ReasoningConfig{Effort: "high"}, 0, `"outputConfig":{"effort":"high"},"additionalModelRequestFields":{"thinking":{"type":"adaptive"}}`, ""},
		{"us.anthropic.claude-sonnet-5", weir.ReasoningConfig{Mode: "enabled", Budget: new(int64(30000))}, 0, `"thinking":{"type":"adaptive"}`, "thinking_budget approximated"},
		{"anthropic.claude-3-5-sonnet-20240620-v1:0", weir.ReasoningConfig{Effort: "low"}, 0, `{"messages":[{"role":"user","content":[{"text":"a"}]}]}`, "reasoning dropped"},
		{nova, weir.ReasoningConfig{Effort: "medium"}, 0, `"additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"medium"}}`, ""},
		{nova, weir.ReasoningConfig{Effort: "high"}, 100, `"maxReasoningEffort":"medium"`, "reasoning_effort clamped"},
		{nova, weir.ReasoningConfig{Effort: "none"}, 0, `"reasoningConfig":{"type":"disabled"}`, ""},
		{"openai.gpt-oss-120b-1:0", weir.ReasoningConfig{Effort: "low"}, 0, `"additionalModelRequestFields":{"reasoning_effort":"low"}`, ""},
		{"openai.gpt-oss-120b-1:0", weir.ReasoningConfig{Effort: "none"}, 0, `"reasoning_effort":"low"`, "reasoning approximated"},
		{"qwen.qwen3-32b-v1:0", weir.ReasoningConfig{Effort: "medium"}, 0, `"additionalModelRequestFields":{"reasoning_config":"`, "reasoning_effort clamped"},
		{"meta.llama3-3-70b-instruct-v1:0", weir.ReasoningConfig{Effort: "high"}, 0, `"text":"a"`, "reasoning dropped"},
	} {
		b := chatBody(user(say("a")))
		b.Reasoning = &v.r
		if v.cap > 0 {
			b.MaxTokens = &v.cap
		}
		got, losses := sent(t, b, plainTarget(v.model))
		if !strings.Contains(got, v.want) || lossText(losses) != v.losses {
			t.Errorf("%s %+v: %s, %v", v.model, v.r, got, losses)
		}
	}
	// Beside thinking no sampling and no forced call. (§13.11)
	b := chatBody(user(say("a")))
	b.Reasoning, b.Temperature, b.TopP, b.TopK = &weir.ReasoningConfig{Effort: "high"}, new(0.5), new(0.5), new(int64(5))
	b.Tools, b.ToolChoice = []weir.Tool{weather}, &weir.ToolChoice{Mode: weir.ToolModeRequired}
	got, losses := sent(t, b, plainTarget("us.anthropic.claude-sonnet-5"))
	if strings.Contains(got, "temperature") || strings.Contains(got, "top") || lossText(losses) != "temperature dropped, top_p dropped, top_k dropped" || !strings.Contains(got, `"toolChoice":{"any":{}}`) {
		t.Errorf("adaptive: %s, %v", got, losses)
	}
	got, losses = sent(t, b, plainTarget(claude))
	if !strings.Contains(got, `"thinking":{"type":"disabled"}`) || !strings.Contains(got, `"toolChoice":{"any":{}}`) || !strings.Contains(lossText(losses), "reasoning approximated") {
		t.Errorf("on a budget: %s, %v", got, losses)
	}
	// Thinking that was lost inside of a tool loop cannot go on with a budget.
	loop := chatBody(user(say("a")), model(called("a", "get_weather", "{}")), user(result("a", say("x"))))
	loop.Tools, loop.Reasoning = []weir.Tool{weather}, &weir.ReasoningConfig{Mode: "enabled", Budget: new(int64(2000))}
	if got, losses = sent(t, loop, plainTarget(claude)); !strings.Contains(got, `"thinking":{"type":"disabled"}`) || lossText(losses) != "reasoning approximated" {
		t.Errorf("in a loop: %s, %v", got, losses)
	}
}

// Structured output: native where the target has it, else an instruction. // P-08
func TestStructuredOutput(t *testing.T) {
	b := chatBody(weir.SystemText("be brief"), user(say("a")))
	b.Tools = []weir.Tool{weather}
	b.Format = &weir.Format{Type: weir.FormatJSONSchema, Name: "city", Description: "d", Schema: []byte(`{"type": "object"}`), Strict: new(true)}
	got, losses := sent(t, b, plainTarget(claude))
	if !strings.Contains(got, `"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}","name":"city","description":"d"}}}}`) || !strings.Contains(got, "toolSpec") || len(losses) > 0 {
		t.Errorf("native: %s, %v", got, losses)
	}
	target := plainTarget(claude)
	target.Quirks.Formats = []string{"text"}
	got, losses = sent(t, b, target)
	if strings.Contains(got, "outputConfig") || !strings.Contains(got, `"system":[{"text":"be brief"},{"text":"Answer with one JSON object that conforms`) || lossText(losses) != "response_format approximated" {
		t.Errorf("as an instruction: %s, %v", got, losses)
	}
	b.Format = &weir.Format{Type: weir.FormatJSONObject}
	if got, losses = sent(t, b, plainTarget(claude)); !strings.Contains(got, "Answer with one JSON object and nothing else.") || lossText(losses) != "response_format approximated" {
		t.Errorf("an object: %s, %v", got, losses)
	}
}

// Tools of other protocols: names, choices, free text. // S-09 S-11 S-13
func TestForeignTools(t *testing.T) {
	long := strings.Repeat("n", 70)
	b := chatBody(user(say("a")), model(called("an id: with signs", long, "{}")), user(result("an id: with signs", say("x"))))
	b.Tools = []weir.Tool{{Type: weir.ToolFunction, Name: long, Strict: new(true)}, {Type: weir.ToolCustom, Name: "apply_patch", Description: "d"}, {Type: weir.ToolFunction, Name: "other", Description: " "}}
	call, err := New().EncodeRequest(weir.NewRequest("m", b), plainTarget(claude))
	if err != nil {
		t.Fatal(err)
	}
	got := string(bytes.Join(call.Body, nil))
	short := codec.ShortenName(long, 0)
	if strings.Contains(got, long) || strings.Count(got, short) != 2 || call.Names[short] != long || !call.Custom["apply_patch"] || lossText(call.Losses) == "" {
		t.Errorf("%s, %v, %v", got, call.Names, call.Custom)
	}
	if id := codec.ShortenID("an id: with signs", 0); strings.Count(got, id) != 2 {
		t.Errorf("ids: %s", got)
	}
	if !strings.Contains(got, `{"toolSpec":{"name":"other","inputSchema":{"json":{"type":"object","properties":{}}}}}`) || !strings.Contains(got, `"strict":true`) {
		t.Errorf("tools: %s", got)
	}
	plain := func(c *weir.ToolChoice, parallel *bool) (string, []weir.Loss) {
		b := chatBody(user(say("a")))
		b.Tools, b.ToolChoice, b.ParallelToolCalls = []weir.Tool{weather, {Type: weir.ToolFunction, Name: "other"}}, c, parallel
		return sent(t, b, plainTarget(claude))
	}
	for _, v := range []struct {
		choice *weir.ToolChoice
		want   string
		losses string
	}{
		{&weir.ToolChoice{Mode: weir.ToolModeAuto}, `"toolChoice":{"auto":{}}`, ""},
		{&weir.ToolChoice{Mode: weir.ToolModeNamed, Names: []string{"other"}}, `"toolChoice":{"tool":{"name":"other"}}`, ""},
		{&weir.ToolChoice{Mode: weir.ToolModeRequired, Names: []string{"other"}}, `{"toolConfig":{"tools":[{"toolSpec":{"name":"other",`, "tool_choice approximated, tools[0] approximated"},
		{&weir.ToolChoice{Mode: weir.ToolModeNone}, `{"messages":[{"role":"user","content":[{"text":"a"}]}]}`, "tool_choice approximated, tools[0] approximated, tools[1] approximated"},
	} {
		if got, losses := plain(v.choice, nil); !strings.Contains(got, v.want) || lossText(losses) != v.losses {
			t.Errorf("%+v: %s, %v", v.choice, got, losses)
		}
	}
	if _, losses := plain(nil, new(false)); lossText(losses) != "parallel_tool_calls dropped" {
		t.Errorf("losses %v", losses)
	}
	failed := chatBody(user(say("a")), model(called("a", "f", "{}")), user(result("a", say("x"))))
	failed.Messages[2].Blocks[0].Result.IsError = true
	if got, _ := sent(t, failed, plainTarget(claude)); !strings.Contains(got, `"status":"error"`) {
		t.Errorf("a tool that failed: %s", got)
	}
	if got, losses := sent(t, failed, plainTarget("mistral.x")); strings.Contains(got, "status") || !strings.Contains(lossText(losses), "is_error dropped") {
		t.Errorf("a tool that failed: %s, %v", got, losses)
	}
}

// Settings without a member are told, and a strict request is refused for them. // P-01
func TestForeignSettings(t *testing.T) {
	b := chatBody(user(say("a")))
	b.Temperature, b.FrequencyPenalty, b.PresencePenalty, b.Seed = new(1.5), new(0.5), new(0.5), new(int64(1))
	b.Logprobs, b.TopLogprobs, b.Verbosity, b.User, b.CacheKey = new(true), new(int64(2)), "low", "u", "k"
	b.Stop, b.ServiceTier, b.TopK = []string{" ", "x"}, "scale", new(int64(3))
	b.Metadata = []weir.Pair{{Key: "team", Value: "a b"}, {Key: "bad", Value: "é"}}
	b.Extra.Add("novel", []byte("1"))
	got, losses := sent(t, b, plainTarget(nova))
	if !strings.Contains(got, `"inferenceConfig":{"temperature":1,"stopSequences":["x"]}`) || !strings.Contains(got, `"requestMetadata":{"team":"a b"}`) || !strings.Contains(got, `"additionalModelRequestFields":{"inferenceConfig":{"topK":3}}`) {
		t.Errorf("sent %s", got)
	}
	want := "temperature clamped, stop dropped, service_tier dropped, metadata.bad dropped, frequency_penalty dropped, presence_penalty dropped, seed dropped, logprobs dropped, top_logprobs dropped, verbosity dropped, user dropped, prompt_cache_key dropped, novel dropped"
	if lossText(losses) != want {
		t.Errorf("losses %s", lossText(losses))
	}
	req := weir.NewRequest("m", b)
	req.Strict = true
	if _, err := New().EncodeRequest(req, plainTarget(nova)); !errors.Is(err, weir.KindUnsupported) || weir.AsError(err).Param != "stop" {
		t.Errorf("strict: %v", err)
	}
	for tier, want := range map[string]string{"auto": "", "default": `"serviceTier":{"type":"default"}`, "standard_only": `"serviceTier":{"type":"default"}`, "flex": `"serviceTier":{"type":"flex"}`, "priority": `"serviceTier":{"type":"priority"}`} {
		b := chatBody(user(say("a")))
		b.ServiceTier = tier
		got, losses := sent(t, b, plainTarget(claude))
		if !strings.Contains(got, want) || want == "" && strings.Contains(got, "serviceTier") || len(losses) > 0 {
			t.Errorf("%s: %s, %v", tier, got, losses)
		}
	}
	top := chatBody(user(say("a")))
	top.TopK = new(int64(3))
	if got, losses := sent(t, top, plainTarget("meta.llama3")); strings.Contains(got, "topK") || lossText(losses) != "top_k dropped" {
		t.Errorf("top_k: %s, %v", got, losses)
	}
	capped := plainTarget(claude)
	capped.MaxOutput = 100
	big := chatBody(user(say("a")))
	big.MaxTokens = new(int64(5000))
	if got, losses := sent(t, big, capped); !strings.Contains(got, `"maxTokens":100`) || lossText(losses) != "max_tokens clamped" {
		t.Errorf("cap: %s, %v", got, losses)
	}
}

// Betas of a client of Messages reach Claude as far as the target lets them. // C-01
func TestBetas(t *testing.T) {
	b := &weir.Body{From: weir.AnthropicMessages, Messages: []weir.Message{user(say("a"))}, Header: http.Header{"Anthropic-Beta": {"one, two", "three"}}}
	target := plainTarget(claude)
	target.Quirks.BetaHeaders = []string{"two", "three"}
	if got, _ := sent(t, b, target); !strings.Contains(got, `"additionalModelRequestFields":{"anthropic_beta":["two","three"]}`) {
		t.Errorf("sent %s", got)
	}
	if got, _ := sent(t, b, plainTarget(claude)); strings.Contains(got, "anthropic_beta") {
		t.Errorf("sent %s", got)
	}
}
