package gemini

import (
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// path is where in a request a value stands.
type path = codec.Location

// root is the path of the body itself, with Google's word for what is missing.
func root() path { return path{Missing: "required"} }

// integer also takes the quoted form that protobuf has for 64-bit numbers.
func integer(at *path, raw []byte) (*int64, error) {
	n, err := at.Integer(unquoted(raw))
	if err != nil || n == nil && !jsonx.IsNull(raw) {
		return nil, at.Wrong("a whole number", raw)
	}
	return n, nil
}

// float also takes a quoted number.
func float(at *path, raw []byte) (*float64, error) {
	f, err := at.Float(unquoted(raw))
	if err != nil || f == nil && !jsonx.IsNull(raw) {
		return nil, at.Wrong("a number", raw)
	}
	return f, nil
}

// unquoted is the number inside a string that holds one, else raw.
func unquoted(raw []byte) []byte {
	if len(raw) > 2 && raw[0] == '"' && raw[len(raw)-1] == '"' {
		return raw[1 : len(raw)-1]
	}
	return raw
}

// list walks an array, null being an empty one. One value without its array is
// taken for a list of it, as Google does (recordings); single tells.
func list(p *path, raw []byte, fn func(i int, at *path, value []byte) error) (single bool, err error) {
	if jsonx.KindOf(raw) == jsonx.KindObject {
		return true, fn(0, p, raw)
	}
	return false, p.List(raw, fn)
}
