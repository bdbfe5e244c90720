package openairesponses

import (
	"bytes"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// spell remembers a member as it was written. It is for what the canonical form
// says in other words, or need not say: the writer puts it back when those words
// are still the same.
func spell(f *weir.Fields, name string, raw []byte) {
	*f = append(*f, weir.Field{Name: name, Value: bytes.Clone(raw), Spelling: true})
}

// keep remembers a member that has no word in the canonical form. One that says
// nothing is a spelling only. Answers are not checked as a whole, so what is
// malformed inside is left out here rather than sent on.
func keep(f *weir.Fields, name string, raw []byte) {
	if jsonx.Valid(raw) != nil {
		return
	}
	*f = append(*f, weir.Field{Name: name, Value: bytes.Clone(raw), Spelling: saysNothing(raw)})
}

// saysNothing reports whether a value is null or empty.
func saysNothing(raw []byte) bool {
	switch jsonx.KindOf(raw) {
	case jsonx.KindNull:
		return true
	case jsonx.KindArray, jsonx.KindObject:
		var compact [2]byte
		return len(jsonx.Compact(compact[:0], raw[:min(len(raw), 64)])) == 2
	}
	return false
}

// keepInside remembers a nested object whole when it has members of its own
// that have no word.
func keepInside(f *weir.Fields, name string, raw []byte, others weir.Fields) {
	if len(others) == 0 {
		return
	}
	spelling := true
	for i := range others {
		spelling = spelling && others[i].Spelling
	}
	*f = append(*f, weir.Field{Name: name, Value: bytes.Clone(raw), Spelling: spelling})
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
