package converse

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

const (
	txt  = weir.PartText
	args = weir.PartArguments
	sig  = weir.PartSignature
)

// tell writes events both ways and checks that they say the same; what it gives
// is what the client reads and the losses of the stream. // W-12
func tell(t *testing.T, events ...weir.Event) (*weir.Completion, []weir.Loss) {
	t.Helper()
	enc := New().NewEncoder(&weir.Request{Stream: true})
	var wire []byte
	for _, ev := range events {
		wire = enc.Encode(wire, ev)
	}
	wire = enc.Close(wire, nil)
	if err := wireRules(t, wire); err != nil {
		t.Errorf("%v\n%s", err, shown(t, wire))
	}
	streamed := decode(streamOf(string(wire), false))
	one := decode(wholeOf(string(encode(&weir.Request{}, events, nil))))
	if streamed.err != nil || one.err != nil {
		t.Fatalf("%v, %v\n%s", streamed.err, one.err, shown(t, wire))
	}
	a, b := streamed.completion(), one.completion()
	if x, y := described(t, a), described(t, b); x != y {
		t.Errorf("streamed %s\nwhole %s", x, y)
	}
	return a, enc.Losses()
}

// described is a completion without where its text stood: text that goes on after
// another block began does so in a block of its own.
func described(t *testing.T, c *weir.Completion) string {
	t.Helper()
	var out []weir.Block
	for _, b := range c.Choices[0].Message.Blocks {
		if b.Type != weir.BlockText {
			out = append(out, b)
		}
	}
	s, err := json.Marshal([]any{c.Text(), out, c.Choices[0].Finish, c.Usage})
	if err != nil {
		t.Fatal(err)
	}
	return string(s)
}

// wireRules judges a stream as a client of the protocol does: one messageStart,
// blocks one after another with rising numbers, one messageStop, metadata last.
func wireRules(t testing.TB, wire []byte) error {
	t.Helper()
	var begun, stopped, counted bool
	open, next := int64(-1), int64(0)
	for line := range strings.SplitSeq(strings.TrimSuffix(shown(t, wire), "\n"), "\n") {
		name, payload, _ := strings.Cut(line, " ")
		n, numbered := jsonx.Int64(jsonx.Get([]byte(payload), "contentBlockIndex"))
		switch {
		case name == messageStart && !begun:
			begun = true
		case name == messageStop && begun && !stopped && open < 0:
			stopped = true
		case name == metadataEvent && stopped && !counted:
			counted = true
		case strings.HasSuffix(name, "Exception"):
			return nil
		case !begun || stopped || !numbered:
			return errors.New("out of place: " + line)
		case name == contentBlockStart && open < 0 && n == next, name == contentBlockDelta && open < 0 && n == next:
			open, next = n, n+1
		case name == contentBlockDelta && n == open:
		case name == contentBlockStop && n == open:
			open = -1
		default:
			return errors.New("out of order: " + line)
		}
	}
	if !stopped {
		return errors.New("no messageStop")
	}
	return nil
}

func usageEvent(set map[weir.UsageField]int64) weir.Event {
	u := &weir.Usage{}
	for f, n := range set {
		u.Set(f, n)
	}
	return weir.Event{Type: weir.EventUsage, Usage: u}
}

// Calls of several blocks that interleave come one after another. // S-01 S-02
func TestParallelCalls(t *testing.T) {
	c, losses := tell(t, start(), text(0), add(0, txt, "I will "), call(1, "a"), add(1, args, `{"x":`), call(2, "b"), add(2, args, `{"y":`),
		add(0, txt, "look."), add(1, args, `1}`), add(2, args, `2}`), end(0), end(1), end(2), finish(weir.FinishStop))
	var got []string
	for _, call := range c.ToolCalls() {
		got = append(got, call.ID+" "+call.Arguments)
	}
	if strings.Join(got, ", ") != `a {"x":1}, b {"y":2}` || c.Text() != "I will look." || c.Choices[0].Finish.Reason != weir.FinishToolCalls { // S-05 S-08
		t.Errorf("%q, %q, %+v", got, c.Text(), c.Choices[0].Finish)
	}
	if len(losses) > 0 {
		t.Errorf("losses %v", losses)
	}
}

// A call without arguments has an empty object; one without an id gets one. // S-04
func TestCallsWithoutArguments(t *testing.T) {
	for name, pieces := range map[string][]string{"none": nil, "an empty text": {""}, "white space": {"  "}, "an object": {"{}"}} {
		events := []weir.Event{start(), call(0, "a")}
		for _, p := range pieces {
			events = append(events, add(0, args, p))
		}
		c, _ := tell(t, append(events, end(0), finish(weir.FinishToolCalls))...)
		if calls := c.ToolCalls(); len(calls) != 1 || calls[0].Arguments != "{}" {
			t.Errorf("%s: %+v", name, calls)
		}
	}
	wire := encode(&weir.Request{}, []weir.Event{start(), call(0, ""), end(0), finish(weir.FinishToolCalls)}, nil)
	if id := decode(wholeOf(string(wire))).completion().ToolCalls()[0].ID; !strings.HasPrefix(id, "tooluse_") {
		t.Errorf("id %q", id)
	}
}

// A call that the token cap has cut must not look finished. // S-06
func TestCutCalls(t *testing.T) {
	events := []weir.Event{start(), call(0, "a"), add(0, args, `{"x":"unfini`), end(0), finish(weir.FinishLength)}
	d := decode(streamOf(string(encode(&weir.Request{Stream: true}, events, nil)), false))
	if c := d.completion(); d.err != nil || c.Choices[0].Finish.Reason != weir.FinishLength || c.ToolCalls()[0].Arguments != `{"x":"unfini` {
		t.Errorf("streamed: %v, %+v", d.err, c)
	}
	enc := newMessageEncoder(&weir.Request{})
	for _, ev := range events {
		enc.Encode(nil, ev)
	}
	c := decode(wholeOf(string(enc.Close(nil, nil)))).completion()
	if c.Choices[0].Finish.Reason != weir.FinishLength || len(c.ToolCalls()) != 0 || lossText(enc.Losses()) != "content.toolUse dropped" {
		t.Errorf("whole: %+v, %v", c, enc.Losses())
	}
	// Arguments that are no object and were not cut fail an answer that is whole.
	events[len(events)-1] = finish(weir.FinishToolCalls)
	enc = newMessageEncoder(&weir.Request{})
	for _, ev := range events {
		enc.Encode(nil, ev)
	}
	if out := string(enc.Close(nil, nil)); enc.Failed() == nil || strings.Contains(out, "output") || strings.Contains(out, "unfini") {
		t.Errorf("broken arguments: %s", out)
	}
}

// Thinking goes out with its signature where this protocol carries it, and without
// where another provider made it. // T-03 T-04
func TestThinkingGoesOut(t *testing.T) {
	c, losses := tell(t, start(), thought(0, claudeFormat), add(0, txt, "hm"), add(0, sig, "c2"), add(0, sig, "ln"), end(0),
		thought(1, claudeFormat), add(1, weir.PartEncrypted, "EtkE"), end(1), text(2), add(2, txt, "so"), end(2), finish(weir.FinishStop))
	b := c.Choices[0].Message.Blocks
	if len(b) != 3 || b[0].Text != "hm" || b[0].Reasoning.Signature != "c2ln" || b[1].Reasoning.Encrypted != "EtkE" || len(losses) > 0 {
		t.Errorf("own: %+v, %v", b, losses)
	}
	c, losses = tell(t, start(), thought(0, "openai-responses-v1"), add(0, txt, "hm"), add(0, sig, "x"), end(0), text(1), add(1, txt, "so"), end(1), finish(weir.FinishStop))
	b = c.Choices[0].Message.Blocks
	if len(b) != 2 || b[0].Text != "hm" || b[0].Reasoning.Signature != "" || lossText(losses) != "content.reasoningContent.signature dropped" {
		t.Errorf("of another: %+v, %v", b, losses)
	}
	// Nothing is opened for thinking of nothing. // T-09
	c, _ = tell(t, start(), thought(0, ""), add(0, txt, ""), end(0), text(1), add(1, txt, "so"), end(1), finish(weir.FinishStop))
	if b = c.Choices[0].Message.Blocks; len(b) != 1 {
		t.Errorf("empty thinking: %+v", b)
	}
}

// The input of a custom tool is wrapped into one object. // S-13
func TestCustomCallsGoOut(t *testing.T) {
	custom := begin(0, weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "p", Name: "apply_patch", Type: weir.ToolCustom}})
	c, _ := tell(t, start(), custom, add(0, args, "*** Begin\n"), add(0, args, `+"a"`), end(0), finish(weir.FinishToolCalls))
	if got := c.ToolCalls()[0].Arguments; got != `{"input":"*** Begin\n+\"a\""}` {
		t.Errorf("arguments %s", got)
	}
	// On the way in it is unwrapped again, streamed and whole.
	for name, stream := range map[string]bool{"streamed": true, "whole": false} {
		wire := encode(&weir.Request{Stream: stream}, []weir.Event{start(), custom, add(0, args, "*** Begin\n"), add(0, args, `+"a"`), end(0), finish(weir.FinishToolCalls)}, nil)
		a := wholeOf(string(wire))
		a.Stream, a.Custom, a.Names = stream, map[string]bool{"apply_patch": true}, map[string]string{"apply_patch": "apply patch!"}
		got := decode(a).completion().ToolCalls()
		if len(got) != 1 || got[0].Arguments != "*** Begin\n+\"a\"" || got[0].Type != weir.ToolCustom || got[0].Name != "apply patch!" { // S-09
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Counts go out in this protocol's arithmetic, where the cache is beside the input.
func TestUsageGoesOut(t *testing.T) {
	u := usageEvent(map[weir.UsageField]int64{weir.UsageInput: 110, weir.UsageOutput: 7, weir.UsageCacheRead: 90, weir.UsageCacheCreation: 10, weir.UsageCacheCreation1h: 6, weir.UsageReasoning: 3})
	events := []weir.Event{start(), text(0), add(0, txt, "a"), end(0), finish(weir.FinishStop), u}
	const want = `{"inputTokens":10,"outputTokens":7,"totalTokens":117,"cacheReadInputTokens":90,"cacheWriteInputTokens":10,"cacheDetails":[{"inputTokens":4,"ttl":"5m"},{"inputTokens":6,"ttl":"1h"}]}`
	equalJSON(t, "whole", string(jsonx.Get(encode(&weir.Request{}, events, nil), "usage")), want)
	if out := shown(t, encode(&weir.Request{Stream: true}, events, nil)); !strings.Contains(out, `metadata {"usage":`+want+`}`) {
		t.Errorf("streamed: %s", out)
	}
	_, losses := tell(t, events...)
	if lossText(losses) != "usage.reasoning dropped" {
		t.Errorf("losses %v", losses)
	}
	// What is unknown is left out, and a usage of nothing too. // W-10
	out := encode(&weir.Request{}, []weir.Event{start(), text(0), add(0, txt, "a"), end(0), finish(weir.FinishStop), usageEvent(map[weir.UsageField]int64{weir.UsageOutput: 0})}, nil)
	equalJSON(t, "one count", string(jsonx.Get(out, "usage")), `{"outputTokens":0}`)
	out = encode(&weir.Request{}, []weir.Event{start(), text(0), add(0, txt, "a"), end(0), finish(weir.FinishStop)}, nil)
	equalJSON(t, "no usage", string(out), `{"output":{"message":{"role":"assistant","content":[{"text":"a"}]}},"stopReason":"end_turn"}`)
}

// What the protocol has no words for is left out and told, once.
func TestLossesOfAnswers(t *testing.T) {
	second := text(0)
	second.Choice = 1
	_, losses := tell(t, start(), begin(0, weir.Block{Type: weir.BlockAudio, Media: &weir.Media{}}), add(0, weir.PartAudio, "aGk="), add(0, weir.PartTranscript, "hi"), end(0),
		begin(1, weir.Block{Type: weir.BlockOpaque, Opaque: &weir.Opaque{Protocol: weir.AnthropicMessages, Type: "x", Raw: []byte("{}")}}), end(1),
		begin(2, weir.Block{Type: weir.BlockImage, Media: &weir.Media{URL: "https://example.org/a.png"}}), end(2),
		text(3), add(3, txt, "a"), add(3, weir.PartLogprobs, "{}"), add(3, weir.PartLogprobs, "{}"),
		weir.Event{Type: weir.EventDelta, Index: 3, Part: weir.PartCitation, Citation: &weir.Citation{Type: "file_path"}}, end(3), second, second,
		begin(4, weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "c", Name: "f", Signature: "s"}}), end(4), finish(weir.FinishStop))
	var fields []string
	for _, l := range losses {
		fields = append(fields, l.Field)
	}
	slices.Sort(fields)
	if got := strings.Join(fields, " "); got != "choices content.audio content.citations content.image content.opaque content.toolUse.signature logprobs" {
		t.Errorf("losses %s", got)
	}
}

// The words for the end of other protocols' answers. // P-11
func TestFinishGoesOut(t *testing.T) {
	for reason, want := range map[weir.FinishReason]string{
		weir.FinishStop: "end_turn", weir.FinishStopSequence: "stop_sequence", weir.FinishLength: "max_tokens", weir.FinishContextWindow: "model_context_window_exceeded",
		weir.FinishToolCalls: "end_turn", weir.FinishContentFilter: "content_filtered", weir.FinishRefusal: "content_filtered",
		weir.FinishError: "malformed_model_output", weir.FinishPause: "end_turn", weir.FinishOther: "end_turn",
	} {
		fin := finish(reason)
		fin.Finish.StopSequence = map[bool]string{true: "END"}[reason == weir.FinishStopSequence]
		out := encode(&weir.Request{}, []weir.Event{start(), text(0), add(0, txt, "a"), end(0), fin}, nil)
		if got := jsonx.StringOr(jsonx.Get(out, "stopReason"), ""); got != want {
			t.Errorf("%s became %q", reason, got)
		}
		if got := jsonx.StringOr(jsonx.GetPath(out, modelFields, "stop_sequence"), ""); got != fin.Finish.StopSequence {
			t.Errorf("%s: stop sequence %q", reason, got)
		}
	}
	// An answer with calls says so, unless it was cut. // S-05 S-06
	for reason, want := range map[weir.FinishReason]string{weir.FinishStop: "tool_use", weir.FinishLength: "max_tokens", weir.FinishContentFilter: "content_filtered"} {
		out := encode(&weir.Request{}, []weir.Event{start(), call(0, "a"), end(0), finish(reason)}, nil)
		if got := jsonx.StringOr(jsonx.Get(out, "stopReason"), ""); got != want {
			t.Errorf("calls and %s became %q", reason, got)
		}
	}
}

// What comes back untouched goes out as it came; what is edited, only that.
func TestFramesAreKept(t *testing.T) {
	for _, relay := range []bool{true, false} {
		d := decode(streamOf(stream, relay))
		if out := encode(&weir.Request{Stream: true}, d.events, nil); string(out) != stream {
			t.Errorf("relay=%v: %s", relay, shown(t, out))
		}
	}
	d := decode(wholeOf(whole))
	if out := encode(&weir.Request{}, d.events, nil); string(out) != whole {
		t.Errorf("whole: %s", out)
	}
	edited := decode(streamOf(stream, false)).events
	for i := range edited {
		if edited[i].Text == "Hel" {
			edited[i] = edited[i].Detach()
			edited[i].Text = "Jel"
		}
	}
	out := string(encode(&weir.Request{Stream: true}, edited, nil))
	if err := wireRules(t, []byte(out)); err != nil {
		t.Errorf("%v\n%s", err, shown(t, []byte(out)))
	}
	if !strings.Contains(out, `"Jel"`) || strings.Contains(out, `"Hel"`) || !strings.HasSuffix(out, stream[len(stream)-300:]) || !strings.HasPrefix(out, stream[:300]) {
		t.Errorf("edited: %s", shown(t, []byte(out)))
	}
	// A block that is taken out moves the numbers of those behind it.
	var kept []weir.Event
	for _, ev := range decode(streamOf(stream, false)).events {
		if ev.Index == 0 && (ev.Type == weir.EventBlockStart || ev.Type == weir.EventDelta || ev.Type == weir.EventBlockEnd) {
			continue
		}
		kept = append(kept, ev)
	}
	out = string(encode(&weir.Request{Stream: true}, kept, nil))
	if err := wireRules(t, []byte(out)); err != nil {
		t.Errorf("%v\n%s", err, shown(t, []byte(out)))
	}
	if c := decode(streamOf(out, false)).completion(); len(c.Choices[0].Message.Blocks) != 4 || c.Usage.InputTokens != 110 {
		t.Errorf("without its first block: %+v", c)
	}
	// A whole answer for a client that wants a stream, and the other way round.
	over := encode(&weir.Request{Stream: true}, decode(wholeOf(whole)).events, nil)
	if err := wireRules(t, over); err != nil {
		t.Errorf("%v\n%s", err, shown(t, over))
	}
	checkEverything(t, decode(streamOf(string(over), false)).completion())
	checkEverything(t, decode(wholeOf(string(encode(&weir.Request{}, decode(streamOf(stream, false)).events, nil)))).completion())
}

func TestCountsGoOut(t *testing.T) { // C-05
	count := &weir.Request{Op: weir.CountTokens}
	a := wholeOf(`{"inputTokens": 15, "new": 1}`)
	a.Op = weir.CountTokens
	d := decode(a)
	if d.err != nil || string(encode(count, d.events, nil)) != `{"inputTokens": 15, "new": 1}` {
		t.Errorf("%v, %s", d.err, encode(count, d.events, nil))
	}
	equalJSON(t, "by value", string(encode(count, byValue(d.events), nil)), `{"inputTokens":15,"new":1}`)
	e := New().NewEncoder(count)
	e.Encode(nil, start())
	if out := string(e.Close(nil, nil)); !strings.Contains(out, "no count") {
		t.Errorf("no count: %s", out)
	}
	a = wholeOf(`{"inputTokens":"x"}`)
	a.Op = weir.CountTokens
	if d := decode(a); !errors.Is(d.err, weir.KindUpstream) {
		t.Errorf("%v", d.err)
	}
}
