package codec

import (
	"bytes"
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// A Location is where in a request a value stands. It costs nothing until an error
// has to name it. The zero Location is the body itself.
type Location struct {
	// Missing is what the protocol says of a member that has to be there; empty
	// is "field required". Only that of the body itself counts.
	Missing string

	up    *Location
	name  string // of a member; empty for an element
	index int
}

// Key is the member of that name below p.
func (p *Location) Key(name string) Location { return Location{up: p, name: name} }

// Item is the i-th element below p, from 0.
func (p *Location) Item(i int) Location { return Location{up: p, index: i} }

// Name is that of the member; empty for an element and for the body itself.
func (p *Location) Name() string { return p.name }

// String writes the location as clients know it: messages[1].content[0].text.
func (p *Location) String() string { return string(p.append(nil)) }

func (p *Location) append(dst []byte) []byte {
	if p == nil || p.up == nil {
		return dst
	}
	dst = p.up.append(dst)
	if p.name == "" {
		dst = append(dst, '[')
		dst = strconv.AppendInt(dst, int64(p.index), 10)
		return append(dst, ']')
	}
	if len(dst) > 0 {
		dst = append(dst, '.')
	}
	return append(dst, p.name...)
}

// missing is the protocol's word for a member that has to be there.
func (p *Location) missing() string {
	for p != nil && p.up != nil {
		p = p.up
	}
	if p == nil || p.Missing == "" {
		return "field required"
	}
	return p.Missing
}

// Wrong is the KindInvalid error of a value of another type than want. raw nil is
// a value that is not there.
func (p *Location) Wrong(want string, raw []byte) error {
	s := p.String()
	if raw == nil {
		return weir.Invalid(s, "%s: %s, %s", s, p.missing(), want)
	}
	return weir.Invalid(s, "%s: expected %s, got %s", s, want, jsonx.KindOf(raw))
}

// The readers below take null for a value that is absent, as APIs do for optional
// members. Their errors are those of Wrong.

// Str reads a string.
func (p *Location) Str(raw []byte) (string, error) {
	if jsonx.IsNull(raw) {
		return "", nil
	}
	if jsonx.KindOf(raw) != jsonx.KindString {
		return "", p.Wrong("a string", raw)
	}
	s, err := jsonx.String(raw)
	if err != nil {
		return "", p.Wrong("a string", raw)
	}
	return s, nil
}

// Need is Str for a member that has to be there and not be empty.
func (p *Location) Need(raw []byte) (string, error) {
	s, err := p.Str(raw)
	if err == nil && s == "" {
		return "", p.Wrong("a string that is not empty", raw)
	}
	return s, err
}

// Integer reads a whole number; nil for null.
func (p *Location) Integer(raw []byte) (*int64, error) {
	if jsonx.IsNull(raw) {
		return nil, nil
	}
	n, ok := jsonx.Int64(raw)
	if !ok {
		return nil, p.Wrong("a whole number", raw)
	}
	return &n, nil
}

// Float reads a number; nil for null.
func (p *Location) Float(raw []byte) (*float64, error) {
	if jsonx.IsNull(raw) {
		return nil, nil
	}
	f, ok := jsonx.Float64(raw)
	if !ok {
		return nil, p.Wrong("a number", raw)
	}
	return &f, nil
}

// Boolean reads true or false; nil for null.
func (p *Location) Boolean(raw []byte) (*bool, error) {
	if jsonx.IsNull(raw) {
		return nil, nil
	}
	v, ok := jsonx.Bool(raw)
	if !ok {
		return nil, p.Wrong("true or false", raw)
	}
	return &v, nil
}

// Each walks an object, null being one without members.
func (p *Location) Each(raw []byte, fn func(key string, at *Location, value []byte) error) error {
	if k := jsonx.KindOf(raw); k != jsonx.KindObject && k != jsonx.KindNull {
		return p.Wrong("an object", raw)
	}
	return jsonx.EachMember(raw, func(key, value []byte) error {
		name := string(key)
		at := p.Key(name)
		return fn(name, &at, value)
	})
}

// EachSaid is Each but for members that are null: they say nothing, and become
// spellings in extra.
func (p *Location) EachSaid(raw []byte, extra *weir.Fields, fn func(key string, at *Location, value []byte) error) error {
	return p.Each(raw, func(key string, at *Location, value []byte) error {
		if jsonx.IsNull(value) {
			*extra = append(*extra, weir.Field{Name: key, Value: bytes.Clone(value), Spelling: true})
			return nil
		}
		return fn(key, at, value)
	})
}

// List walks an array, null being an empty one.
func (p *Location) List(raw []byte, fn func(i int, at *Location, value []byte) error) error {
	if jsonx.IsNull(raw) {
		return nil
	}
	if jsonx.KindOf(raw) != jsonx.KindArray {
		return p.Wrong("an array", raw)
	}
	return jsonx.EachElement(raw, func(i int, value []byte) error {
		at := p.Item(i)
		return fn(i, &at, value)
	})
}
