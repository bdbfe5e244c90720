package converse

import (
	"bytes"
	"encoding/base64"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/eventstream"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// heldBlock gathers a block that has no deltas in the canonical form (a tool that
// Bedrock runs and its result, redacted thinking, an image, kinds of tomorrow)
// until it is complete, since only then can it be one. Its frames become one, so
// that the block is sent on verbatim or by value, never half of each. When nobody
// reads content they flow by one by one.
type heldBlock struct {
	active bool
	wire   int64
	kind   string
	raw    []byte // the frames
	fields weir.Fields
	texts  map[string][]byte // unquoted texts that grow
	lists  map[string][]byte // elements of lists that grow, with commas between them
	blob   []byte            // redacted thinking, out of base64
	bare   string            // redacted thinking that is no base64
}

// Bounds of a held block: in bytes, and in members.
const (
	maxHeld        = 64 << 20
	maxHeldMembers = 256
)

func (h *heldBlock) begin(wire int64, kind string, value, raw []byte) {
	*h = heldBlock{active: true, wire: wire, kind: kind, raw: bytes.Clone(raw), texts: map[string][]byte{}, lists: map[string][]byte{}}
	if kind == redacted {
		h.redact(value)
		return
	}
	_ = jsonx.EachMember(value, func(k, v []byte) error {
		h.set(string(k), bytes.Clone(v))
		return nil
	})
}

// redacted is the kind of redacted thinking, which has no start.
const redacted = "redactedContent"

func (h *heldBlock) redact(value []byte) {
	s := jsonx.StringOr(value, "")
	part, err := base64.StdEncoding.DecodeString(s)
	if err != nil || h.bare != "" {
		h.bare += s
		return
	}
	h.blob = append(h.blob, part...)
}

// set gives a member its value, in the place that it has already.
func (h *heldBlock) set(key string, v []byte) {
	for i := range h.fields {
		if h.fields[i].Name == key {
			h.fields[i].Value = v
			return
		}
	}
	if len(h.fields) < maxHeldMembers {
		h.fields = append(h.fields, weir.Field{Name: key, Value: v})
	}
}

// hold takes a frame in while a block is held. done is false when the frame is to
// be handled as usual, the block being complete before it.
func (d *streamDecoder) hold(f *eventstream.Frame, t frameType) (more, done bool) {
	h := &d.held
	wire, ok := jsonx.Int64(jsonx.Get(f.Payload, "contentBlockIndex"))
	own := ok && wire == h.wire
	switch {
	case t == frameUnknown:
	case own && t == frameBlockDelta:
		h.grow(deltaOf(jsonx.Get(f.Payload, "delta")))
	case own && t == frameBlockStop:
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
	b := h.block(formatOf(modelOfAnswer(d.answer)))
	d.content = true
	index := d.next
	d.next++
	return d.emitAll(h.raw,
		weir.Event{Type: weir.EventBlockStart, Index: index, Block: &b},
		weir.Event{Type: weir.EventBlockEnd, Index: index})
}

// grow merges a delta into the block: texts and lists grow, every other member
// takes the place of the one before.
func (h *heldBlock) grow(kind string, value []byte) {
	switch {
	case kind == redacted && h.kind == redacted:
		h.redact(value)
	case kind != h.kind:
	case jsonx.KindOf(value) == jsonx.KindArray: // of a tool's result: parts of its content
		h.growMember("content", value)
	case jsonx.KindOf(value) == jsonx.KindObject:
		_ = jsonx.EachMember(value, func(k, v []byte) error {
			h.growMember(string(k), v)
			return nil
		})
	}
}

func (h *heldBlock) growMember(key string, v []byte) {
	before := h.fields.Value(key)
	switch jsonx.KindOf(v) {
	case jsonx.KindString:
		text, grown := h.texts[key]
		if !grown {
			text = []byte(jsonx.StringOr(before, ""))
			h.set(key, []byte(`""`))
		}
		h.texts[key] = append(text, jsonx.StringOr(v, "")...)
	case jsonx.KindArray:
		list, grown := h.lists[key]
		if !grown {
			list = elements(nil, before)
			h.set(key, []byte("[]"))
		}
		h.lists[key] = elements(list, v)
	case jsonx.KindNull:
	default:
		h.set(key, bytes.Clone(v))
	}
}

// elements appends the elements of an array to those before.
func elements(dst, array []byte) []byte {
	_ = jsonx.EachElement(array, func(_ int, item []byte) error {
		if len(dst) > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, item...)
		return nil
	})
	return dst
}

// block is what was held, as it stands in an answer that is not streamed.
func (h *heldBlock) block(format string) weir.Block {
	if h.kind == redacted {
		s := base64.StdEncoding.EncodeToString(h.blob)
		if h.bare != "" {
			s = h.bare
		}
		r := &weir.Reasoning{}
		r.Encrypted, r.Format = unblob(s, format)
		return weir.Block{Type: weir.BlockReasoning, Reasoning: r}
	}
	raw := h.value()
	d := &bodyDecoder{format: format}
	root := path{}
	if b, err := d.block(weir.RoleAssistant, &root, raw); err == nil && h.kind == "image" {
		return b
	}
	return opaqueBlock(h.kind, raw)
}

func (h *heldBlock) value() []byte {
	var out jsonx.Buffer
	out.BeginObject()
	out.Key(h.kind)
	out.BeginObject()
	for _, f := range h.fields {
		text, grown := h.texts[f.Name]
		list, listed := h.lists[f.Name]
		switch {
		case listed:
			out.Key(f.Name)
			out.BeginArray()
			if len(list) > 0 {
				out.Raw(list)
			}
			out.EndArray()
		case grown && h.kind == "toolUse" && f.Name == "input" && jsonx.Valid(text) == nil:
			out.RawField(f.Name, text) // streamed in pieces of text
		case grown:
			out.Key(f.Name)
			out.Bytes(text)
		default:
			out.RawField(f.Name, f.Value)
		}
	}
	if h.kind == "toolUse" && h.fields.Value("input") == nil {
		out.RawField("input", []byte("{}"))
	}
	out.EndObject()
	out.EndObject()
	return out.B
}
