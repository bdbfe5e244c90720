package anthropic

import (
	"errors"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
)

func TestNothingBeforeTheStartOfAnAnswerIsContent(t *testing.T) {
	answer := frameStart + frameText + frameHi + frameEnd + frameDelta + frameStop
	tests := []struct {
		name, junk string
		ok         bool
	}{
		{"a number", "data:0\n\n", true},
		{"a word", "data: ok\n\n", true},
		{"the end of another protocol", "data: [DONE]\n\n", true},
		{"an event of tomorrow", "event: new\ndata: {\"type\":\"new\"}\n\n", true},
		{"an object without a type", "data: {\"id\":\"x\"}\n\n", true},
		{"half an object", "data: {\"id\":\"x\n\n", false},
		{"a delta that is a number", "event: content_block_delta\ndata: 0\n\n", false},
		{"a start that is a number", "event: message_start\ndata: 0\n\n", false},
	}
	for _, tt := range tests {
		for _, relay := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				d := decode(t, streamOf(tt.junk+answer, relay))
				started := false
				for _, ev := range d.events {
					started = started || ev.Type == weir.EventStart
					if ev.IsContent() && !started {
						t.Errorf("%s before the start", ev.Type)
					}
				}
				if (d.err == nil) != tt.ok || !tt.ok && (!errors.Is(d.err, weir.KindUpstream) || len(d.events) > 0) {
					t.Fatalf("%d events, %v", len(d.events), d.err)
				}
				if out := string(encode(&weir.Request{Stream: true}, d.events, nil)); tt.ok && out != tt.junk+answer {
					t.Errorf("got %s", out)
				}
			})
		}
	}
}

func TestAnErrorBehindACutStreamIsAFrameOfItsOwn(t *testing.T) { // R-04, W-05
	const head = frameStart + frameText + frameHi
	const failed = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":"
	malformed := "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"te\n\n"
	tests := []struct{ name, body, sent, message string }{
		{"inside of the data", head + frameHi[:len(frameHi)-9], head, "ended before"},
		{"inside of the data, at a brace", head + frameHi[:len(frameHi)-3], head, "ended before"},
		{"inside of the event line", head + frameHi[:14], head, "ended before"},
		{"before the data", head + frameHi[:27], head, "ended before"},
		{"before the blank line", head + frameHi[:len(frameHi)-1], head + frameHi, "ended before"},
		{"before the line end", head + frameHi[:len(frameHi)-2], head + frameHi, "ended before"},
		{"before a line end of two bytes", head + strings.ReplaceAll(frameHi, "\n", "\r\n")[:len(frameHi)], head + strings.ReplaceAll(frameHi, "\n", "\r\n")[:len(frameHi)] + "\n\n", "ended before"},
		{"behind a comment", head + ": hello\n", head + ": hello\n\n", "ended before"},
		{"malformed", head + malformed + frameEnd, head, "malformed"},
		{"malformed without an event line", head + "data: {\"choices\":[{\"delta\":{\"con\n\n" + frameEnd, head, "malformed"},
	}
	for _, tt := range tests {
		for _, relay := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				d := decode(t, streamOf(tt.body, relay))
				if !errors.Is(d.err, weir.KindUpstream) || !strings.Contains(d.err.Error(), tt.message) {
					t.Fatalf("got %v", d.err)
				}
				out := string(encode(&weir.Request{Stream: true}, d.events, weir.AsError(d.err)))
				if !strings.HasPrefix(out, tt.sent+failed) {
					t.Errorf("got  %s\nwant %s", out, tt.sent)
				}
			})
		}
	}
}

func TestAFrameThatIsCutBehindTheEndIsLeftOut(t *testing.T) { // W-05
	const head = frameStart + frameText + frameHi + frameEnd + frameDelta
	d := decode(t, streamOf(head+frameStop[:40], true))
	if out := string(encode(&weir.Request{Stream: true}, d.events, nil)); d.err != nil || out != head+frameStop {
		t.Errorf("%v\n%s", d.err, out)
	}
}

func TestAnAnswerThatCannotBeWrittenIsAFailure(t *testing.T) { // §13.2
	type failer interface{ Failed() *weir.Error }
	tests := []struct {
		name   string
		op     weir.Operation
		events []weir.Event
		failed bool
	}{
		{"arguments that are no object", weir.Generate, []weir.Event{start(), call(0, "c"), add(0, args, `{"a":`), end(0), finish(weir.FinishToolCalls)}, true},
		{"arguments that are one", weir.Generate, []weir.Event{start(), call(0, "c"), add(0, args, `{}`), end(0), finish(weir.FinishToolCalls)}, false},
		{"a count of nothing", weir.CountTokens, []weir.Event{finish(weir.FinishStop)}, true}, // U-03
	}
	for _, tt := range tests {
		e := New().NewEncoder(&weir.Request{Op: tt.op})
		for _, ev := range tt.events {
			e.Encode(nil, ev)
		}
		e.Close(nil, nil)
		if err := e.(failer).Failed(); (err != nil) != tt.failed || tt.failed && err.Kind != weir.KindUpstream {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestALineEndIsAddedWhereOneIsMissing(t *testing.T) {
	for raw, want := range map[string]int{
		"": 0, "x": 2, "\n": 0, "x\n": 1, "x\r": 2, "x\r\n": 1, "x\n\n": 0, "x\r\r": 0, "x\r\n\r\n": 0, "x\r\n\r": 0, "x\n\r": 0,
	} {
		if got := missingEnds([]byte(raw)); got != want {
			t.Errorf("%q: %d, want %d", raw, got, want)
		}
	}
}
