package gemini_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/gemini"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/weirtest"
)

// chunks are a stream with everything that one may hold; the braces and quotes are
// there for readers that count them.
var chunks = []string{
	parts(`{"text":"Let me \"see\" }]","thought":true}`, `,"index":0`),
	parts(`{"text":"堰 is \u5830 {[ 🌊"}`),
	parts(`{"text":" more"}`),
	`{"candidates":[{"content":{"parts":[{"functionCall":{"id":"c1","name":"f","args":{"a":"]}\\\""}},"thoughtSignature":"U0lH"},{"functionCall":{"id":"c2","name":"g","args":{}}}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":5,"totalTokenCount":5},"modelVersion":"gemini-3-flash","responseId":"r1"}`,
	`{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":7,"thoughtsTokenCount":3,"totalTokenCount":15},"modelVersion":"gemini-3-flash","responseId":"r1"}`,
}

// Both framings are one answer: the events are the same but for their frames, and
// every byte belongs to a frame.
func TestFramings(t *testing.T) {
	for name, body := range map[string]string{
		"crlf": sse(chunks...), "lf": strings.ReplaceAll(sse(chunks...), "\r\n", "\n"), "array": array(chunks...), "array, dense": "[" + strings.Join(chunks, ",") + "]",
		"array, spread": "\n[\n " + strings.Join(chunks, " \n , \n") + "\r\n]\r\n\r\n", "comments": ": hi\n\n" + sse(chunks[:2]...) + ": more\n\n\n" + sse(chunks[2:]...),
		"a byte order mark": "\xef\xbb\xbf" + sse(chunks...), "no blank line at the end": strings.TrimRight(sse(chunks...), "\r\n"),
	} {
		d := decode(streamAnswer(body, false))
		if d.err != nil || string(d.raw) != body {
			t.Errorf("%s: %v\nframes %q\nof %q", name, d.err, d.raw, body)
			continue
		}
		if err := weirtest.CheckEvents(d.events); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		c := d.completion()
		m := c.Choices[0].Message
		if !sameTypes(&m, weir.BlockReasoning, weir.BlockText, weir.BlockToolCall, weir.BlockToolCall) || m.Text() != "堰 is 堰 {[ 🌊 more" || m.Blocks[2].Call.Signature != "U0lH" {
			t.Errorf("%s: %+v", name, m)
		}
		if u := c.Usage; u.InputTokens != 5 || u.OutputTokens != 10 || u.ReasoningTokens != 3 || c.Choices[0].Finish.Reason != weir.FinishToolCalls {
			t.Errorf("%s: %+v, %+v", name, u, c.Choices[0].Finish)
		}
	}
}

// W-03, W-04: bytes split anywhere change nothing; nothing is lost, and the bytes go
// on as they came, decoded and relayed, to a client of the same framing.
func TestSplitAnywhere(t *testing.T) {
	for framing, body := range map[string]string{"?alt=sse": sse(chunks...), "": array(chunks...)} {
		want := decode(streamAnswer(body, false))
		for at := range len(body) {
			a := streamAnswer("", at%2 == 0)
			a.Body = io.MultiReader(strings.NewReader(body[:at]), strings.NewReader(body[at:]))
			got := decode(a)
			if got.err != nil || string(got.raw) != body {
				t.Fatalf("split at %d: %v, frames %q", at, got.err, got.raw)
			}
			if !a.Relay && !reflect.DeepEqual(got.completion(), want.completion()) {
				t.Fatalf("split at %d: %+v", at, got.completion())
			}
			req := open(t, weir.Generate, streamPath+framing, `{"contents":[]}`)
			if out := encoded(req, got.events); string(out) != body {
				t.Fatalf("split at %d it was sent on as %q", at, out)
			}
		}
		a := streamAnswer("", false)
		a.Body = iotest.OneByteReader(strings.NewReader(body))
		if got := decode(a); got.err != nil || string(got.raw) != body {
			t.Fatalf("byte by byte: %v", got.err)
		}
	}
}

// A client that asked for the one framing gets it from an upstream that sent the
// other, chunk for chunk.
func TestReframed(t *testing.T) {
	events := decode(streamAnswer(sse(chunks...), false)).events
	got := encoded(open(t, weir.Generate, streamPath, `{"contents":[]}`), events)
	if !jsonx.Equal(got, []byte("["+strings.Join(chunks, ",")+"]")) {
		t.Errorf("as an array: %s", got)
	}
	events = decode(streamAnswer(array(chunks...), false)).events
	data := dataOf(t, encoded(open(t, weir.Generate, streamPath+"?alt=sse", `{"contents":[]}`), events))
	if len(data) != len(chunks) {
		t.Fatalf("%d events", len(data))
	}
	for i := range data {
		equalJSON(t, fmt.Sprint("chunk ", i), data[i], chunks[i])
	}
}

// Written by value, an answer means the same in either framing, and with a frame of
// the upstream's in the middle.
func TestWrittenByValue(t *testing.T) {
	read := decode(streamAnswer(sse(chunks...), false))
	want := read.completion()
	for framing, newRequest := range map[string]string{"events": streamPath + "?alt=sse", "array": streamPath} {
		req := open(t, weir.Generate, newRequest, `{"contents":[]}`)
		for _, edited := range []int{-1, 0, 1, 4, 1000} { // which event a stage has edited; -1 is all of them
			var events []weir.Event
			for i, ev := range read.events {
				if edited < 0 || i == edited {
					ev = ev.Detach()
				}
				events = append(events, ev)
			}
			out := encoded(req, events)
			if framing == "array" && jsonx.Valid(out) != nil {
				t.Errorf("%s is no array", out)
			}
			d := decode(streamAnswer(string(out), false))
			if d.err != nil {
				t.Errorf("%s, edited %d: %v in %s", framing, edited, d.err, out)
				continue
			}
			got := d.completion()
			if got.Text() != want.Text() || len(got.ToolCalls()) != 2 || !reflect.DeepEqual(got.ToolCalls()[0], want.ToolCalls()[0]) || got.Usage.OutputTokens != want.Usage.OutputTokens ||
				got.Start.ID != want.Start.ID || got.Choices[0].Finish.Reason != want.Choices[0].Finish.Reason {
				t.Errorf("%s, edited %d: %+v", framing, edited, got)
			}
		}
	}
}

// W-05: an answer that ends before its finishReason is cut and no success, wherever
// the cut is; what had arrived is delivered.
func TestCutStreams(t *testing.T) {
	for _, body := range []string{sse(chunks...), array(chunks...)} {
		last := strings.LastIndex(body, `"finishReason"`)
		for at := range last {
			for _, relay := range []bool{true, false} {
				d := decode(streamAnswer(body[:at], relay))
				if e := weir.AsError(d.err); e == nil || e.Kind != weir.KindUpstream {
					t.Fatalf("cut at %d: %v", at, d.err)
				}
				if !strings.HasPrefix(body, string(d.raw)) {
					t.Fatalf("cut at %d: frames %q", at, d.raw)
				}
			}
		}
	}
	reset := errors.New("connection reset")
	a := streamAnswer("", false)
	a.Body = io.MultiReader(strings.NewReader(sse(chunks[:2]...)), iotest.ErrReader(reset))
	if d := decode(a); !errors.Is(d.err, reset) || !errors.Is(d.err, weir.KindUpstream) || d.completion().Text() == "" {
		t.Errorf("%v", d.err)
	}
	a.Body = io.MultiReader(strings.NewReader(sse(chunks[:2]...)), iotest.ErrReader(context.Canceled))
	if d := decode(a); !errors.Is(d.err, context.Canceled) || errors.Is(d.err, weir.KindUpstream) {
		t.Errorf("the caller left: %v", d.err)
	}
}

// The consumer may stop at every event.
func TestStopAnywhere(t *testing.T) {
	for _, body := range []string{sse(chunks...), array(chunks...), parts(signedTurn, `,"finishReason":"STOP"`)} {
		n := len(decode(streamAnswer(body, false)).events)
		for stop := range n {
			seen := 0
			for range gemini.New().Decode(streamAnswer(body, false)) {
				if seen++; seen > stop {
					break
				}
			}
			if seen != stop+1 {
				t.Fatalf("%d events after stopping at %d", seen, stop)
			}
		}
	}
}

// An answer may be in another form than was asked for.
func TestAnswersInAnotherForm(t *testing.T) {
	whole := parts(`{"text":"a"}`, `,"finishReason":"STOP"`)
	for _, stream := range []bool{true, false} {
		for name, body := range map[string]string{"whole": whole, "events": sse(parts(`{"text":"a"}`), parts(``, `,"finishReason":"STOP"`)), "array": array(whole)} {
			d := decode(&codec.Answer{Body: strings.NewReader(body), Stream: stream, Relay: true, Target: target("m")})
			if d.err != nil || stream && name == "whole" && d.completion().Text() != "a" {
				t.Errorf("%s, asked for a stream %v: %v", name, stream, d.err)
			}
		}
	}
	for name, body := range map[string]string{"nothing": "", "a page": "<html>", "words": "upstream busy", "no list": `[1]`, "an empty list": `[]`, "white space": " \r\n"} {
		for _, stream := range []bool{true, false} {
			d := decode(&codec.Answer{Body: strings.NewReader(body), Stream: stream, Target: target("m")})
			if e := weir.AsError(d.err); e == nil || e.Kind != weir.KindUpstream || e.Provider != "gemini" {
				t.Errorf("%s, stream %v: %v", name, stream, d.err)
			}
		}
	}
}

// Some models end after every step, some old servers with every chunk: the last
// finishReason counts, and frames wait for it no longer than they must.
func TestEndsThatAreNone(t *testing.T) {
	body := sse(parts(`{"text":"a"}`, `,"finishReason":"STOP"`), parts(`{"text":"b"}`, `,"finishReason":"STOP"`), parts(`{"text":"","thoughtSignature":"AA=="}`), `{"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2,"totalTokenCount":3}}`)
	for _, relay := range []bool{true, false} {
		d := decode(streamAnswer(body, relay))
		if d.err != nil || string(d.raw) != body {
			t.Fatalf("%v, frames %q", d.err, d.raw)
		}
		if err := weirtest.CheckEvents(d.events); err != nil {
			t.Error(err)
		}
		if u := d.completion().Usage; u == nil || u.OutputTokens != 2 {
			t.Errorf("usage %+v", u)
		}
	}
	if got := decode(streamAnswer(body, false)).completion().Text(); got != "ab" {
		t.Errorf("text %q", got)
	}
	endless := sse(parts(`{"text":"a"}`, `,"finishReason":"STOP"`)) + strings.Repeat(sse(parts(`{"text":""}`)), 200)
	if d := decode(streamAnswer(endless, false)); weir.AsError(d.err) == nil || weir.AsError(d.err).Kind != weir.KindUpstream {
		t.Errorf("an upstream that does not stop: %v", d.err)
	}
	done := sse(parts(`{"text":"a"}`)) + "data: [DONE]\n\n"
	if d := decode(streamAnswer(done, false)); d.err != nil || d.completion().Choices[0].Finish.Reason != weir.FinishStop || string(d.raw) != done {
		t.Errorf("an end mark: %v, %+v", d.err, d.completion().Choices)
	}
}

// Arguments in pieces, as Vertex AI sends them where it was asked to, are one call
// and one frame.
func TestPartialArguments(t *testing.T) {
	piece := func(s string) string { return parts(`{"functionCall":` + s + `}`) }
	body := sse(
		piece(`{"id":"c","name":"f","willContinue":true}`),
		piece(`{"partialArgs":[{"jsonPath":"$.city","stringValue":"Os","willContinue":true}],"willContinue":true}`),
		": keep-alive"+"\n",
		piece(`{"partialArgs":[{"jsonPath":"$.city","stringValue":"lo"},{"jsonPath":"$.days[1].n","numberValue":3},{"jsonPath":"$['a b']","boolValue":true},{"jsonPath":"$.z","nullValue":"NULL_VALUE"}],"willContinue":true}`),
		piece(`{}`), parts(``, `,"finishReason":"STOP"`))
	body = strings.Replace(body, "data: : keep-alive\n", ": keep-alive\r\n", 1)
	d := decode(streamAnswer(body, false))
	if d.err != nil || string(d.raw) != body {
		t.Fatalf("%v, frames %q", d.err, d.raw)
	}
	calls := d.completion().ToolCalls()
	if len(calls) != 1 || calls[0].ID != "c" {
		t.Fatalf("%+v", calls)
	}
	equalJSON(t, "arguments", calls[0].Arguments, `{"city":"Oslo","days":[null,{"n":3}],"a b":true,"z":null}`)
	if out := encoded(open(t, weir.Generate, streamPath+"?alt=sse", `{"contents":[]}`), d.events); string(out) != body {
		t.Errorf("sent on as %q", out)
	}
	if r := decode(streamAnswer(body, true)); r.err != nil || string(r.raw) != body {
		t.Errorf("relayed: %v", r.err)
	}
}

// W-01, W-02: frames over the limit end the answer with an error and not in silence.
func TestLongFrames(t *testing.T) {
	long := parts(`{"inlineData":{"mimeType":"image/png","data":"`+strings.Repeat("iVBO", 1<<16)+`"}}`, `,"finishReason":"STOP"`)
	for _, body := range []string{sse(long), array(long)} {
		if d := decode(streamAnswer(body, false)); d.err != nil || len(d.completion().Choices[0].Message.Blocks) != 1 {
			t.Errorf("256 KiB: %v", d.err)
		}
		a := streamAnswer(body, false)
		a.MaxFrame = 1 << 10
		if d := decode(a); weir.AsError(d.err) == nil || weir.AsError(d.err).Kind != weir.KindUpstream {
			t.Errorf("over the limit: %v", d.err)
		}
	}
	a := wholeAnswer(long)
	a.MaxBody = 1 << 10
	if d := decode(a); weir.AsError(d.err) == nil || !strings.Contains(d.err.Error(), "1024 bytes") {
		t.Errorf("over the limit: %v", d.err)
	}
}

// W-06: what is sent to a silent client is white space, which no reader takes for
// content, and after which the stream goes on.
func TestKeepAlive(t *testing.T) {
	for _, path := range []string{streamPath + "?alt=sse", streamPath} {
		e := gemini.New().NewEncoder(open(t, weir.Generate, path, `{"contents":[]}`))
		var out []byte
		out = e.KeepAlive(out)
		for _, ev := range detached(decode(streamAnswer(sse(chunks...), false)).events) {
			out = e.KeepAlive(e.Encode(out, ev))
		}
		out = e.Close(out, nil)
		if got := decode(streamAnswer(string(out), false)); got.err != nil || got.completion().Text() != "堰 is 堰 {[ 🌊 more" || len(got.completion().ToolCalls()) != 2 {
			t.Errorf("%v in %q", got.err, out)
		}
		if again := e.KeepAlive(nil); path == streamPath && len(again) > 0 {
			t.Errorf("%q behind the end", again)
		}
	}
	if out := gemini.New().NewEncoder(open(t, weir.Generate, generatePath, `{"contents":[]}`)).KeepAlive(nil); len(out) > 0 {
		t.Errorf("%q in an answer that is not streamed", out)
	}
}

// An error in the middle is an element of the stream in its own framing (E-03).
func TestErrorsInTheMiddle(t *testing.T) {
	e := weir.Errorf(weir.KindOverloaded, "busy")
	for _, path := range []string{streamPath + "?alt=sse", streamPath} {
		enc := gemini.New().NewEncoder(open(t, weir.Generate, path, `{"contents":[]}`))
		var out []byte
		for _, ev := range decode(streamAnswer(sse(chunks[:2]...), false)).events {
			out = enc.Encode(out, ev)
		}
		out = enc.Close(out, e)
		if path == streamPath && jsonx.Valid(out) != nil {
			t.Errorf("%s is no array", out)
		}
		d := decode(streamAnswer(string(out), false))
		if got := weir.AsError(d.err); got == nil || got.Kind != weir.KindOverloaded || d.completion().Text() == "" {
			t.Errorf("%v in %s", d.err, out)
		}
	}
	// The upstream's own error in a stream goes to a client of the protocol as it is.
	body := sse(chunks[0], `{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}`)
	d := decode(streamAnswer(body, false))
	got := weir.AsError(d.err)
	if got == nil || got.Kind != weir.KindOverloaded || got.Wire == nil {
		t.Fatalf("%v", d.err)
	}
	if out := gemini.New().AppendError(nil, got); !strings.Contains(string(out), `"The model is overloaded."`) {
		t.Errorf("%s", out)
	}
}

// A stream for a client of another protocol that is cut by the token cap in the
// middle of a call: the call is left out and told (S-06).
func TestCutCalls(t *testing.T) {
	chatStream := "data: " + `{"id":"x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{\"a\":"}}]}}]}` + "\n\n" +
		"data: " + `{"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"REASON"}]}` + "\n\ndata: [DONE]\n\n"
	for _, stream := range []string{streamPath + "?alt=sse", generatePath} {
		for reason, fails := range map[string]bool{"length": false, "tool_calls": true} {
			e := gemini.New().NewEncoder(open(t, weir.Generate, stream, `{"contents":[]}`))
			var out []byte
			for ev, err := range openaichat.New().Decode(&codec.Answer{Body: strings.NewReader(strings.Replace(chatStream, "REASON", reason, 1)), Stream: true, Target: target("m")}) {
				if err != nil {
					t.Fatal(err)
				}
				out = e.Encode(out, ev)
			}
			out = e.Close(out, nil)
			if strings.Contains(string(out), "functionCall") || bytes.Contains(out, []byte(`"error"`)) != fails {
				t.Errorf("%s, %s: %s", stream, reason, out)
			}
			if !fails && (!bytes.Contains(out, []byte("MAX_TOKENS")) || lossText(e.Losses()) != "dropped candidates.content.parts.functionCall") {
				t.Errorf("%s: %s, losses %s", stream, out, lossText(e.Losses()))
			}
		}
	}
}
