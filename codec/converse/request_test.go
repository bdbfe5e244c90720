package converse

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// odd is a request with every kind of block and most of the settings.
const odd = `{
 "messages": [
  {"role":"user","content":[{"text":"hi"},{"cachePoint":{"type":"default","ttl":"1h"}},
   {"image":{"format":"png","source":{"bytes":"aGk="}}},{"image":{"format":"jpeg","source":{"s3Location":{"uri":"s3://b/k","bucketOwner":"1"}}}},
   {"document":{"format":"pdf","name":"a b","source":{"bytes":"aGk="},"context":"c","citations":{"enabled":true}}},
   {"document":{"name":"t","source":{"text":"plain"},"citations":{"enabled":false}}},
   {"document":{"format":"txt","name":"p","source":{"content":[{"text":"one"},{"text":"two"}]}}},
   {"document":{"format":"epub","name":"x","source":{"bytes":"aGk="}}},
   {"video":{"format":"three_gp","source":{"bytes":"aGk="}}},{"audio":{"format":"mp3","source":{"bytes":"aGk="}}},
   {"guardContent":{"text":{"text":"guard me","qualifiers":["query"]}}},{"guardContent":{"image":{"format":"png","source":{"bytes":"aGk="}}}},
   {"searchResult":{"source":"s","title":"t","content":[{"text":"x"}]}},{"cachePoint":{"type":"default"}},{"cachePoint":{"type":"default"}},
   {"toolAddition":{"tool":{"name":"n"}}},{"new":{"x":1}}]},
  {"role":"assistant","content":[
   {"reasoningContent":{"reasoningText":{"text":"hm","signature":"c2ln"}}},{"reasoningContent":{"redactedContent":"RXRrRQ=="}},
   {"reasoningContent":{"redactedContent":"/w=="}},
   {"citationsContent":{"content":[{"text":"a "},{"text":"b"}],"citations":[{"title":"t","sourceContent":[{"text":"q"}],"location":{"documentChar":{"documentIndex":0,"start":0,"end":1}}}]}},
   {"toolUse":{"toolUseId":"1","name":"f","input":{"a":[1,1.0]},"type":"tool_use"}},{"toolUse":{"toolUseId":"2","name":"f","input":[]}},
   {"toolUse":{"toolUseId":"s","name":"nova_grounding","input":{},"type":"server_tool_use"}},
   {"toolResult":{"toolUseId":"s","content":[{"json":{}}],"type":"nova_grounding_result"}}]},
  {"role":"user","content":[
   {"toolResult":{"toolUseId":"1","status":"success","content":[{"json":{"k": "v"}},{"text":"x"},{"image":{"format":"webp","source":{"bytes":"aGk="}}},{"searchResult":{"source":"s","title":"t","content":[]}}]}},
   {"toolResult":{"toolUseId":"2","status":"error","content":[]},"cachePoint":null},{"type":"text","text":"go on"}]},
  {"role":"system","content":[{"text":"late"}],"beta":true}],
 "system": [{"text":"be good"},{"cachePoint":{"type":"default"}},{"guardContent":{"text":{"text":"g"}}}],
 "inferenceConfig": {"maxTokens":10,"temperature":0.50,"topP":1,"stopSequences":["x"],"new":1},
 "toolConfig": {"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type":"object"}},"strict":true,"x":1}},{"cachePoint":{"type":"default"}},{"systemTool":{"name":"nova_grounding"}}],
  "toolChoice":{"tool":{"name":"f"}},"new":{}},
 "additionalModelRequestFields": {"thinking":{"type":"enabled","budget_tokens":2000,"block_binding":{}},"top_k":5,"anthropic_beta":["b"]},
 "outputConfig": {"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\": \"object\"}","name":"n"}}},"effort":"high"},
 "requestMetadata": {"a":"b"}, "serviceTier": {"type":"priority"}, "performanceConfig": {"latency":"optimized"},
 "guardrailConfig": {"guardrailIdentifier":"g"}, "promptVariables": {"v":{"text":"x"}}, "additionalModelResponseFieldPaths": ["/stop_sequence"],
 "tomorrow": null, "new": {"a":[]}
}`

// P-01, P-12: what is not touched goes up as it came, what is edited by value.
func TestOwnRequestsAreKept(t *testing.T) {
	req := open(t, weir.Generate, "/model/"+claude+"/converse-stream", odd)
	if req.Model != claude || !req.Stream {
		t.Errorf("model %q, stream %v", req.Model, req.Stream)
	}
	target := plainTarget(claude)
	call, err := New().EncodeRequest(req, target)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(bytes.Join(call.Body, nil)); got != odd || len(call.Losses) > 0 {
		t.Errorf("untouched: %s, %v", got, call.Losses)
	}
	if call.Path != "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream" || !call.Stream || call.Header.Get("Accept") != streamType {
		t.Errorf("path %s, stream %v, header %v", call.Path, call.Stream, call.Header)
	}
	edited, err := req.Edit(func(*weir.Body) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if call, err = New().EncodeRequest(edited, target); err != nil {
		t.Fatal(err)
	}
	equalJSON(t, "edited", string(bytes.Join(call.Body, nil)), odd)
	if len(call.Losses) > 0 {
		t.Errorf("losses %v", call.Losses)
	}
}

// An edit changes what it is about and nothing else.
func TestEditsOfOwnRequests(t *testing.T) {
	req := open(t, weir.Generate, "/model/m/converse", odd)
	edited, err := req.Edit(func(b *weir.Body) error {
		for i := range b.Messages {
			for k := range b.Messages[i].Blocks {
				block := &b.Messages[i].Blocks[k]
				block.Text = strings.ReplaceAll(block.Text, "guard me", "[redacted]")
				block.Text = strings.ReplaceAll(block.Text, "a b", "[cited]")
				if r := block.Result; r != nil && r.CallID == "1" {
					r.Content[0].Text = "[json]"
				}
				if m := block.Media; m != nil && m.Name == "p" {
					m.Text = "[doc]"
				}
			}
		}
		b.MaxTokens, b.Reasoning.Budget, b.ServiceTier = new(int64(99)), new(int64(3000)), "flex"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	call, err := New().EncodeRequest(edited, plainTarget("m"))
	if err != nil {
		t.Fatal(err)
	}
	got := string(bytes.Join(call.Body, nil))
	for _, want := range []string{
		`{"guardContent":{"text":{"text":"[redacted]","qualifiers":["query"]}}}`, `"content":[{"text":"[cited]"}]`, `{"text":"[json]"`,
		`"source":{"text":"[doc]"}`, `"inferenceConfig":{"maxTokens":99,"temperature":0.5,"topP":1,"stopSequences":["x"],"new":1}`,
		`"thinking":{"type":"enabled","budget_tokens":3000,"block_binding":{}}`, `"top_k":5`, `"anthropic_beta":["b"]`, `"effort":"high"`,
		`"schema":"{\"type\":\"object\"}"`, `"serviceTier":{"type":"flex"}`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
}

func TestCanonicalForm(t *testing.T) {
	b, err := open(t, weir.Generate, "/model/m/converse", odd).Body()
	if err != nil {
		t.Fatal(err)
	}
	if b.Messages[0].Role != weir.RoleSystem || b.Messages[0].Blocks[0].Cache == nil || b.Messages[1].Blocks[0].Cache.TTL != "1h" {
		t.Errorf("cache marks: %+v", b.Messages[0])
	}
	user, model := b.Messages[1].Blocks, b.Messages[2].Blocks
	if user[1].Media.MIME != "image/png" || user[2].Media.FileID != "s3://b/k" || user[3].Media.Name != "a b" || user[5].Media.Text != "one\n\ntwo" ||
		user[6].Media.MIME != "application/epub" || user[7].Media.MIME != "video/3gpp" || user[7].Type != weir.BlockFile || user[8].Type != weir.BlockAudio || user[9].Text != "guard me" {
		t.Errorf("user blocks %+v", user)
	}
	if user[1].At != "messages[0].content[2]" || codec.NewPaths(b).Message(1) != "messages[0]" {
		t.Errorf("block 1 stood at %q of %q", user[1].At, codec.NewPaths(b).Message(1))
	}
	if r := model[0].Reasoning; r.Signature != "c2ln" || r.Format != claudeFormat || model[1].Reasoning.Encrypted != "EtkE" ||
		model[2].Reasoning.Encrypted != "/w==" || model[2].Reasoning.Format != rawFormat {
		t.Errorf("reasoning %+v %+v", model[1].Reasoning, model[2].Reasoning)
	}
	if model[3].Text != "a b" || len(model[3].Citations) != 1 || model[3].Citations[0].Cited != "q" || model[6].Type != weir.BlockOpaque || model[7].Type != weir.BlockOpaque {
		t.Errorf("model blocks %+v", model[3:])
	}
	if b.Tools[0].Cache == nil || b.Tools[1].Type != weir.ToolHosted || b.ToolChoice.Names[0] != "f" || *b.TopK != 5 || *b.Reasoning.Budget != 2000 ||
		b.Reasoning.Effort != "high" || b.Format.Name != "n" || b.Metadata[0].Key != "a" || b.ServiceTier != "priority" {
		t.Errorf("settings %+v", b)
	}
}

func TestRefusalsNameTheField(t *testing.T) {
	for body, param := range map[string]string{
		`{"messages":{}}`: "messages", `{"messages":[1]}`: "messages[0]", `{"messages":[{"content":[]}]}`: "messages[0].role",
		`{"messages":[{"role":"tool","content":[]}]}`: "messages[0].role", `{"messages":[{"role":"user"}]}`: "messages[0].content",
		`{"messages":[{"role":"user","content":"hi"}]}`:                                                                  "messages[0].content",
		`{"messages":[{"role":"user","content":[{"text":1}]}]}`:                                                          "messages[0].content[0].text",
		`{"messages":[{"role":"user","content":[5]}]}`:                                                                   "messages[0].content[0]",
		`{"messages":[{"role":"user","content":[{"toolUse":{"name":"f"}}]}]}`:                                            "messages[0].content[0].toolUse.toolUseId",
		`{"messages":[{"role":"user","content":[{"toolResult":{"content":[]}}]}]}`:                                       "messages[0].content[0].toolResult.toolUseId",
		`{"messages":[],"system":{}}`:                                                                                    "system",
		`{"messages":[],"inferenceConfig":{"maxTokens":"5"}}`:                                                            "inferenceConfig.maxTokens",
		`{"messages":[],"inferenceConfig":{"stopSequences":[1]}}`:                                                        "inferenceConfig.stopSequences[0]",
		`{"messages":[],"toolConfig":{"tools":[{"toolSpec":{}}]}}`:                                                       "toolConfig.tools[0].toolSpec.name",
		`{"messages":[],"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":[]}}}]}}`:                   "toolConfig.tools[0].toolSpec.inputSchema.json",
		`{"messages":[],"toolConfig":{"toolChoice":{"tool":{}}}}`:                                                        "toolConfig.toolChoice.tool.name",
		`{"messages":[],"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{"}}}}}`: "outputConfig.textFormat.structure.jsonSchema.schema",
		`{"messages":[],"requestMetadata":{"a":1}}`:                                                                      "requestMetadata.a",
		`{"messages":[],"messages":[]}`:                                                                                  "messages",
	} {
		req, err := New().OpenRequest(weir.Generate, &weir.Wire{Path: "/model/m/converse", Body: []byte(body)})
		if err == nil {
			_, err = req.Body()
		}
		if e := weir.AsError(err); e == nil || e.Kind != weir.KindInvalid || e.Param != param {
			t.Errorf("%s: %+v", body, e)
		}
	}
}

func TestCountTokens(t *testing.T) { // C-05
	const counted = `{"input":{"converse":{"messages":[{"role":"user","content":[{"text":"hi"}]}],"system":[],"additionalModelRequestFields":{"x":1}}}}`
	req := open(t, weir.CountTokens, "/model/"+claude+"/count-tokens", counted)
	for _, edit := range []bool{false, true} {
		r := req
		if edit {
			var err error
			if r, err = req.Edit(func(*weir.Body) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		call, err := New().EncodeRequest(r, plainTarget(claude))
		if err != nil {
			t.Fatal(err)
		}
		equalJSON(t, "counted", string(bytes.Join(call.Body, nil)), counted)
		if call.Path != "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/count-tokens" || call.Stream {
			t.Errorf("path %s", call.Path)
		}
	}
	generate := open(t, weir.Generate, "/model/m/converse", `{"messages":[{"role":"user","content":[{"text":"hi"}]}],"inferenceConfig":{"maxTokens":5},"serviceTier":{"type":"flex"},"guardrailConfig":{}}`).Clone()
	generate.Op = weir.CountTokens
	call, err := New().EncodeRequest(generate, plainTarget("m"))
	if err != nil {
		t.Fatal(err)
	}
	equalJSON(t, "a request to generate is counted", string(bytes.Join(call.Body, nil)), `{"input":{"converse":{"messages":[{"role":"user","content":[{"text":"hi"}]}]}}}`)

	invoke := open(t, weir.CountTokens, "/model/m/count-tokens", `{"input":{"invokeModel":{"body":"e30="}}}`)
	if _, err := New().EncodeRequest(invoke, plainTarget("m")); err != nil {
		t.Errorf("a body of InvokeModel is not sent on: %v", err)
	}
	if _, err := invoke.Body(); !errors.Is(err, weir.KindUnsupported) {
		t.Errorf("a body of InvokeModel is read: %v", err)
	}
	for _, bad := range []string{`{}`, `{"input":[]}`} {
		if _, err := New().OpenRequest(weir.CountTokens, &weir.Wire{Path: "/model/m/count-tokens", Body: []byte(bad)}); !errors.Is(err, weir.KindInvalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := open(t, weir.CountTokens, "/model/m/count-tokens", `{"input":{}}`).Body(); !errors.Is(err, weir.KindInvalid) {
		t.Errorf("nothing to count: %v", err)
	}
	if _, err := New().EncodeRequest(&weir.Request{Op: weir.Embed}, plainTarget("m")); !errors.Is(err, weir.KindUnsupported) {
		t.Errorf("an operation that the protocol does not have: %v", err)
	}
}
