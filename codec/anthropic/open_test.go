package anthropic

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
)

func TestWrongRequestsAreRefusedWithThePathOfTheField(t *testing.T) { // E-04
	const m = `{"model":"a","max_tokens":1,"messages":`
	tests := []struct{ name, body, param string }{
		{"no model", `{"max_tokens":1,"messages":[]}`, "model"},
		{"a model that is no string", `{"model":1,"max_tokens":1,"messages":[]}`, "model"},
		{"no messages", `{"model":"a","max_tokens":1}`, "messages"},
		{"no cap", `{"model":"a","messages":[]}`, "max_tokens"},
		{"a cap that is no number", `{"model":"a","max_tokens":"1","messages":[]}`, "max_tokens"},
		{"a cap that is no whole number", `{"model":"a","max_tokens":1.5,"messages":[]}`, "max_tokens"},
		{"a stream that is no flag", `{"model":"a","max_tokens":1,"messages":[],"stream":"yes"}`, "stream"},
		{"a member twice", `{"model":"a","model":"b","max_tokens":1,"messages":[]}`, "model"},
		{"a role of nobody", m + `[{"role":"tool","content":"x"}]}`, "messages[0].role"},
		{"no content", m + `[{"role":"user"}]}`, "messages[0].content"},
		{"content that is a number", m + `[{"role":"user","content":1}]}`, "messages[0].content"},
		{"a block that is a string", m + `[{"role":"user","content":["x"]}]}`, "messages[0].content[0]"},
		{"a block without a type", m + `[{"role":"user","content":[{}]}]}`, "messages[0].content[0].type"},
		{"a text that is a number", m + `[{"role":"user","content":[{"type":"text","text":1}]}]}`, "messages[0].content[0].text"},
		{"an image without a source", m + `[{"role":"user","content":[{"type":"image"}]}]}`, "messages[0].content[0].source"},
		{"a source without a media type", m + `[{"role":"user","content":"x"},{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"AA"}}]}]}`, "messages[1].content[0].source.media_type"},
		{"a media type that is a number", m + `[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":1,"data":"AA"}}]}]}`, "messages[0].content[0].source.media_type"},
		{"a call without an id", m + `[{"role":"assistant","content":[{"type":"tool_use","name":"f","input":{}}]}]}`, "messages[0].content[0].id"},
		{"input that is text", m + `[{"role":"assistant","content":[{"type":"tool_use","id":"i","name":"f","input":"{}"}]}]}`, "messages[0].content[0].input"},
		{"a result without a call", m + `[{"role":"user","content":[{"type":"tool_result","content":"x"}]}]}`, "messages[0].content[0].tool_use_id"},
		{"a wrong block in a result", m + `[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":1}]}]}]}`, "messages[0].content[0].content[0].text"},
		{"a tool without a name", m + `[],"tools":[{"input_schema":{}}]}`, "tools[0].name"},
		{"a schema that is no object", m + `[],"tools":[{"name":"f","input_schema":[]}]}`, "tools[0].input_schema"},
		{"a choice of nothing", m + `[],"tool_choice":{"type":"all"}}`, "tool_choice.type"},
		{"a choice of an unnamed tool", m + `[],"tool_choice":{"type":"tool"}}`, "tool_choice.name"},
		{"a temperature that is text", m + `[],"temperature":"hot"}`, "temperature"},
		{"a stop that is a number", m + `[],"stop_sequences":["a",1]}`, "stop_sequences[1]"},
		{"a budget that is text", m + `[],"thinking":{"type":"enabled","budget_tokens":"x"}}`, "thinking.budget_tokens"},
		{"a user id that is a number", m + `[],"metadata":{"user_id":1}}`, "metadata.user_id"},
		{"a cache mark that is text", m + `[],"cache_control":"ephemeral"}`, "cache_control"},
		{"text that is not UTF-8", m + "[{\"role\":\"user\",\"content\":\"\xff\"}]}", ""},
		{"no JSON", `{"model":`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := New().OpenRequest(weir.Generate, &weir.Wire{Body: []byte(tt.body)})
			if err == nil {
				_, err = req.Body()
			}
			var e *weir.Error
			if !errors.As(err, &e) || e.Kind != weir.KindInvalid || e.Param != tt.param {
				t.Fatalf("got %+v, want %s", err, tt.param)
			}
		})
	}
}

func TestTheDoorReadsModelAndStream(t *testing.T) {
	req := wire(t, weir.Generate, nil, `{"stream":true,"messages":[{"broken":1}],"max_tokens":0,"model":"a"}`)
	if req.Model != "a" || !req.Stream || req.Op != weir.Generate {
		t.Errorf("got %+v", req)
	}
}

func TestEveryFieldHasItsPlaceInTheCanonicalForm(t *testing.T) {
	const body = `{"model":"a","max_tokens":9,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h","scope":"x"}}],
"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"S"},{"type":"redacted_thinking","data":"R"},{"type":"tool_use","id":"i","name":"f","input":{"b":1,"a":1.0},"caller":{"type":"direct"}},{"type":"server_tool_use","id":"s","name":"w","input":{}}]},
{"role":"user","content":[{"type":"tool_result","tool_use_id":"i","is_error":true,"content":[{"type":"image","source":{"type":"url","url":"u"}}]},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"d"},"title":"T","context":"C","citations":{"enabled":true}}]}],
"tools":[{"name":"f","description":"d","input_schema":{"type":"object"},"strict":true,"defer_loading":true},{"type":"web_search_20260209","name":"web_search"}],
"tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true},"thinking":{"type":"enabled","budget_tokens":2000,"display":"omitted"},
"output_config":{"effort":"high","task_budget":1},"metadata":{"user_id":"u","x":1},"stop_sequences":["a"],"top_k":3,"service_tier":"auto","container":"c","mcp_servers":[]}`
	b, err := wire(t, weir.Generate, http.Header{headerBeta: {"x"}}, body).Body()
	if err != nil {
		t.Fatal(err)
	}
	s, a, u := b.Messages[0], b.Messages[2], b.Messages[3]
	checks := map[string]bool{
		"from":        b.From == protocol && b.Header.Get(headerBeta) == "x",
		"system":      s.Role == weir.RoleSystem && s.Blocks[0].Cache.TTL == "1h" && s.Blocks[0].Cache.Extra.Value("scope") != nil,
		"plain":       b.Messages[1].Plain && b.Messages[1].Text() == "hi",
		"thinking":    a.Blocks[0].Text == "t" && a.Blocks[0].Reasoning.Signature == "S" && a.Blocks[0].Reasoning.Format == reasoningFormat,
		"redacted":    a.Blocks[1].Reasoning.Encrypted == "R",
		"call":        a.Blocks[2].Call.Arguments == `{"b":1,"a":1.0}` && a.Blocks[2].Call.Extra.Value("caller") != nil,
		"hosted call": a.Blocks[3].Opaque.Type == "server_tool_use" && len(a.ToolCalls()) == 1,
		"result":      u.Blocks[0].Result.IsError && u.Blocks[0].Result.Content[0].Media.URL == "u", // P-09
		"document":    u.Blocks[1].Media.Text == "d" && u.Blocks[1].Media.Name == "T" && u.Blocks[1].Media.Context == "C" && *u.Blocks[1].Media.Citations,
		"tool":        b.Tools[0].Name == "f" && *b.Tools[0].Strict && b.Tools[0].Extra.Value("defer_loading") != nil,
		"hosted tool": b.Tools[1].Type == weir.ToolHosted && b.Tools[1].Name == "web_search" && b.Tools[1].Raw != nil,
		"choice":      b.ToolChoice.Mode == weir.ToolModeNamed && b.ToolChoice.Names[0] == "f" && !*b.ParallelToolCalls, // S-11
		"reasoning":   b.Reasoning.Mode == "enabled" && *b.Reasoning.Budget == 2000 && b.Reasoning.Display == "omitted" && b.Reasoning.Effort == "high",
		"rest":        string(b.Extra.Value("output_config")) == `{"task_budget":1}` && string(b.Extra.Value("metadata")) == `{"x":1}` && b.User == "u",
		"settings":    b.Stop[0] == "a" && *b.TopK == 3 && b.ServiceTier == "auto" && b.Extra.Value("container") != nil,
	}
	for name, ok := range checks {
		if !ok {
			t.Errorf("%s is not in its place", name)
		}
	}
}

func TestTheVersionOf2026RefusesWhatItRefuses(t *testing.T) { // protocols.md §6.1
	const m = `{"model":"a","max_tokens":1,"messages":[{"role":"`
	tests := []struct{ name, body, param string }{
		{"sampling", m + `user","content":"x"}],"temperature":1}`, "temperature"},
		{"top_k", m + `user","content":"x"}],"top_k":1}`, "top_k"},
		{"a document of the assistant", m + `assistant","content":[{"type":"document","source":{"type":"url","url":"u"}}]}]}`, "messages[0].content[0]"},
		{"citations of the user", m + `user","content":[{"type":"text","text":"a","citations":[{"type":"x"}]}]}]}`, "messages[0].content[0].citations"},
		{"citations in a search result", m + `user","content":[{"type":"search_result","content":[{"type":"text","text":"a","citations":[{}]}]}]}]}`, "messages[0].content[0].content[0].citations"},
		{"citations in a search result of a tool", m + `user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"search_result","content":[{"type":"text","text":"a","citations":[{}]}]}]}]}]}`, "messages[0].content[0].content[0].content[0].citations"},
		{"citations of the assistant are fine", m + `assistant","content":[{"type":"text","text":"a","citations":[{"type":"x"}]}]}]}`, ""},
		{"a document that is to be cited is fine", m + `user","content":[{"type":"document","source":{"type":"url","url":"u"},"citations":{"enabled":true}}]}]}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, version := range []string{version2023, version2026} {
				_, err := wire(t, weir.Generate, http.Header{headerVersion: {version}}, tt.body).Body()
				if weird := weir.AsError(err); version == version2023 && err != nil || version == version2026 && (err == nil) != (tt.param == "") || err != nil && weird.Param != tt.param {
					t.Errorf("%s: %+v", version, err)
				}
			}
		})
	}
}

func TestAVersionThatCannotBeReadIsRefusedBeforeTranslating(t *testing.T) {
	const body = `{"model":"a","max_tokens":1,"messages":[]}`
	for version, ok := range map[string]bool{
		version2023: true, version2026: true, "2027-01-01": true, // C-09
		"2023-06-01, 2023-06-01": false, "latest": false,
	} {
		req := wire(t, weir.Generate, http.Header{headerVersion: {version}}, body)
		if _, err := New().EncodeRequest(req, plainTarget("a")); err != nil {
			t.Errorf("%s: a relay leaves it to the upstream: %v", version, err)
		}
		if _, err := req.Body(); (err == nil) != ok {
			t.Errorf("%s: %v", version, err)
		}
	}
}

func TestErrorsAreInTheProtocolsForm(t *testing.T) { // E-01, E-05, E-07
	attempts := weir.Errorf(weir.KindUnavailable, "nobody answers")
	attempts.Attempts = []*weir.Attempt{{Deployment: "a/b", Err: &weir.Error{Kind: weir.KindRateLimit, Status: 429}}}
	tests := []struct {
		name string
		err  *weir.Error
		want string
	}{
		{"invalid", weir.Invalid("x", "x: wrong"), `{"type":"error","error":{"type":"invalid_request_error","message":"x: wrong"}}`},
		{"a full context", weir.Errorf(weir.KindContextLength, "maximum context length is 9 tokens"), `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: maximum context length is 9 tokens"}}`},
		{"a full context in the right words", weir.Errorf(weir.KindContextLength, "prompt is too long: 2 tokens > 1 maximum"), `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 2 tokens > 1 maximum"}}`},
		{"all attempts", attempts, `{"type":"error","error":{"type":"overloaded_error","message":"nobody answers","attempts":[{"deployment":"a/b","status":429,"reason":"rate_limit"}]}}`},
		{"an upstream of this protocol", &weir.Error{Wire: &weir.ErrorWire{Protocol: protocol, Body: []byte(`{"type": "error","error":{"type":"x"},"z":1}`)}}, `{"type": "error","error":{"type":"x"},"z":1}`},
		{"an upstream's page", New().DecodeError(502, nil, []byte("<html>"), plainTarget("m")), `{"type":"error","error":{"type":"api_error","message":"the upstream answered 502 with an HTML page"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(New().AppendError(nil, tt.err)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	if s := New().RequestHeaders(); strings.Join(s, ",") != "Anthropic-Version,Anthropic-Beta" {
		t.Errorf("headers %v", s)
	}
}
