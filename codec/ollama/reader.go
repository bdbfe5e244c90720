package ollama

import (
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// reader is codec.Values for what has members and elements.
type reader struct{ codec.Values }

func (r *reader) fail(err error) {
	if r.Err == nil {
		r.Err = err
	}
}

func (r *reader) wrong(at, want string, raw []byte) { r.fail(codec.WrongKind(at, want, raw)) }

// object walks the members of an object.
func (r *reader) object(at string, raw []byte, member func(key string, value []byte)) {
	if jsonx.KindOf(raw) != jsonx.KindObject {
		r.wrong(at, "an object", raw)
		return
	}
	r.malformed(at, jsonx.EachMember(raw, func(key, value []byte) error {
		member(string(key), value)
		return r.Err
	}))
}

// array walks the elements of an array.
func (r *reader) array(at string, raw []byte, element func(at string, value []byte)) {
	if jsonx.KindOf(raw) != jsonx.KindArray {
		r.wrong(at, "an array", raw)
		return
	}
	r.malformed(at, jsonx.EachElement(raw, func(i int, value []byte) error {
		element(at+"["+strconv.Itoa(i)+"]", value)
		return r.Err
	}))
}

// malformed notes what stopped a walk.
func (r *reader) malformed(at string, err error) {
	if err != nil && r.Err == nil {
		r.Err = weir.Invalid(at, "%s: the JSON in it is malformed", at)
	}
}
