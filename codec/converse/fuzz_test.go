package converse

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/eventstream"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// FuzzRequest checks that whatever is taken can be written again, and that what
// was written means the same when it is read again; what is not taken is refused
// by kind.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(odd))
	f.Add([]byte(asked))
	f.Add([]byte(`{"messages":[{"role":"user","content":[{"text":"x","type":"text"},{"cachePoint":{"type":"default"}}]}],"system":[],"inferenceConfig":{}}`))
	f.Add([]byte(`{"messages":[{"role":"user","content":[{"toolResult":{"toolUseId":"t","status":"success","content":[{"json":null}]}}]}],"toolConfig":null}`))
	f.Add([]byte(`{"messages":[{"role":"system","content":[{"text":""}]}],"outputConfig":{"textFormat":{"type":"json_schema"}},"requestMetadata":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		once, err := rewrite(body)
		if err != nil {
			if e := weir.AsError(err); e.Kind != weir.KindInvalid && e.Kind != weir.KindUnsupported {
				t.Fatalf("refused as %s: %v", e.Kind, err)
			}
			return
		}
		if err := jsonx.Valid(once); err != nil {
			t.Fatalf("%v in %s", err, once)
		}
		twice, err := rewrite(once)
		if err != nil || !jsonx.Equal(once, twice) {
			t.Fatalf("%v\nonce  %s\ntwice %s", err, once, twice)
		}
	})
}

func rewrite(body []byte) ([]byte, error) {
	req, err := New().OpenRequest(weir.Generate, &weir.Wire{Path: "/model/m/converse", Body: body})
	if err != nil {
		return nil, err
	}
	if req, err = req.Edit(func(*weir.Body) error { return nil }); err != nil {
		return nil, err
	}
	call, err := New().EncodeRequest(req, plainTarget("m"))
	if err != nil {
		return nil, err
	}
	return bytes.Join(call.Body, nil), nil
}

// FuzzStream checks that any frames are read without harm, that the frames are the
// bytes, and that what was understood makes a legal stream. The input is a line for
// each frame, its name and its payload, since no random bytes have right checksums.
func FuzzStream(f *testing.F) {
	f.Add([]byte(shown(f, []byte(stream))))
	f.Add([]byte(shown(f, []byte(frames(messageStart, `{"role":"assistant"}`,
		contentBlockStart, `{"contentBlockIndex":0,"start":{"toolResult":{"toolUseId":"s"}}}`, contentBlockDelta, `{"contentBlockIndex":0,"delta":{"toolResult":[{"text":"a"}]}}`,
		contentBlockDelta, `{"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"/w=="}}}`,
		contentBlockStart, `{"contentBlockIndex":1,"start":{"image":{"format":"png"}}}`, contentBlockDelta, `{"contentBlockIndex":1,"delta":{"image":{"source":{"bytes":"aGk="}}}}`,
		messageStop, `{"stopReason":"x","additionalModelResponseFields":{}}`, metadataEvent, `{"trace":{},"usage":{}}`)))))
	f.Add([]byte("modelStreamErrorException {}\n"))
	f.Fuzz(func(t *testing.T, lines []byte) {
		var wire []byte
		for line := range bytes.SplitSeq(lines, []byte("\n")) {
			name, payload, _ := strings.Cut(string(line), " ")
			wire = append(wire, frames(name, payload)...)
		}
		for _, relay := range []bool{true, false} {
			d := decode(streamOf(string(wire), relay))
			rest, ok := bytes.CutPrefix(wire, d.raw)
			if !ok || d.err == nil && len(rest) > 0 && !d.has(weir.EventFinish) {
				t.Fatalf("%d bytes of %d: %v", len(d.raw), len(wire), d.err)
			}
			if d.err != nil {
				if _, typed := errors.AsType[*weir.Error](d.err); !typed {
					t.Fatalf("an error of type %T", d.err)
				}
				continue
			}
			if out := encode(&weir.Request{Stream: true}, d.events, nil); !bytes.HasPrefix(out, d.raw) {
				t.Fatalf("untouched\n%s\nbecame\n%s", shown(t, wire), shown(t, out))
			}
			if relay {
				continue
			}
			out := encode(&weir.Request{Stream: true}, byValue(d.events), nil)
			if err := wireRules(t, out); err != nil {
				t.Fatalf("%v\n%s", err, shown(t, out))
			}
			if whole := encode(&weir.Request{}, byValue(d.events), nil); jsonx.Valid(whole) != nil {
				t.Fatalf("%v in %s", jsonx.Valid(whole), whole)
			}
		}
	})
}

func (d decoded) has(typ weir.EventType) bool {
	for _, ev := range d.events {
		if ev.Type == typ {
			return true
		}
	}
	return false
}

// FuzzWhole checks that any body is read without harm, and that what was
// understood is written again in its form.
func FuzzWhole(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(`{"output":{"message":{"content":[{"citationsContent":{"content":[{"text":"a"}],"citations":[{}]}},{"toolUse":{"toolUseId":"a","name":"b","input":"x"}},{"x":null}]}},"usage":{"inputTokens":1e3,"cacheDetails":[{}]},"trace":{}}`))
	f.Add([]byte(`{"__type":"x#y","Message":"z"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, relay := range []bool{true, false} {
			a := wholeOf(string(body))
			a.Relay = relay
			d := decode(a)
			if d.err != nil {
				if _, typed := errors.AsType[*weir.Error](d.err); !typed || len(d.events) > 0 {
					t.Fatalf("an error of type %T after %d events", d.err, len(d.events))
				}
				continue
			}
			if out := encode(&weir.Request{}, d.events, nil); !bytes.Equal(out, body) {
				t.Fatalf("untouched %s became %s", body, out)
			}
			if relay {
				continue
			}
			if out := encode(&weir.Request{}, byValue(d.events), nil); jsonx.Valid(out) != nil {
				t.Fatalf("%v in %s", jsonx.Valid(out), out)
			}
			out := encode(&weir.Request{Stream: true}, byValue(d.events), nil)
			if err := wireRules(t, out); err != nil {
				t.Fatalf("%v\n%s", err, shown(t, out))
			}
		}
	})
}

// FuzzBytes checks that any bytes at all are read without harm.
func FuzzBytes(f *testing.F) {
	f.Add([]byte(stream))
	f.Add([]byte("\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2\x48\xeb\x7d\x98\xc8\xff"))
	f.Add([]byte(whole))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, stream := range []bool{true, false} {
			a := wholeOf(string(body))
			a.Stream = stream
			d := decode(a)
			if !bytes.HasPrefix(body, d.raw) {
				t.Fatalf("frames %q of %q", d.raw, body)
			}
		}
		if frame, err := eventstream.Parse(body); err == nil && len(frame.Raw) > len(body) {
			t.Fatalf("a frame of %d bytes in %d", len(frame.Raw), len(body))
		}
	})
}

// FuzzWriter checks that any sequence of Events, legal or not, makes a legal
// stream. Each pair of bytes is an Event: what, and for which block.
func FuzzWriter(f *testing.F) {
	f.Add([]byte{0, 0, 4, 0, 1, 1, 6, 1, 4, 0, 7, 1})
	f.Add([]byte{2, 0, 5, 0, 4, 0, 0, 1, 4, 1, 9, 0, 9, 1})
	f.Add([]byte{1, 0, 6, 0, 1, 1, 6, 1, 8, 0, 8, 1, 9, 0, 9, 1, 3, 2, 12, 3, 7, 3})
	f.Fuzz(func(t *testing.T, script []byte) {
		events := []weir.Event{start()}
		for i := 0; i+1 < len(script); i += 2 {
			events = append(events, scripted(script[i], int32(script[i+1]%4)))
		}
		events = append(events, finish(weir.FinishStop))
		out := encode(&weir.Request{Stream: true}, events, nil)
		if err := wireRules(t, out); err != nil {
			t.Fatalf("%v\n%s", err, shown(t, out))
		}
		if out := encode(&weir.Request{}, events, nil); jsonx.Valid(out) != nil {
			t.Fatalf("%v in %s", jsonx.Valid(out), out)
		}
	})
}

func scripted(what byte, i int32) weir.Event {
	switch what % 13 {
	case 0:
		return text(i)
	case 1:
		return call(i, "c")
	case 2:
		return thought(i, claudeFormat)
	case 3:
		return begin(i, weir.Block{Type: weir.BlockOpaque, Opaque: &weir.Opaque{Protocol: protocol, Type: "toolUse", Raw: []byte(`{"toolUse":{"type":"server_tool_use","input":{"a":1}}}`)}})
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
	case 11:
		return begin(i, weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "p", Name: "f", Type: weir.ToolCustom}})
	}
	return begin(i, weir.Block{Type: weir.BlockImage, Media: &weir.Media{MIME: "image/png", Data: "aGk="}})
}
