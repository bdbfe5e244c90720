package ollama

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// marker is the name of the field that remembers what no member says: the form of
// a body, and that the id of a call or a result was made here.
const marker = ""

// made marks an id that the client did not write.
var made = weir.Field{Name: marker, Value: []byte("true"), Spelling: true}

// spell remembers a member as it was written: one that says nothing, or that the
// canonical form says in other words.
func spell(f *weir.Fields, name string, raw []byte) {
	*f = append(*f, weir.Field{Name: name, Value: bytes.Clone(raw), Spelling: true})
}

// keep remembers a member that has no word in the canonical form.
func keep(f *weir.Fields, name string, raw []byte) {
	*f = append(*f, weir.Field{Name: name, Value: bytes.Clone(raw), Spelling: saysNothing(raw)})
}

// saysNothing reports whether a value is what Ollama takes for absent: null, "",
// an empty list or object.
func saysNothing(raw []byte) bool {
	switch jsonx.KindOf(raw) {
	case jsonx.KindNull:
		return true
	case jsonx.KindString:
		return len(raw) == 2
	case jsonx.KindArray, jsonx.KindObject:
		var compact [2]byte
		c := jsonx.Compact(compact[:0], raw[:min(len(raw), 64)])
		return len(c) == 2
	}
	return false
}

// says reports whether a member is there and not null.
func says(raw []byte) bool { return len(raw) > 0 && !jsonx.IsNull(raw) }

// isMade reports whether an id was made here.
func isMade(f weir.Fields) bool { return f.Value(marker) != nil }
