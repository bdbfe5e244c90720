package openairesponses_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

const (
	opened  = "created in_progress "
	partIn  = "output_item.added content_part.added "
	partOut = "content_part.done output_item.done "
)

// The whole order of events, for every sort of item. // P-15
func TestEveryItemHasItsWholeOrderOfEvents(t *testing.T) {
	summary := weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{ID: "rs_1", Summary: true}}
	custom := weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "c", Name: "patch", Type: weir.ToolCustom}}
	cited := weir.Event{Part: weir.PartCitation, Citation: &weir.Citation{Type: "url", URL: "https://x.test", Title: "X", Start: 1, End: 2}}
	for name, c := range map[string]struct {
		say  *script
		want string
	}{
		"a text":    {say("").text("a", "b"), partIn + "output_text.delta output_text.done " + partOut},
		"a refusal": {say("").block(weir.Block{Type: weir.BlockRefusal}, texts("no")...), partIn + "refusal.delta refusal.done " + partOut},
		"a cited text": {say("").block(weir.Block{Type: weir.BlockText}, weir.Event{Text: "ab"}, cited),
			partIn + "output_text.delta output_text.annotation.added output_text.done " + partOut},
		"a call": {say("").call("c", "f", `{"a":`, `1}`), "output_item.added function_call_arguments.delta function_call_arguments.done output_item.done "},
		"a call without arguments": {say("").call("c", "f"), // S-04
			"output_item.added function_call_arguments.delta function_call_arguments.done output_item.done "},
		"a call of a custom tool": {say("").block(custom, weir.Event{Part: weir.PartArguments, Text: "*** Begin"}), // S-13
			"output_item.added custom_tool_call_input.delta custom_tool_call_input.done output_item.done "},
		"thoughts": {say("").block(weir.Block{Type: weir.BlockReasoning}, texts("hm")...), partIn + "reasoning_text.delta reasoning_text.done " + partOut},
		"a summary": {say("").block(summary, texts("hm")...),
			"output_item.added reasoning_summary_part.added reasoning_summary_text.delta reasoning_summary_text.done reasoning_summary_part.done output_item.done "},
		"a text and two calls": {say("").text("a").call("c", "f", "{}").call("d", "f", "{}"), partIn + "output_text.delta output_text.done " + partOut +
			strings.Repeat("output_item.added function_call_arguments.delta function_call_arguments.done output_item.done ", 2)},
		"nothing": {say(""), ""},
	} {
		t.Run(name, func(t *testing.T) {
			wire, _ := written(client(t, true), c.say.done(weir.FinishStop), nil)
			if err := checkStream(wire); err != nil {
				t.Fatalf("%v\n%s", err, wire)
			}
			if got, want := eventTypes(wire), opened+c.want+"completed"; got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
	}
}

// Calls whose pieces come interleaved stay apart. // S-01, P-15
func TestInterleavedCallsStayApart(t *testing.T) {
	begin := func(i int32, id string) weir.Event {
		return weir.Event{Type: weir.EventBlockStart, Index: i, Block: &weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: id, Name: "f"}}}
	}
	piece := func(i int32, s string) weir.Event {
		return weir.Event{Type: weir.EventDelta, Part: weir.PartArguments, Index: i, Text: s}
	}
	events := say("").add(begin(0, "a"), begin(1, "b"), piece(0, `{"x":`), piece(1, `{"y":`), piece(0, `1}`), piece(1, `2}`),
		weir.Event{Type: weir.EventBlockEnd, Index: 1}, weir.Event{Type: weir.EventBlockEnd, Index: 0}).done(weir.FinishToolCalls)
	wire, _ := written(client(t, true), events, nil)
	if err := checkStream(wire); err != nil {
		t.Fatalf("%v\n%s", err, wire)
	}
	c := decodeText(wire, false).completion(t)
	calls := c.ToolCalls()
	if len(calls) != 2 || calls[0].Arguments != `{"x":1}` || calls[1].Arguments != `{"y":2}` || c.Choices[0].Finish.Reason != weir.FinishToolCalls {
		t.Errorf("%+v %+v", calls, c.Choices[0].Finish)
	}
}

// scripted is an event out of two bytes: what, and for which block.
func scripted(what byte, i int32) weir.Event {
	delta := func(p weir.Part, s string) weir.Event {
		return weir.Event{Type: weir.EventDelta, Part: p, Index: i, Text: s}
	}
	begin := func(b weir.Block) weir.Event { return weir.Event{Type: weir.EventBlockStart, Index: i, Block: &b} }
	switch what % 18 {
	case 0:
		return begin(weir.Block{Type: weir.BlockText})
	case 1:
		return begin(weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "c", Name: "f"}})
	case 2:
		return begin(weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{ID: "r", Format: "anthropic-claude-v1"}})
	case 3:
		return begin(weir.Block{Type: weir.BlockOpaque, Opaque: &weir.Opaque{Protocol: weir.OpenAIResponses, Type: "web_search_call", Raw: []byte(`{"type":"web_search_call"}`)}})
	case 4:
		return delta(weir.PartText, "a")
	case 5:
		return delta(weir.PartSignature, "S")
	case 6:
		return delta(weir.PartArguments, `{"a":1}`)
	case 7:
		return delta(weir.PartText, "\n\n")
	case 8:
		return delta(weir.PartEncrypted, "E")
	case 9:
		return weir.Event{Type: weir.EventBlockEnd, Index: i}
	case 10:
		return begin(weir.Block{Type: weir.BlockRefusal})
	case 11:
		return begin(weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "p", Name: "patch", Type: weir.ToolCustom, Signature: "s"}})
	case 12:
		return weir.Event{Type: weir.EventDelta, Part: weir.PartCitation, Index: i, Citation: &weir.Citation{Type: "url", URL: "https://x.test"}}
	case 13:
		return delta(weir.PartLogprobs, `{"content":[{"token":"a","logprob":0,"bytes":null,"top_logprobs":[]}]}`)
	case 14:
		return begin(weir.Block{Type: weir.BlockReasoning, Text: "t", Reasoning: &weir.Reasoning{ID: "s", Summary: true, Format: "openai-responses-v1"}})
	case 15:
		return begin(weir.Block{Type: weir.BlockImage, Media: &weir.Media{MIME: "image/png", Data: "AAAA"}})
	case 16:
		return weir.Event{Type: weir.EventUsage, Usage: &weir.Usage{InputTokens: 3, Known: weir.UsageInput}}
	}
	return begin(weir.Block{Type: weir.BlockAudio, Media: &weir.Media{Transcript: "t"}})
}

var finishes = []weir.FinishReason{weir.FinishStop, weir.FinishLength, weir.FinishToolCalls, weir.FinishContentFilter,
	weir.FinishRefusal, weir.FinishPause, weir.FinishStopSequence, weir.FinishContextWindow, weir.FinishOther}

// checkScript checks that a script of events becomes a legal stream however it
// ends, and that it means the same when it is not streamed.
func checkScript(bytes []byte, ending byte) (wire string, err error) {
	events := []weir.Event{{Type: weir.EventStart, Start: &weir.Start{ID: "a"}}}
	for i := 0; i+1 < len(bytes); i += 2 {
		events = append(events, scripted(bytes[i], int32(bytes[i+1]%5)))
	}
	var failed *weir.Error
	switch n := int(ending) % (len(finishes) + 2); {
	case n < len(finishes):
		events = append(events, weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: finishes[n]}})
	case n == len(finishes):
		failed = weir.Errorf(weir.KindUpstream, "cut")
	}
	req := weir.NewRequest("m", &weir.Body{})
	req.Stream, req.ID = true, "r"
	wire, _ = written(req, events, failed)
	return wire, checkStream(wire)
}

// Whatever comes, in whatever order, the stream is legal and has its end. // P-15, P-16
func TestAnyEventsMakeALegalStream(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		script := rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "script")
		if wire, err := checkScript(script, rapid.Byte().Draw(t, "ending")); err != nil {
			t.Fatalf("%v\n%s", err, wire)
		}
	})
}

// The answer that is not streamed is the response of the terminal event. // W-12
func TestWholeAnswersAreTheResponseOfTheStream(t *testing.T) {
	events := say(weir.AnthropicMessages).
		block(weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{Format: "anthropic-claude-v1"}}, weir.Event{Text: "hm"}, weir.Event{Part: weir.PartSignature, Text: "sig"}).
		text("let me ", "look").call("c", "f", `{"a":1}`).done(weir.FinishToolCalls)
	wire, _ := written(client(t, true), events, nil)
	if err := checkStream(wire); err != nil {
		t.Fatalf("%v\n%s", err, wire)
	}
	last := wire[strings.LastIndex(wire, "data: ")+len("data: "):]
	whole, _ := written(client(t, false), events, nil)
	for _, name := range []string{"id", "status", "output", "usage", "incomplete_details", "error", "tools", "store"} {
		same(t, string(jsonx.Get([]byte(whole), name)), string(jsonx.Get(jsonx.Get([]byte(last), "response"), name)))
	}
}
