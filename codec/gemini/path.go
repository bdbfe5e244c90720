package gemini

import (
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// A path is where in a request a value stands. It costs nothing until an error
// has to name it. The zero path is the body itself.
type path struct {
	up    *path
	name  string // of a member; empty for an element
	index int
}

func (p *path) key(name string) path { return path{up: p, name: name} }
func (p *path) at(i int) path        { return path{up: p, index: i} }

// String writes the path as clients know it: contents[1].parts[0].text.
func (p *path) String() string { return string(p.append(nil)) }

func (p *path) append(dst []byte) []byte {
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

// wrong is the error of a value of another type than want.
func (p *path) wrong(want string, raw []byte) error {
	s := p.String()
	if raw == nil {
		return weir.Invalid(s, "%s: required, %s", s, want)
	}
	return weir.Invalid(s, "%s: expected %s, got %s", s, want, jsonx.KindOf(raw))
}

// The readers below take null for a value that is absent, as protobuf does.

func (p *path) str(raw []byte) (string, error) {
	if jsonx.IsNull(raw) {
		return "", nil
	}
	if jsonx.KindOf(raw) != jsonx.KindString {
		return "", p.wrong("a string", raw)
	}
	s, err := jsonx.String(raw)
	if err != nil {
		return "", p.wrong("a string", raw)
	}
	return s, nil
}

// need is str for a member that has to be there and not be empty.
func (p *path) need(raw []byte) (string, error) {
	s, err := p.str(raw)
	if err == nil && s == "" {
		return "", p.wrong("a string that is not empty", raw)
	}
	return s, err
}

// integer also takes the quoted form that protobuf has for 64-bit numbers.
func (p *path) integer(raw []byte) (*int64, error) {
	if jsonx.IsNull(raw) {
		return nil, nil
	}
	n, ok := jsonx.Int64(unquoted(raw))
	if !ok {
		return nil, p.wrong("a whole number", raw)
	}
	return &n, nil
}

func (p *path) float(raw []byte) (*float64, error) {
	if jsonx.IsNull(raw) {
		return nil, nil
	}
	f, ok := jsonx.Float64(unquoted(raw))
	if !ok {
		return nil, p.wrong("a number", raw)
	}
	return &f, nil
}

// unquoted is the number inside a string that holds one, else raw.
func unquoted(raw []byte) []byte {
	if len(raw) > 2 && raw[0] == '"' && raw[len(raw)-1] == '"' {
		return raw[1 : len(raw)-1]
	}
	return raw
}

func (p *path) boolean(raw []byte) (*bool, error) {
	if jsonx.IsNull(raw) {
		return nil, nil
	}
	v, ok := jsonx.Bool(raw)
	if !ok {
		return nil, p.wrong("true or false", raw)
	}
	return &v, nil
}

// each walks an object, null being one without members.
func (p *path) each(raw []byte, fn func(key string, at *path, value []byte) error) error {
	if k := jsonx.KindOf(raw); k != jsonx.KindObject && k != jsonx.KindNull {
		return p.wrong("an object", raw)
	}
	return jsonx.EachMember(raw, func(key, value []byte) error {
		name := string(key)
		at := p.key(name)
		return fn(name, &at, value)
	})
}

// list walks an array, null being an empty one. One value without its array is
// taken for a list of it, as Google does (recordings); single tells.
func (p *path) list(raw []byte, fn func(i int, at *path, value []byte) error) (single bool, err error) {
	switch jsonx.KindOf(raw) {
	case jsonx.KindNull:
		return false, nil
	case jsonx.KindObject:
		return true, fn(0, p, raw)
	case jsonx.KindArray:
		return false, jsonx.EachElement(raw, func(i int, value []byte) error {
			at := p.at(i)
			return fn(i, &at, value)
		})
	}
	return false, p.wrong("an array", raw)
}
