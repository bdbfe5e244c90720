package openairesponses

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// event makes the events of one event of the stream (protocols.md §4.6). Types
// that are not known here say nothing that the end of their item does not say
// again.
func (d *decoder) event(data []byte) error {
	if d.ended {
		return nil
	}
	switch string(d.in.typ) {
	case `"response.output_text.delta"`:
		return d.textDelta(partText)
	case `"response.refusal.delta"`:
		return d.textDelta(partRefusal)
	case `"response.function_call_arguments.delta"`, `"response.custom_tool_call_input.delta"`:
		return d.argumentsDelta()
	case `"response.reasoning_summary_text.delta"`:
		return d.thoughtDelta(true)
	case `"response.reasoning_text.delta"`:
		return d.thoughtDelta(false)
	case `"response.output_text.annotation.added"`:
		return d.annotationAdded()
	case `"error"`:
		return d.errorEvent(data)
	}
	return d.milestone(data)
}

// milestone handles the events that are not frequent and are checked whole.
func (d *decoder) milestone(data []byte) error {
	if err := jsonx.Valid(data); err != nil {
		return err
	}
	if bytes.HasPrefix(d.in.typ, []byte(`"response.`)) {
		d.begin(d.in.response)
	}
	switch string(d.in.typ) {
	case `"response.output_item.added"`:
		d.itemAdded()
	case `"response.output_item.done"`:
		d.itemDone()
	case `"response.output_text.done"`:
		d.textDone(partText)
	case `"response.refusal.done"`:
		d.textDone(partRefusal)
	case `"response.content_part.done"`:
		d.partDone()
	case `"response.function_call_arguments.done"`, `"response.custom_tool_call_input.done"`:
		d.argumentsDone()
	case `"response.completed"`, `"response.incomplete"`, `"response.failed"`, `"response.cancelled"`:
		d.terminal()
	default:
		if d.in.typ == nil || !d.started {
			d.disguised(data)
		}
	}
	return nil
}

// disguised takes note of an error in a form that is not the protocol's.
func (d *decoder) disguised(data []byte) {
	if says(d.in.errRaw) || !d.started && d.in.typ == nil {
		d.failed = d.reported(data)
	}
}

// begin sends Start, once. A second event about the response says nothing new,
// though some repeat it under another id (Copilot).
func (d *decoder) begin(response []byte) {
	if d.started {
		return
	}
	s := &weir.Start{From: protocol}
	if jsonx.KindOf(response) != jsonx.KindObject {
		response = []byte("null") // some begin with an item
	}
	_ = jsonx.EachMember(response, func(key, value []byte) error {
		switch string(key) {
		case "id":
			s.ID = jsonx.StringOr(value, "")
		case "model":
			s.Model = jsonx.StringOr(value, "")
		case "created_at":
			s.Created = seconds(value)
		default:
			if !d.relay && isAround(string(key)) && says(value) {
				s.Extra.Add(string(key), value)
			}
		}
		return nil
	})
	d.started = true
	d.emit(weir.Event{Type: weir.EventStart, Start: s})
}

// seconds is a time, which some write as a float.
func seconds(raw []byte) int64 {
	n, ok := jsonx.Int64(raw)
	if f, isFloat := jsonx.Float64(raw); !ok && isFloat && f > 0 && f < 1<<53 {
		n = int64(f)
	}
	return max(n, 0)
}

// isAround reports whether a member of a response stands around the answer: it is
// kept by value for a client of this protocol. What repeats the request is long,
// and known anyway.
func isAround(key string) bool {
	switch key {
	case "id", "object", "created_at", "completed_at", "status", "error", "incomplete_details", "model", "output",
		"output_text", "usage", "instructions", "tools":
		return false
	}
	return true
}

// errorEvent is an error that the upstream reports in an event of its own, flat
// or, as seen, in a member.
func (d *decoder) errorEvent(data []byte) error {
	if err := jsonx.Valid(data); err != nil {
		return err
	}
	if says(d.in.errRaw) {
		return d.reported(wrapped(d.in.errRaw))
	}
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("type", "server_error")
	for _, m := range []struct {
		name string
		raw  []byte
	}{{"code", d.in.code}, {"message", d.in.message}, {"param", d.in.param}} {
		if m.raw != nil {
			b.RawField(m.name, m.raw)
		}
	}
	b.EndObject()
	return d.reported(wrapped(b.B))
}

// text is a string of the current event.
func text(raw []byte) (string, error) {
	if jsonx.KindOf(raw) != jsonx.KindString {
		return "", nil
	}
	return jsonx.String(raw)
}

// index is a number of the current event, 0 where it is missing.
func index(raw []byte) int64 {
	n, ok := jsonx.Int64(raw)
	if !ok || n < 0 {
		return 0
	}
	return n
}

// remainder is what of the full text has not come piece by piece: all of it, its
// end, or nothing where what came is another text.
func remainder(seen []byte, full string) string {
	if len(full) > len(seen) && full[:len(seen)] == string(seen) {
		return full[len(seen):]
	}
	return ""
}

// hasElements reports whether a list has any.
func hasElements(raw []byte) bool {
	return jsonx.KindOf(raw) == jsonx.KindArray && !saysNothing(raw)
}

// logprobsOf is a piece's logprobs in the form that all protocols with logprobs
// share.
func logprobsOf(raw []byte) string {
	var b bytes.Buffer
	b.WriteString(`{"content":`)
	b.Write(raw)
	b.WriteByte('}')
	return b.String()
}
