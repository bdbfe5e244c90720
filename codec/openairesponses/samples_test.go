package openairesponses_test

import (
	"fmt"
	"strings"
)

// sse are events as an upstream of this protocol writes them, numbered from 0.
// Each is the inside of an object behind its type and number.
func sse(events ...[2]string) string {
	var b strings.Builder
	for i, e := range events {
		fmt.Fprintf(&b, "event: %s\ndata: {\"type\":\"%s\",\"sequence_number\":%d%s}\n\n", e[0], e[0], i, e[1])
	}
	return b.String()
}

const (
	aroundIt   = `"id":"resp_1","object":"response","created_at":1790000000,"model":"gpt-6","tools":[],"parallel_tool_calls":true,"tool_choice":"auto","metadata":{}`
	inProgress = `,"response":{` + aroundIt + `,"status":"in_progress","error":null,"incomplete_details":null,"output":[],"usage":null}`

	reasoningDone = `{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"I look"},{"type":"summary_text","text":"it up"}],"encrypted_content":"gAAA"}`
	messageDone   = `{"id":"msg_1","type":"message","status":"completed","role":"assistant","phase":"commentary","content":[{"type":"output_text","text":"let me look","annotations":[],"logprobs":[]}]}`
	callDone      = `{"id":"fc_1","type":"function_call","status":"completed","call_id":"call_1","name":"look","arguments":"{\"a\":1}"}`
	nativeUsage   = `{"input_tokens":50,"input_tokens_details":{"cached_tokens":20,"cache_write_tokens":4},"output_tokens":30,"output_tokens_details":{"reasoning_tokens":10},"total_tokens":80}`
)

// nativeEvents are an answer with a thought, a text and a call, as OpenAI streams
// it.
func nativeEvents() [][2]string {
	response := func(s string) string { return "response." + s }
	item := func(n int, raw string) string { return fmt.Sprintf(`,"output_index":%d,"item":%s`, n, raw) }
	in := func(id string, n int, more string) string {
		return fmt.Sprintf(`,"item_id":"%s","output_index":%d,%s`, id, n, more)
	}
	return [][2]string{
		{response("created"), inProgress},
		{response("in_progress"), inProgress},
		{response("output_item.added"), item(0, `{"id":"rs_1","type":"reasoning","summary":[]}`)},
		{response("reasoning_summary_part.added"), in("rs_1", 0, `"summary_index":0,"part":{"type":"summary_text","text":""}`)},
		{response("reasoning_summary_text.delta"), in("rs_1", 0, `"summary_index":0,"delta":"I look"`)},
		{response("reasoning_summary_text.done"), in("rs_1", 0, `"summary_index":0,"text":"I look"`)},
		{response("reasoning_summary_part.done"), in("rs_1", 0, `"summary_index":0,"part":{"type":"summary_text","text":"I look"}`)},
		{response("reasoning_summary_part.added"), in("rs_1", 0, `"summary_index":1,"part":{"type":"summary_text","text":""}`)},
		{response("reasoning_summary_text.delta"), in("rs_1", 0, `"summary_index":1,"delta":"it up"`)},
		{response("reasoning_summary_text.done"), in("rs_1", 0, `"summary_index":1,"text":"it up"`)},
		{response("reasoning_summary_part.done"), in("rs_1", 0, `"summary_index":1,"part":{"type":"summary_text","text":"it up"}`)},
		{response("output_item.done"), item(0, reasoningDone)},
		{response("output_item.added"), item(1, `{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","phase":"commentary","content":[]}`)},
		{response("content_part.added"), in("msg_1", 1, `"content_index":0,"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]}`)},
		{response("output_text.delta"), in("msg_1", 1, `"content_index":0,"delta":"let me","logprobs":[],"obfuscation":"x"`)},
		{response("output_text.delta"), in("msg_1", 1, `"content_index":0,"delta":" look","logprobs":[],"obfuscation":"y"`)},
		{response("output_text.done"), in("msg_1", 1, `"content_index":0,"text":"let me look","logprobs":[]`)},
		{response("content_part.done"), in("msg_1", 1, `"content_index":0,"part":{"type":"output_text","text":"let me look","annotations":[],"logprobs":[]}`)},
		{response("output_item.done"), item(1, messageDone)},
		{response("output_item.added"), item(2, `{"id":"fc_1","type":"function_call","status":"in_progress","call_id":"call_1","name":"look","arguments":""}`)},
		{response("function_call_arguments.delta"), in("fc_1", 2, `"delta":"{\"a\":"`)},
		{response("function_call_arguments.delta"), in("fc_1", 2, `"delta":"1}"`)},
		{response("function_call_arguments.done"), in("fc_1", 2, `"name":"look","arguments":"{\"a\":1}"`)},
		{response("output_item.done"), item(2, callDone)},
		{response("completed"), `,"response":{` + aroundIt + `,"status":"completed","error":null,"incomplete_details":null,"output":[` +
			reasoningDone + `,` + messageDone + `,` + callDone + `],"usage":` + nativeUsage + `}`},
	}
}

// wholeOf is a response that came as one body.
func wholeOf(status, details, usage string, items ...string) string {
	return `{` + aroundIt + `,"status":"` + status + `","error":null,"incomplete_details":` + details +
		`,"output":[` + strings.Join(items, ",") + `],"usage":` + usage + `}`
}
