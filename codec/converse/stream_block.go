package converse

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/eventstream"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// maxOpen bounds the blocks that have begun and not ended; the protocol has one.
const maxOpen = 1000

// openBlock is a block that has begun and not ended.
type openBlock struct {
	wire  int64 // the upstream's number
	index int32 // ours
	kind  weir.BlockType
	// custom unwraps the input of a custom tool; nil for any other block.
	custom *codec.CustomInput
}

func (b openBlock) end() []weir.Event {
	end := weir.Event{Type: weir.EventBlockEnd, Index: b.index}
	if b.custom != nil {
		if rest := b.custom.End(); rest != "" {
			return []weir.Event{{Type: weir.EventDelta, Part: weir.PartArguments, Index: b.index, Text: rest}, end}
		}
	}
	return []weir.Event{end}
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

// begin opens a block; nil when there are too many.
func (d *streamDecoder) begin(wire int64, b *weir.Block) *openBlock {
	if len(d.open) >= maxOpen {
		d.yield(weir.Event{}, upstreamError(d.answer, "the answer has more than %d blocks open at once", maxOpen))
		return nil
	}
	open := openBlock{wire: wire, index: d.next, kind: b.Type}
	if b.Call != nil && b.Call.Type == weir.ToolCustom {
		open.custom = new(codec.CustomInput)
	}
	d.next++
	d.open = append(d.open, open)
	return &d.open[len(d.open)-1]
}

// blockStart reads the start of a block, which texts and reasoning do not have.
func (d *streamDecoder) blockStart(f *eventstream.Frame) bool {
	wire, ok := jsonx.Int64(jsonx.Get(f.Payload, "contentBlockIndex"))
	start := jsonx.Get(f.Payload, "start")
	if !ok || jsonx.Valid(f.Payload) != nil || start != nil && jsonx.KindOf(start) != jsonx.KindObject && !jsonx.IsNull(start) {
		return d.malformed()
	}
	kind, value := onlyMember(start, isBlock, nil)
	switch {
	case kind == "":
		return d.emit(f.Raw, weir.Event{Type: weir.EventRelay})
	case kind != "toolUse" || jsonx.StringOr(jsonx.Get(value, "type"), "") == serverTool:
		d.held.begin(wire, kind, value, f.Raw)
		return true
	}
	root := path{}
	b, err := readToolUse(&root, value)
	if err != nil {
		d.yield(weir.Event{}, upstreamError(d.answer, "the answer is malformed: %w", err))
		return false
	}
	fromAnswer(d.answer, b.Call)
	b.Call.Arguments = ""
	events := d.endOpen(wire)
	open := d.begin(wire, &b)
	if open == nil {
		return false
	}
	return d.emitAll(f.Raw, append(events, weir.Event{Type: weir.EventBlockStart, Index: open.index, Block: &b})...)
}

func (d *streamDecoder) blockStop(f *eventstream.Frame) bool {
	wire, ok := jsonx.Int64(jsonx.Get(f.Payload, "contentBlockIndex"))
	if !ok {
		return d.malformed()
	}
	return d.emitAll(f.Raw, d.endOpen(wire)...)
}

// blockDelta reads what most frames are, in one walk over the members.
func (d *streamDecoder) blockDelta(f *eventstream.Frame) bool {
	if wire, value, ok := textDelta(f.Payload); ok && len(value) > len(`""`) {
		ev, err := readDelta("text", value)
		if err != nil {
			return d.malformed()
		}
		return d.into(f, wire, "text", ev)
	}
	wire, delta, ok := readDeltaFrame(f.Payload)
	if !ok {
		return d.malformed()
	}
	kind, value := deltaOf(delta)
	if kind == "toolUse" {
		return d.toolDelta(f, wire, value)
	}
	ev, err := readDelta(kind, value)
	switch {
	case err != nil:
		return d.malformed()
	case kind == "redactedContent" && d.find(wire) == nil:
		d.held.begin(wire, kind, value, f.Raw)
		return true
	case kind == "redactedContent":
		ev.Text, _ = unblob(ev.Text, formatOf(modelOfAnswer(d.answer)))
	case ev.Type == weir.EventNone:
		if container := jsonx.KindOf(value) >= jsonx.KindArray; container && !isDelta(kind) && d.find(wire) == nil {
			d.held.begin(wire, kind, nil, f.Raw)
			d.held.grow(kind, value)
			return true
		}
		return d.emit(f.Raw, weir.Event{Type: weir.EventRelay})
	}
	return d.into(f, wire, kind, ev)
}

// into sends a delta, behind the start of its block where that is to be made up.
func (d *streamDecoder) into(f *eventstream.Frame, wire int64, kind string, ev weir.Event) bool {
	typ := weir.BlockText
	if kind == "reasoningText" || kind == "signature" || kind == "redactedContent" {
		typ = weir.BlockReasoning
	}
	if open := d.find(wire); open != nil {
		if open.kind != typ {
			return d.emit(f.Raw, weir.Event{Type: weir.EventRelay})
		}
		ev.Index = open.index
		return d.emit(f.Raw, ev)
	}
	b := &weir.Block{Type: typ}
	if typ == weir.BlockReasoning {
		b.Reasoning = &weir.Reasoning{Format: formatOf(modelOfAnswer(d.answer))}
	}
	open := d.begin(wire, b)
	if open == nil {
		return false
	}
	ev.Index = open.index
	return d.emitAll(f.Raw, weir.Event{Type: weir.EventBlockStart, Index: open.index, Block: b}, ev)
}

// toolDelta reads {"input":"<a piece of JSON>"}.
func (d *streamDecoder) toolDelta(f *eventstream.Frame, wire int64, value []byte) bool {
	open := d.find(wire)
	if open == nil || open.kind != weir.BlockToolCall {
		d.yield(weir.Event{}, upstreamError(d.answer, "malformed answer: the input of a tool call whose start is missing"))
		return false
	}
	raw := jsonx.Get(value, "input")
	text, err := jsonx.String(raw)
	if err != nil && raw != nil && !jsonx.IsNull(raw) {
		return d.malformed()
	}
	if open.custom != nil {
		text = open.custom.Piece(text)
	}
	if text == "" {
		return d.emit(f.Raw, weir.Event{Type: weir.EventRelay})
	}
	return d.emit(f.Raw, weir.Event{Type: weir.EventDelta, Part: weir.PartArguments, Index: open.index, Text: text})
}

func readDeltaFrame(payload []byte) (wire int64, delta []byte, ok bool) {
	var index []byte
	err := jsonx.EachMember(payload, func(k, v []byte) error {
		switch string(k) {
		case "contentBlockIndex":
			index = v
		case "delta":
			delta = v
		}
		return nil
	})
	wire, ok = jsonx.Int64(index)
	return wire, delta, ok && err == nil
}

// isDelta reports whether a kind of delta has a word.
func isDelta(kind string) bool {
	switch kind {
	case "text", "toolUse", "reasoningText", "signature", "redactedContent", "citation":
		return true
	}
	return false
}

// deltaOf is the kind and the value of a delta; those of reasoning are told apart.
func deltaOf(delta []byte) (kind string, value []byte) {
	inner := false
	_ = jsonx.EachMember(delta, func(k, v []byte) error {
		switch {
		case kind != "" || jsonx.IsNull(v):
		case string(k) == "text":
			kind, value = "text", v
		case string(k) == "toolUse":
			kind, value = "toolUse", v
		case string(k) == "reasoningContent":
			inner, kind, value = true, "reasoningContent", v
		default:
			kind, value = string(k), v
		}
		return nil
	})
	if inner {
		return reasoningDelta(value)
	}
	return kind, value
}

func reasoningDelta(value []byte) (kind string, inner []byte) {
	kind = "reasoningText" // an empty one says nothing
	_ = jsonx.EachMember(value, func(k, v []byte) error {
		switch {
		case inner != nil || jsonx.IsNull(v):
		case string(k) == "text":
			kind, inner = "reasoningText", v
		case string(k) == "signature":
			kind, inner = "signature", v
		case string(k) == "redactedContent":
			kind, inner = "redactedContent", v
		}
		return nil
	})
	return kind, inner
}

// readDelta is the Event of a delta other than of a call. The zero Event is that of
// one that is empty, or of a kind of tomorrow.
func readDelta(kind string, value []byte) (weir.Event, error) {
	ev := weir.Event{Type: weir.EventDelta}
	switch kind {
	case "text", "reasoningText":
		ev.Part = weir.PartText
	case "signature":
		ev.Part = weir.PartSignature
	case "redactedContent":
		ev.Part = weir.PartEncrypted
	case "citation":
		c := readCitation(value)
		ev.Part, ev.Citation = weir.PartCitation, &c
		return ev, nil
	default:
		return weir.Event{}, nil
	}
	if value == nil {
		return weir.Event{}, nil
	}
	var err error
	if ev.Text, err = jsonx.String(value); ev.Text == "" {
		ev = weir.Event{}
	}
	return ev, err
}
