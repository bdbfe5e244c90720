package anthropic

import (
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
	if err := jsonx.Valid(raw); err != nil {
		return nil, upstreamError(a, "the answer is not valid JSON: %w", err)
	}
	if e := errorIn(a, raw); e != nil {
		return nil, e
	}
	if a.Op == weir.CountTokens {
		return countEvents(a, raw)
	}
	if jsonx.KindOf(jsonx.Get(raw, "content")) != jsonx.KindArray {
		return nil, upstreamError(a, "the answer has no content and is no message")
	}
	start := decodeStart(raw)
	events := append(make([]weir.Event, 0, 6), weir.Event{Type: weir.EventStart, Start: start})
	if a.Relay && !a.Stream {
		// Where a stream was asked for, the client needs the content in Events.
		events = append(events, weir.Event{Type: weir.EventRelay})
	} else {
		blocks, err := wholeBlocks(a, jsonx.Get(raw, "content"))
		if err != nil {
			return nil, err
		}
		events = append(events, blocks...)
	}
	var fin finishState
	fin.read(raw, true)
	f, err := fin.finish(a)
	if err != nil {
		return nil, err
	}
	events = append(events, weir.Event{Type: weir.EventFinish, Finish: f})
	var u usageState
	if u.merge(jsonx.Get(raw, "usage")) {
		events = append(events, weir.Event{Type: weir.EventUsage, Usage: u.snapshot()})
	}
	return events, nil
}

// wholeBlocks gives every block of a message as a start that holds it all, and
// an end.
func wholeBlocks(a *codec.Answer, content []byte) ([]weir.Event, error) {
	var events []weir.Event
	root := path{}
	list := root.Key("content")
	err := list.List(content, func(i int, at *path, v []byte) error {
		b, err := decodeBlock(at, v)
		if err != nil {
			return upstreamError(a, "the answer is malformed: %w", err)
		}
		fromAnswer(a, &b)
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

func countEvents(a *codec.Answer, raw []byte) ([]weir.Event, error) {
	n, ok := jsonx.Int64(jsonx.Get(raw, "input_tokens"))
	if !ok || n < 0 {
		return nil, upstreamError(a, "the answer has no count of input tokens")
	}
	u := &weir.Usage{From: protocol}
	u.Set(weir.UsageInput, n)
	_ = jsonx.EachMember(raw, func(k, v []byte) error {
		if string(k) != "input_tokens" {
			u.Extra.Add(string(k), v)
		}
		return nil
	})
	return []weir.Event{
		{Type: weir.EventUsage, Usage: u},
		{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}},
	}, nil
}
