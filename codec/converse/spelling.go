package converse

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// What a client wrote and the canonical form need not say (null, an empty
// object, "status":"success") is remembered as a weir.Field with Spelling set, so
// that an edited request differs from what the client wrote in the edit only.

// spell remembers a member as it was written.
func spell(f *weir.Fields, name string, raw []byte) {
	*f = append(*f, weir.Field{Name: name, Value: bytes.Clone(raw), Spelling: true})
}

// maxKept is how many unknown members of one kind are kept by value of all the
// frames of an answer, so that each frame costs the same.
const maxKept = 256

// keep is f with a copy of a member that came in an answer.
func keep(f weir.Fields, name string, raw []byte) weir.Fields {
	if len(f) >= maxKept && f.Value(name) == nil {
		return f
	}
	return f.With(name, bytes.Clone(raw))
}

// addMissing adds the fields that the open object at start does not have yet.
func addMissing(b *jsonx.Buffer, start int, fields weir.Fields) {
	if len(fields) == 0 {
		return
	}
	have := map[string]bool{}
	_ = jsonx.EachMember(b.B[start:], func(k, _ []byte) error {
		have[string(k)] = true
		return nil
	})
	for _, f := range fields {
		if !have[f.Name] {
			have[f.Name] = true
			b.RawField(f.Name, f.Value)
		}
	}
}

// appendFields writes unknown members of an answer. What says nothing is left out
// (W-10).
func appendFields(b *jsonx.Buffer, fields weir.Fields) {
	for _, f := range fields {
		if !f.Spelling {
			b.RawField(f.Name, f.Value)
		}
	}
}

// onlyMember is the name and the value of the one member of a union's object that
// says something; members beside it, null ones too, are given to other, which may be
// nil. name is empty when there is none.
func onlyMember(raw []byte, known func(name string) bool, other func(name string, value []byte)) (name string, value []byte) {
	_ = jsonx.EachMember(raw, func(k, v []byte) error {
		key := string(k)
		switch {
		case jsonx.IsNull(v) && other == nil:
		case !jsonx.IsNull(v) && (name == "" || !known(name) && known(key)):
			if name != "" && other != nil {
				other(name, value)
			}
			name, value = key, v
		case other != nil:
			other(key, v)
		}
		return nil
	})
	return name, value
}
