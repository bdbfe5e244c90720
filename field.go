package weir

import (
	"bytes"
	"slices"
)

// A Field is one member of a JSON object that Weir has no word for. It is kept
// by value, exactly as it was written.
type Field struct {
	Name  string
	Value []byte // raw JSON, never empty, never modified once set
	// Spelling tells that the field only says how a protocol spelled what the
	// canonical form says too, or says nothing (null, an empty list): its own
	// codec writes it back so, for any other leaving it out loses nothing.
	Spelling bool
}

// Fields are unknown members in the order in which they came. They belong to
// the protocol of the thing that carries them: a codec of the same protocol
// puts them back, any other reports them as a [Loss].
type Fields []Field

// Value is the raw JSON of the first field of that name, or nil.
func (f Fields) Value(name string) []byte {
	for i := range f {
		if f[i].Name == name {
			return f[i].Value
		}
	}
	return nil
}

// With is f with name set to value, replaced in place or appended. f itself is
// not modified. A nil value removes the field.
func (f Fields) With(name string, value []byte) Fields {
	out := slices.Clone(f)
	i := slices.IndexFunc(out, func(x Field) bool { return x.Name == name })
	switch {
	case value == nil && i < 0:
		return out
	case value == nil:
		return slices.Delete(out, i, i+1)
	case i < 0:
		return append(out, Field{Name: name, Value: value})
	}
	out[i].Value = value
	return out
}

// Add appends a field, copying value, which may point into a buffer that will
// be used again.
func (f *Fields) Add(name string, value []byte) {
	*f = append(*f, Field{Name: name, Value: bytes.Clone(value)})
}
