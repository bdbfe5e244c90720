package openaichat

import (
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// format is response_format as the target takes it, nil for none. A schema that
// the target does not take becomes an instruction beside json_object (P-08,
// protocols.md §12.2).
func (w *writer) format() []byte {
	f := w.in.Format
	if f == nil {
		return nil
	}
	accepts := func(t weir.FormatType) bool {
		return len(w.q.Formats) == 0 || slices.Contains(w.q.Formats, string(t))
	}
	if accepts(f.Type) {
		return w.formatObject(f)
	}
	switch f.Type {
	case weir.FormatText:
		return nil
	case weir.FormatJSONSchema:
		w.instruction = "Answer with one JSON object and nothing else. It must match this JSON Schema:\n" + string(f.Schema)
	default:
		w.instruction = "Answer with one JSON object and nothing else."
	}
	w.losses.Approximate("response_format", "the target does not take this format; it became an instruction")
	if f.Type == weir.FormatJSONSchema && accepts(weir.FormatJSONObject) {
		return []byte(`{"type":"json_object"}`)
	}
	return nil
}

func (w *writer) formatObject(f *weir.Format) []byte {
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("type", string(f.Type))
	raw := spelledOrKept(f.Extra, w.from, "json_schema")
	if f.Type == weir.FormatJSONSchema && !jsonx.IsNull(raw) {
		b.Key("json_schema")
		b.BeginObject()
		name := f.Name
		if name == "" && !w.native() {
			name = "answer" // required here, unknown to Anthropic
		}
		if name != "" || jsonx.Get(raw, "name") != nil {
			b.StringField("name", name)
		}
		if f.Description != "" || string(jsonx.Get(raw, "description")) == `""` {
			b.StringField("description", f.Description)
		}
		if f.Schema != nil {
			b.RawField("schema", f.Schema)
		}
		if f.Strict != nil {
			b.BoolField("strict", *f.Strict)
		} else if !w.native() {
			b.BoolField("strict", true)
		}
		others(&b, raw, "name", "description", "schema", "strict")
		b.EndObject()
	} else if raw != nil {
		b.RawField("json_schema", raw)
	}
	for _, x := range f.Extra {
		if x.Name != "json_schema" && w.native() {
			b.RawField(x.Name, x.Value)
		}
	}
	b.EndObject()
	if !w.native() {
		w.losses.DropExtra("response_format", f.Extra)
	}
	return b.B
}

// spelledOrKept is the nested object that was remembered whole.
func spelledOrKept(f weir.Fields, from weir.Protocol, name string) []byte {
	if from != protocol {
		return nil
	}
	return f.Value(name)
}

// others writes the members of the object raw that are not among known, or that
// are null: what stands inside an object that was remembered whole.
func others(b *jsonx.Buffer, raw []byte, known ...string) {
	if raw == nil {
		return
	}
	_ = jsonx.EachMember(raw, func(key, value []byte) error {
		if !slices.Contains(known, string(key)) || jsonx.IsNull(value) {
			b.RawField(string(key), value)
		}
		return nil
	})
}
