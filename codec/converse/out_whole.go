package converse

import (
	"crypto/rand"
	"encoding/hex"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// hasImage reports whether a block is an image that the protocol can show.
func hasImage(b *weir.Block) bool {
	if b.Media == nil || b.Media.Data == "" {
		return false
	}
	_, ok := formatName("image", b.Media.MIME)
	return ok
}

// appendImage writes the value of an image block.
func appendImage(b *jsonx.Buffer, m *weir.Media) {
	format, _ := formatName("image", m.MIME)
	b.BeginObject()
	b.StringField("format", format)
	appendImageSource(b, m)
	b.EndObject()
}

func appendImageSource(b *jsonx.Buffer, m *weir.Media) {
	b.Key("source")
	b.BeginObject()
	b.StringField("bytes", m.Data)
	b.EndObject()
}

// writeWhole writes a block that is complete at its start: what of it belongs into
// the start, the rest in one delta, as the protocol has it.
func (w *streamWriter) writeWhole(dst []byte, b *outBlock) []byte {
	if b.open {
		return dst
	}
	w.number(b)
	e := w.event()
	e.IntField("contentBlockIndex", int64(b.out))
	e.Key("start")
	e.BeginObject()
	var rest jsonx.Buffer
	if b.block.Type == weir.BlockImage {
		format, _ := formatName("image", b.block.Media.MIME)
		e.Key("image")
		e.BeginObject()
		e.StringField("format", format)
		e.EndObject()
		rest.BeginObject()
		rest.Key("image")
		rest.BeginObject()
		appendImageSource(&rest, b.block.Media)
		rest.EndObject()
		rest.EndObject()
	} else {
		rest = splitOpaque(e, b.block.Opaque)
	}
	e.EndObject()
	dst = w.send(dst, contentBlockStart)
	if len(rest.B) == 0 {
		return dst
	}
	e = w.event()
	e.IntField("contentBlockIndex", int64(b.out))
	e.RawField("delta", rest.B)
	return w.send(dst, contentBlockDelta)
}

// splitOpaque writes the start of a block that is kept by value into an open object,
// and gives the delta that follows: the input of a call and the content of a result
// are not part of a start.
func splitOpaque(e *jsonx.Buffer, o *weir.Opaque) (rest jsonx.Buffer) {
	kind, value := onlyMember(o.Raw, isBlock, nil)
	late := map[string]string{"toolUse": "input", "toolResult": "content"}[kind]
	e.Key(kind)
	if late == "" || jsonx.KindOf(value) != jsonx.KindObject {
		e.Raw(value)
		return rest
	}
	e.BeginObject()
	_ = jsonx.EachMember(value, func(k, v []byte) error {
		if string(k) != late {
			e.RawField(string(k), v)
			return nil
		}
		rest.BeginObject()
		rest.Key(kind)
		if late == "input" {
			rest.BeginObject()
			rest.StringField("input", string(jsonx.Compact(nil, v)))
			rest.EndObject()
		} else {
			rest.Raw(v)
		}
		rest.EndObject()
		return nil
	})
	e.EndObject()
	return rest
}

// callIDOf is a call's id, made up where there is none.
func callIDOf(c *weir.ToolCall) string {
	if c.ID != "" {
		return c.ID
	}
	var raw [12]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	return "tooluse_" + hex.EncodeToString(raw[:])
}
