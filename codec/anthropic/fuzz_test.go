package anthropic

import (
	"bytes"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// FuzzRequest checks that whatever is taken can be written again, and that what
// was written means the same when it is read again.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"model":"a","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":"x","citations":null}]}],"tools":[],"metadata":{}}`))
	f.Add([]byte(`{"model":"a","max_tokens":1,"system":[],"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","is_error":false}]}],"thinking":{"type":"adaptive"},"output_config":{"x":1}}`))
	f.Add([]byte(`{"model":"a","max_tokens":1,"messages":[{"role":"user","content":[{"type":"document","source":{"type":"text","data":""},"citations":{}}]},{"role":"system","content":""}],"tool_choice":{"type":"none","disable_parallel_tool_use":false}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		once, ok := rewrite(body)
		if !ok {
			return
		}
		if err := jsonx.Valid(once); err != nil {
			t.Fatalf("%v in %s", err, once)
		}
		twice, ok := rewrite(once)
		if !ok || !jsonx.Equal(once, twice) {
			t.Fatalf("%v\nonce  %s\ntwice %s", ok, once, twice)
		}
	})
}

func rewrite(body []byte) ([]byte, bool) {
	req, err := New().OpenRequest(weir.Generate, &weir.Wire{Protocol: protocol, Body: body})
	if err != nil {
		return nil, false
	}
	req, err = req.Edit(func(*weir.Body) error { return nil })
	if err != nil {
		return nil, false
	}
	call, err := New().EncodeRequest(req, plainTarget(req.Model))
	if err != nil {
		return nil, false
	}
	return bytes.Join(call.Body, nil), true
}

// FuzzStream checks that any bytes are read without harm, that the frames are the
// bytes, and that what was understood makes a legal stream.
func FuzzStream(f *testing.F) {
	f.Add([]byte(frameStart + frameText + frameHi + frameEnd + frameDelta + frameStop))
	f.Add([]byte(strings.ReplaceAll(frameStart+frameText+frameHi+frameEnd+frameStop, `"text"`, `"thinking"`)))
	f.Add([]byte(frameStart + strings.Replace(frameText, `"type":"text"`, `"type":"tool_use","id":"a","name":"b","input":{"a":1}`, 1) + frameEnd + frameDelta))
	f.Add([]byte(frameStart + strings.Replace(frameText, `"type":"text"`, `"type":"server_tool_use","input":{}`, 1) +
		strings.Replace(frameHi, `"text_delta","text":"hi"`, `"input_json_delta","partial_json":"{}"`, 1) + frameEnd + frameDelta + frameStop))
	f.Add([]byte(`{"type":"message","content":[{"type":"text","text":"a"},{"type":"x"}],"stop_reason":"end_turn","usage":{"input_tokens":1}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, relay := range []bool{true, false} {
			d := decode(t, streamOf(string(body), relay))
			rest, ok := bytes.CutPrefix(body, d.raw)
			if !ok || d.err == nil && bytes.Contains(rest, []byte("\n\n")) {
				t.Fatalf("frames %q of %q", d.raw, body) // a last frame that was cut may be missing
			}
			if d.err != nil || relay {
				continue
			}
			checkOrder(t, d.events)
			out := encode(&weir.Request{Stream: true}, byValue(d.events), nil)
			if err := wireRules(out); err != nil && !oddBlock(d.events) {
				t.Fatalf("%v\n%s", err, out)
			}
			encode(&weir.Request{}, byValue(d.events), nil)
		}
	})
}

// oddBlock reports whether a block that is kept by value is one that the rules
// cannot judge.
func oddBlock(events []weir.Event) bool {
	for _, ev := range events {
		if ev.Block != nil && ev.Block.Opaque != nil {
			return true
		}
	}
	return false
}

// FuzzWriter checks that any sequence of Events, legal or not, makes a legal
// stream. Each pair of bytes is an Event: what, and for which block.
func FuzzWriter(f *testing.F) {
	f.Add([]byte{0, 0, 4, 0, 1, 1, 6, 1, 4, 0, 7, 1})
	f.Add([]byte{2, 0, 5, 0, 4, 0, 0, 1, 4, 1, 9, 0, 9, 1})
	f.Add([]byte{1, 0, 6, 0, 1, 1, 6, 1, 8, 0, 8, 1, 9, 0, 9, 1, 3, 2})
	f.Fuzz(func(t *testing.T, script []byte) {
		events := []weir.Event{start()}
		for i := 0; i+1 < len(script); i += 2 {
			events = append(events, scripted(script[i], int32(script[i+1]%4)))
		}
		out := encode(&weir.Request{Stream: true, Model: "m"}, append(events, finish(weir.FinishStop)), nil)
		if err := wireRules(out); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	})
}

func scripted(what byte, i int32) weir.Event {
	switch what % 12 {
	case 0:
		return text(i)
	case 1:
		return call(i, "c")
	case 2:
		return thought(i, reasoningFormat)
	case 3:
		return begin(i, weir.Block{Type: weir.BlockOpaque, Opaque: &weir.Opaque{Protocol: protocol, Type: "x", Raw: []byte(`{"type":"x","input":{"a":1}}`)}})
	case 4:
		return add(i, txt, "a")
	case 5:
		return add(i, sig, "S")
	case 6:
		return add(i, args, `{"a":`)
	case 7:
		return add(i, args, `1}`)
	case 8:
		return add(i, txt, " ")
	case 9:
		return end(i)
	case 10:
		return add(i, weir.PartEncrypted, "E")
	}
	return begin(i, weir.Block{Type: weir.BlockImage})
}
