package anthropic

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/internal/sse"
)

// maxOpen bounds the blocks that have begun and not ended; the protocol has one.
const maxOpen = 1000

func (d *streamDecoder) blockStart(f *sse.Frame) bool {
	raw := jsonx.Get(f.Data, "content_block")
	wire, ok := jsonx.Int64(jsonx.Get(f.Data, "index"))
	if !ok || jsonx.Valid(f.Data) != nil {
		return d.malformed(f)
	}
	root := path{}
	at := root.Key("content_block")
	b, err := decodeBlock(&at, raw)
	if err != nil {
		d.yield(weir.Event{}, upstreamError(d.answer, "the answer is malformed: %w", err))
		return false
	}
	if b.Type == weir.BlockOpaque {
		d.held.begin(wire, b.Opaque, f.Raw)
		return true
	}
	fromAnswer(d.answer, &b)
	open := openBlock{wire: wire, index: d.next}
	if b.Call != nil {
		if b.Call.Arguments != "{}" {
			open.input = b.Call.Arguments
		}
		b.Call.Arguments = ""
		if b.Call.Type == weir.ToolCustom {
			open.custom = new(codec.CustomInput)
		}
	}
	events := d.endOpen(wire)
	if len(d.open) >= maxOpen {
		d.yield(weir.Event{}, upstreamError(d.answer, "the answer has more than %d blocks open at once", maxOpen))
		return false
	}
	d.next++
	d.open = append(d.open, open)
	return d.emitAll(f.Raw, append(events, weir.Event{Type: weir.EventBlockStart, Index: open.index, Block: &b}))
}

// endOpen ends the open block of a number, nothing when there is none.
func (d *streamDecoder) endOpen(wire int64) []weir.Event {
	for i := range d.open {
		if d.open[i].wire == wire {
			events := d.open[i].end()
			d.open = append(d.open[:i], d.open[i+1:]...)
			return events
		}
	}
	return nil
}

func (d *streamDecoder) find(wire int64) *openBlock {
	for i := range d.open {
		if d.open[i].wire == wire {
			return &d.open[i]
		}
	}
	return nil
}

// twin is what the next delta may have in common with the one before, and the
// event that became of that.
type twin struct {
	codec.Twin
	event weir.Event
}

// textKeys are the members that hold text, with the quote that opens it.
var textKeys = [][]byte{[]byte(`"text":"`), []byte(`"thinking":"`)}

// blockDelta reads what most frames are, in one walk over the members.
func (d *streamDecoder) blockDelta(f *sse.Frame) bool {
	if text, ok := d.twin.Text(f.Data); ok {
		ev := d.twin.event
		ev.Text = text
		return d.emit(f.Raw, ev)
	}
	d.twin.Forget()
	var index, delta []byte
	err := jsonx.EachMember(f.Data, func(k, v []byte) error {
		switch string(k) {
		case "index":
			index = v
		case "delta":
			delta = v
		}
		return nil
	})
	wire, ok := jsonx.Int64(index)
	if err != nil || !ok {
		return d.malformed(f)
	}
	open := d.find(wire)
	if open == nil {
		return d.emit(f.Raw, weir.Event{Type: weir.EventRelay})
	}
	ev, err := readDelta(delta)
	if err != nil {
		return d.malformed(f)
	}
	ev.Index = open.index
	if ev.Part == weir.PartText && ev.Type == weir.EventDelta {
		d.twin.Remember(f.Data, ev.Text, nil, textKeys...)
		d.twin.event = ev
	}
	if ev.Part == weir.PartArguments && ev.Type == weir.EventDelta {
		open.input = ""
		if open.custom != nil {
			if ev.Text = open.custom.Piece(ev.Text); ev.Text == "" {
				ev = weir.Event{Type: weir.EventRelay}
			}
		}
	}
	return d.emit(f.Raw, ev)
}

// readDelta is the Event of a delta. One that is empty, or of a type of
// tomorrow, flows by without meaning.
func readDelta(delta []byte) (weir.Event, error) {
	var typ, text, citation []byte
	err := jsonx.EachMember(delta, func(k, v []byte) error {
		switch string(k) {
		case "type":
			typ = v
		case "text", "thinking", "partial_json", "signature":
			text = v
		case "citation":
			citation = v
		}
		return nil
	})
	ev := weir.Event{Type: weir.EventDelta}
	switch string(typ) {
	case `"text_delta"`, `"thinking_delta"`:
		ev.Part = weir.PartText
	case `"input_json_delta"`:
		ev.Part = weir.PartArguments
	case `"signature_delta"`:
		ev.Part = weir.PartSignature
	case `"citations_delta"`:
		if citation == nil {
			return weir.Event{Type: weir.EventRelay}, err
		}
		c := decodeCitation(citation)
		ev.Part, ev.Citation = weir.PartCitation, &c
		return ev, err
	default:
		return weir.Event{Type: weir.EventRelay}, err
	}
	if err != nil {
		return ev, err
	}
	if text == nil || jsonx.IsNull(text) {
		return weir.Event{Type: weir.EventRelay}, nil
	}
	if ev.Text, err = jsonx.String(text); ev.Text == "" {
		ev = weir.Event{Type: weir.EventRelay}
	}
	return ev, err
}

func (d *streamDecoder) blockStop(f *sse.Frame) bool {
	wire, ok := jsonx.Int64(jsonx.Get(f.Data, "index"))
	if !ok {
		return d.malformed(f)
	}
	return d.emitAll(f.Raw, d.endOpen(wire))
}

func (b openBlock) end() []weir.Event {
	end := weir.Event{Type: weir.EventBlockEnd, Index: b.index}
	text := b.input
	if b.custom != nil {
		text = b.custom.Piece(text) + b.custom.End()
	}
	if text == "" {
		return []weir.Event{end}
	}
	input := weir.Event{Type: weir.EventDelta, Part: weir.PartArguments, Index: b.index, Text: text}
	return []weir.Event{input, end}
}
