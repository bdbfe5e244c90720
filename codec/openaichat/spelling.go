package openaichat

import (
	"bytes"

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
		c := jsonx.Compact(compact[:0], raw[:min(len(raw), 64)])
		return len(c) == 2
	}
	return false
}

// spelled is how the member was written, nil when it is not remembered or f
// belongs to another protocol.
func spelled(f weir.Fields, from weir.Protocol, name string) []byte {
	if from != protocol {
		return nil
	}
	for i := range f {
		if f[i].Spelling && f[i].Name == name {
			return f[i].Value
		}
	}
	return nil
}
