package gemini_test

import (
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/gemini"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// S-03: calls and results without ids are paired by name and order, and get the same
// ids however often they are read.
func TestCallsWithoutIDs(t *testing.T) {
	const body = `{"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}},{"functionCall":{"name":"g","args":{}}},{"functionCall":{"name":"f","args":{"b":1}}}]},` +
		`{"role":"user","parts":[{"functionResponse":{"name":"g","response":{"output":"2"}}},{"functionResponse":{"name":"f","response":{"output":"1"}}},{"functionResponse":{"name":"f","response":{"output":"3"}}}]}]}`
	b := canonical(t, weir.Generate, generatePath, body)
	calls := b.Messages[1].ToolCalls()
	ids := map[string]bool{}
	for _, c := range calls {
		ids[c.ID] = true
	}
	if len(ids) != 3 || ids[""] {
		t.Fatalf("ids %v", ids)
	}
	for i, want := range []int{1, 0, 2} {
		if got := b.Messages[2].Blocks[i].Result.CallID; got != calls[want].ID {
			t.Errorf("result %d answers %s, not %s", i, got, calls[want].ID)
		}
	}
	again := canonical(t, weir.Generate, generatePath, body)
	if again.Messages[1].ToolCalls()[2].ID != calls[2].ID {
		t.Error("the ids change from one reading to the next")
	}
}

// S-03: an answer without ids gives every call one of its own, the same streamed and
// not, and another in another answer.
func TestAnswersWithoutIDs(t *testing.T) {
	const two = `{"functionCall":{"name":"f","args":{}}},{"functionCall":{"name":"f","args":{}}}`
	whole := decode(wholeAnswer(parts(two, `,"finishReason":"STOP"`))).completion().ToolCalls()
	stream := decode(streamAnswer(sse(parts(two), parts(`{"text":""}`, `,"finishReason":"STOP"`)), false)).completion().ToolCalls()
	other := decode(wholeAnswer(strings.Replace(parts(two, `,"finishReason":"STOP"`), `"r1"`, `"r2"`, 1))).completion().ToolCalls()
	if len(whole) != 2 || len(stream) != 2 || whole[0].ID == whole[1].ID || whole[0].ID != stream[0].ID || whole[1].ID != stream[1].ID || whole[0].ID == other[0].ID {
		t.Errorf("%+v, %+v, %+v", whole, stream, other)
	}
	if whole[0].Arguments != "{}" {
		t.Errorf("arguments %q", whole[0].Arguments) // S-04
	}
	for _, c := range decode(wholeAnswer(parts(`{"functionCall":{"name":"f"}}`, `,"finishReason":"STOP"`))).completion().ToolCalls() {
		if c.Arguments != "{}" {
			t.Errorf("arguments %q", c.Arguments) // S-04
		}
	}
}

// Results of tools stand in the order of their calls, with the tool's name, as an
// object (protocols.md §7.3).
func TestResults(t *testing.T) {
	bad := weir.ToolResultText("b", "no such file")
	bad.Blocks[0].Result.IsError = true
	out, losses := translated(t, chat(weir.UserText("q"), calling(call("a", "f"), call("b", "g")), bad, weir.ToolResultText("a", `{"x":1}`), weir.UserText("go on")), target("gemini-2.5-flash"))
	equalJSON(t, "results", member(t, out, "contents", 2), `{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"x":1}}},`+
		`{"functionResponse":{"id":"b","name":"g","response":{"error":"no such file"}}},{"text":"go on"}]}`)
	if losses != "" {
		t.Errorf("losses %s", losses)
	}
	for text, want := range map[string]string{
		`[1]`: `{"output":"[1]"}`, `hi`: `{"output":"hi"}`, `{"output":"x"}`: `{"output":"{\"output\":\"x\"}"}`, `{"output":"x","more":1}`: `{"output":"x","more":1}`, ``: `{"output":""}`, `{"a":`: `{"output":"{\"a\":"}`,
	} {
		out, _ := translated(t, chat(weir.UserText("q"), calling(call("a", "f")), weir.ToolResultText("a", text)), target("gemini-2.5-flash"))
		got := member(t, out, "contents", 2, "parts", 0, "functionResponse", "response")
		equalJSON(t, text, got, want)
		back := canonical(t, weir.Generate, generatePath, out)
		if r := back.Messages[2].Blocks[0].Result; r.Content[0].Text != text && !jsonx.Equal([]byte(r.Content[0].Text), []byte(text)) {
			t.Errorf("%q came back as %q", text, r.Content[0].Text)
		}
	}
}

// P-09: media of results go in the result where the model takes them, else behind it,
// and never vanish.
func TestMediaOfResults(t *testing.T) {
	result := weir.Message{Role: weir.RoleTool, Blocks: []weir.Block{{Type: weir.BlockToolResult, Result: &weir.ToolResult{CallID: "a", Content: []weir.Block{
		{Type: weir.BlockText, Text: "see"}, {Type: weir.BlockImage, Media: &weir.Media{MIME: "image/png", Data: "iVBORw0KGgo="}},
	}}}}}
	body := chat(weir.UserText("q"), calling(call("a", "f")), result)
	out, losses := translated(t, body, target("gemini-3-flash"))
	equalJSON(t, "in the result", member(t, out, "contents", 2, "parts"),
		`[{"functionResponse":{"id":"a","name":"f","response":{"output":"see"},"parts":[{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}]}}]`)
	if strings.Contains(losses, "content[0].content") {
		t.Errorf("losses %s", losses)
	}
	out, losses = translated(t, body, target("gemini-2.5-flash"))
	equalJSON(t, "behind the result", member(t, out, "contents", 2, "parts"),
		`[{"functionResponse":{"id":"a","name":"f","response":{"output":"see[image 1 attached below]"}}},{"text":"[image 1, from the result of the call of f]"},{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}]`)
	if !strings.Contains(losses, "moved messages[2].content[0].content[1]") {
		t.Errorf("losses %s", losses)
	}
	read := canonical(t, weir.Generate, generatePath, `{"contents":[{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"output":"see"},"parts":[{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}]}}]}]}`)
	if c := read.Messages[1].Blocks[0].Result.Content; len(c) != 2 || c[1].Type != weir.BlockImage || c[1].Media.Data != "iVBORw0KGgo=" {
		t.Errorf("read as %+v", c)
	}
}

// What the API would refuse is refused by name before it is sent (protocols.md §13.1,
// S-07), and what it demands is put in (P-06).
func TestConversationsOfOthers(t *testing.T) {
	for name, tt := range map[string]struct {
		messages []weir.Message
		param    string
	}{
		"a call without a result": {[]weir.Message{weir.UserText("q"), calling(call("a", "f")), weir.UserText("r")}, "messages[1].content[0]"},
		"a result without a call": {[]weir.Message{weir.UserText("q"), weir.ToolResultText("a", "r")}, "messages[1].content[0]"},
		"broken arguments":        {[]weir.Message{weir.UserText("q"), calling(&weir.ToolCall{ID: "a", Name: "f", Arguments: `{"a":`}), weir.ToolResultText("a", "r")}, "messages[1].content[0]"},
		"nothing":                 {nil, "messages"},
		"a file of another place": {[]weir.Message{{Role: weir.RoleUser, Blocks: []weir.Block{{Type: weir.BlockFile, Media: &weir.Media{FileID: "file-1"}}}}}, "messages[0].content[0]"},
	} {
		if e := refused(t, weir.NewRequest("m", chat(tt.messages...)), target("gemini-2.5-flash")); e.Param != tt.param {
			t.Errorf("%s: %v of %q", name, e, e.Param)
		}
	}
	for name, tt := range map[string]struct {
		messages     []weir.Message
		want, losses string
	}{
		"neighbours are one turn": {[]weir.Message{weir.UserText("a"), weir.UserText("b"), weir.AssistantText(""), weir.UserText("c")}, `[{"role":"user","parts":[{"text":"a"},{"text":"b"},{"text":"c"}]}]`, ""},
		"system text alone":       {[]weir.Message{weir.SystemText("s")}, `[{"role":"user","parts":[{"text":"Continue."}]}]`, "approximated messages"},
		"a name":                  {[]weir.Message{{Role: weir.RoleUser, Name: "Ann", Blocks: []weir.Block{{Type: weir.BlockText, Text: "a"}}}}, `[{"role":"user","parts":[{"text":"Ann: a"}]}]`, "approximated messages[0].name"},
		"a call without an id": {[]weir.Message{weir.UserText("q"), calling(call("", "f")), weir.ToolResultText("", "1")},
			`[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"functionCall":{"id":"call_1_0","name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"id":"call_1_0","name":"f","response":{"output":"1"}}}]}]`, ""},
	} {
		out, losses := translated(t, chat(tt.messages...), target("gemini-2.5-flash"))
		equalJSON(t, name, member(t, out, "contents"), tt.want)
		if losses != tt.losses {
			t.Errorf("%s: losses %q", name, losses)
		}
	}
	e := refused(t, weir.NewRequest("m", chat(weir.UserText("q"), weir.AssistantText("a"))), odd("m", codec.Quirks{Prefill: "refused"}))
	if e.Kind != weir.KindUnsupported || e.Param != "messages[1]" {
		t.Errorf("prefill: %v", e)
	}
}

// P-10: media by value, by data URL and by address; addresses are not fetched.
func TestMediaOfRequests(t *testing.T) {
	media := func(typ weir.BlockType, m weir.Media) *weir.Body {
		return chat(weir.Message{Role: weir.RoleUser, Blocks: []weir.Block{{Type: typ, Media: &m}}})
	}
	for _, tt := range []struct {
		typ          weir.BlockType
		in           weir.Media
		want, losses string
	}{
		{weir.BlockImage, weir.Media{URL: "data:image/webp;base64,UklGRg=="}, `{"inlineData":{"mimeType":"image/webp","data":"UklGRg=="}}`, ""},
		{weir.BlockImage, weir.Media{URL: "https://example.com/a.PNG?x=1", Detail: "low"}, `{"fileData":{"mimeType":"image/png","fileUri":"https://example.com/a.PNG?x=1"}}`, "dropped messages[0].content[0].detail"},
		{weir.BlockImage, weir.Media{URL: "https://example.com/a"}, `{"fileData":{"mimeType":"image/jpeg","fileUri":"https://example.com/a"}}`, "approximated messages[0].content[0]"},
		{weir.BlockImage, weir.Media{Data: "iVBORw0KGgo="}, `{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}`, ""},
		{weir.BlockFile, weir.Media{Data: "JVBERi0x", Name: "a.pdf"}, `{"inlineData":{"mimeType":"application/pdf","data":"JVBERi0x"}}`, "dropped messages[0].content[0].name"},
		{weir.BlockFile, weir.Media{Text: "hi"}, `{"inlineData":{"mimeType":"text/plain","data":"aGk="}}`, ""},
		{weir.BlockAudio, weir.Media{MIME: "audio/wav", Data: "UklGRg=="}, `{"inlineData":{"mimeType":"audio/wav","data":"UklGRg=="}}`, ""},
	} {
		out, losses := translated(t, media(tt.typ, tt.in), target("m"))
		equalJSON(t, tt.want, member(t, out, "contents", 0, "parts", 0), tt.want)
		if losses != tt.losses {
			t.Errorf("%s: losses %q", tt.want, losses)
		}
	}
	spoken := chat(weir.UserText("q"), weir.Message{Role: weir.RoleAssistant, Blocks: []weir.Block{{Type: weir.BlockAudio, Media: &weir.Media{ID: "audio_1", Transcript: "hello"}}}}, weir.UserText("r"))
	if out, losses := translated(t, spoken, target("m")); member(t, out, "contents", 1, "parts", 0, "text") != `"hello"` || losses != "approximated messages[1].content[0]" {
		t.Errorf("%s, losses %s", out, losses)
	}
	if e := refused(t, weir.NewRequest("m", media(weir.BlockFile, weir.Media{Data: "AAAA"})), target("m")); e.Param != "messages[0].content[0]" {
		t.Errorf("data of no type: %v", e)
	}
}

// Tools: names that the API refuses go by others and come back as the client's
// (S-09), free text is declared as a function (S-13), hosted tools are refused.
func TestToolsOfOthers(t *testing.T) {
	body := chat(weir.UserText("q"), calling(call("c", "2nd tool!")), weir.ToolResultText("c", "1"))
	body.Tools = []weir.Tool{
		{Type: weir.ToolFunction, Name: "2nd tool!", Description: "d", Schema: []byte(`{"type":"object","properties":{"a":{"type":"string"}}}`), Strict: new(true)},
		{Type: weir.ToolCustom, Name: "patch"},
	}
	body.ToolChoice = &weir.ToolChoice{Mode: weir.ToolModeNamed, Names: []string{"2nd tool!"}}
	c, out := sent(t, weir.NewRequest("m", body), target("gemini-2.5-flash"))
	name := strings.Trim(member(t, out, "tools", 0, "functionDeclarations", 0, "name"), `"`)
	if c.Names[name] != "2nd tool!" || strings.ContainsAny(name, " !") || name[0] == '2' || !c.Custom["patch"] {
		t.Fatalf("named %q, back %v, free text %v", name, c.Names, c.Custom)
	}
	for _, path := range [][]any{
		{"contents", 1, "parts", 0, "functionCall", "name"}, {"contents", 2, "parts", 0, "functionResponse", "name"}, {"toolConfig", "functionCallingConfig", "allowedFunctionNames", 0},
	} {
		if got := member(t, out, path...); got != `"`+name+`"` {
			t.Errorf("%v is %s", path, got)
		}
	}
	if member(t, out, "toolConfig", "functionCallingConfig", "mode") != `"ANY"` {
		t.Errorf("the choice is lost in %s", out)
	}
	a := wholeAnswer(parts(`{"functionCall":{"name":"`+name+`","args":{}}},{"functionCall":{"name":"patch","args":{"input":"*** Begin"}}}`, `,"finishReason":"STOP"`))
	a.Names, a.Custom = c.Names, c.Custom
	calls := decode(a).completion().ToolCalls()
	if len(calls) != 2 || calls[0].Name != "2nd tool!" || calls[1].Type != weir.ToolCustom || calls[1].Arguments != "*** Begin" {
		t.Errorf("%+v", calls)
	}
	for _, loss := range []string{"renamed tools[0].name", "dropped tools[0].strict"} {
		if !strings.Contains(lossText(c.Losses), loss) {
			t.Errorf("%q is not among %q", loss, lossText(c.Losses))
		}
	}
	body = chat(weir.UserText("q"))
	body.Tools = []weir.Tool{{Type: weir.ToolHosted, Name: "web_search", Raw: []byte(`{"type":"web_search"}`)}}
	if e := refused(t, weir.NewRequest("m", body), target("m")); e.Kind != weir.KindUnsupported || e.Param != "tools[0]" || e.Hint == "" {
		t.Errorf("a hosted tool: %v", e)
	}
}

func TestToolChoices(t *testing.T) {
	for _, tt := range []struct {
		choice       weir.ToolChoice
		q            codec.Quirks
		want, losses string
	}{
		{weir.ToolChoice{Mode: weir.ToolModeAuto}, codec.Quirks{}, `{"mode":"AUTO"}`, ""},
		{weir.ToolChoice{Mode: weir.ToolModeNone}, codec.Quirks{}, `{"mode":"NONE"}`, ""},
		{weir.ToolChoice{Mode: weir.ToolModeRequired}, codec.Quirks{}, `{"mode":"ANY"}`, ""},
		{weir.ToolChoice{Mode: weir.ToolModeRequired, Names: []string{"f", "g"}}, codec.Quirks{}, `{"mode":"ANY","allowedFunctionNames":["f","g"]}`, ""},
		{weir.ToolChoice{Mode: weir.ToolModeAuto, Names: []string{"f"}}, codec.Quirks{}, `{"mode":"AUTO"}`, "approximated tool_choice"},
		{weir.ToolChoice{Mode: weir.ToolModeRequired}, codec.Quirks{ToolChoices: []string{"auto"}}, `{"mode":"AUTO"}`, "approximated tool_choice"},
	} {
		body := chat(weir.UserText("q"))
		body.Tools = []weir.Tool{{Type: weir.ToolFunction, Name: "f"}, {Type: weir.ToolFunction, Name: "g"}, {Type: weir.ToolFunction, Name: "h"}}
		body.ToolChoice = &tt.choice
		out, losses := translated(t, body, odd("m", tt.q))
		equalJSON(t, string(tt.choice.Mode), member(t, out, "toolConfig", "functionCallingConfig"), tt.want)
		if losses != tt.losses {
			t.Errorf("%s: losses %q", tt.want, losses)
		}
	}
	for in, want := range map[string]weir.ToolChoice{
		`{"mode":"ANY","allowed_function_names":["f"]}`:   {Mode: weir.ToolModeNamed, Names: []string{"f"}},
		`{"mode":"ANY","allowedFunctionNames":["f","g"]}`: {Mode: weir.ToolModeRequired},
		`{"mode":2}`:           {Mode: weir.ToolModeRequired},
		`{"mode":"VALIDATED"}`: {Mode: weir.ToolModeAuto},
		`{}`:                   {Mode: weir.ToolModeAuto},
	} {
		got := canonical(t, weir.Generate, generatePath, `{"contents":[],"tools":[{"functionDeclarations":[{"name":"f"},{"name":"g"}]}],"toolConfig":{"functionCallingConfig":`+in+`}}`).ToolChoice
		if got == nil || got.Mode != want.Mode || len(got.Names) != len(want.Names) {
			t.Errorf("%s is %+v", in, got)
		}
	}
}

// Settings of another protocol, within the ranges of this one, and the form of the
// answer where the target has none.
func TestSettingsOfOthers(t *testing.T) {
	body := chat(weir.UserText("q"))
	body.MaxTokens, body.Temperature, body.TopP, body.TopK = new(int64(9)), new(2.5), new(0.5), new(int64(3))
	body.FrequencyPenalty, body.Seed, body.N = new(2.0), new(int64(1<<40+5)), new(int64(2))
	body.Stop = []string{"a", "", "b", "c", "d", "e", "f"}
	body.User, body.ServiceTier, body.Verbosity, body.Metadata = "u", "fast", "low", []weir.Pair{{Key: "a", Value: "b"}}
	body.ParallelToolCalls, body.Tools = new(false), []weir.Tool{{Type: weir.ToolFunction, Name: "f"}}
	body.Extra.Add("logit_bias", []byte(`{"1":2}`))
	out, losses := translated(t, body, target("gemini-2.5-flash"))
	equalJSON(t, "settings", member(t, out, "generationConfig"),
		`{"maxOutputTokens":9,"temperature":2,"topP":0.5,"topK":3,"frequencyPenalty":1.99,"seed":5,"candidateCount":2,"stopSequences":["a","b","c","d","e"]}`)
	if member(t, out, "serviceTier") != `"priority"` {
		t.Errorf("the tier is lost in %s", out)
	}
	for _, want := range []string{"clamped temperature", "clamped frequency_penalty", "clamped seed", "dropped stop[5]", "dropped user", "dropped verbosity", "dropped metadata", "dropped parallel_tool_calls", "dropped logit_bias"} {
		if !strings.Contains(losses, want) {
			t.Errorf("%q is not among %q", want, losses)
		}
	}
	body = chat(weir.SystemText("s"), weir.UserText("q"))
	body.Format = &weir.Format{Type: weir.FormatJSONObject}
	out, losses = translated(t, body, odd("m", codec.Quirks{Formats: []string{"text"}}))
	if len(member(t, out, "systemInstruction", "parts", 1, "text")) < 10 || losses != "approximated response_format" || member(t, out, "generationConfig") != "" {
		t.Errorf("%s, losses %s", out, losses)
	}
}

// System text in the middle of a conversation becomes text of the user.
func TestSystemTextInTheMiddle(t *testing.T) {
	out, losses := translated(t, chat(weir.SystemText("a"), weir.SystemText("b"), weir.UserText("q"), weir.AssistantText("x"), weir.SystemText("c"), weir.UserText("r")), target("m"))
	equalJSON(t, "head", member(t, out, "systemInstruction"), `{"parts":[{"text":"a"},{"text":"b"}]}`)
	if !strings.Contains(member(t, out, "contents", 2), `<system>\nc\n</system>`) || losses != "moved messages[4]" {
		t.Errorf("%s, losses %s", out, losses)
	}
}

// Requests for a number of tokens carry what is counted: inside a request for the
// Gemini API, beside the contents for Vertex AI.
func TestCountsOfOthers(t *testing.T) {
	body := chat(weir.SystemText("s"), weir.UserText("q"))
	req := weir.NewRequest("m", body)
	req.Op = weir.CountTokens
	c, out := sent(t, req, target("gemini-3-flash"))
	equalJSON(t, "wrapped", out, `{"generateContentRequest":{"model":"models/gemini-3-flash","systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"q"}]}]}}`)
	if c.Path != "/models/gemini-3-flash:countTokens" || c.Stream {
		t.Errorf("%+v", c)
	}
	_, out = sent(t, req, odd("m", codec.Quirks{FlatCount: true}))
	equalJSON(t, "flat", out, `{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"q"}]}]}`)
	d := decode(&codec.Answer{Body: strings.NewReader(`{"totalTokens":31,"cachedContentTokenCount":5,"promptTokensDetails":[{"modality":"TEXT","tokenCount":31}]}`), Op: weir.CountTokens, Target: target("m")})
	if u := d.completion().Usage; d.err != nil || u.InputTokens != 31 || u.CacheReadTokens != 5 || u.Has(weir.UsageOutput) {
		t.Errorf("%+v, %v", u, d.err)
	}
	counting := open(t, weir.CountTokens, countPath, `{"contents":[]}`)
	if got := encoded(counting, detached(d.events)); !jsonx.Equal(got, []byte(`{"totalTokens":31,"cachedContentTokenCount":5,"promptTokensDetails":[{"modality":"TEXT","tokenCount":31}]}`)) {
		t.Errorf("%s", got)
	}
	for _, bad := range []string{`{}`, `{"totalTokens":-1}`, `{"totalTokens":"many"}`, `[]`} {
		if d := decode(&codec.Answer{Body: strings.NewReader(bad), Op: weir.CountTokens, Target: target("m")}); weir.AsError(d.err) == nil || weir.AsError(d.err).Kind != weir.KindUpstream {
			t.Errorf("%s: %v", bad, d.err)
		}
	}
	e := gemini.New().NewEncoder(counting)
	if got := e.Close(nil, nil); failedOf(e) == nil || !strings.Contains(string(got), "UNAVAILABLE") {
		t.Errorf("no count: %s", got)
	}
}

func failedOf(e codec.Encoder) *weir.Error {
	if f, ok := e.(codec.Failer); ok {
		return f.Failed()
	}
	return nil
}
