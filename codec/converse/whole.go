package converse

import (
	"bytes"
	"errors"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// decodeWhole reads an answer that is one JSON text. It is one frame.
func decodeWhole(a *codec.Answer, body *codec.Source, yield func(weir.Event, error) bool) {
	limit := a.MaxBody
	if limit <= 0 {
		limit = defaultMaxBody
	}
	raw, err := body.ReadAll(limit)
	var events []weir.Event
	switch {
	case errors.Is(err, codec.ErrTooLong):
		err = upstreamError(a, "the answer is longer than the limit of %d bytes", limit)
	case err != nil:
		err = broken(err, a)
	default:
		events, err = wholeEvents(a, raw)
	}
	if err != nil {
		yield(weir.Event{}, err)
		return
	}
	frame := &weir.Frame{Protocol: protocol, Raw: raw, Events: int32(len(events)), Whole: true}
	for i, ev := range events {
		ev.Frame, ev.FrameSeq, ev.More = frame, int32(i), i+1 < len(events)
		if !yield(ev, nil) {
			return
		}
	}
}

func wholeEvents(a *codec.Answer, raw []byte) ([]weir.Event, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, upstreamError(a, "the answer is empty")
	}
	if err := jsonx.Valid(raw); err != nil {
		return nil, upstreamError(a, "the answer is not valid JSON: %w", err)
	}
	if e := errorIn(a, raw); e != nil {
		return nil, e
	}
	if a.Op == weir.CountTokens {
		return countEvents(a, raw)
	}
	content := jsonx.GetPath(raw, "output", "message", "content")
	if jsonx.KindOf(content) != jsonx.KindArray {
		return nil, upstreamError(a, "the answer has no output and is no message")
	}
	events := append(make([]weir.Event, 0, 6), weir.Event{Type: weir.EventStart, Start: &weir.Start{From: protocol}})
	if a.Relay && !a.Stream {
		// Where a stream was asked for, the client needs the content in Events.
		events = append(events, weir.Event{Type: weir.EventRelay})
	} else {
		var err error
		if events, err = wholeBlocks(a, content, events); err != nil {
			return nil, err
		}
	}
	fin, err := readFinish(a, raw)
	if err != nil {
		return nil, err
	}
	events = append(events, weir.Event{Type: weir.EventFinish, Finish: fin})
	if u := readUsage(jsonx.Get(raw, "usage"), besideOf(raw)); u != nil {
		events = append(events, weir.Event{Type: weir.EventUsage, Usage: u})
	}
	return events, nil
}

// besideOf are the members of a whole answer, or of a metadata event, that have no
// word; nil when there are none. p is padding, which hides the length of what is
// said.
func besideOf(raw []byte) []byte {
	var b jsonx.Buffer
	b.BeginObject()
	_ = jsonx.EachMember(raw, func(k, v []byte) error {
		switch key := string(k); key {
		case "output", "stopReason", "usage", "p", modelFields:
		default:
			if !jsonx.IsNull(v) {
				b.RawField(key, v)
			}
		}
		return nil
	})
	b.EndObject()
	if len(b.B) == len("{}") {
		return nil
	}
	return b.B
}

// wholeBlocks gives every block of a message as a start that holds it all, and an
// end.
func wholeBlocks(a *codec.Answer, content []byte, events []weir.Event) ([]weir.Event, error) {
	d := &bodyDecoder{format: formatOf(modelOfAnswer(a))}
	root := path{}
	list := root.Key("content")
	err := list.List(content, func(i int, at *path, v []byte) error {
		b, err := d.block(weir.RoleAssistant, at, v)
		if err != nil {
			return upstreamError(a, "the answer is malformed: %w", err)
		}
		fromAnswer(a, b.Call)
		if b.Call != nil && b.Call.Type == weir.ToolCustom {
			b.Call.Arguments = codec.UnwrapCustom(b.Call.Arguments)
		}
		events = append(events,
			weir.Event{Type: weir.EventBlockStart, Index: int32(i), Block: &b},
			weir.Event{Type: weir.EventBlockEnd, Index: int32(i)})
		return nil
	})
	return events, err
}

// countEvents reads the answer to CountTokens.
func countEvents(a *codec.Answer, raw []byte) ([]weir.Event, error) {
	n, ok := jsonx.Int64(jsonx.Get(raw, "inputTokens"))
	if !ok || n < 0 {
		return nil, upstreamError(a, "the answer has no count of input tokens")
	}
	u := &weir.Usage{From: protocol}
	u.Set(weir.UsageInput, n)
	_ = jsonx.EachMember(raw, func(k, v []byte) error {
		if string(k) != "inputTokens" {
			u.Extra.Add(string(k), v)
		}
		return nil
	})
	return []weir.Event{
		{Type: weir.EventStart, Start: &weir.Start{From: protocol}},
		{Type: weir.EventUsage, Usage: u},
		{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}},
	}, nil
}
