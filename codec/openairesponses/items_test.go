package openairesponses_test

import (
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// everyItem has an item of every type (protocols.md §4.3, OpenAPI 2.3.0), as a
// client sends it back or for the first time.
var everyItem = []string{
	`{"role":"user","content":"easy"}`,
	`{"type":"message","role":"developer","content":[{"type":"input_text","text":"be brief","prompt_cache_breakpoint":{"mode":"explicit"}}]}`,
	`{"type":"message","role":"system","content":"calm"}`,
	`{"type":"message","role":"user","content":[{"type":"input_text","text":"see"},{"type":"input_image","image_url":"https://x.test/a.png","detail":"original"},{"type":"input_image","image_url":"data:image/png;base64,AAAA"},{"type":"input_image","file_id":"file-1","image_url":null},{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"},{"type":"input_file","file_url":"https://x.test/a.pdf"},{"type":"input_file","file_data":"AAAA","filename":"b.pdf"},{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}},{"type":"input_video","video":"v"}]}`,
	`{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAA"}`,
	`{"type":"reasoning","id":"rs_2","summary":[{"type":"summary_text","text":"a"},{"type":"summary_text","text":"b"}],"content":[{"type":"reasoning_text","text":"long"}],"status":"completed"}`,
	`{"type":"reasoning","id":"rs_3","content":null,"encrypted_content":null,"summary":[{"type":"summary_text","text":"a"}]}`,
	`{"type":"reasoning","id":"rs_4","encrypted_content":"no summary"}`,
	`{"type":"reasoning","id":"rs_5","summary":null,"encrypted_content":"no summary either"}`,
	`{"type":"message","id":"msg_1","status":"completed","role":"assistant","phase":"final_answer","content":[{"type":"output_text","text":"see x","annotations":[{"type":"url_citation","start_index":4,"end_index":5,"url":"https://x.test","title":"X"},{"type":"file_citation","file_id":"f","filename":"a","index":1},{"type":"container_file_citation","container_id":"c","file_id":"f","start_index":0,"end_index":1,"filename":"a"},{"type":"file_path","file_id":"f","index":2}],"logprobs":[{"token":"s"}]},{"type":"refusal","refusal":"no more"}]}`,
	`{"role":"assistant","content":"plain"}`,
	`{"role":"assistant","content":[]}`,
	`{"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"{\"a\": 1}","status":"completed"}`,
	`{"type":"function_call","call_id":"c2","name":"f","arguments":""}`,
	`{"type":"function_call","call_id":"c3","name":"f","namespace":"crm","caller":{"type":"direct"},"arguments":"{}"}`,
	`{"type":"function_call_output","call_id":"c1","output":"text","id":"fco_1","status":"completed"}`,
	`{"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"data:image/png;base64,AAAA","detail":"low"},{"type":"input_file","file_id":"f"}]}`,
	`{"type":"function_call_output","call_id":"c3","output":""}`,
	`{"type":"custom_tool_call","id":"ctc_1","call_id":"c4","name":"apply_patch","input":"*** Begin Patch\n"}`,
	`{"type":"custom_tool_call_output","call_id":"c4","output":"Done!"}`,
	`{"type":"item_reference","id":"msg_9"}`,
	`{"id":"msg_8"}`,
	`{"type":"compaction","id":"cmp_1","encrypted_content":"gAAA"}`,
	`{"type":"program","id":"prg_1","call_id":"p1","code":"1","fingerprint":"opaque"}`,
	`{"type":"function_call_output","call_id":"p1","output":"of a program"}`,
	`{"type":"program_output","id":"po_1","call_id":"p1","result":"2"}`,
	`{"type":"additional_tools","tools":[{"type":"function","name":"g"}]}`,
	`{"type":"tool_search_call","id":"ts_1","arguments":{"q":"x"},"call_id":null,"execution":"server","status":"completed"}`,
	`{"type":"tool_search_output","id":"tso_1","tools":[],"call_id":null,"execution":"server","status":"completed"}`,
	`{"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search","query":"x","sources":[]}}`,
	`{"type":"file_search_call","id":"fs_1","queries":["x"],"status":"completed","results":null}`,
	`{"type":"code_interpreter_call","id":"ci_1","code":"1","container_id":"c","outputs":null,"status":"completed"}`,
	`{"type":"image_generation_call","id":"ig_1","status":"completed","result":"AAAA"}`,
	`{"type":"computer_call","id":"cu_1","call_id":"u1","action":{"type":"screenshot"},"pending_safety_checks":[],"status":"completed"}`,
	`{"type":"computer_call_output","call_id":"u1","output":{"type":"computer_screenshot","image_url":"data:image/png;base64,AAAA"}}`,
	`{"type":"local_shell_call","id":"ls_1","call_id":"s1","action":{"type":"exec","command":["ls"],"env":{}},"status":"completed"}`,
	`{"type":"local_shell_call_output","id":"s1","output":"a"}`,
	`{"type":"shell_call","call_id":"s2","action":{"commands":["ls"]}}`,
	`{"type":"shell_call_output","call_id":"s2","output":[{"stdout":"a","stderr":"","outcome":{"type":"exit","exit_code":0}}]}`,
	`{"type":"apply_patch_call","call_id":"ap1","status":"completed","operation":{"type":"delete_file","path":"a"}}`,
	`{"type":"apply_patch_call_output","call_id":"ap1","status":"completed"}`,
	`{"type":"mcp_list_tools","id":"mcpl_1","server_label":"s","tools":[]}`,
	`{"type":"mcp_approval_request","id":"mcpr_1","server_label":"s","name":"n","arguments":"{}"}`,
	`{"type":"mcp_approval_response","approval_request_id":"mcpr_1","approve":true}`,
	`{"type":"mcp_call","id":"mcp_1","server_label":"s","name":"n","arguments":"{}","output":"x"}`,
	`{"type":"something_new","id":"new_1","member":{"deep":[1,2.50]}}`,
	`{"type":"compaction_trigger"}`,
}

// Every member that is not an item.
const everyMember = `"stream":true,"instructions":"be kind","max_output_tokens":900,"temperature":0.5,"top_p":0.9,"top_logprobs":2,"parallel_tool_calls":false,"user":"u","service_tier":"flex","prompt_cache_key":"k",` +
	`"text":{"format":{"type":"json_schema","name":"a","schema":{"type":"object"},"strict":true,"description":"d"},"verbosity":"low","new":1},` +
	`"reasoning":{"effort":"high","summary":"detailed","mode":"pro","context":"all_turns"},"include":["reasoning.encrypted_content","message.output_text.logprobs","web_search_call.action.sources"],` +
	`"metadata":{"a":"b"},"previous_response_id":"resp_0","conversation":{"id":"conv_1"},"store":true,"background":false,"stream_options":{"include_obfuscation":false},"truncation":"auto",` +
	`"max_tool_calls":3,"context_management":[{"type":"compaction","compact_threshold":1000}],"prompt":{"id":"pmpt_1","version":"2","variables":{}},"safety_identifier":"s","prompt_cache_retention":"24h","moderation":{"x":1},"something_new":[1],` +
	`"tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"type":"integer"}}},"strict":false,"output_schema":{"type":"object"}},{"type":"function","name":"g"},{"type":"function","name":"h","parameters":null,"strict":null},` +
	`{"type":"custom","name":"apply_patch","description":"d","format":{"type":"grammar","syntax":"lark","definition":"start: X"}},{"type":"namespace","name":"crm","description":"d","tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":true}]},` +
	`{"type":"web_search","search_context_size":"low"},{"type":"mcp","server_label":"s","server_url":"https://x.test"},{"type":"function","function":{"name":"chatty"}}],"tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"},{"type":"web_search"}]}`

// Whatever a client of this protocol says comes through an edit by value, item by
// item and all together. // P-01, W-10, C-09
func TestEveryItemAndMemberSurvivesAnEdit(t *testing.T) {
	bodies := map[string]string{
		"all items":   `{"model":"up","input":[` + strings.Join(everyItem, ",") + `]}`,
		"all members": `{"model":"up","input":"hi",` + everyMember + `}`,
		"all nulls": `{"model":"up","input":[],"instructions":null,"max_output_tokens":null,"temperature":null,"text":null,"reasoning":null,"tools":null,"tool_choice":null,"conversation":null,` +
			`"previous_response_id":null,"store":null,"include":null,"metadata":null,"user":null,"stream_options":null}`,
		"empty ones": `{"model":"up","input":"","instructions":"","text":{},"reasoning":{},"tools":[],"include":[],"metadata":{},"user":""}`,
		"half nulls": `{"model":"up","input":"x","text":{"format":null,"verbosity":null},"reasoning":{"effort":null,"summary":null},"tool_choice":{"type":"web_search"},"conversation":"conv_1"}`,
	}
	for _, item := range everyItem {
		bodies[item] = `{"model":"up","input":[` + item + `]}`
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			got, call := send(t, edited(t, open(t, body)), codec.Quirks{})
			same(t, got, body)
			if err := uniqueKeys([]byte(got)); err != nil {
				t.Errorf("%v in %s", err, got)
			}
			if len(call.Losses) > 0 {
				t.Error(call.Losses)
			}
			if raw, _ := send(t, open(t, body), codec.Quirks{}); raw != body {
				t.Errorf("untouched, it became\n%s\nof\n%s", raw, body)
			}
		})
	}
}

// uniqueKeys is an error for an object, at any depth, that has a key twice.
func uniqueKeys(raw []byte) error {
	switch jsonx.KindOf(raw) {
	case jsonx.KindObject:
		var top jsonx.Top
		if err := top.Scan(raw); err != nil {
			return err
		}
		return jsonx.EachMember(raw, func(_, v []byte) error { return uniqueKeys(v) })
	case jsonx.KindArray:
		return jsonx.EachElement(raw, func(_ int, v []byte) error { return uniqueKeys(v) })
	}
	return nil
}

// Where the model is another, only its name changes in the bytes. // P-12
func TestOnlyTheModelIsSpliced(t *testing.T) {
	body := `{ "model" : "m", "input":[` + strings.Join(everyItem, " , ") + `], "odd" : 1.00 }`
	got, _ := send(t, open(t, body), codec.Quirks{})
	if want := strings.Replace(body, `"m"`, `"up"`, 1); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// What an assistant did in one turn is one message, so that its reasoning stands
// beside the calls that it led to; a second text begins another. // T-01, T-07
func TestItemsOfATurnAreOneMessage(t *testing.T) {
	body, err := open(t, `{"model":"m","instructions":"i","input":[{"role":"user","content":"q"},`+
		`{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"g"},{"role":"assistant","content":"let me look"},`+
		`{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},{"type":"function_call","call_id":"c2","name":"f","arguments":"{}"},`+
		`{"type":"function_call_output","call_id":"c1","output":"1"},{"type":"function_call_output","call_id":"c2","output":"2"},`+
		`{"role":"assistant","content":"one"},{"role":"assistant","content":"two"}]}`).Body()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range body.Messages {
		m := &body.Messages[i]
		line := []string{string(m.Role) + "@" + m.At + ":"}
		for k := range m.Blocks {
			line = append(line, string(m.Blocks[k].Type)+"@"+m.Blocks[k].At)
		}
		got = append(got, strings.Join(line, " "))
	}
	want := []string{"system@instructions: text@instructions", "user@input[0]: text@input[0].content",
		"assistant@input[1]: reasoning@input[1] text@input[2].content tool_call@input[3] tool_call@input[4]",
		"tool@input[5]: tool_result@input[5]", "tool@input[6]: tool_result@input[6]",
		"assistant@input[7]: text@input[7].content", "assistant@input[8]: text@input[8].content"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What is wrong with a request is told by its place.
func TestWrongRequestsNameTheField(t *testing.T) {
	for body, param := range map[string]string{
		`{"input":"x"}`:                                                                                   "model",
		`{"model":"","input":"x"}`:                                                                        "model",
		`{"model":1,"input":"x"}`:                                                                         "model",
		`{"model":"m"}`:                                                                                   "input",
		`{"model":"m","input":7}`:                                                                         "input",
		`{"model":"m","input":"x","stream":1}`:                                                            "stream",
		`{"model":"m","model":"n","input":"x"}`:                                                           "model",
		`{"model":"m","input":[1]}`:                                                                       "input[0]",
		`{"model":"m","input":[{"content":"x"}]}`:                                                         "input[0].type",
		`{"model":"m","input":[{"role":"robot","content":"x"}]}`:                                          "input[0].role",
		`{"model":"m","input":[{"role":"user"}]}`:                                                         "input[0].content",
		`{"model":"m","input":[{"role":"user","content":[{}]}]}`:                                          "input[0].content[0].type",
		`{"model":"m","input":[{"role":"user","content":[{"type":"input_image"}]}]}`:                      "input[0].content[0].image_url",
		`{"model":"m","input":[{"role":"user","content":[{"type":"input_text"}]}]}`:                       "input[0].content[0].text",
		`{"model":"m","input":[{"type":"function_call","name":"f","arguments":"{}"}]}`:                    "input[0].call_id",
		`{"model":"m","input":[{"type":"function_call","call_id":"c","arguments":"{}"}]}`:                 "input[0].name",
		`{"model":"m","input":[{"type":"function_call_output","output":"x"}]}`:                            "input[0].call_id",
		`{"model":"m","input":[{"type":"function_call_output","call_id":"c"}]}`:                           "input[0].output",
		`{"model":"m","input":[{"type":"function_call_output","call_id":"c","output":1}]}`:                "input[0].output",
		`{"model":"m","input":"x","temperature":"hot"}`:                                                   "temperature",
		`{"model":"m","input":"x","max_output_tokens":1.5}`:                                               "max_output_tokens",
		`{"model":"m","input":"x","text":{"format":{}}}`:                                                  "text.format.type",
		`{"model":"m","input":"x","tools":[{"type":"function"}]}`:                                         "tools[0].name",
		`{"model":"m","input":"x","tools":[{"type":"namespace","name":"n","tools":[{"type":"custom"}]}]}`: "tools[0].tools[0].name",
		`{"model":"m","input":"x","tool_choice":3}`:                                                       "tool_choice",
		`{"model":"m","input":"x","conversation":{"id":2}}`:                                               "conversation.id",
		`{"model":"m","input":"x","reasoning":"high"}`:                                                    "reasoning",
		`{"model":"m","input":"x","include":"all"}`:                                                       "include",
	} {
		req, err := responses.OpenRequest(weir.Generate, &weir.Wire{Protocol: weir.OpenAIResponses, Body: []byte(body)})
		if err == nil {
			_, err = req.Body()
		}
		if e := weir.AsError(err); e == nil || e.Kind != weir.KindInvalid || e.Param != param {
			t.Errorf("%s: %+v", body, e)
		}
	}
	if _, err := responses.OpenRequest(weir.Embed, &weir.Wire{Body: []byte(`{}`)}); weir.AsError(err).Kind != weir.KindInvalid {
		t.Error(err)
	}
}

// Parts and items that are kept by value stay what they were where a stage has
// moved their message, as one that continues a kept response does.
func TestOpaquePartsStayParts(t *testing.T) {
	body := `{"model":"up","input":[{"role":"user","content":[{"type":"input_text","text":"see"},{"type":"input_video","video":"v"}]},{"type":"shell_call","call_id":"s","action":{}}]}`
	req, err := open(t, body).Edit(func(b *weir.Body) error {
		for i := range b.Messages {
			b.Messages[i].At = "previous_response_id"
			for k := range b.Messages[i].Blocks {
				b.Messages[i].Blocks[k].At = "previous_response_id"
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := send(t, req, codec.Quirks{})
	same(t, got, body)
}
