package codec

import (
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// WrongKind is the KindInvalid error for a value of another sort than the field at
// that path has. The value itself is not quoted.
func WrongKind(at, want string, raw []byte) *weir.Error {
	return weir.Invalid(at, "%s: expected %s, got %s", at, want, article(jsonx.KindOf(raw)))
}

func article(k jsonx.Kind) string {
	switch k {
	case jsonx.KindNull:
		return "null"
	case jsonx.KindArray, jsonx.KindObject, jsonx.KindInvalid:
		return "an " + k.String()
	}
	return "a " + k.String()
}

// Values reads values at known paths and keeps the first thing that is wrong in
// Err, a KindInvalid error. From then on its methods return zero values, so that
// callers need not stop at every field. The zero value is ready.
type Values struct{ Err error }

func (v *Values) wrong(at, want string, raw []byte) {
	if v.Err == nil {
		v.Err = WrongKind(at, want, raw)
	}
}

// Str reads a string.
func (v *Values) Str(at string, raw []byte) string {
	s, err := jsonx.String(raw)
	if err != nil {
		v.wrong(at, "a string", raw)
	}
	return s
}

// Bool reads true or false.
func (v *Values) Bool(at string, raw []byte) *bool {
	b, ok := jsonx.Bool(raw)
	if !ok {
		v.wrong(at, "a boolean", raw)
		return nil
	}
	return &b
}

// Int reads a whole number.
func (v *Values) Int(at string, raw []byte) *int64 {
	n, ok := jsonx.Int64(raw)
	if !ok {
		v.wrong(at, "an integer", raw)
		return nil
	}
	return &n
}

// Float reads a number.
func (v *Values) Float(at string, raw []byte) *float64 {
	f, ok := jsonx.Float64(raw)
	if !ok {
		v.wrong(at, "a number", raw)
		return nil
	}
	return &f
}

// Strings reads a string or a list of them; nil when it is neither.
func (v *Values) Strings(at string, raw []byte) []string {
	if jsonx.KindOf(raw) == jsonx.KindString {
		return []string{v.Str(at, raw)}
	}
	if jsonx.KindOf(raw) != jsonx.KindArray {
		v.wrong(at, "a string or an array of strings", raw)
		return nil
	}
	out := []string{}
	err := jsonx.EachElement(raw, func(i int, value []byte) error {
		out = append(out, v.Str(at+"["+strconv.Itoa(i)+"]", value))
		return v.Err
	})
	if err != nil && v.Err == nil {
		v.Err = err
	}
	return out
}
