package anthropic

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

const (
	frameStart = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":3,\"cache_read_input_tokens\":4,\"output_tokens\":1}}}\n\n"
	frameText  = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
	frameHi    = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n"
	frameEnd   = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
	frameDelta = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":9}}\n\n"
	frameStop  = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
)

func streamOf(body string, relay bool) *codec.Answer {
	return &codec.Answer{Body: strings.NewReader(body), Stream: true, Relay: relay, Target: plainTarget("m")}
}

func TestStreamsEndWellOrWithAnError(t *testing.T) {
	tests := []struct {
		name, body string
		kind       weir.Kind
		ok         bool
	}{
		{"complete", frameStart + frameText + frameHi + frameEnd + frameDelta + frameStop, 0, true},
		{"without message_stop", frameStart + frameText + frameHi + frameEnd + frameDelta, 0, true}, // W-05
		{"without a stop of the block", frameStart + frameText + frameHi + frameDelta + frameStop, 0, true},
		{"without a stop_reason", frameStart + frameText + frameHi + frameEnd + frameStop, 0, true},
		{"without the last blank line", frameStart + frameText + frameHi + frameEnd + frameDelta + strings.TrimSpace(frameStop), 0, true}, // W-04
		{"with [DONE] behind it", frameStart + frameDelta + frameStop + "event: data\ndata: [DONE]\n\n", 0, true},
		{"with comments and empty events", ": hello\n\n" + frameStart + ":\n" + "event: ping\n\n" + "data:\n\n\n" + frameDelta + frameStop, 0, true}, // W-01
		{"with events of tomorrow", frameStart + "event: new\ndata: {\"type\":\"new\",\"x\":1}\n\n" + frameDelta + frameStop, 0, true},               // C-09
		{"cut", frameStart + frameText + frameHi, weir.KindUpstream, false},                                                                          // W-05, R-04
		{"cut in a frame", frameStart + frameText + frameHi[:50], weir.KindUpstream, false},
		{"empty", "", weir.KindUpstream, false},
		{"comments only", ": x\n\n", weir.KindUpstream, false},
		{"broken JSON", frameStart + "event: message_delta\ndata: {\"type\":\n\n", weir.KindUpstream, false},
		{"an error at once", "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n", weir.KindOverloaded, false}, // E-02
		{"an error on the way", frameStart + frameText + "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n", weir.KindOverloaded, false},
		{"an error without an event", frameStart + "data: {\"error\":{\"message\":\"Rate limit reached\",\"type\":\"rate_limit_error\"}}\n\n", weir.KindRateLimit, false},
		{"an error body", `{"type":"error","error":{"type":"overloaded_error","message":"busy"}}`, weir.KindOverloaded, false},
		{"an HTML page", "<html><body>502</body></html>", weir.KindUpstream, false}, // E-07
	}
	for _, tt := range tests {
		for _, relay := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				d := decode(t, streamOf(tt.body, relay))
				if (d.err == nil) != tt.ok || d.err != nil && !errors.Is(d.err, tt.kind) {
					t.Fatalf("got %v, want %v", d.err, tt.kind)
				}
				if tt.ok && string(d.raw) != tt.body {
					t.Errorf("frames %q", d.raw)
				}
				if !tt.ok {
					return
				}
				checkOrder(t, d.events)
				if out := encode(&weir.Request{Stream: true}, byValue(d.events), nil); !relay && wireRules(out) != nil {
					t.Errorf("%v\n%s", wireRules(out), out)
				}
			})
		}
	}
}

func TestUpstreamErrorsKeepTheirBytesForTheirOwnClients(t *testing.T) { // E-03
	const data = `{"type":"error","error":{"type":"overloaded_error","message":"busy"},"request_id":"req_1"}`
	d := decode(t, streamOf(frameStart+"event: error\ndata: "+data+"\n\n", false))
	out := encode(&weir.Request{Stream: true}, d.events, weir.AsError(d.err))
	if want := frameStart + "event: error\ndata: " + data + "\n\n"; string(out) != want {
		t.Errorf("got %s", out)
	}
}

func TestTheCallersOwnReasonStaysAsItIs(t *testing.T) {
	a := streamOf("", false)
	a.Body = io.MultiReader(strings.NewReader(frameStart), iotest.ErrReader(context.Canceled))
	if d := decode(t, a); !errors.Is(d.err, context.Canceled) {
		t.Errorf("got %v", d.err)
	}
	a.Body = io.MultiReader(strings.NewReader(frameStart+frameDelta+frameStop), iotest.ErrReader(errors.New("reset")))
	if d := decode(t, a); d.err != nil {
		t.Errorf("a complete answer does not fail any more: %v", d.err)
	}
	a.Body = io.MultiReader(strings.NewReader(frameStart), iotest.ErrReader(errors.New("reset")))
	if d := decode(t, a); !errors.Is(d.err, weir.KindUpstream) {
		t.Errorf("got %v", d.err)
	}
}

func TestUsageIsMergedAndNeverSummed(t *testing.T) { // U-02, U-03, U-08
	delta := func(usage string) string {
		return "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":" + usage + "}\n\n"
	}
	tests := []struct {
		name, usage string
		want        weir.Usage
	}{
		{"cumulative", `{"output_tokens":9}`, weir.Usage{InputTokens: 7, CacheReadTokens: 4, OutputTokens: 9, Known: weir.UsageInput | weir.UsageCacheRead | weir.UsageOutput}},
		{"all again", `{"input_tokens":5,"cache_read_input_tokens":6,"cache_creation_input_tokens":2,"cache_creation":{"ephemeral_1h_input_tokens":1},"output_tokens":9,"output_tokens_details":{"thinking_tokens":8}}`,
			weir.Usage{InputTokens: 13, CacheReadTokens: 6, CacheCreationTokens: 2, CacheCreation1h: 1, OutputTokens: 9, ReasoningTokens: 8,
				Known: weir.UsageInput | weir.UsageCacheRead | weir.UsageCacheCreation | weir.UsageCacheCreation1h | weir.UsageOutput | weir.UsageReasoning}},
		{"null says nothing", `{"input_tokens":null,"output_tokens":9}`, weir.Usage{InputTokens: 7, CacheReadTokens: 4, OutputTokens: 9, Known: weir.UsageInput | weir.UsageCacheRead | weir.UsageOutput}},
		{"an explicit nothing counts", `{"input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}`, weir.Usage{Known: weir.UsageInput | weir.UsageCacheRead | weir.UsageOutput}},
		{"nonsense is unknown", `{"input_tokens":-1,"output_tokens":1e300}`, weir.Usage{CacheReadTokens: 4, Known: weir.UsageCacheRead}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			last := strings.Replace(frameDelta, `,"usage":{"output_tokens":9}`, "", 1)
			d := decode(t, streamOf(frameStart+delta(tt.usage)+last+frameStop, true))
			var got *weir.Usage
			for _, ev := range d.events {
				if ev.Type == weir.EventUsage {
					got = ev.Usage
				}
			}
			if d.err != nil || got.Known != tt.want.Known || got.InputTokens != tt.want.InputTokens || got.OutputTokens != tt.want.OutputTokens ||
				got.CacheReadTokens != tt.want.CacheReadTokens || got.CacheCreationTokens != tt.want.CacheCreationTokens ||
				got.CacheCreation1h != tt.want.CacheCreation1h || got.ReasoningTokens != tt.want.ReasoningTokens {
				t.Errorf("got %+v, %v", got, d.err)
			}
		})
	}
}

func TestBlocksOfTomorrowAreKeptByValue(t *testing.T) { // C-09, P-01
	block := "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"dream\",\"about\":\"\",\"n\":1}}\n\n" +
		"event: ping\ndata: {\"type\": \"ping\"}\n\n" +
		"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"dream_delta\",\"about\":\"she\"}}\n\n" +
		"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"dream_delta\",\"about\":\"ep\",\"n\":2}}\n\n" + frameEnd
	body := frameStart + block + frameDelta + frameStop
	d := decode(t, streamOf(body, false))
	if d.err != nil || string(d.raw) != body {
		t.Fatalf("%v\n%s", d.err, d.raw)
	}
	if out := encode(&weir.Request{Stream: true}, d.events, nil); string(out) != body {
		t.Errorf("verbatim: %s", out)
	}
	out := string(encode(&weir.Request{}, byValue(d.events), nil))
	if want := `"content":[{"type":"dream","about":"sheep","n":2}]`; !strings.Contains(out, want) {
		t.Errorf("%s is not in %s", want, out)
	}
}

func TestUnknownDeltasOfKnownBlocksFlowBy(t *testing.T) { // C-09
	odd := strings.Replace(frameHi, "text_delta", "odd_delta", 1)
	body := frameStart + frameText + odd + frameHi + frameEnd + frameDelta + frameStop
	d := decode(t, streamOf(body, false))
	for i := range d.events {
		if d.events[i].Type == weir.EventStart {
			d.events[i] = d.events[i].Detach() // an edit: what follows goes by value or fits
		}
	}
	out := encode(&weir.Request{Stream: true}, d.events, nil)
	if !bytes.Contains(out, []byte(odd)) {
		t.Errorf("%q is not in %s", odd, out)
	}
	if err := wireRules(bytes.Replace(out, []byte(odd), nil, 1)); err != nil {
		t.Error(err)
	}
}

func TestFramesGoOutAsTheyCameAroundAnEdit(t *testing.T) {
	second := strings.NewReplacer(`"index":0`, `"index":1`)
	body := frameStart + frameText + frameHi + frameEnd + second.Replace(frameText+frameHi+frameEnd) + frameDelta + frameStop
	tests := []struct {
		name string
		edit func([]weir.Event) []weir.Event
		want string
	}{
		{"a delta is changed", func(in []weir.Event) []weir.Event {
			for i := range in {
				if in[i].Text == "hi" && in[i].Index == 0 {
					in[i] = in[i].Detach()
					in[i].Text = "ho"
				}
			}
			return in
		}, strings.Replace(body, `"hi"`, `"ho"`, 1)},
		{"a block is taken out", func(in []weir.Event) (out []weir.Event) {
			for _, ev := range in {
				if ev.Index != 0 || ev.Type != weir.EventBlockStart && ev.Type != weir.EventDelta && ev.Type != weir.EventBlockEnd {
					out = append(out, ev)
				}
			}
			return out
		}, frameStart + frameText + frameHi + frameEnd + frameDelta + frameStop},
		{"a usage is taken out", func(in []weir.Event) (out []weir.Event) {
			for i, ev := range in {
				if ev.Type != weir.EventUsage || i < 3 {
					out = append(out, ev)
				}
			}
			return out
		}, strings.Replace(body, `"usage":{"output_tokens":9}`, `"usage":{"input_tokens":3,"cache_read_input_tokens":4,"output_tokens":1}`, 1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := decode(t, streamOf(body, false))
			out := string(encode(&weir.Request{Stream: true}, tt.edit(d.events), nil))
			if err := wireRules([]byte(out)); err != nil {
				t.Error(err)
			}
			if out != tt.want {
				t.Errorf("got\n%s\nwant\n%s", out, tt.want)
			}
		})
	}
}

func TestInputThatComesWithTheStartOfACallIsKept(t *testing.T) {
	block := "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{\"a\":1}}}\n\n"
	more := strings.Replace(strings.Replace(frameHi, "text_delta", "input_json_delta", 1), `"text":"hi"`, `"partial_json":"{\"b\":2}"`, 1)
	for body, want := range map[string]string{
		frameStart + block + frameEnd + frameDelta + frameStop:        `{"a":1}`,
		frameStart + block + more + frameEnd + frameDelta + frameStop: `{"b":2}`,
	} {
		d := decode(t, streamOf(body, false))
		if calls := collect(d.events).ToolCalls(); d.err != nil || len(calls) != 1 || calls[0].Arguments != want {
			t.Errorf("got %v, want %s, %v", calls, want, d.err)
		}
		if string(encode(&weir.Request{Stream: true}, d.events, nil)) != body {
			t.Error("not verbatim")
		}
	}
}

func TestStopReasonsSurvive(t *testing.T) { // P-11
	for _, reason := range []string{"end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded", "compaction", "of_tomorrow"} {
		body := frameStart + strings.Replace(frameDelta, "end_turn", reason, 1) + frameStop
		d := decode(t, streamOf(body, false))
		for _, ev := range d.events {
			if ev.Type == weir.EventFinish && (ev.Finish.Native != reason || (ev.Finish.Reason == weir.FinishOther) != (reason == "compaction" || reason == "of_tomorrow")) {
				t.Errorf("%s became %+v", reason, ev.Finish)
			}
		}
		if out := encode(&weir.Request{}, byValue(d.events), nil); !strings.Contains(string(out), `"stop_reason":"`+reason+`"`) {
			t.Errorf("%s is not in %s", reason, out)
		}
	}
}

func TestAStopReasonMayMeanFailure(t *testing.T) {
	a := streamOf(frameStart+strings.Replace(frameDelta, "end_turn", "broke", 1)+frameStop, false)
	a.Target = &codec.Target{Quirks: &codec.Quirks{FinishReasons: map[string]string{"broke": "error"}}}
	if d := decode(t, a); !errors.Is(d.err, weir.KindUpstream) {
		t.Errorf("got %v", d.err)
	}
}

func TestTheConsumerMayStopAnywhere(t *testing.T) {
	body := frameStart + frameText + frameHi + frameEnd + frameDelta + frameStop
	for stop := range 9 {
		n := 0
		for range New().Decode(streamOf(body, false)) {
			if n++; n > stop {
				break
			}
		}
	}
}

func TestLongAnswersAreRefusedAboveTheLimit(t *testing.T) { // W-02
	a := streamOf(`{"type":"message","content":[]}`, false)
	a.MaxBody = 10
	if d := decode(t, a); !errors.Is(d.err, weir.KindUpstream) {
		t.Errorf("got %v", d.err)
	}
	long := strings.Replace(frameHi, "hi", strings.Repeat("é", 5<<20), 1)
	a = streamOf(frameStart+frameText+long+frameEnd+frameDelta+frameStop, false)
	if d := decode(t, a); d.err != nil || len(collect(d.events).Text()) != 10<<20 {
		t.Errorf("a long frame: %v", d.err)
	}
	a = streamOf(frameStart+frameText+long, false)
	a.MaxFrame = 1 << 20
	if d := decode(t, a); !errors.Is(d.err, weir.KindUpstream) {
		t.Errorf("got %v", d.err)
	}
}

func TestAnAnswerInTheOtherFormThanAskedForIsDecoded(t *testing.T) {
	whole := `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":9}}`
	d := decode(t, streamOf(whole, true))
	out := encode(&weir.Request{Stream: true}, d.events, nil)
	if err := wireRules(out); err != nil || !bytes.Contains(out, []byte(`"hi"`)) {
		t.Errorf("%v\n%s", err, out)
	}
	a := streamOf(frameStart+frameText+frameHi+frameEnd+frameDelta+frameStop, true)
	a.Stream = false
	d = decode(t, a)
	if out := string(encode(&weir.Request{}, d.events, nil)); !strings.Contains(out, `"content":[{"type":"text","text":"hi"}]`) {
		t.Error(out)
	}
}

func TestCountsAreReadAndWritten(t *testing.T) { // C-05
	a := &codec.Answer{Body: strings.NewReader(`{"input_tokens": 12}`), Op: weir.CountTokens, Target: plainTarget("m")}
	d := decode(t, a)
	if len(d.events) != 2 || d.events[0].Usage.InputTokens != 12 || d.events[1].Type != weir.EventFinish {
		t.Fatalf("%+v, %v", d.events, d.err)
	}
	req := &weir.Request{Op: weir.CountTokens}
	if out := string(encode(req, d.events, nil)); out != `{"input_tokens": 12}` {
		t.Errorf("verbatim: %s", out)
	}
	if out := string(encode(req, byValue(d.events), nil)); out != `{"input_tokens":12}` {
		t.Errorf("by value: %s", out)
	}
	if out := string(encode(req, byValue(d.events[1:]), nil)); !strings.Contains(out, `"error"`) { // U-03
		t.Errorf("unknown: %s", out)
	}
}
