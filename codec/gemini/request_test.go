package gemini_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/gemini"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// nativeRequests say everything that the protocol can, in the ways in which its
// clients say it: in camelCase and in snake_case, in lists and without.
var nativeRequests = []struct {
	op         weir.Operation
	path, body string
}{
	{weir.Generate, generatePath, `{"contents":[{"parts":[{"text":"hi"}]}]}`},
	{weir.Generate, generatePath, `{"contents":{"parts":{"text":"hi"}}}`},
	{weir.Generate, streamPath + "?alt=sse", `{"model":"models/gemini-3-flash","contents":[{"role":"user","parts":[{"text":"hi"}]}],"systemInstruction":{"role":"system","parts":[{"text":"s"}]}}`},
	{weir.Generate, generatePath, `{"system_instruction":{"parts":{"text":"s"}},"contents":[{"role":"user","parts":[{"inline_data":{"mime_type":"image/png","data":"iVBORw0KGgo="}},` +
		`{"file_data":{"mime_type":"video/mp4","file_uri":"gs://b/o"},"video_metadata":{"fps":2}},{"fileData":{"fileUri":"https://example.com/a.pdf"}}]}],` +
		`"safety_settings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}],"generation_config":{"max_output_tokens":"5","stop_sequences":["a"],"response_mime_type":"text/x.enum","response_schema":{"type":"STRING","enum":["x"]}}}`},
	{weir.Generate, generatePath, `{"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"text":"t","thought":true},{"functionCall":{"name":"f"}},{"function_call":{"id":"x","name":"g","args":{"a":1.0}},"thought_signature":"AA=="}]},` +
		`{"role":"function","parts":[{"functionResponse":{"name":"f","response":{"result":"r"}}},{"function_response":{"id":"x","name":"g","response":{"any":[1],"b":{}},"parts":[{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}],"scheduling":"SILENT"}}]}],` +
		`"tools":[{"functionDeclarations":[{"name":"f","description":"","parameters":{"type":"OBJECT","properties":{"b":{"type":"STRING","nullable":true},"a":{"type":"INTEGER"}},"propertyOrdering":["a","b"]}}]},` +
		`{"function_declarations":[{"name":"g","parameters_json_schema":{"type":"object"},"behavior":"NON_BLOCKING"}],"googleSearch":{}},{"codeExecution":{}}],` +
		`"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]},"retrievalConfig":{"languageCode":"en"}}}`},
	{weir.Generate, generatePath, `{"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":[{"executableCode":{"language":"PYTHON","code":"1"}},{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"1"}},{"toolCall":{"id":"a"}},{}]}],` +
		`"generationConfig":{"temperature":0,"topP":0.5,"topK":4,"seed":7,"candidateCount":2,"frequencyPenalty":-1,"presencePenalty":1.5,"responseLogprobs":true,"logprobs":3,"responseModalities":["TEXT"],"speechConfig":{"a":1},` +
		`"thinkingConfig":{"thinkingBudget":-1,"includeThoughts":true,"x":1},"responseMimeType":"application/json","responseJsonSchema":{"type":"object"}},"cachedContent":"cachedContents/1","labels":{"a":"b"},"serviceTier":"flex","unknown":{"x":[1]},"nothing":null}`},
	{weir.Generate, generatePath, `{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/jpeg","data":"_9j_AA"}},{"text":""}]}],"generationConfig":{},"tools":[],"toolConfig":{"functionCallingConfig":{"mode":"VALIDATED","allowedFunctionNames":["f"]}}}`},
	{weir.CountTokens, countPath, `{"contents":[{"parts":[{"text":"hi"}]}]}`},
	{weir.CountTokens, countPath, `{"generateContentRequest":{"model":"models/gemini-3-flash","contents":[{"role":"user","parts":[{"text":"hi"}]}],"systemInstruction":{"parts":[{"text":"s"}]},"tools":[{"googleSearch":{}}]}}`},
	{weir.Embed, embedPath, `{"content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY","title":"t","outputDimensionality":8}`},
	{weir.Embed, batchPath, `{"requests":[{"model":"models/e","content":{"parts":[{"text":"a"}]},"taskType":"CLUSTERING"},{"model":"models/e","content":{"parts":[{"text":"b"}]},"output_dimensionality":4}]}`},
}

// P-02: what nobody edits keeps its bytes, what an edit does not touch its value.
func TestNativeRequestsAreSentOn(t *testing.T) {
	for _, tt := range nativeRequests {
		req := open(t, tt.op, tt.path, tt.body)
		model := "gemini-3-flash"
		if tt.op == weir.Embed {
			model = "e"
		}
		to := target(model)
		to.Provider = "vertex" // whose levels of checks are the model's: none is known for "e"
		if strings.Contains(tt.body, `{"name":"f"}`) {
			to.Model = "gemini-2.5-flash" // which does not ask for signatures
		}
		call, got := sent(t, req, to)
		path, query, _ := strings.Cut(strings.TrimPrefix(tt.path, "/v1beta"), "?")
		path = strings.Replace(path, model, to.Model, 1)
		if got != strings.Replace(tt.body, `"models/gemini-3-flash"`, `"models/`+to.Model+`"`, 1) || call.Path != path || call.Query != query || len(call.Losses) > 0 {
			t.Errorf("untouched, %s became %s to %s?%s, losses %s", tt.body, got, call.Path, call.Query, lossText(call.Losses))
		}
		call, got = sent(t, edited(t, req, nothing), to)
		if !jsonx.Equal([]byte(got), []byte(tt.body)) || len(call.Losses) > 0 || call.Path != path {
			t.Errorf("edited, %s\nbecame %s to %s, losses %s", tt.body, got, call.Path, lossText(call.Losses))
		}
		if _, same := sent(t, edited(t, req, nothing), to); same != got {
			t.Errorf("written twice, %s became %s and %s", tt.body, got, same) // C-03
		}
	}
}

// The model and the method stand in the path, the framing in the query.
func TestAddresses(t *testing.T) {
	const body = `{"contents":[]}`
	for path, want := range map[string]struct {
		model  string
		stream bool
	}{
		"/v1beta/models/gemini-3-flash:generateContent":                                                 {"gemini-3-flash", false},
		"/gemini/v1beta/models/gemini-3-flash:streamGenerateContent":                                    {"gemini-3-flash", true},
		"/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-pro:streamGenerateContent": {"gemini-2.5-pro", true},
		"/v1beta/tunedModels/mine-1:generateContent":                                                    {"tunedModels/mine-1", false},
		"/v1beta/models/deepseek%2Fdeepseek-chat:generateContent":                                       {"deepseek/deepseek-chat", false},
		"/v1beta/models/ollama/qwen3:8b:generateContent":                                                {"ollama/qwen3:8b", false},
	} {
		req := open(t, weir.Generate, path, body)
		if req.Model != want.model || req.Stream != want.stream {
			t.Errorf("%s: model %q, stream %v", path, req.Model, req.Stream)
		}
	}
	if req := open(t, weir.Generate, "", `{"model":"models/m","contents":[]}`); req.Model != "m" {
		t.Errorf("a model in the body: %q", req.Model)
	}
	for path, op := range map[string]weir.Operation{
		"/v1beta/models/m:countTokens": weir.CountTokens, "/x/models/m:embedContent": weir.Embed, "/models/m:batchEmbedContents": weir.Embed, "/models/m:streamGenerateContent": weir.Generate,
	} {
		if got, ok := gemini.OperationOf(path); got != op || !ok {
			t.Errorf("%s is %s, %v", path, got, ok)
		}
	}
	for _, path := range []string{"/v1beta/models/m", "/v1beta/models", "/v1/chat/completions", "/models/m:predict", ""} {
		if op, ok := gemini.OperationOf(path); ok {
			t.Errorf("%s is %s", path, op)
		}
	}
}

// What the client says of the framing goes on, so that frames can be sent back as
// they come; its key does not.
func TestQueries(t *testing.T) {
	for path, want := range map[string]string{
		streamPath + "?alt=sse&key=SECRET&prettyPrint=false":  "alt=sse&prettyPrint=false",
		streamPath + "?KEY=SECRET&access_token=SECRET":        "",
		streamPath + "?%6Bey=SECRET&$userProject=p":           "$userProject=p",
		generatePath + "?key=SECRET":                          "",
		generatePath + "?$alt=json%3Benum-encoding%3Dint&x=1": "$alt=json%3Benum-encoding%3Dint&x=1",
	} {
		if call, _ := sent(t, open(t, weir.Generate, path, `{"contents":[]}`), target("gemini-3-flash")); call.Query != want {
			t.Errorf("%s is sent on with %q", path, call.Query)
		}
	}
	// A stage that wants the stream otherwise decides the framing.
	req := open(t, weir.Generate, streamPath+"?key=SECRET", `{"contents":[]}`).Clone()
	req.Stream = false
	if call, _ := sent(t, req, target("m")); call.Path != "/models/m:generateContent" || call.Query != "" || call.Stream {
		t.Errorf("not streamed: %+v", call)
	}
	req = open(t, weir.Generate, generatePath+"?x=1", `{"contents":[]}`).Clone()
	req.Stream = true
	if call, _ := sent(t, req, target("m")); call.Path != "/models/m:streamGenerateContent" || call.Query != "x=1&alt=sse" || !call.Stream {
		t.Errorf("streamed: %+v", call)
	}
	foreign := weir.NewRequest("m", chat(weir.UserText("a")))
	foreign.Stream = true
	if call, _ := sent(t, foreign, target("m")); call.Query != "alt=sse" {
		t.Errorf("translated: %+v", call)
	}
}

// Every name of the model becomes the target's: two readers must not disagree.
func TestModelIsReplacedEverywhere(t *testing.T) {
	for _, tt := range []struct {
		op             weir.Operation
		path, in, want string
	}{
		{weir.Generate, generatePath, `{"model":"models/alias","contents":[]}`, `{"model":"models/real","contents":[]}`},
		{weir.CountTokens, countPath, `{"generateContentRequest":{"model":"models/alias","contents":[]}}`, `{"generateContentRequest":{"model":"models/real","contents":[]}}`},
		{weir.Embed, batchPath, `{"requests":[{"model":"models/alias","content":{"parts":[{"text":"a"}]}}]}`, `{"requests":[{"model":"models/real","content":{"parts":[{"text":"a"}]}}]}`},
	} {
		call, got := sent(t, open(t, tt.op, tt.path, tt.in), target("models/real"))
		equalJSON(t, tt.in, got, tt.want)
		if !strings.HasPrefix(call.Path, "/models/real:") {
			t.Errorf("sent to %s", call.Path)
		}
	}
}

// Only the headers of the protocol go on.
func TestHeaders(t *testing.T) {
	w := wire(generatePath, `{"contents":[]}`)
	w.Header = http.Header{"X-Goog-Api-Client": {"gl-go/1"}, "X-Goog-Api-Key": {"SECRET"}}
	req, err := gemini.New().OpenRequest(weir.Generate, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*weir.Request{req, edited(t, req, nothing)} {
		call, _ := sent(t, r, target("m"))
		if len(call.Header) != 1 || call.Header.Get("X-Goog-Api-Client") != "gl-go/1" {
			t.Errorf("%v", call.Header)
		}
	}
	if names := gemini.New().RequestHeaders(); slices.Contains(names, "X-Goog-Api-Key") {
		t.Errorf("a credential among %v", names)
	}
}

// What is wrong is refused by the name of the field, at once or when it is read.
func TestWrongRequests(t *testing.T) {
	for _, tt := range []struct {
		op                weir.Operation
		path, body, param string
		kind              weir.Kind
	}{
		{weir.Generate, generatePath, `{`, "", weir.KindInvalid},
		{weir.Generate, generatePath, `[]`, "", weir.KindInvalid},
		{weir.Generate, generatePath, `{"contents":[],"contents":[]}`, "contents", weir.KindInvalid},
		{weir.Generate, generatePath, `{"systemInstruction":{"parts":[]},"system_instruction":{"parts":[]},"contents":[]}`, "systemInstruction", weir.KindInvalid},
		{weir.Generate, generatePath, `{}`, "contents", weir.KindInvalid},
		{weir.Generate, generatePath, `{"contents":"hi"}`, "contents", weir.KindInvalid},
		{weir.Generate, "/v1beta/models/m:predict", `{"contents":[]}`, "", weir.KindNotFound},
		{weir.Generate, countPath, `{"contents":[]}`, "", weir.KindNotFound},
		{weir.Generate, "", `{"contents":[]}`, "model", weir.KindInvalid},
		{weir.Embed, embedPath, `{"contents":[]}`, "content", weir.KindInvalid},
		{weir.Generate, generatePath, `{"contents":["hi"]}`, "contents[0]", weir.KindInvalid},
		{weir.Generate, generatePath, `{"contents":[{"role":"assistant","parts":[]}]}`, "contents[0].role", weir.KindInvalid},
		{weir.Generate, generatePath, `{"contents":[{"parts":["hi"]}]}`, "contents[0].parts[0]", weir.KindInvalid},
		{weir.Generate, generatePath, `{"contents":[{"parts":[{"text":1}]}]}`, "contents[0].parts[0].text", weir.KindInvalid},
		{weir.Generate, generatePath, `{"contents":[{"parts":[{"inline_data":{"mime_type":"image/png"}}]}]}`, "contents[0].parts[0].inline_data.data", weir.KindInvalid},
		{weir.Generate, generatePath, `{"contents":[{"parts":[{"fileData":{}}]}]}`, "contents[0].parts[0].fileData.fileUri", weir.KindInvalid},
		{weir.Generate, generatePath, `{"contents":[{"role":"model","parts":[{"functionCall":{"args":{}}}]}]}`, "contents[0].parts[0].functionCall.name", weir.KindInvalid},
		{weir.Generate, generatePath, `{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":"{}"}}]}]}`, "contents[0].parts[0].functionCall.args", weir.KindInvalid},
		{weir.Generate, generatePath, `{"contents":[{"parts":[{"functionResponse":{"name":"f","response":"r"}}]}]}`, "contents[0].parts[0].functionResponse.response", weir.KindInvalid},
		{weir.Generate, generatePath, `{"contents":[],"generationConfig":{"temperature":"hot"}}`, "generationConfig.temperature", weir.KindInvalid},
		{weir.Generate, generatePath, `{"contents":[],"generation_config":{"max_output_tokens":1.5}}`, "generation_config.max_output_tokens", weir.KindInvalid},
		{weir.Generate, generatePath, `{"contents":[],"generationConfig":{"thinkingConfig":{"thinkingBudget":"lots"}}}`, "generationConfig.thinkingConfig.thinkingBudget", weir.KindInvalid},
		{weir.Generate, generatePath, `{"contents":[],"generationConfig":{"responseSchema":"x"}}`, "generationConfig.responseSchema", weir.KindInvalid},
		{weir.Generate, generatePath, `{"contents":[],"tools":[{"functionDeclarations":[{"description":"d"}]}]}`, "tools[0].functionDeclarations[0].name", weir.KindInvalid},
		{weir.Generate, generatePath, `{"contents":[],"toolConfig":{"functionCallingConfig":{"mode":"MAYBE"}}}`, "toolConfig.functionCallingConfig.mode", weir.KindInvalid},
		{weir.Generate, generatePath, `{"contents":[],"cachedContent":7}`, "cachedContent", weir.KindInvalid},
	} {
		req, err := gemini.New().OpenRequest(tt.op, wire(tt.path, tt.body))
		if err == nil {
			_, err = req.Body()
		}
		e, ok := errors.AsType[*weir.Error](err)
		if !ok || e.Kind != tt.kind || e.Param != tt.param && tt.param != "" {
			t.Errorf("%s: %v", tt.body, err)
		}
	}
}

// Camel case and snake case are one protocol: they mean the same, and the edit of
// one finds the member under the name that it has.
func TestSpellingsMeanTheSame(t *testing.T) {
	camel := canonical(t, weir.Generate, generatePath, `{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}]}],`+
		`"generationConfig":{"maxOutputTokens":5,"topP":0.5,"stopSequences":["x"],"thinkingConfig":{"thinkingLevel":"LOW"}},"toolConfig":{"functionCallingConfig":{"mode":"NONE"}}}`)
	snake := canonical(t, weir.Generate, generatePath, `{"system_instruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"inline_data":{"mime_type":"image/png","data":"iVBORw0KGgo="}}]}],`+
		`"generation_config":{"max_output_tokens":5,"top_p":0.5,"stop_sequences":["x"],"thinking_config":{"thinking_level":"low"}},"tool_config":{"function_calling_config":{"mode":"none"}}}`)
	a, _ := translated(t, without(camel), target("m"))
	b, _ := translated(t, without(snake), target("m"))
	if a != b {
		t.Errorf("%s\n%s", a, b)
	}
	req := open(t, weir.Generate, generatePath, `{"contents":[],"generation_config":{"max_output_tokens":99,"top_p":0.5}}`)
	to := target("m")
	to.MaxOutput = 10
	call, got := sent(t, req, to)
	equalJSON(t, "the cap", got, `{"contents":[],"generation_config":{"max_output_tokens":10,"top_p":0.5}}`)
	if lossText(call.Losses) != "clamped generationConfig.maxOutputTokens" {
		t.Errorf("losses %s", lossText(call.Losses))
	}
}

// without is a body as if another protocol had said it.
func without(b *weir.Body) *weir.Body {
	out := b.Clone()
	out.From, out.Extra = "", nil
	for i := range out.Messages {
		out.Messages[i].Extra = nil
		for k := range out.Messages[i].Blocks {
			out.Messages[i].Blocks[k].Extra = nil
			if m := out.Messages[i].Blocks[k].Media; m != nil {
				m.Extra = nil
			}
		}
	}
	if out.Reasoning != nil {
		out.Reasoning.Extra = nil
	}
	return out
}

// An edit changes what it names and nothing else.
func TestEditsOfSettings(t *testing.T) {
	const body = `{"contents":[{"parts":[{"text":"a"}]}],"generation_config":{"temperature":0.5,"speechConfig":{"a":1}},"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"a":{"type":"STRING","format":"enum","enum":["x"]}}}}]},{"googleSearch":{}}],"toolConfig":{"functionCallingConfig":{"mode":"AUTO"},"x":1}}`
	req := open(t, weir.Generate, generatePath, body)
	for name, tt := range map[string]struct {
		edit func(*weir.Body)
		want string
	}{
		"a setting":            {func(b *weir.Body) { b.Temperature = new(1.0) }, strings.Replace(body, `0.5`, `1`, 1)},
		"a tool's description": {func(b *weir.Body) { b.Tools[0].Description = "d" }, strings.Replace(body, `"name":"f",`, `"name":"f","description":"d",`, 1)},
		"the choice":           {func(b *weir.Body) { b.ToolChoice.Mode = weir.ToolModeNone }, strings.Replace(body, `AUTO`, `NONE`, 1)},
		"the text":             {func(b *weir.Body) { b.Messages[0].Blocks[0].Text = "b" }, strings.Replace(body, `"text":"a"`, `"text":"b"`, 1)},
		"system text": {func(b *weir.Body) { b.Messages = append([]weir.Message{weir.SystemText("s")}, b.Messages...) },
			strings.Replace(body, `{"contents"`, `{"systemInstruction":{"parts":[{"text":"s"}]},"contents"`, 1)},
	} {
		_, got := sent(t, edited(t, req, tt.edit), target("m"))
		equalJSON(t, name, got, tt.want)
	}
}

// Quirks as data: parameters that a target refuses, renames or wants.
func TestQuirksOfSettings(t *testing.T) {
	req := open(t, weir.Generate, generatePath, `{"contents":[],"generationConfig":{"temperature":2,"topK":4,"seed":1,"stopSequences":["a","b"],"thinkingConfig":{"thinkingLevel":"MINIMAL"}},"serviceTier":"flex"}`)
	call, got := sent(t, req, odd("m", codec.Quirks{
		TemperatureMax: new(1.0), MaxStop: 1, DropParams: []string{"topK", "service_tier"}, RenameParams: map[string]string{"seed": "generationConfig.randomSeed"},
		SetParams: map[string]any{"generationConfig.mediaResolution": "LOW", "labels": map[string]string{"a": "b"}}, MaxTokensRequired: true, MaxTokensDefault: 7, Efforts: []string{"low", "high"},
	}))
	equalJSON(t, "quirks", got, `{"contents":[],"generationConfig":{"temperature":1,"stopSequences":["a"],"thinkingConfig":{"thinkingLevel":"LOW"},"maxOutputTokens":7,"randomSeed":1,"mediaResolution":"LOW"},"labels":{"a":"b"}}`)
	for _, want := range []string{"clamped generationConfig.temperature", "dropped generationConfig.stopSequences[1]", "dropped generationConfig.topK", "dropped serviceTier", "renamed generationConfig.seed", "clamped generationConfig.thinkingConfig.thinkingLevel"} {
		if !strings.Contains(lossText(call.Losses), want) {
			t.Errorf("%q is not among %q", want, lossText(call.Losses))
		}
	}
}

// An operation that the protocol does not have is refused, not guessed.
func TestOtherOperations(t *testing.T) {
	for _, op := range []weir.Operation{weir.Rerank, weir.Image, weir.Files, weir.Other} {
		req := weir.NewRequest("m", chat())
		req.Op = op
		if e := refused(t, req, target("m")); e.Kind != weir.KindUnsupported {
			t.Errorf("%s: %v", op, e)
		}
	}
	bound := chat(weir.UserText("a"))
	bound.Thread = &weir.Thread{Previous: "resp_1"}
	if e := refused(t, weir.NewRequest("m", bound), target("m")); e.Kind != weir.KindUnsupported || e.Param == "" {
		t.Errorf("state of another provider: %v", e)
	}
}
