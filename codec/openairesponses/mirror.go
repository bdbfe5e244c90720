package openairesponses

import (
	"bytes"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// A mirror follows frames that go out as they came, so that the writer by value
// can take over at any point: with the next number, the items that are open under
// their ids, and the items that are done. Of frames that nobody decoded it keeps
// the items that are done only.
type mirror struct {
	w       *answerWriter
	last    []byte // a copy of the data that came last
	frames  int64  // with data
	started bool
	moving  bool // it is said to be in progress
	ended   bool
	blind   bool               // pieces of content went out that nobody decoded
	items   map[int64]*outItem // by output_index
}

// frame follows one frame, which may be several on the wire. held and last are
// its events.
func (m *mirror) frame(raw []byte, held []weir.Event, last *weir.Event) {
	var data []byte
	for name, rest := []byte(nil), raw; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		if value, ok := bytes.CutPrefix(line, []byte("event:")); ok {
			name = bytes.TrimSpace(value)
		} else if value, ok = bytes.CutPrefix(line, []byte("data:")); ok {
			data = bytes.TrimSpace(value)
			m.milestone(name, data, last.Type == weir.EventRelay)
			name = nil
		}
	}
	for i := range held {
		m.event(data, &held[i])
	}
	m.event(data, last)
}

// milestone follows what an event says of items and of the response. relayed tells
// that nobody decoded it.
func (m *mirror) milestone(typ, data []byte, relayed bool) {
	if isDone(data) {
		return
	}
	m.frames++
	m.last = append(m.last[:0], data...)
	if typ == nil {
		if typ = jsonx.Get(data, "type"); len(typ) < 2 {
			return
		}
		typ = typ[1 : len(typ)-1]
	}
	if bytes.HasSuffix(typ, []byte(".delta")) {
		m.blind = m.blind || relayed
		return
	}
	switch name := string(typ); name {
	case "response.output_item.added":
		m.item(data)
	case "response.output_item.done":
		it := m.item(data)
		it.raw, it.closed = bytes.Clone(jsonx.Get(data, "item")), true
	case "response.in_progress":
		m.moving = true
	case "response.completed", "response.incomplete", "response.failed", "response.cancelled":
		m.ended = true
	default:
		if it := m.items[outputIndex(data)]; it != nil {
			it.followPart(name, data)
		}
	}
}

// followPart follows what an event says of a part of an item.
func (it *outItem) followPart(name string, data []byte) {
	short := strings.Contains(name, "summary")
	switch {
	case strings.HasSuffix(name, "_part.added"):
		it.openPart(data, short)
	case strings.HasSuffix(name, "_part.done"):
		it.closePart(data, short)
	case strings.HasSuffix(name, "_text.done"), name == "response.refusal.done":
		if n := len(it.parts); n > 0 {
			it.parts[n-1].told = true
		}
	case strings.HasSuffix(name, "_arguments.done"), strings.HasSuffix(name, "_input.done"):
		it.argued = true
	}
}

func outputIndex(data []byte) int64 { return index(jsonx.Get(data, "output_index")) }

// item is the item of an event that begins or ends it.
func (m *mirror) item(data []byte) *outItem {
	raw := jsonx.Get(data, "item")
	return m.itemAt(outputIndex(data), &outItem{
		kind:        outKindOf(raw),
		id:          jsonx.StringOr(jsonx.Get(raw, "id"), ""),
		reasoningID: jsonx.StringOr(jsonx.Get(raw, "id"), ""),
		callID:      jsonx.StringOr(jsonx.Get(raw, "call_id"), ""),
		name:        jsonx.StringOr(jsonx.Get(raw, "name"), ""),
		space:       jsonx.StringOr(jsonx.Get(raw, "namespace"), ""),
		phase:       bytes.Clone(jsonx.Get(raw, "phase")),
	})
}

// itemAt is the item of a number, or it when there is none yet.
func (m *mirror) itemAt(n int64, it *outItem) *outItem {
	if known := m.items[n]; known != nil {
		return known
	}
	it.index, it.added = n, true
	if m.items == nil {
		m.items = map[int64]*outItem{}
	}
	m.items[n] = it
	m.w.items = append(m.w.items, it)
	m.w.next = max(m.w.next, n+1)
	return it
}

func outKindOf(raw []byte) outKind {
	switch kindOf(raw) {
	case kindMessage:
		return outMessage
	case kindReasoning:
		return outReasoning
	case kindFunction:
		return outFunction
	case kindCustom:
		return outCustom
	}
	return outOther
}

// event follows one event of a frame.
func (m *mirror) event(data []byte, ev *weir.Event) {
	switch ev.Type {
	case weir.EventStart:
		m.started = true
		m.w.start, m.w.shown = *ev.Start, true
	case weir.EventBlockStart:
		if !m.ended {
			m.bind(data, ev)
		}
	case weir.EventDelta:
		m.w.follow(ev)
	case weir.EventBlockEnd:
		if b := m.w.blocks[ev.Index]; b != nil && !b.ended && !b.silent {
			b.ended = true
			b.item.open--
		}
	case weir.EventFinish:
		m.w.finish = ev.Finish
	case weir.EventUsage:
		m.w.account(ev.Usage)
	}
}

// bind remembers where a block stands that went out as it came.
func (m *mirror) bind(data []byte, ev *weir.Event) {
	b := &outBlock{typ: ev.Block.Type}
	fresh := &outItem{id: jsonx.StringOr(jsonx.Get(data, "item_id"), "")}
	switch ev.Block.Type {
	case weir.BlockText, weir.BlockRefusal:
		fresh.kind, b.part = outMessage, &outPart{typ: outputText}
		if ev.Block.Type == weir.BlockRefusal {
			b.part.typ = outputRefusal
		}
	case weir.BlockReasoning:
		fresh.kind, b.part = outReasoning, &outPart{typ: reasoningText}
		if r := ev.Block.Reasoning; r != nil && r.Summary {
			b.part.typ = summaryText
		}
	case weir.BlockToolCall:
		fresh.kind = outFunction
	default:
		b.silent = true
	}
	b.item = m.itemAt(outputIndex(data), fresh)
	if b.part != nil {
		if open := b.item.lastPart(b.part.typ); open != nil {
			b.part = open
		} else {
			b.part.open, b.part.index = true, index(jsonx.Get(data, partNames[b.part.typ].index))
			b.item.parts = append(b.item.parts, b.part)
		}
	}
	if !b.silent {
		b.item.open++
	}
	m.w.put(ev.Index, b)
}

// follow takes note of a delta that went out as it came.
func (w *answerWriter) follow(ev *weir.Event) {
	b := w.blocks[ev.Index]
	if b == nil || b.silent {
		return
	}
	switch ev.Part {
	case weir.PartText:
		text := ev.Text
		if b.typ == weir.BlockReasoning {
			if p := b.item.lastPart(b.part.typ); p != nil && p != b.part {
				b.part, text = p, strings.TrimPrefix(text, partBreak)
			}
		}
		if b.part != nil {
			b.part.text = append(b.part.text, text...)
		}
	case weir.PartArguments:
		b.item.arguments = append(b.item.arguments, ev.Text...)
	case weir.PartEncrypted:
		b.item.encrypted = append(b.item.encrypted, ev.Text...)
	case weir.PartCitation:
		if b.part != nil {
			b.part.cited = append(b.part.cited, ev.Citation.Raw)
		}
	case weir.PartLogprobs:
		if b.part != nil {
			b.part.addLogprobs(jsonx.Get([]byte(ev.Text), "content"))
		}
	}
}

// handOver tells the writer by value where to go on.
func (m *mirror) handOver() {
	if m.frames == 0 {
		return
	}
	m.w.announced, m.w.begun = m.started, m.started && (m.moving || len(m.w.items) > 0)
	m.w.ended = m.ended
	m.w.seq = m.frames
	if n, ok := jsonx.Int64(jsonx.Get(m.last, "sequence_number")); ok {
		m.w.seq = n + 1
	}
	for _, it := range m.w.items {
		it.blind = m.blind
	}
	m.w.sortItems()
	m.last, m.items = nil, nil
}
