package converse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/eventstream"
)

// stream is an answer with everything that the protocol streams, padded as
// Bedrock pads it.
var stream = frames(
	messageStart, `{"p":"abc","role":"assistant"}`,
	contentBlockDelta, `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"let me "}},"p":"ab"}`,
	contentBlockDelta, `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"see"}}}`,
	contentBlockDelta, `{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2ln"}}}`,
	contentBlockStop, `{"contentBlockIndex":0,"p":"abcd"}`,
	contentBlockDelta, `{"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"RXRrRQ=="}}}`,
	contentBlockStop, `{"contentBlockIndex":1}`,
	contentBlockDelta, `{"contentBlockIndex":2,"delta":{"text":"Hel"},"p":"abcdefgh"}`,
	contentBlockDelta, `{"contentBlockIndex":2,"delta":{"text":"lo 堰 \ud83c\udf0a"}}`,
	contentBlockDelta, `{"contentBlockIndex":2,"delta":{"text":""}}`,
	contentBlockStop, `{"contentBlockIndex":2}`,
	contentBlockStart, `{"contentBlockIndex":3,"start":{"toolUse":{"name":"get_weather","toolUseId":"tooluse_a"}}}`,
	contentBlockDelta, `{"contentBlockIndex":3,"delta":{"toolUse":{"input":""}}}`,
	contentBlockDelta, `{"contentBlockIndex":3,"delta":{"toolUse":{"input":"{\"city\":"}}}`,
	contentBlockDelta, `{"contentBlockIndex":3,"delta":{"toolUse":{"input":"\"Oslo\"}"}}}`,
	contentBlockStop, `{"contentBlockIndex":3}`,
	contentBlockStart, `{"contentBlockIndex":4,"start":{"toolUse":{"name":"now","toolUseId":"tooluse_b"}}}`,
	contentBlockStop, `{"contentBlockIndex":4}`,
	messageStop, `{"p":"a","stopReason":"tool_use"}`,
	metadataEvent, `{"metrics":{"latencyMs":5},"p":"abcdef","usage":{"inputTokens":10,"outputTokens":7,"totalTokens":117,"cacheReadInputTokens":90,"cacheWriteInputTokens":10,"cacheDetails":[{"inputTokens":4,"ttl":"5m"},{"inputTokens":6,"ttl":"1h"}]}}`,
)

// whole is the same answer in one piece.
const whole = `{"metrics":{"latencyMs":5},"output":{"message":{"content":[
 {"reasoningContent":{"reasoningText":{"signature":"c2ln","text":"let me see"}}},
 {"reasoningContent":{"redactedContent":"RXRrRQ=="}},
 {"text":"Hello 堰 🌊"},
 {"toolUse":{"input":{"city":"Oslo"},"name":"get_weather","toolUseId":"tooluse_a"}},
 {"toolUse":{"input":{},"name":"now","toolUseId":"tooluse_b"}}],"role":"assistant"}},
 "stopReason":"tool_use","usage":{"inputTokens":10,"outputTokens":7,"totalTokens":117,"cacheReadInputTokens":90,"cacheWriteInputTokens":10,"cacheDetails":[{"inputTokens":4,"ttl":"5m"},{"inputTokens":6,"ttl":"1h"}]}}`

func wholeOf(body string) *codec.Answer {
	return &codec.Answer{Body: strings.NewReader(body), Target: plainTarget(claude)}
}

// checkEverything is what both of the above say.
func checkEverything(t *testing.T, c *weir.Completion) {
	t.Helper()
	blocks := c.Choices[0].Message.Blocks
	if len(blocks) != 5 {
		t.Fatalf("%d blocks: %+v", len(blocks), blocks)
	}
	if b := blocks[0]; b.Text != "let me see" || b.Reasoning.Signature != "c2ln" || b.Reasoning.Format != claudeFormat { // T-03
		t.Errorf("thinking %+v %+v", b, b.Reasoning)
	}
	if r := blocks[1].Reasoning; blocks[1].Text != "" || r.Encrypted != "EtkE" || r.Format != claudeFormat {
		t.Errorf("redacted %+v", r)
	}
	if blocks[2].Text != "Hello 堰 🌊" { // W-03
		t.Errorf("text %q", blocks[2].Text)
	}
	a, b := blocks[3].Call, blocks[4].Call
	if a == nil || b == nil || a.ID != "tooluse_a" || a.Arguments != `{"city":"Oslo"}` || b.ID != "tooluse_b" || b.Name != "now" || b.Arguments != "{}" { // S-01 S-04
		t.Errorf("calls %+v %+v", a, b)
	}
	if c.Choices[0].Finish.Reason != weir.FinishToolCalls {
		t.Errorf("finish %+v", c.Choices[0].Finish)
	}
	u := c.Usage
	if u.InputTokens != 110 || u.OutputTokens != 7 || u.CacheReadTokens != 90 || u.CacheCreationTokens != 10 || u.CacheCreation1h != 6 { // the parts are disjoint here
		t.Errorf("usage %+v", u)
	}
	if u.Has(weir.UsageReasoning) || u.Has(weir.UsageAudioInput) { // unknown is not zero
		t.Errorf("known %b", u.Known)
	}
	if string(u.Extra.Value(metadataField)) != `{"metrics":{"latencyMs":5}}` {
		t.Errorf("beside %s", u.Extra.Value(metadataField))
	}
}

// W-12: streamed and whole say the same; W-04: however the bytes are split.
func TestAnswersSayTheSame(t *testing.T) {
	d := decode(wholeOf(whole))
	if d.err != nil || string(d.raw) != whole {
		t.Fatalf("%v, %s", d.err, d.raw)
	}
	checkEverything(t, d.completion())
	for name, body := range map[string]io.Reader{
		"at once": strings.NewReader(stream), "byte by byte": iotest.OneByteReader(strings.NewReader(stream)),
		"halves": iotest.HalfReader(strings.NewReader(stream)), "early EOF": iotest.DataErrReader(strings.NewReader(stream)),
	} {
		a := streamOf("", false)
		a.Body = body
		d := decode(a)
		if d.err != nil || string(d.raw) != stream {
			t.Fatalf("%s: %v, %d bytes of %d", name, d.err, len(d.raw), len(stream))
		}
		checkEverything(t, d.completion())
	}
}

// An upstream that answers otherwise than it was asked is understood: the first
// byte tells.
func TestTheOtherForm(t *testing.T) {
	a := streamOf(whole, false)
	a.Header = map[string][]string{"Content-Type": {"application/json"}}
	d := decode(a)
	if d.err != nil {
		t.Fatal(d.err)
	}
	checkEverything(t, d.completion())
	a = wholeOf(stream)
	a.Header = map[string][]string{"Content-Type": {streamType}}
	if d = decode(a); d.err != nil {
		t.Fatal(d.err)
	}
	checkEverything(t, d.completion())
}

// Relayed, content flows by undecoded; how it ended and what it cost is read.
func TestRelayed(t *testing.T) {
	d := decode(streamOf(stream, true))
	if d.err != nil || string(d.raw) != stream {
		t.Fatalf("%v, %d bytes of %d", d.err, len(d.raw), len(stream))
	}
	c := d.completion()
	if c.Choices[0].Finish.Reason != weir.FinishToolCalls || c.Usage.InputTokens != 110 {
		t.Errorf("finish %+v, usage %+v", c.Choices[0].Finish, c.Usage)
	}
	for _, ev := range d.events {
		if ev.Type == weir.EventBlockStart || ev.Type == weir.EventDelta || ev.Type == weir.EventBlockEnd {
			t.Errorf("%s was decoded", ev.Type)
		}
	}
}

// A stream that is cut anywhere is an error, and never a success. // W-05
func TestCutStreams(t *testing.T) {
	var boundaries []int
	r := eventstream.NewReader(strings.NewReader(stream), 0)
	defer r.Release()
	end, stop := 0, 0
	for {
		f, err := r.Next()
		if err != nil {
			break
		}
		end += len(f.Raw)
		boundaries = append(boundaries, end)
		if string(f.Name) == messageStop {
			stop = end
		}
	}
	for _, relay := range []bool{true, false} {
		for _, at := range boundaries {
			for _, cut := range []int{at, at - 1, at - 5} {
				d := decode(streamOf(stream[:cut], relay))
				complete := cut == stop || cut == len(stream) // what comes behind messageStop may be missing whole
				if complete != (d.err == nil) {
					t.Errorf("cut at %d of %d, relay=%v: %v", cut, len(stream), relay, d.err)
				}
				if d.err != nil && !errors.Is(d.err, weir.KindUpstream) {
					t.Errorf("cut at %d: %v", cut, d.err)
				}
				if !strings.HasPrefix(stream, string(d.raw)) {
					t.Errorf("cut at %d: the frames are not what came", cut)
				}
			}
		}
	}
	if d := decode(streamOf("", false)); !errors.Is(d.err, weir.KindUpstream) {
		t.Errorf("nothing at all: %v", d.err)
	}
}

// A frame whose checksum is wrong ends the answer with an error; what came before
// it stands.
func TestCorruptFrames(t *testing.T) {
	prelude := len(frames(messageStart, `{"p":"abc","role":"assistant"}`))
	for name, at := range map[string]int{
		"in a length": prelude + 3, "in the checksum of the lengths": prelude + 9, "in a header": prelude + 20,
		"in a payload": prelude + 100, "in the first frame": 30, "in the last checksum": len(stream) - 1,
	} {
		broken := []byte(stream)
		broken[at] ^= 0x10
		for _, relay := range []bool{true, false} {
			d := decode(streamOf(string(broken), relay))
			if name == "in the last checksum" && d.err == nil {
				t.Errorf("%s: taken for complete", name)
			}
			if e := weir.AsError(d.err); e == nil || e.Kind != weir.KindUpstream || e.Provider != "bedrock" || strings.Contains(e.Message, "Hel") {
				t.Errorf("%s, relay=%v: %+v", name, relay, e)
			}
			if !bytes.HasPrefix(broken, d.raw) {
				t.Errorf("%s: the frames are not what came", name)
			}
		}
	}
	a := streamOf(stream, false)
	a.MaxFrame = 100
	if d := decode(a); !errors.Is(d.err, weir.KindUpstream) { // W-02
		t.Errorf("a frame over the limit: %v", d.err)
	}
}

// The consumer may stop at any Event.
func TestStoppingAnywhere(t *testing.T) {
	for _, relay := range []bool{true, false} {
		n := len(decode(streamOf(stream, relay)).events)
		for stop := range n {
			i := 0
			for _, err := range New().Decode(streamOf(stream, relay)) {
				if err != nil {
					t.Fatal(err)
				}
				if i == stop {
					break
				}
				i++
			}
		}
	}
}

// Blocks that come interleaved, or whose starts and stops are left out, stay apart.
func TestBlocksStayApart(t *testing.T) {
	d := decode(streamOf(frames(
		messageStart, `{"role":"assistant"}`,
		contentBlockStart, `{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"a","name":"f"}}}`,
		contentBlockStart, `{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"b","name":"g"}}}`,
		contentBlockDelta, `{"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"y\":"}}}`,
		contentBlockDelta, `{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{\"x\":1}"}}}`,
		contentBlockDelta, `{"contentBlockIndex":1,"delta":{"toolUse":{"input":"2}"}}}`,
		contentBlockStart, `{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"c","name":"h"}}}`,
		messageStop, `{"stopReason":"end_turn"}`,
	), false))
	if d.err != nil {
		t.Fatal(d.err)
	}
	var got []string
	for _, c := range d.completion().ToolCalls() {
		got = append(got, c.ID+" "+c.Arguments)
	}
	if strings.Join(got, ", ") != `a {"x":1}, b {"y":2}, c {}` { // S-01 S-03
		t.Errorf("calls %q", got)
	}
}

// What the protocol may say tomorrow, and what gateways do to a stream, is taken
// as it is.
func TestOddFrames(t *testing.T) {
	odd := frames(
		"initial-response", `{}`,
		contentBlockDelta, `{"contentBlockIndex":0,"delta":{"text":"a"}}`, // messageStart was lost
		"tomorrow", `{"x":1}`,
		contentBlockStart, `{"contentBlockIndex":0,"start":{}}`,
		contentBlockDelta, `{"contentBlockIndex":0,"delta":{"novelty":"x"}}`,
		contentBlockDelta, `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"not here"}}}`,
		contentBlockDelta, `{"contentBlockIndex":0,"delta":{"text":"b","novelty":null}}`,
		contentBlockStop, `{"contentBlockIndex":7}`,
		messageStop, `{"stopReason":"end_turn"}`,
		messageStop, `{"stopReason":"end_turn"}`,
		contentBlockDelta, `{"contentBlockIndex":0,"delta":{"text":"too late"}}`,
		metadataEvent, `{"p":"abc"}`,
		metadataEvent, `{"usage":{"inputTokens":3,"outputTokens":-1,"new":7}}`,
	)
	d := decode(streamOf(odd, false))
	if d.err != nil || string(d.raw) != odd {
		t.Fatalf("%v, %d bytes of %d", d.err, len(d.raw), len(odd))
	}
	c := d.completion()
	if c.Text() != "ab" || len(c.Choices[0].Message.Blocks) != 1 {
		t.Errorf("said %q, %+v", c.Text(), c.Choices[0].Message.Blocks)
	}
	if u := c.Usage; !u.Has(weir.UsageInput) || u.Has(weir.UsageOutput) || string(u.Extra.Value("new")) != "7" {
		t.Errorf("usage %+v", u)
	}
	if d.events[0].Type != weir.EventPing || d.events[1].Type != weir.EventStart {
		t.Errorf("begins with %s, %s", d.events[0].Type, d.events[1].Type)
	}
}

// A stream that is not what its frames say ends with an error.
func TestMalformedStreams(t *testing.T) {
	begun := frames(messageStart, `{"role":"assistant"}`, contentBlockDelta, `{"contentBlockIndex":0,"delta":{"text":"a"}}`)
	for name, rest := range map[string]string{
		"a delta without a number":      frames(contentBlockDelta, `{"delta":{"text":"a"}}`),
		"a delta of another type":       frames(contentBlockDelta, `{"contentBlockIndex":0,"delta":{"text":5}}`),
		"a delta that is no JSON":       frames(contentBlockDelta, `{"contentBlockIndex":0,"delta":`),
		"a start without a number":      frames(contentBlockStart, `{"start":{"toolUse":{"toolUseId":"a","name":"f"}}}`),
		"a call without an id":          frames(contentBlockStart, `{"contentBlockIndex":1,"start":{"toolUse":{"name":"f"}}}`),
		"the input of no call":          frames(contentBlockDelta, `{"contentBlockIndex":4,"delta":{"toolUse":{"input":"{}"}}}`),
		"a stop without a number":       frames(contentBlockStop, `{}`),
		"a messageStop that is no JSON": frames(messageStop, `{`),
		"a metadata that is no JSON":    frames(messageStop, `{"stopReason":"end_turn"}`, metadataEvent, `{`),
		"a second answer":               frames(messageStart, `{"role":"assistant"}`),
		"an answer that was given up":   frames(messageStop, `{"stopReason":"malformed_tool_use"}`),
	} {
		d := decode(streamOf(begun+rest, false))
		if !errors.Is(d.err, weir.KindUpstream) {
			t.Errorf("%s: %v", name, d.err)
		}
	}
}

// Blocks that have no deltas here are gathered until they are complete: what
// Bedrock's own tools do, redacted thinking in pieces, images.
func TestHeldBlocks(t *testing.T) {
	held := frames(
		messageStart, `{"role":"assistant"}`,
		contentBlockStart, `{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"s","name":"nova_grounding","type":"server_tool_use"}}}`,
		contentBlockDelta, `{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{\"q\":"}}}`,
		contentBlockDelta, `{"contentBlockIndex":0,"delta":{"toolUse":{"input":"1}"}}}`,
		contentBlockStop, `{"contentBlockIndex":0}`,
		contentBlockStart, `{"contentBlockIndex":1,"start":{"toolResult":{"toolUseId":"s","type":"nova_grounding_result","status":"success"}}}`,
		contentBlockDelta, `{"contentBlockIndex":1,"delta":{"toolResult":[{"text":"a"}]}}`,
		contentBlockDelta, `{"contentBlockIndex":1,"delta":{"toolResult":[{"json":{"b":1}}]}}`,
		contentBlockStop, `{"contentBlockIndex":1}`,
		contentBlockDelta, `{"contentBlockIndex":2,"delta":{"reasoningContent":{"redactedContent":"RXRr"}}}`,
		contentBlockDelta, `{"contentBlockIndex":2,"delta":{"reasoningContent":{"redactedContent":"RQ=="}}}`,
		contentBlockStop, `{"contentBlockIndex":2}`,
		contentBlockStart, `{"contentBlockIndex":3,"start":{"image":{"format":"png"}}}`,
		contentBlockDelta, `{"contentBlockIndex":3,"delta":{"image":{"source":{"bytes":"aGk="}}}}`,
		contentBlockStop, `{"contentBlockIndex":3}`,
		contentBlockDelta, `{"contentBlockIndex":4,"delta":{"text":"done"}}`,
		contentBlockDelta, `{"contentBlockIndex":4,"delta":{"citation":{"title":"t","location":{"web":{"url":"https://example.org"}}}}}`,
		messageStop, `{"stopReason":"end_turn"}`,
	)
	d := decode(streamOf(held, false))
	if d.err != nil || string(d.raw) != held {
		t.Fatalf("%v, %d bytes of %d", d.err, len(d.raw), len(held))
	}
	c := d.completion()
	blocks := c.Choices[0].Message.Blocks
	if len(blocks) != 5 {
		t.Fatalf("blocks %+v", blocks)
	}
	equalJSON(t, "call", string(blocks[0].Opaque.Raw), `{"toolUse":{"toolUseId":"s","name":"nova_grounding","type":"server_tool_use","input":{"q":1}}}`)
	equalJSON(t, "result", string(blocks[1].Opaque.Raw), `{"toolResult":{"toolUseId":"s","type":"nova_grounding_result","status":"success","content":[{"text":"a"},{"json":{"b":1}}]}}`)
	if blocks[2].Reasoning.Encrypted != "EtkE" || blocks[3].Media.Data != "aGk=" || blocks[3].Media.MIME != "image/png" || blocks[4].Citations[0].URL != "https://example.org" {
		t.Errorf("blocks %+v", blocks[2:])
	}
	// Written anew it says the same, streamed and whole. // W-12
	again := decode(streamOf(string(encode(&weir.Request{Stream: true}, byValue(d.events), nil)), false))
	one := decode(wholeOf(string(encode(&weir.Request{}, byValue(d.events), nil))))
	for name, x := range map[string]decoded{"streamed": again, "whole": one} {
		if x.err != nil {
			t.Errorf("%s: %v", name, x.err)
			continue
		}
		got := x.completion().Choices[0].Message.Blocks
		if len(got) != 5 || got[2].Reasoning.Encrypted != "EtkE" || got[3].Media.Data != "aGk=" || len(got[4].Citations) != 1 {
			t.Errorf("%s: %+v", name, got)
			continue
		}
		equalJSON(t, name+" call", string(got[0].Opaque.Raw), string(blocks[0].Opaque.Raw))
		equalJSON(t, name+" result", string(got[1].Opaque.Raw), string(blocks[1].Opaque.Raw))
	}
	// Cut inside of a held block, its frames are sent on and the answer fails.
	cut := held[:len(frames(messageStart, `{"role":"assistant"}`))] + frames(contentBlockStart, `{"contentBlockIndex":0,"start":{"image":{"format":"png"}}}`)
	if d := decode(streamOf(cut, false)); string(d.raw) != cut || !errors.Is(d.err, weir.KindUpstream) {
		t.Errorf("cut: %v, %d bytes of %d", d.err, len(d.raw), len(cut))
	}
}

// The word for the end is kept, and what it stands for is told. // P-11
func TestStopReasons(t *testing.T) {
	for word, want := range map[string]weir.FinishReason{
		"end_turn": weir.FinishStop, "stop_sequence": weir.FinishStopSequence, "max_tokens": weir.FinishLength, "tool_use": weir.FinishToolCalls,
		"model_context_window_exceeded": weir.FinishContextWindow, "guardrail_intervened": weir.FinishContentFilter,
		"content_filtered": weir.FinishContentFilter, "of_tomorrow": weir.FinishOther,
	} {
		one := frames(messageStart, `{"role":"assistant"}`, contentBlockDelta, `{"contentBlockIndex":0,"delta":{"text":"a"}}`, contentBlockStop, `{"contentBlockIndex":0}`,
			messageStop, `{"stopReason":"`+word+`","additionalModelResponseFields":{"stop_sequence":"END"}}`)
		for name, d := range map[string]decoded{
			"streamed": decode(streamOf(one, false)),
			"whole":    decode(wholeOf(`{"output":{"message":{"role":"assistant","content":[{"text":"a"}]}},"stopReason":"` + word + `","additionalModelResponseFields":{"stop_sequence":"END"}}`)),
		} {
			if d.err != nil {
				t.Errorf("%s %s: %v", word, name, d.err)
				continue
			}
			f := d.completion().Choices[0].Finish
			if f.Reason != want || f.Native != word || f.StopSequence != "END" || d.completion().Usage != nil {
				t.Errorf("%s %s: %+v", word, name, f)
			}
			written := string(encode(&weir.Request{}, byValue(d.events), nil))
			if !strings.Contains(written, `"stopReason":"`+word+`","additionalModelResponseFields":{"stop_sequence":"END"}`) {
				t.Errorf("%s %s: written %s", word, name, written)
			}
		}
	}
	for _, word := range []string{"malformed_model_output", "malformed_tool_use"} {
		if d := decode(wholeOf(`{"output":{"message":{"role":"assistant","content":[]}},"stopReason":"` + word + `"}`)); !errors.Is(d.err, weir.KindUpstream) {
			t.Errorf("%s: %v", word, d.err)
		}
	}
	a := wholeOf(`{"output":{"message":{"role":"assistant","content":[]}},"stopReason":"sensitive"}`)
	a.Target.Quirks.FinishReasons = map[string]string{"sensitive": "content_filter"}
	if f := decode(a).completion().Choices[0].Finish; f.Reason != weir.FinishContentFilter || f.Native != "sensitive" {
		t.Errorf("a word of the upstream's own: %+v", f)
	}
}

// An answer that a guardrail held back is a refusal with its trace, and no failure.
func TestGuardrails(t *testing.T) {
	blocked := frames(messageStart, `{"role":"assistant"}`, contentBlockDelta, `{"contentBlockIndex":0,"delta":{"text":"Sorry."}}`, contentBlockStop, `{"contentBlockIndex":0}`,
		messageStop, `{"stopReason":"guardrail_intervened"}`,
		metadataEvent, `{"usage":{"inputTokens":0,"outputTokens":0,"totalTokens":0},"trace":{"guardrail":{"actionReason":"blocked"}}}`)
	d := decode(streamOf(blocked, false))
	if d.err != nil {
		t.Fatal(d.err)
	}
	c := d.completion()
	if c.Choices[0].Finish.Reason != weir.FinishContentFilter || c.Text() != "Sorry." || !c.Usage.Has(weir.UsageInput|weir.UsageOutput) {
		t.Errorf("%+v, %q, %+v", c.Choices[0].Finish, c.Text(), c.Usage)
	}
	for _, streamed := range []bool{true, false} {
		out := string(encode(&weir.Request{Stream: streamed}, byValue(d.events), nil))
		if !strings.Contains(out, `"trace":{"guardrail":{"actionReason":"blocked"}}`) || !strings.Contains(out, "guardrail_intervened") {
			t.Errorf("stream=%v: %s", streamed, out)
		}
	}
}

// The short way of reading a delta says what the long one says, or nothing.
func TestTextDelta(t *testing.T) {
	for payload, want := range map[string]string{
		`{"contentBlockIndex":0,"delta":{"text":"hi"}}`:                 `0 "hi"`,
		`{"contentBlockIndex":12,"delta":{"text":"堰 {}"},"p":"abcD9"}`:  `12 "堰 {}"`,
		`{"contentBlockIndex":0,"delta":{"text":""},"p":""}`:            `0 ""`,
		`{"contentBlockIndex":0,"delta":{"text":"a\\n"}}`:               ``,
		`{"contentBlockIndex":0,"delta":{"text":"hi"},"p":"a","x":"b"}`: ``,
		`{"contentBlockIndex":0,"delta":{"text":"hi","toolUse":{}}}`:    ``,
		`{"contentBlockIndex":0,"delta":{"text":"hi"}} `:                ``,
		`{"contentBlockIndex":01,"delta":{"text":"hi"}}`:                ``,
		`{"contentBlockIndex":-1,"delta":{"text":"hi"}}`:                ``,
		`{"contentBlockIndex":9999999999,"delta":{"text":"hi"}}`:        ``,
		`{"contentBlockIndex":0,"delta":{"text":"hi`:                    ``,
		`{"contentBlockIndex":0,"delta":{"text":5}}`:                    ``,
		`{"contentBlockIndex":0,"delta":{"text":`:                       ``,
		`{"contentBlockIndex":`:                                         ``,
		`{"delta":{"text":"hi"},"contentBlockIndex":0}`:                 ``,
	} {
		wire, value, ok := textDelta([]byte(payload))
		got := ""
		if ok {
			got = fmt.Sprintf("%d %s", wire, value)
			long, delta, _ := readDeltaFrame([]byte(payload))
			if kind, same := deltaOf(delta); kind != "text" || long != wire || string(same) != string(value) {
				t.Errorf("%s: the long way says %d %s %s", payload, long, kind, same)
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", payload, got, want)
		}
	}
}
