package openairesponses_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

const none = `{"reason":"max_output_tokens"}`

func message(parts ...string) string {
	return `{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[` + strings.Join(parts, ",") + `]}`
}

// An answer that is streamed says what the whole one says, with every sort of
// block. // W-12
func TestStreamedAndWholeAnswersMeanTheSame(t *testing.T) {
	whole := wholeOf("completed", "null", nativeUsage, reasoningDone, messageDone, callDone)
	a, b := decodeText(whole, false).completion(t), decodeText(sse(nativeEvents()...), false).completion(t)
	for _, c := range []*weir.Completion{a, b} {
		blocks := c.Choices[0].Message.Blocks
		if len(blocks) != 3 {
			t.Fatalf("%+v", blocks)
		}
		r := blocks[0].Reasoning
		if blocks[0].Text != "I look\n\nit up" || !r.Summary || r.Encrypted != "gAAA" || r.ID != "rs_1" || r.Format != "openai-responses-v1" {
			t.Errorf("%+v %+v", blocks[0], r)
		}
		if blocks[1].Text != "let me look" || string(blocks[1].Extra.Value("phase")) != `"commentary"` {
			t.Errorf("%+v", blocks[1])
		}
		if call := blocks[2].Call; call.ID != "call_1" || call.Name != "look" || call.Arguments != `{"a":1}` {
			t.Errorf("%+v", call)
		}
		u := c.Usage
		if c.Choices[0].Finish.Reason != weir.FinishToolCalls || c.Start.ID != "resp_1" || c.Start.Model != "gpt-6" || c.Start.Created != 1790000000 ||
			u.InputTokens != 50 || u.CacheReadTokens != 20 || u.CacheCreationTokens != 4 || u.OutputTokens != 30 || u.ReasoningTokens != 10 {
			t.Errorf("%+v %+v %+v", c.Choices[0].Finish, c.Start, u)
		}
	}
}

// Imitations leave events out: whatever of the answer comes only at the end of its
// item, or of the response, is not lost.
func TestIncompleteOrdersOfEvents(t *testing.T) {
	all := nativeEvents()
	want := decodeText(sse(all...), false).completion(t)
	for name, keep := range map[string]func(typ string) bool{
		"only the end": func(typ string) bool { return strings.HasSuffix(typ, "completed") },
		"items as a whole": func(typ string) bool {
			return strings.HasSuffix(typ, "item.done") || strings.HasSuffix(typ, "completed")
		},
		"no deltas": func(typ string) bool { return !strings.HasSuffix(typ, ".delta") },
		"no parts":  func(typ string) bool { return !strings.Contains(typ, "part") },
		"no done texts": func(typ string) bool {
			return !strings.HasSuffix(typ, "text.done") && !strings.HasSuffix(typ, "arguments.done")
		},
		"no ends of items": func(typ string) bool { return !strings.HasSuffix(typ, "item.done") },
		"nothing announced": func(typ string) bool {
			return !strings.HasSuffix(typ, "created") && !strings.HasSuffix(typ, "progress")
		},
	} {
		var some [][2]string
		for _, e := range all {
			if keep(e[0]) {
				some = append(some, e)
			}
		}
		got := decodeText(sse(some...), false).completion(t)
		if a, b := fmt.Sprint(said(want)), fmt.Sprint(said(got)); a != b {
			t.Errorf("%s:\n got %s\nwant %s", name, b, a)
		}
	}
}

// said is what a completion says, block by block.
func said(c *weir.Completion) (out []string) {
	for _, b := range c.Choices[0].Message.Blocks {
		line := string(b.Type) + " " + b.Text
		if b.Call != nil {
			line += b.Call.ID + b.Call.Name + b.Call.Arguments
		}
		if b.Reasoning != nil {
			line += b.Reasoning.Encrypted
		}
		out = append(out, line)
	}
	return append(out, string(c.Choices[0].Finish.Reason), strconv.FormatBool(c.Usage != nil))
}

// Why an answer ended. // P-11, S-05, S-06
func TestFinishReasons(t *testing.T) {
	for name, c := range map[string]struct {
		body   string
		q      codec.Quirks
		reason weir.FinishReason
		native string
	}{
		"completed":          {wholeOf("completed", "null", "null", messageDone), codec.Quirks{}, weir.FinishStop, "completed"},
		"a call":             {wholeOf("completed", "null", "null", callDone), codec.Quirks{}, weir.FinishToolCalls, "completed"},
		"the cap":            {wholeOf("incomplete", none, "null", messageDone), codec.Quirks{}, weir.FinishLength, "max_output_tokens"},
		"the cap, in a call": {wholeOf("incomplete", none, "null", callDone), codec.Quirks{}, weir.FinishLength, "max_output_tokens"},
		"a filter":           {wholeOf("incomplete", `{"reason":"content_filter"}`, "null"), codec.Quirks{}, weir.FinishContentFilter, "content_filter"},
		"an unknown word":    {wholeOf("incomplete", `{"reason":"steered"}`, "null"), codec.Quirks{}, weir.FinishOther, "steered"},
		"a vendor's word":    {wholeOf("incomplete", `{"reason":"sensitive"}`, "null"), codec.Quirks{FinishReasons: map[string]string{"sensitive": "content_filter"}}, weir.FinishContentFilter, "sensitive"},
		"a search by xAI":    {wholeOf("completed", "null", "null", `{"type":"custom_tool_call","id":"x","call_id":"xs_1","name":"x_search","input":"q"}`, messageDone), codec.Quirks{}, weir.FinishStop, "completed"},
	} {
		d := decodeOf(&codec.Answer{Body: strings.NewReader(c.body), Target: plain(c.q)})
		f := d.completion(t).Choices[0].Finish
		if f.Reason != c.reason || f.Native != c.native || f.From != weir.OpenAIResponses {
			t.Errorf("%s: %+v", name, f)
		}
		wire, _ := written(client(t, false), byValue(d.events), nil)
		for _, key := range []string{"status", "incomplete_details"} {
			same(t, string(jsonx.Get([]byte(wire), key)), string(jsonx.Get([]byte(c.body), key)))
		}
	}
}

// Why an answer of another protocol ended, in the words of this one. // P-11, §12.3
func TestForeignFinishReasons(t *testing.T) {
	for reason, want := range map[weir.FinishReason]string{
		weir.FinishStop: `completed null`, weir.FinishStopSequence: `completed null`, weir.FinishToolCalls: `completed null`,
		weir.FinishLength: `incomplete {"reason":"max_output_tokens"}`, weir.FinishContextWindow: `incomplete {"reason":"max_output_tokens"}`,
		weir.FinishContentFilter: `incomplete {"reason":"content_filter"}`, weir.FinishRefusal: `incomplete {"reason":"content_filter"}`,
		weir.FinishPause: `incomplete {"reason":"pause_turn"}`, weir.FinishOther: `completed null`,
	} {
		wire, lost := written(client(t, false), say(weir.AnthropicMessages).text("a").done(reason), nil)
		got := jsonx.StringOr(jsonx.Get([]byte(wire), "status"), "") + " " + string(jsonx.Get([]byte(wire), "incomplete_details"))
		if got != want || (len(lost) > 0) != (reason == weir.FinishPause) {
			t.Errorf("%s: %s, %v", reason, got, lost)
		}
	}
	events := say(weir.AnthropicMessages).add(weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishRefusal, From: weir.AnthropicMessages, Details: []byte(`{"explanation":"not that"}`)}}).events
	for _, stream := range []bool{true, false} {
		wire, _ := written(client(t, stream), events, nil)
		b := decodeText(wire, false).block(t, 0)
		if b.Type != weir.BlockRefusal || b.Text != "not that" {
			t.Errorf("%+v", b)
		}
	}
}

// A call that the token cap has cut is incomplete, and so said. // S-06
func TestACutCallIsIncomplete(t *testing.T) {
	wire, _ := written(client(t, true), say("").text("a").call("c", "f", `{"path":"/`).done(weir.FinishLength), nil)
	if err := checkStream(wire); err != nil {
		t.Fatalf("%v\n%s", err, wire)
	}
	if !strings.Contains(wire, `"type":"function_call","status":"incomplete","arguments":"{\"path\":\"/"`) || !strings.HasSuffix(eventTypes(wire), " incomplete") {
		t.Errorf("%s", wire)
	}
}

// A refusal is an answer and not an error. // W-05
func TestRefusals(t *testing.T) {
	item := message(`{"type":"refusal","refusal":"I can't"}`)
	events := [][2]string{nativeEvents()[0],
		{"response.output_item.added", `,"output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}`},
		{"response.content_part.added", `,"item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"refusal","refusal":""}`},
		{"response.refusal.delta", `,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"I "`},
		{"response.refusal.delta", `,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"can't"`},
		{"response.refusal.done", `,"item_id":"msg_1","output_index":0,"content_index":0,"refusal":"I can't"`},
		{"response.output_item.done", `,"output_index":0,"item":` + item},
		{"response.completed", `,"response":` + wholeOf("completed", "null", "null", item)}}
	for _, wire := range []string{wholeOf("completed", "null", "null", item), sse(events...)} {
		d := decodeText(wire, false)
		if b := d.block(t, 0); b.Type != weir.BlockRefusal || b.Text != "I can't" || d.completion(t).Choices[0].Finish.Reason != weir.FinishStop {
			t.Errorf("%+v", b)
		}
	}
}

// Sources are citations, whenever they are told, and come back as they came; those
// of other protocols are told once the text is known.
func TestCitations(t *testing.T) {
	note := `{"type":"url_citation","start_index":0,"end_index":2,"url":"https://x.test","title":"X"}`
	file := `{"type":"file_citation","file_id":"f","filename":"a.md","index":1}`
	item := message(`{"type":"output_text","text":"ab","annotations":[` + note + `,` + file + `],"logprobs":[]}`)
	search := `{"id":"ws_1","type":"web_search_call","status":"completed","action":{"type":"search","query":"x","sources":[{"type":"url","url":"https://x.test"}]}}`
	streamed := sse([][2]string{nativeEvents()[0],
		{"response.output_item.added", `,"output_index":0,"item":{"id":"ws_1","type":"web_search_call","status":"in_progress"}`},
		{"response.web_search_call.searching", `,"output_index":0,"item_id":"ws_1"`},
		{"response.output_item.done", `,"output_index":0,"item":` + search},
		{"response.output_text.delta", `,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"ab"`},
		{"response.output_text.annotation.added", `,"item_id":"msg_1","output_index":1,"content_index":0,"annotation_index":0,"annotation":` + note},
		{"response.output_item.done", `,"output_index":1,"item":` + item},
		{"response.completed", `,"response":` + wholeOf("completed", "null", "null", search, item)}}...)
	for _, wire := range []string{wholeOf("completed", "null", "null", search, item), streamed} {
		d := decodeText(wire, false)
		if o := d.block(t, 0).Opaque; o == nil || o.Type != "web_search_call" || string(o.Raw) != search {
			t.Errorf("%+v", o)
		}
		cited := d.block(t, 1).Citations
		if len(cited) != 2 || cited[0].Type != "url" || cited[0].URL != "https://x.test" || cited[0].End != 2 || cited[1].Title != "a.md" {
			t.Errorf("%+v", cited)
		}
		again, _ := written(client(t, false), byValue(d.events), nil)
		if !strings.Contains(again, note+","+file) || !strings.Contains(again, search) {
			t.Errorf("%s", again)
		}
	}
	cite := func(c weir.Citation) weir.Event { return weir.Event{Part: weir.PartCitation, Citation: &c} }
	events := say(weir.AnthropicMessages).block(weir.Block{Type: weir.BlockText}, cite(weir.Citation{Type: "url", URL: "https://y.test"}),
		cite(weir.Citation{Type: "char_location", Cited: "words"}), weir.Event{Text: "é堰"}).done(weir.FinishStop)
	wire, lost := written(client(t, true), events, nil)
	if err := checkStream(wire); err != nil {
		t.Fatalf("%v\n%s", err, wire)
	}
	if !strings.Contains(wire, `{"type":"url_citation","url":"https://y.test","title":"","start_index":0,"end_index":2}`) || losses(lost) != "output.content.annotations dropped" {
		t.Errorf("%s, %s", wire, losses(lost))
	}
}

// A picture that the model made is one, and its item as it came for its own client.
func TestPictures(t *testing.T) {
	item := `{"id":"ig_1","type":"image_generation_call","status":"completed","output_format":"webp","size":"1024x1024","result":"AAAA"}`
	d := decodeText(wholeOf("completed", "null", "null", item), false)
	if m := d.block(t, 0).Media; m == nil || m.MIME != "image/webp" || m.Data != "AAAA" {
		t.Fatalf("%+v", m)
	}
	if wire, _ := written(client(t, false), byValue(d.events), nil); !strings.Contains(wire, item) {
		t.Errorf("%s", wire)
	}
	wire, lost := written(client(t, true), say(weir.GeminiGenerate).block(picture(weir.Media{MIME: "image/png", Data: "BBBB"})).block(picture(weir.Media{URL: "https://x"})).done(weir.FinishStop), nil)
	if !strings.Contains(wire, `"type":"image_generation_call","status":"completed","output_format":"png","result":"BBBB"`) || losses(lost) != "output.image dropped" {
		t.Errorf("%s, %s", wire, losses(lost))
	}
}

// Usage: details are parts of the totals, what is absurd is unknown, and unknown is
// not zero. // U-03, U-08
func TestUsage(t *testing.T) {
	for name, c := range map[string]struct {
		usage string
		known weir.UsageField
		input int64
		again string
	}{
		"all":           {nativeUsage, weir.UsageInput | weir.UsageOutput | weir.UsageCacheRead | weir.UsageCacheCreation | weir.UsageReasoning, 50, nativeUsage},
		"with more":     {`{"input_tokens":5,"output_tokens":3,"total_tokens":8,"cost":0.5,"input_tokens_details":{"cached_tokens":1,"x":2}}`, weir.UsageInput | weir.UsageOutput | weir.UsageCacheRead, 5, ""},
		"cached apart":  {`{"input_tokens":5,"input_tokens_details":{"cached_tokens":20},"output_tokens":3,"total_tokens":28}`, weir.UsageInput | weir.UsageOutput | weir.UsageCacheRead, 25, `{"input_tokens":25,"input_tokens_details":{"cached_tokens":20},"output_tokens":3,"total_tokens":28}`},
		"absurd":        {`{"input_tokens":-1,"output_tokens":1e300}`, 0, 0, `null`},
		"half":          {`{"output_tokens":3}`, weir.UsageOutput, 0, `{"output_tokens":3}`},
		"nulls":         {`{"input_tokens":null,"output_tokens":3,"output_tokens_details":null}`, weir.UsageOutput, 0, `{"output_tokens":3}`},
		"not reported":  {`null`, 0, 0, `null`},
		"an empty one":  {`{}`, 0, 0, `null`},
		"another thing": {`7`, 0, 0, `null`},
	} {
		body := wholeOf("completed", "null", c.usage, messageDone)
		d := decodeText(body, false)
		u := d.completion(t).Usage
		if u == nil {
			u = &weir.Usage{}
		}
		if u.Known != c.known || u.InputTokens != c.input {
			t.Errorf("%s: %+v", name, u)
		}
		wire, _ := written(client(t, false), byValue(d.events), nil)
		if c.again == "" {
			c.again = c.usage
		}
		same(t, string(jsonx.Get([]byte(wire), "usage")), c.again)
	}
}

// What another protocol does not count is required here, and 0.
func TestForeignUsageHasAllRequiredMembers(t *testing.T) {
	wire, _ := written(client(t, false), say("").text("a").done(weir.FinishStop), nil)
	same(t, string(jsonx.Get([]byte(wire), "usage")), `{"input_tokens":5,"input_tokens_details":{"cached_tokens":0},"output_tokens":3,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":8}`)
}

// Untouched, an answer is sent on byte for byte, relayed or decoded; once a stage
// edits an event, everything from there on is written anew, behind what went out.
// //
func TestUntouchedFramesAreSentOn(t *testing.T) {
	wire := sse(nativeEvents()...) + "data: [DONE]\n\n"
	for _, relay := range []bool{true, false} {
		d := decodeText(wire, relay)
		if got, _ := written(client(t, true), d.events, nil); got != wire {
			t.Errorf("relay=%v: %s", relay, got)
		}
	}
	d := decodeText(sse(nativeEvents()...), false)
	for i := range d.events {
		if typ := d.events[i].Type; typ == weir.EventPing || typ == weir.EventRelay {
			continue // they say nothing that could be edited
		}
		events := append([]weir.Event(nil), d.events...)
		events[i] = events[i].Detach()
		got, _ := written(client(t, true), events, nil)
		if err := checkStream(got); err != nil {
			t.Errorf("event %d (%s) edited: %v\n%s", i, events[i].Type, err, got)
		}
		again := decodeText(got, false)
		if a, b := fmt.Sprint(said(d.completion(t))), fmt.Sprint(said(again.completion(t))); a != b {
			t.Errorf("event %d (%s) edited:\n got %s\nwant %s", i, events[i].Type, b, a)
		}
	}
}

// An upstream answers in the form that it likes: the client gets the one that it
// asked for, even where nobody needs content.
func TestTheOtherFormThanAskedFor(t *testing.T) {
	streamed, whole := sse(nativeEvents()...), wholeOf("completed", "null", nativeUsage, reasoningDone, messageDone, callDone)
	for _, c := range []struct {
		wire, typ string
		stream    bool
	}{{streamed, "text/event-stream", false}, {whole, "application/json", true}} {
		d := decodeOf(&codec.Answer{Header: http.Header{"Content-Type": {c.typ}}, Body: strings.NewReader(c.wire), Stream: c.stream, Relay: true, Target: plain(codec.Quirks{})})
		got, _ := written(client(t, c.stream), d.events, nil)
		if c.stream {
			if err := checkStream(got); err != nil {
				t.Errorf("%v\n%s", err, got)
			}
		}
		a, b := fmt.Sprint(said(decodeText(whole, false).completion(t))), fmt.Sprint(said(decodeText(got, false).completion(t)))
		if a != b {
			t.Errorf("stream=%v:\n got %s\nwant %s", c.stream, b, a)
		}
	}
}

// The bounds of what is held.
func TestLimits(t *testing.T) {
	long := sse(nativeEvents()...)
	d := decodeOf(&codec.Answer{Body: strings.NewReader(long), Stream: true, MaxFrame: 300, Target: plain(codec.Quirks{})})
	if d.err == nil || d.err.Kind != weir.KindUpstream || d.err.Hint == "" {
		t.Errorf("%+v", d.err)
	}
	d = decodeOf(&codec.Answer{Body: strings.NewReader(wholeOf("completed", "null", "null", messageDone)), MaxBody: 300, Target: plain(codec.Quirks{})})
	if d.err == nil || d.err.Kind != weir.KindUpstream || d.err.Hint == "" {
		t.Errorf("%+v", d.err)
	}
}

// Answers repeat the request, as the API does.
func TestAnswersRepeatTheRequest(t *testing.T) {
	req := open(t, `{"model":"m","input":"q","instructions":"be kind","temperature":0.5,"tools":[{"type":"function","name":"f"}],"metadata":{"a":"b"},"conversation":"conv_1","store":false,"previous_response_id":null}`)
	wire, _ := written(req, say(weir.OpenAIChat).text("a").done(weir.FinishStop), nil)
	for key, want := range map[string]string{"instructions": `"be kind"`, "temperature": `0.5`, "tools": `[{"type":"function","name":"f"}]`, "metadata": `{"a":"b"}`,
		"conversation": `{"id":"conv_1"}`, "store": `false`, "previous_response_id": `null`, "tool_choice": `"auto"`, "model": `"m"`, "id": `"resp_a1"`} {
		same(t, string(jsonx.Get([]byte(wire), key)), want)
	}
}
