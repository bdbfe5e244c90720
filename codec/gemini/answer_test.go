package gemini_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/gemini"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// Why an answer ended (protocols.md §12.3), whole and streamed; the upstream's own
// word goes back to clients of the protocol.
func TestFinishReasons(t *testing.T) {
	for native, want := range map[string]weir.FinishReason{
		"STOP": weir.FinishStop, "MAX_TOKENS": weir.FinishLength, "SAFETY": weir.FinishContentFilter, "RECITATION": weir.FinishContentFilter,
		"BLOCKLIST": weir.FinishContentFilter, "PROHIBITED_CONTENT": weir.FinishContentFilter, "SPII": weir.FinishContentFilter, "IMAGE_SAFETY": weir.FinishContentFilter,
		"LANGUAGE": weir.FinishOther, "OTHER": weir.FinishOther, "MALFORMED_FUNCTION_CALL": weir.FinishOther, "UNEXPECTED_TOOL_CALL": weir.FinishOther, "NEWER_THAN_THIS": weir.FinishOther,
	} {
		end := `,"finishReason":"` + native + `","finishMessage":"because"`
		for _, a := range []*codec.Answer{wholeAnswer(parts(`{"text":"a"}`, end)), streamAnswer(sse(parts(`{"text":"a"}`), parts(``, end)), false), streamAnswer(sse(parts(`{"text":"a"}`), parts(``, end)), true)} {
			d := decode(a)
			if d.err != nil {
				t.Errorf("%s: %v", native, d.err)
				continue
			}
			f := d.completion().Choices[0].Finish
			if f.Reason != want || f.Native != native {
				t.Errorf("%s is %+v", native, f)
			}
			if out := string(encoded(open(t, weir.Generate, generatePath, `{"contents":[]}`), detached(d.events))); member(t, out, "candidates", 0, "finishReason") != `"`+native+`"` ||
				!a.Relay && member(t, out, "candidates", 0, "finishMessage") != `"because"` {
				t.Errorf("%s is written as %s", native, out)
			}
		}
	}
	for reason, want := range map[weir.FinishReason]string{
		weir.FinishStop: "STOP", weir.FinishToolCalls: "STOP", weir.FinishLength: "MAX_TOKENS", weir.FinishContextWindow: "MAX_TOKENS", weir.FinishContentFilter: "SAFETY",
		weir.FinishRefusal: "SAFETY", weir.FinishOther: "OTHER", weir.FinishPause: "STOP", weir.FinishStopSequence: "STOP",
	} {
		events := []weir.Event{{Type: weir.EventStart, Start: &weir.Start{ID: "x"}}, {Type: weir.EventFinish, Finish: &weir.Finish{Reason: reason, Native: "end_turn", From: weir.AnthropicMessages}}}
		if out := encoded(open(t, weir.Generate, generatePath, `{"contents":[]}`), events); member(t, string(out), "candidates", 0, "finishReason") != `"`+want+`"` {
			t.Errorf("%s is written as %s", reason, out)
		}
	}
}

// S-05, S-06: calls wait for their results whatever the word, but for an answer that
// was cut.
func TestFinishOfCalls(t *testing.T) {
	const callPart = `{"functionCall":{"id":"c","name":"f","args":{}}}`
	for native, want := range map[string]weir.FinishReason{"STOP": weir.FinishToolCalls, "MAX_TOKENS": weir.FinishLength, "SAFETY": weir.FinishContentFilter} {
		for _, relay := range []bool{true, false} {
			d := decode(streamAnswer(sse(parts(callPart), parts(``, `,"finishReason":"`+native+`"`)), relay))
			if d.err != nil || d.completion().Choices[0].Finish.Reason != want {
				t.Errorf("%s, relay %v: %v, %+v", native, relay, d.err, d.completion().Choices)
			}
		}
	}
	// The word alone, in a text, is no call.
	d := decode(streamAnswer(sse(parts(`{"text":"say \"functionCall\": 1"}`), parts(``, `,"finishReason":"STOP"`)), true))
	if d.completion().Choices[0].Finish.Reason != weir.FinishStop {
		t.Errorf("%+v", d.completion().Choices)
	}
}

// E-06: a prompt that is refused is an answer without candidates, and no failure.
func TestBlockedPrompts(t *testing.T) {
	const body = `{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT","safetyRatings":[{"category":"HARM_CATEGORY_HARASSMENT","probability":"HIGH"}]},"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4},"modelVersion":"m"}`
	for name, a := range map[string]*codec.Answer{"whole": wholeAnswer(body), "stream": streamAnswer(sse(body), false), "relayed": streamAnswer(sse(body), true), "array": streamAnswer(array(body), false)} {
		d := decode(a)
		if d.err != nil {
			t.Errorf("%s: %v", name, d.err)
			continue
		}
		c := d.completion()
		if f := c.Choices[0].Finish; len(c.Choices) != 1 || f.Reason != weir.FinishContentFilter || f.Native != "PROHIBITED_CONTENT" || c.Usage.InputTokens != 4 {
			t.Errorf("%s: %+v, %+v", name, c.Choices, c.Usage)
		}
		out := encoded(open(t, weir.Generate, generatePath, `{"contents":[]}`), detached(d.events))
		equalJSON(t, name, string(out), body)
		stream := encoded(open(t, weir.Generate, streamPath+"?alt=sse", `{"contents":[]}`), detached(d.events))
		equalJSON(t, name, strings.Join(dataOf(t, stream), ""), body)
	}
	// Feedback that blocks nothing blocks nothing.
	d := decode(wholeAnswer(`{"promptFeedback":{"blockReason":"BLOCK_REASON_UNSPECIFIED"},"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}`))
	if d.err != nil || d.completion().Text() != "a" || d.completion().Choices[0].Finish.Reason != weir.FinishStop {
		t.Errorf("%v, %+v", d.err, d.completion().Choices)
	}
	for _, body := range []string{`{}`, `{"candidates":[]}`, `{"usageMetadata":{"promptTokenCount":1}}`} {
		if d := decode(wholeAnswer(body)); weir.AsError(d.err) == nil || weir.AsError(d.err).Kind != weir.KindUpstream {
			t.Errorf("%s: %v", body, d.err)
		}
	}
}

// U-03, U-07, U-08 and the arithmetic of protocols.md §11: tokens of results of
// tools are input beside the prompt, thoughts are output beside the answer.
func TestUsage(t *testing.T) {
	type counts struct{ input, output, cached, thoughts, audioIn, audioOut int64 }
	const none = -1
	for in, want := range map[string]counts{
		`{"promptTokenCount":10,"candidatesTokenCount":5,"thoughtsTokenCount":3,"cachedContentTokenCount":4,"toolUsePromptTokenCount":2,"totalTokenCount":20}`: {12, 8, 4, 3, none, none},
		`{"promptTokenCount":10,"totalTokenCount":14}`:                                  {10, 4, none, none, none, none},
		`{"promptTokenCount":10,"totalTokenCount":10}`:                                  {10, 0, none, none, none, none},
		`{"promptTokenCount":10}`:                                                       {10, none, none, none, none, none},
		`{"thoughtsTokenCount":7}`:                                                      {none, 7, none, 7, none, none},
		`{"promptTokenCount":"10","candidatesTokenCount":"5"}`:                          {10, 5, none, none, none, none},
		`{"promptTokenCount":-1,"candidatesTokenCount":1e300,"thoughtsTokenCount":1.5}`: {none, none, none, none, none, none},
		`{"promptTokenCount":9,"candidatesTokenCount":8,"promptTokensDetails":[{"modality":"TEXT","tokenCount":2},{"modality":"AUDIO","tokenCount":7}],"candidatesTokensDetails":[{"modality":"AUDIO","tokenCount":8}]}`: {9, 8, none, none, 7, 8},
	} {
		d := decode(wholeAnswer(strings.TrimSuffix(parts(`{"text":"a"}`, `,"finishReason":"STOP"`), "}") + `,"usageMetadata":` + in + `}`))
		u := d.completion().Usage
		if u == nil {
			u = &weir.Usage{}
		}
		for _, c := range []struct {
			f          weir.UsageField
			have, want int64
		}{
			{weir.UsageInput, u.InputTokens, want.input}, {weir.UsageOutput, u.OutputTokens, want.output}, {weir.UsageCacheRead, u.CacheReadTokens, want.cached},
			{weir.UsageReasoning, u.ReasoningTokens, want.thoughts}, {weir.UsageAudioInput, u.AudioInputTokens, want.audioIn}, {weir.UsageAudioOutput, u.AudioOutputTokens, want.audioOut},
		} {
			if u.Has(c.f) != (c.want != none) || u.Has(c.f) && c.have != c.want {
				t.Errorf("%s: %+v", in, u)
				break
			}
		}
		again := decode(wholeAnswer(string(encoded(open(t, weir.Generate, generatePath, `{"contents":[]}`), detached(d.events))))).completion().Usage
		if again == nil {
			again = &weir.Usage{}
		}
		if again.Known != u.Known || again.InputTokens != u.InputTokens || again.OutputTokens != u.OutputTokens || again.AudioInputTokens != u.AudioInputTokens {
			t.Errorf("%s: written again %+v, was %+v", in, again, u)
		}
	}
	foreign := weir.Usage{From: weir.OpenAIChat}
	foreign.Set(weir.UsageInput, 10)
	foreign.Set(weir.UsageOutput, 8)
	foreign.Set(weir.UsageReasoning, 3)
	foreign.Set(weir.UsageCacheRead, 4)
	out := encoded(open(t, weir.Generate, generatePath, `{"contents":[]}`), []weir.Event{{Type: weir.EventStart, Start: &weir.Start{}}, {Type: weir.EventUsage, Usage: &foreign}})
	equalJSON(t, "usage of another", member(t, string(out), "usageMetadata"), `{"promptTokenCount":10,"cachedContentTokenCount":4,"candidatesTokenCount":5,"thoughtsTokenCount":3,"totalTokenCount":18}`)
}

// Whatever an answer holds is read, and written again by value: media, code that
// Google ran, citations, log probabilities, several candidates, unknown members.
func TestAnswersAreWrittenAgain(t *testing.T) {
	for name, body := range map[string]string{
		"media":         parts(`{"text":"see"},{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}},{"inlineData":{"mimeType":"audio/L16;rate=24000","data":"AAAA"}},{"fileData":{"mimeType":"video/mp4","fileUri":"https://example.com/v"}}`, `,"finishReason":"STOP","index":0`),
		"code":          parts(`{"executableCode":{"language":"PYTHON","code":"1"}},{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"1"}},{"text":"one"}`, `,"finishReason":"STOP","index":0`),
		"thought image": parts(`{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="},"thought":true},{"text":"a"}`, `,"finishReason":"STOP","index":0`),
		"members":       `{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"finishReason":"STOP","index":0,"avgLogprobs":-0.5,"safetyRatings":[{"category":"x"}],"urlContextMetadata":{"a":1},"tokenCount":3}],"modelVersion":"m","responseId":"r","createTime":"2026-01-01T00:00:00Z","modelStatus":{"a":1}}`,
		"candidates":    `{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"finishReason":"STOP","index":0},{"content":{"parts":[{"text":"b"}],"role":"model"},"finishReason":"MAX_TOKENS","index":1}],"modelVersion":"m","responseId":"r"}`,
		"grounding": `{"candidates":[{"content":{"parts":[{"text":"堰 is a weir."}],"role":"model"},"finishReason":"STOP","index":0,"groundingMetadata":{"webSearchQueries":["q"],"groundingChunks":[{"web":{"uri":"https://example.com","title":"E"}}],` +
			`"groundingSupports":[{"segment":{"startIndex":4,"endIndex":15,"text":"is a weir."},"groundingChunkIndices":[0]}]}}],"modelVersion":"m","responseId":"r"}`,
		"citations": `{"candidates":[{"content":{"parts":[{"text":"four score"}],"role":"model"},"finishReason":"STOP","index":0,"citationMetadata":{"citationSources":[{"startIndex":0,"endIndex":4,"uri":"https://example.com","license":"x"}]}}],"modelVersion":"m","responseId":"r"}`,
		"logprobs":  `{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"finishReason":"STOP","index":0,"logprobsResult":{"chosenCandidates":[{"token":"a","logProbability":-0.5}],"topCandidates":[{"candidates":[{"token":"a","logProbability":-0.5},{"token":"b","logProbability":-1}]}]}}],"modelVersion":"m","responseId":"r"}`,
		"nothing":   `{"candidates":[{"content":{"parts":[],"role":"model"},"finishReason":"MAX_TOKENS","index":0}],"modelVersion":"m","responseId":"r"}`,
	} {
		d := decode(wholeAnswer(body))
		if d.err != nil {
			t.Errorf("%s: %v", name, d.err)
			continue
		}
		equalJSON(t, name, string(encoded(open(t, weir.Generate, generatePath, `{"contents":[]}`), detached(d.events))), body)
		if got := encoded(open(t, weir.Generate, generatePath, `{"contents":[]}`), d.events); string(got) != body {
			t.Errorf("%s: sent on as %s", name, got)
		}
	}
}

// Offsets are bytes on the wire and characters for everybody else.
func TestCitations(t *testing.T) {
	body := `{"candidates":[{"content":{"parts":[{"text":"堰 is a weir."}]},"finishReason":"STOP","groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://example.com","title":"E"}}],"groundingSupports":[{"segment":{"startIndex":4,"endIndex":14,"text":"is a weir."},"groundingChunkIndices":[0,9]}]}}]}`
	c := decode(wholeAnswer(body)).completion()
	cites := c.Choices[0].Message.Blocks[0].Citations
	if len(cites) != 1 || cites[0].Start != 2 || cites[0].End != 12 || cites[0].URL != "https://example.com" || cites[0].Cited != "is a weir." {
		t.Fatalf("%+v", cites)
	}
	foreign := []weir.Event{
		{Type: weir.EventStart, Start: &weir.Start{}}, {Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}}, {Type: weir.EventDelta, Text: "堰 is a weir."},
		{Type: weir.EventDelta, Part: weir.PartCitation, Citation: &weir.Citation{Type: "url", URL: "https://example.com", Title: "E", Start: 2, End: 12, From: weir.OpenAIChat}},
		{Type: weir.EventBlockEnd}, {Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}},
	}
	for _, path := range []string{generatePath, streamPath} {
		out := string(encoded(open(t, weir.Generate, path, `{"contents":[]}`), foreign))
		if path == streamPath {
			out = member(t, out, 1)
		}
		equalJSON(t, path, member(t, out, "candidates", 0, "groundingMetadata"),
			`{"groundingChunks":[{"web":{"uri":"https://example.com","title":"E"}}],"groundingSupports":[{"segment":{"startIndex":4,"endIndex":14,"text":"is a weir."},"groundingChunkIndices":[0]}]}`)
	}
}

// T-09: empty texts open no block, and numbers in place of words are understood.
func TestOddAnswers(t *testing.T) {
	d := decode(wholeAnswer(parts(`{"text":"","thought":true},{"text":"a"},{"text":""}`, `,"finishReason":1`)))
	m := d.completion().Choices[0].Message
	if d.err != nil || !sameTypes(&m, weir.BlockText) || d.completion().Choices[0].Finish.Native != "STOP" {
		t.Errorf("%v, %+v", d.err, d.completion().Choices)
	}
	d = decode(wholeAnswer(`{"candidates":[{"content":{"parts":{"text":"a"}},"finishReason":"STOP"}],"usageMetadata":null,"promptFeedback":{}}`))
	if d.err != nil || d.completion().Text() != "a" || d.completion().Usage != nil {
		t.Errorf("%v, %+v", d.err, d.completion())
	}
	// W-08: candidates without content, parts or role.
	for _, body := range []string{`{"candidates":[{"finishReason":"STOP"}]}`, `{"candidates":[{"content":{},"finishReason":"STOP"}]}`, `{"candidates":[{"content":{"parts":null},"finishReason":"STOP"}]}`} {
		if d := decode(wholeAnswer(body)); d.err != nil || len(d.completion().Choices) != 1 {
			t.Errorf("%s: %v", body, d.err)
		}
	}
	for _, body := range []string{`{"candidates":{}}`, `{"candidates":[{"content":{"parts":[1]}}]}`, `{"candidates":[{"content":{"parts":[{"inlineData":{}}]}}]}`, `{"candidates":[7]}`} {
		if d := decode(wholeAnswer(body)); d.err == nil {
			t.Errorf("%s was taken", body)
		}
	}
}

// Errors in Google's words, both ways (protocols.md §7.7).
func TestErrorsOfUpstreams(t *testing.T) {
	for _, tt := range []struct {
		status int
		body   string
		kind   weir.Kind
		wait   time.Duration
	}{
		{400, `{"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \"x\"","status":"INVALID_ARGUMENT"}}`, weir.KindInvalid, 0},
		{400, `{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}`, weir.KindUpstreamAuth, 0},
		{400, `{"error":{"code":400,"message":"The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}`, weir.KindContextLength, 0},
		{403, `{"error":{"code":403,"message":"no","status":"PERMISSION_DENIED"}}`, weir.KindPermission, 0},
		{404, `{"error":{"code":404,"message":"models/x is not found for API version v1beta","status":"NOT_FOUND"}}`, weir.KindModelNotFound, 0},
		{429, `{"error":{"code":429,"message":"Resource has been exhausted","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"31s"}]}}`, weir.KindRateLimit, 31 * time.Second},
		{429, `[{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"0.5s"}]}}]`, weir.KindRateLimit, 500 * time.Millisecond},
		{503, `{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}`, weir.KindOverloaded, 0},
		{504, `{"error":{"code":504,"message":"Deadline expired","status":"DEADLINE_EXCEEDED"}}`, weir.KindTimeout, 0},
		{500, ``, weir.KindUpstream, 0},
		{502, `<html>bad gateway</html>`, weir.KindUpstream, 0},
		{400, `[`, weir.KindInvalid, 0},
	} {
		e := gemini.New().DecodeError(tt.status, http.Header{}, []byte(tt.body), target("m"))
		if e.Kind != tt.kind || e.RetryAfter != tt.wait || e.Status != tt.status || e.Provider != "gemini" || e.Message == "" {
			t.Errorf("%s: %+v", tt.body, e)
		}
		out := gemini.New().AppendError(nil, e)
		if strings.Contains(tt.body, `"error"`) && string(out) != tt.body || jsonx.Valid(out) != nil { // E-04, E-07
			t.Errorf("%s became %s", tt.body, out)
		}
	}
}

func TestErrorsForClients(t *testing.T) {
	e := weir.Errorf(weir.KindRateLimit, "slow down")
	e.Param, e.Hint, e.RetryAfter = "contents[0]", "wait", 1500*time.Millisecond
	e.Attempts = []*weir.Attempt{{Deployment: "a/b", Err: &weir.Error{Kind: weir.KindOverloaded, Status: 503}}}
	equalJSON(t, "an error", string(gemini.New().AppendError(nil, e)), `{"error":{"code":429,"message":"slow down (wait)","status":"RESOURCE_EXHAUSTED","details":[`+
		`{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents[0]","description":"slow down (wait)"}]},`+
		`{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.5s"},`+
		`{"@type":"type.googleapis.com/google.rpc.Help","links":[{"description":"attempt: a/b, status 503, overloaded"}]}]}}`) // E-05
	for kind, want := range map[weir.Kind]string{
		weir.KindInvalid: "400 INVALID_ARGUMENT", weir.KindUnauthenticated: "401 UNAUTHENTICATED", weir.KindPermission: "403 PERMISSION_DENIED", weir.KindModelNotFound: "404 NOT_FOUND",
		weir.KindQuota: "429 RESOURCE_EXHAUSTED", weir.KindInternal: "500 INTERNAL", weir.KindUpstream: "502 UNAVAILABLE", weir.KindOverloaded: "503 UNAVAILABLE", weir.KindTimeout: "504 DEADLINE_EXCEEDED", weir.KindCanceled: "499 CANCELLED",
	} {
		out := string(gemini.New().AppendError(nil, weir.Errorf(kind, "x")))
		if got := member(t, out, "error", "code") + " " + strings.Trim(member(t, out, "error", "status"), `"`); got != want {
			t.Errorf("%s is %s, want %s", kind, got, want)
		}
	}
	// An upstream's own code is sent on with the name that Google has for it. // E-01
	for status, want := range map[int]string{500: "INTERNAL", 502: "UNAVAILABLE", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"} {
		e := weir.Errorf(weir.KindUpstream, "x")
		e.Status = status
		out := string(gemini.New().AppendError(nil, e))
		if got := strings.Trim(member(t, out, "error", "status"), `"`); got != want || member(t, out, "error", "code") != strconv.Itoa(status) {
			t.Errorf("%d: %s", status, out)
		}
	}
	// Clients compact their conversation when they read these words.
	if out := string(gemini.New().AppendError(nil, weir.Errorf(weir.KindContextLength, "too long"))); !strings.Contains(out, "exceeds the maximum number of tokens allowed") {
		t.Errorf("%s", out)
	}
	// Another protocol's error is not sent on as it is.
	e = weir.Errorf(weir.KindInvalid, "x")
	e.Status, e.Wire = 422, &weir.ErrorWire{Protocol: weir.OpenAIChat, Status: 422, Body: []byte(`{"error":{"message":"theirs"}}`)}
	if out := string(gemini.New().AppendError(nil, e)); strings.Contains(out, "theirs") || member(t, out, "error", "code") != "422" {
		t.Errorf("%s", out)
	}
}

// E-02: an error with status 200 is one, whole and as the first event.
func TestErrorsIn200(t *testing.T) {
	const body = `{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"7s"}]}}`
	for name, a := range map[string]*codec.Answer{"whole": wholeAnswer(body), "events": streamAnswer(sse(body), true), "array": streamAnswer("["+body+"]", false), "whole for a stream": streamAnswer(body, false)} {
		d := decode(a)
		if e := weir.AsError(d.err); e == nil || e.Kind != weir.KindRateLimit || e.RetryAfter != 7*time.Second || len(d.events) > 0 {
			t.Errorf("%s: %v, %d events", name, d.err, len(d.events))
		}
	}
	for _, op := range []weir.Operation{weir.CountTokens, weir.Embed} {
		a := wholeAnswer(body)
		a.Op = op
		if e := weir.AsError(decode(a).err); e == nil || e.Kind != weir.KindRateLimit {
			t.Errorf("%s: %v", op, e)
		}
	}
}

// Media that a model of another protocol made reach a client of this one.
func TestMediaOfOthers(t *testing.T) {
	block := func(b weir.Block) []weir.Event {
		return []weir.Event{{Type: weir.EventStart, Start: &weir.Start{}}, {Type: weir.EventBlockStart, Block: &b}, {Type: weir.EventBlockEnd}, {Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}}}
	}
	for want, b := range map[string]weir.Block{
		`{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}`:            {Type: weir.BlockImage, Media: &weir.Media{URL: "data:image/png;base64,iVBORw0KGgo="}},
		`{"inlineData":{"mimeType":"audio/wav","data":"AAAA"}}`:                    {Type: weir.BlockAudio, Media: &weir.Media{Data: "AAAA", Transcript: "hi"}},
		`{"fileData":{"mimeType":"image/jpeg","fileUri":"https://example.com/a"}}`: {Type: weir.BlockImage, Media: &weir.Media{URL: "https://example.com/a"}},
		`{"text":"spoken"}`: {Type: weir.BlockAudio, Media: &weir.Media{Transcript: "spoken"}},
		`{"text":"no"}`:     {Type: weir.BlockRefusal, Text: "no"},
		`{"functionCall":{"id":"c","name":"patch","args":{"input":"*** Begin"}}}`: {Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "c", Name: "patch", Type: weir.ToolCustom, Arguments: "*** Begin"}},
	} {
		whole := encoded(open(t, weir.Generate, generatePath, `{"contents":[]}`), block(b))
		equalJSON(t, "whole", member(t, string(whole), "candidates", 0, "content", "parts", 0), want)
		stream := encoded(open(t, weir.Generate, streamPath+"?alt=sse", `{"contents":[]}`), block(b))
		equalJSON(t, "stream", member(t, dataOf(t, stream)[0], "candidates", 0, "content", "parts", 0), want)
	}
	for _, path := range []string{generatePath, streamPath} {
		e := gemini.New().NewEncoder(open(t, weir.Generate, path, `{"contents":[]}`))
		for _, ev := range block(weir.Block{Type: weir.BlockOpaque, Opaque: &weir.Opaque{Protocol: weir.AnthropicMessages, Type: "x", Raw: []byte(`{}`)}}) {
			_ = e.Encode(nil, ev)
		}
		_ = e.Close(nil, nil)
		if lossText(e.Losses()) != "dropped candidates.content.parts.opaque" {
			t.Errorf("losses %s", lossText(e.Losses()))
		}
	}
}
