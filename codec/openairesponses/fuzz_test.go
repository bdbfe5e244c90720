package openairesponses_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/weirtest"
)

// FuzzAnswers is the contract of Decode for any bytes.
func FuzzAnswers(f *testing.F) { weirtest.FuzzAnswers(f, responses) }

// FuzzRequests is the contract of OpenRequest for any bytes.
func FuzzRequests(f *testing.F) { weirtest.FuzzRequests(f, responses) }

// FuzzRewrite checks that what is taken can be written again, has no key twice, and
// means the same when it is read again.
func FuzzRewrite(f *testing.F) {
	for _, item := range everyItem {
		f.Add([]byte(`{"model":"m","input":[` + item + `]}`))
	}
	f.Add([]byte(`{"model":"m","input":"q",` + everyMember + `}`))
	f.Add([]byte(withSearch))
	f.Add([]byte(later))
	f.Fuzz(func(t *testing.T, body []byte) {
		once, ok := rewritten(body)
		if !ok || uniqueKeys(body) != nil {
			return
		}
		if err := uniqueKeys(once); err != nil {
			t.Fatalf("%v in %s", err, once)
		}
		twice, ok := rewritten(once)
		if !ok || !jsonx.Equal(once, twice) {
			t.Fatalf("%v\nonce  %s\ntwice %s", ok, once, twice)
		}
	})
}

func rewritten(body []byte) ([]byte, bool) {
	req, err := responses.OpenRequest(weir.Generate, &weir.Wire{Protocol: weir.OpenAIResponses, Body: body})
	if err != nil {
		return nil, false
	}
	if req, err = req.Edit(func(*weir.Body) error { return nil }); err != nil {
		return nil, false
	}
	call, err := responses.EncodeRequest(req, plain(codec.Quirks{}))
	if err != nil {
		return nil, false
	}
	return bytes.Join(call.Body, nil), true
}

// FuzzStream checks that the frames of any stream are its bytes, relayed or not,
// and that what was understood, or half of it with an error behind, makes a legal
// stream by value.
func FuzzStream(f *testing.F) {
	f.Add([]byte(sse(nativeEvents()...)))
	f.Add([]byte(strings.ReplaceAll(sse(nativeEvents()...), "\n", "\r\n")))
	f.Add([]byte(strings.ReplaceAll(sse(nativeEvents()...), `"output_index":1`, `"output_index":0`)))
	f.Add([]byte(strings.NewReplacer("function_call_arguments", "custom_tool_call_input", "function_call", "custom_tool_call", `"arguments"`, `"input"`).Replace(sse(nativeEvents()...))))
	f.Add([]byte(sse(nativeEvents()[0], [2]string{"error", `,"code":"x","message":"y"`})))
	f.Add([]byte(": keep-alive\n\nevent: keepalive\ndata: {\"type\":\"keepalive\"}\n\n" + sse(nativeEvents()[:5]...)))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, relay := range []bool{true, false} {
			d := decodeOf(&codec.Answer{Body: bytes.NewReader(body), Stream: true, Relay: relay, Target: plain(codec.Quirks{})})
			var frames []byte
			for _, ev := range d.events {
				if ev.Frame != nil && ev.FrameSeq == 0 {
					frames = append(frames, ev.Frame.Raw...)
				}
			}
			if !bytes.HasPrefix(body, frames) {
				t.Fatalf("frames %q of %q", frames, body)
			}
			if relay {
				continue
			}
			for _, events := range [][]weir.Event{d.events, d.events[:len(d.events)/2]} {
				checkWritten(t, events)
			}
		}
	})
}

// checkWritten checks events that are written by value, where no item is kept as
// the upstream wrote it.
func checkWritten(t *testing.T, events []weir.Event) {
	t.Helper()
	for _, ev := range events {
		if ev.Block != nil && (ev.Block.Opaque != nil || ev.Block.Media != nil) || ev.Citation != nil || ev.Finish != nil && ev.Finish.Reason == weir.FinishOther {
			return
		}
	}
	req := weir.NewRequest("m", &weir.Body{})
	req.Stream, req.ID = true, "r"
	wire, _ := written(req, byValue(events), weir.Errorf(weir.KindUpstream, "cut"))
	if err := checkStream(wire); err != nil {
		t.Fatalf("%v\n%s", err, wire)
	}
}

// FuzzWriter checks that any sequence of Events, legal or not, makes a legal
// stream. Each pair of bytes is an Event: what, and for which block. // P-15
func FuzzWriter(f *testing.F) {
	f.Add([]byte{0, 0, 4, 0, 1, 1, 6, 1, 4, 0, 9, 1}, byte(0))
	f.Add([]byte{2, 0, 5, 0, 4, 0, 0, 1, 4, 1, 9, 0, 9, 1, 13, 0}, byte(1))
	f.Add([]byte{14, 0, 8, 0, 1, 1, 6, 1, 11, 2, 6, 2, 9, 0, 9, 1, 3, 2}, byte(9))
	f.Fuzz(func(t *testing.T, script []byte, ending byte) {
		if wire, err := checkScript(script, ending); err != nil {
			t.Fatalf("%v\n%s", err, wire)
		}
	})
}
