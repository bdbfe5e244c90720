package anthropic

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/internal/sse"
)

// heldBlock gathers a block that is kept by value (hosted tools, compaction,
// types of tomorrow) until it is complete, since only then can it be one. Its
// frames become one, so that the block is sent on verbatim or by value, never
// half of each. When nobody reads content they flow by one by one.
type heldBlock struct {
	active bool
	wire   int64
	typ    string
	raw    []byte // the frames
	fields weir.Fields
	places map[string]int    // of the fields by their names
	texts  map[string][]byte // unquoted texts that grow
	input  []byte            // JSON text that grows
	cited  []byte            // citations that were added, with commas between them
}

// maxHeld bounds a held block, in bytes.
const maxHeld = 64 << 20

func (h *heldBlock) begin(wire int64, o *weir.Opaque, raw []byte) {
	*h = heldBlock{active: true, wire: wire, typ: o.Type, raw: bytes.Clone(raw), places: map[string]int{}, texts: map[string][]byte{}}
	_ = jsonx.EachMember(o.Raw, func(k, v []byte) error {
		h.set(string(k), v)
		return nil
	})
}

// set gives a member its value, in the place that it has already.
func (h *heldBlock) set(key string, v []byte) {
	if i, ok := h.places[key]; ok {
		h.fields[i].Value = v
		return
	}
	h.places[key] = len(h.fields)
	h.fields = append(h.fields, weir.Field{Name: key, Value: v})
}

// at is the value of a member, nil when there is none.
func (h *heldBlock) at(key string) []byte {
	if i, ok := h.places[key]; ok {
		return h.fields[i].Value
	}
	return nil
}

// hold takes a frame in while a block is held. done is false when the frame is to
// be handled as usual, the block being complete before it.
func (d *streamDecoder) hold(f *sse.Frame, t frameType) (more, done bool) {
	h := &d.held
	wire, _ := jsonx.Int64(jsonx.Get(f.Data, "index"))
	switch {
	case t == frameError:
		// The error follows what had arrived.
		h.active = false
		return false, !d.emit(h.raw, weir.Event{Type: weir.EventRelay})
	case t == framePing, t == frameUnknown:
	case wire == h.wire && t == frameBlockDelta:
		h.add(jsonx.Get(f.Data, "delta"))
	case wire == h.wire && t == frameBlockStop:
		h.raw = append(h.raw, f.Raw...)
		return d.release(), true
	default:
		return false, !d.release()
	}
	if len(h.raw)+len(f.Raw) > maxHeld {
		d.yield(weir.Event{}, upstreamError(d.answer, "a block of the answer is longer than %d bytes", maxHeld))
		return false, true
	}
	h.raw = append(h.raw, f.Raw...)
	// Without a frame this writes nothing, but tells that the upstream is alive.
	return d.yield(weir.Event{Type: weir.EventPing, More: d.reader.More()}, nil), true
}

// release sends the block that was held.
func (d *streamDecoder) release() bool {
	h := d.held
	d.held = heldBlock{}
	b := opaqueBlock(h.typ, h.value())
	index := d.next
	d.next++
	return d.emitAll(h.raw, []weir.Event{
		{Type: weir.EventBlockStart, Index: index, Block: &b},
		{Type: weir.EventBlockEnd, Index: index},
	})
}

// add merges a delta into the block: input_json_delta grows the input, a citation
// joins the list, texts of the known deltas grow, and every other member takes
// the place of the one before.
func (h *heldBlock) add(delta []byte) {
	typ := jsonx.StringOr(jsonx.Get(delta, "type"), "")
	_ = jsonx.EachMember(delta, func(k, v []byte) error {
		key := string(k)
		switch {
		case key == "type" || jsonx.IsNull(v):
		case typ == "input_json_delta":
			if key == "partial_json" {
				h.input = append(h.input, jsonx.StringOr(v, "")...)
			}
		case typ == "citations_delta":
			if key == "citation" {
				h.cite(v)
			}
		case jsonx.KindOf(v) == jsonx.KindString && typ != "compaction_delta":
			h.grow(key, v)
		default:
			h.set(key, bytes.Clone(v))
		}
		return nil
	})
}

func (h *heldBlock) grow(key string, v []byte) {
	text, ok := h.texts[key]
	if !ok {
		text = []byte(jsonx.StringOr(h.at(key), ""))
		if h.at(key) == nil {
			h.set(key, []byte(`""`))
		}
	}
	h.texts[key] = append(text, jsonx.StringOr(v, "")...)
}

func (h *heldBlock) cite(v []byte) {
	if h.at("citations") == nil {
		h.set("citations", []byte("[]"))
	}
	if len(h.cited) > 0 {
		h.cited = append(h.cited, ',')
	}
	h.cited = append(h.cited, v...)
}

// citations are those that the block began with, and those that were added.
func (h *heldBlock) citations(out *jsonx.Buffer) {
	out.BeginArray()
	_ = jsonx.EachElement(h.at("citations"), func(_ int, v []byte) error {
		out.Raw(v)
		return nil
	})
	out.Raw(h.cited)
	out.EndArray()
}

// value is the block as it stands in a message that is not streamed.
func (h *heldBlock) value() []byte {
	var out jsonx.Buffer
	out.BeginObject()
	for _, f := range h.fields {
		text, grown := h.texts[f.Name]
		switch {
		case f.Name == "input" && len(h.input) > 0 && jsonx.Valid(h.input) == nil:
			out.RawField("input", h.input)
		case f.Name == "citations" && len(h.cited) > 0:
			out.Key(f.Name)
			h.citations(&out)
		case grown:
			out.Key(f.Name)
			out.Bytes(text)
		default:
			out.RawField(f.Name, f.Value)
		}
	}
	if h.at("input") == nil && len(h.input) > 0 && jsonx.Valid(h.input) == nil {
		out.RawField("input", h.input)
	}
	out.EndObject()
	return out.B
}
