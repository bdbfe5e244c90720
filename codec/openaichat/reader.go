package openaichat

import (
	"strconv"

	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// reader reads values at known paths and keeps the first thing that is wrong.
// The methods return the zero value from then on, so that callers need not stop
// at every field.
type reader struct{ err error }

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) wrong(at, want string, raw []byte) { r.fail(codec.WrongKind(at, want, raw)) }

// str reads a string; null is the caller's to handle before.
func (r *reader) str(at string, raw []byte) string {
	s, err := jsonx.String(raw)
	if err != nil {
		r.wrong(at, "a string", raw)
	}
	return s
}

func (r *reader) boolean(at string, raw []byte) *bool {
	b, ok := jsonx.Bool(raw)
	if !ok {
		r.wrong(at, "a boolean", raw)
		return nil
	}
	return &b
}

func (r *reader) integer(at string, raw []byte) *int64 {
	n, ok := jsonx.Int64(raw)
	if !ok {
		r.wrong(at, "an integer", raw)
		return nil
	}
	return &n
}

func (r *reader) number(at string, raw []byte) *float64 {
	f, ok := jsonx.Float64(raw)
	if !ok {
		r.wrong(at, "a number", raw)
		return nil
	}
	return &f
}

// object walks the members of an object.
func (r *reader) object(at string, raw []byte, member func(key string, value []byte)) {
	if jsonx.KindOf(raw) != jsonx.KindObject {
		r.wrong(at, "an object", raw)
		return
	}
	err := jsonx.EachMember(raw, func(key, value []byte) error {
		member(string(key), value)
		return r.err
	})
	if err != nil {
		r.fail(err)
	}
}

// array walks the elements of an array.
func (r *reader) array(at string, raw []byte, element func(at string, value []byte)) {
	if jsonx.KindOf(raw) != jsonx.KindArray {
		r.wrong(at, "an array", raw)
		return
	}
	err := jsonx.EachElement(raw, func(i int, value []byte) error {
		element(at+"["+strconv.Itoa(i)+"]", value)
		return r.err
	})
	if err != nil {
		r.fail(err)
	}
}
