package anthropic

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// What a client wrote and the canonical form need not say (null, "is_error":
// false, an empty list) is remembered as a weir.Field with Spelling set, so that
// an edited request differs from what the client wrote in the edit only.

// spell remembers a member as it was written.
func spell(f *weir.Fields, name string, raw []byte) {
	*f = append(*f, weir.Field{Name: name, Value: bytes.Clone(raw), Spelling: true})
}

// begin opens an object and tells where it begins.
func (e *bodyEncoder) begin() int {
	e.buf.BeginObject()
	return len(e.buf.B) - 1
}

// extra puts unknown members and spellings back into the object that began at
// start, where they came from this protocol and nothing else was written in
// their place; from another protocol they are losses.
func (e *bodyEncoder) extra(start int, fields weir.Fields, path string) {
	if !e.same {
		e.losses.DropExtra(path, fields)
		return
	}
	addMissing(&e.buf, start, fields)
}

// addMissing adds the fields that the open object at start does not have yet.
func addMissing(b *jsonx.Buffer, start int, fields weir.Fields) {
	if len(fields) == 0 {
		return
	}
	have := membersOf(b.B[start:])
	for _, f := range fields {
		if !have[f.Name] {
			have[f.Name] = true
			b.RawField(f.Name, f.Value)
		}
	}
}

// membersOf are the names of an object's members, which need not be closed yet.
// One walk finds them all: a search for each would cost the square of a body
// with many members.
func membersOf(open []byte) map[string]bool {
	names := map[string]bool{}
	_ = jsonx.EachMember(open, func(k, _ []byte) error {
		names[string(k)] = true
		return nil
	})
	return names
}

// maxKept is how many unknown members of one kind are kept by value of all the
// frames of an answer. Without a bound, an upstream that sends new ones in every
// frame would make each cost more than the one before.
const maxKept = 256

// keep is f with a copy of a member that came in a frame.
func keep(f weir.Fields, name string, raw []byte) weir.Fields {
	if len(f) >= maxKept && f.Value(name) == nil {
		return f
	}
	return f.With(name, bytes.Clone(raw))
}

// lost reports unknown members that there is no object for.
func (e *bodyEncoder) lost(fields weir.Fields, path string) {
	var losses codec.Losses
	losses.DropExtra(path, fields)
	if !e.same {
		e.losses = append(e.losses, losses...)
	}
}
