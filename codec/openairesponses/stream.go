package openairesponses

import (
	"bytes"
	"errors"
	"io"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/internal/sse"
)

// stream reads an answer in frames. Every frame becomes at least one Event that
// carries it, so that the frames together are the stream.
func (d *decoder) stream(src io.Reader, maxFrame int, yield func(weir.Event, error) bool) {
	if maxFrame <= 0 {
		maxFrame = defaultMax
	}
	r := sse.NewReader(src, maxFrame)
	defer r.Release()
	for {
		f, err := r.Next()
		switch {
		case err == nil && f.Truncated && d.breaksOff(f):
			yield(weir.Event{}, d.truncated())
			return
		case errors.Is(err, io.EOF):
			d.atEnd(yield)
			return
		case err != nil:
			yield(weir.Event{}, d.failure(err))
			return
		case !d.deliver(f, r.More, yield):
			return
		}
	}
}

// atEnd is where the source ends. Only a terminal event makes an answer complete:
// a mark like [DONE], which some imitations send, does not.
func (d *decoder) atEnd(yield func(weir.Event, error) bool) {
	switch {
	case d.ended:
	case !d.started:
		yield(weir.Event{}, d.broken("the upstream ended its stream without an answer"))
	default:
		yield(weir.Event{}, d.truncated())
	}
}

// breaksOff reports whether the frame in which the source ended is incomplete, so
// that it must not be sent on.
func (d *decoder) breaksOff(f *sse.Frame) bool {
	if len(f.Data) == 0 {
		return !d.ended
	}
	return !isDone(f.Data) && jsonx.Valid(f.Data) != nil
}

var doneMark = []byte("[DONE]")

func isDone(data []byte) bool { return bytes.Equal(bytes.TrimSpace(data), doneMark) }

// deliver yields the events of one frame and reports whether to go on.
func (d *decoder) deliver(f *sse.Frame, more func() bool, yield func(weir.Event, error) bool) bool {
	d.events, d.failed = d.events[:0], nil
	if err := d.process(f); err != nil {
		if isSyntax(err) {
			err = d.broken("malformed: an event of the stream is not the JSON that it should be: %w", err)
		}
		yield(weir.Event{}, err)
		return false
	}
	raw := f.Raw
	switch {
	case len(d.events) > 0 || d.failed != nil:
	case !d.relay && repeats(d.in.typ):
		d.held = append(d.held, raw...)
		return true
	default:
		d.events = append(d.events, weir.Event{Type: d.filler(f)})
	}
	if len(d.held) > 0 {
		d.joined = append(append(d.joined[:0], d.held...), raw...)
		raw, d.held = d.joined, d.held[:0]
	}
	d.frame = weir.Frame{Protocol: protocol, Raw: raw, Events: int32(len(d.events))}
	return d.flush(more, yield)
}

// repeats reports whether an event says again, as a whole, what came piece by
// piece before. Its frame goes with the next one that says something, which is
// the end of the same item: by itself it would overtake a stage that holds the
// pieces back.
func repeats(typ []byte) bool {
	switch string(typ) {
	case `"response.output_text.done"`, `"response.refusal.done"`, `"response.content_part.done"`,
		`"response.reasoning_text.done"`, `"response.reasoning_part.done"`,
		`"response.reasoning_summary_text.done"`, `"response.reasoning_summary_part.done"`,
		`"response.function_call_arguments.done"`, `"response.custom_tool_call_input.done"`:
		return true
	}
	return false
}

// filler is the event of a frame that says nothing. Ahead of the answer it must
// not be taken for the answer's beginning.
func (d *decoder) filler(f *sse.Frame) weir.EventType {
	if !d.content || f.IsLiveness() || len(f.Data) == 0 || string(d.in.typ) == `"keepalive"` {
		return weir.EventPing
	}
	return weir.EventRelay
}

// flush yields what was made of the current frame.
func (d *decoder) flush(more func() bool, yield func(weir.Event, error) bool) bool {
	last := len(d.events) - 1
	for i := range d.events {
		ev := &d.events[i]
		if d.failed == nil && !d.anew {
			ev.Frame, ev.FrameSeq = &d.frame, int32(i)
		}
		ev.More = i < last || more()
		if !yield(*ev, nil) {
			return false
		}
	}
	if d.failed != nil {
		yield(weir.Event{}, d.failed)
		return false
	}
	return true
}

// process makes the events of a frame.
func (d *decoder) process(f *sse.Frame) error {
	d.in = fields{}
	if len(f.Data) == 0 || isDone(f.Data) {
		return nil
	}
	if d.relay && d.started && !f.Truncated && isWhole(f.Data) {
		if typ := typeOf(f); !d.matters(typ, f.Data) {
			d.content = true
			d.events = append(d.events, weir.Event{Type: weir.EventRelay})
			return nil
		}
	}
	if err := jsonx.EachMember(f.Data, d.onField); err != nil {
		return err
	}
	if d.in.typ == nil && f.Event != nil {
		d.in.typ = jsonx.AppendString(nil, string(f.Event))
	}
	return d.event(f.Data)
}

// isWhole reports whether data begins and ends as an object does. What was cut
// on the way does not, and must not reach a client as a frame.
func isWhole(data []byte) bool {
	return len(data) > 3 && data[0] == '{' && data[len(data)-1] == '}'
}

// typeOf is the type of an event: the name of its frame, which some imitations
// leave out, or the member.
func typeOf(f *sse.Frame) []byte {
	if len(f.Event) > 0 {
		return f.Event
	}
	if typ := jsonx.Get(f.Data, "type"); len(typ) > 2 {
		return typ[1 : len(typ)-1]
	}
	return nil
}

// matters reports whether an event of a stream that is only sent on has to be
// read: the end and what is no answer at all. Items are looked at for calls
// (S-05).
func (d *decoder) matters(typ, data []byte) bool {
	switch string(typ) {
	case "response.output_item.added", "response.output_item.done":
		d.calls = d.calls || isCall(jsonx.Get(data, "item"))
	case "response.completed", "response.incomplete", "response.failed", "response.cancelled",
		"response.created", "response.in_progress", "response.queued", "keepalive", "error", "":
		return true
	}
	return false
}

// isCall reports whether an item is a call of a tool of the client. xAI tells of
// the searches on X that it makes itself as calls of custom tools
// (recordings/xai-responses).
func isCall(item []byte) bool {
	switch string(jsonx.Get(item, "type")) {
	case `"function_call"`:
		return true
	case `"custom_tool_call"`:
		return !isOwnSearch(item)
	}
	return false
}

func isOwnSearch(item []byte) bool {
	return bytes.HasPrefix(jsonx.Get(item, "call_id"), []byte(`"xs_`))
}
