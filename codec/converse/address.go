package converse

import (
	"net/url"
	"strings"

	"github.com/weir-gateway/weir"
)

// The last segments of the paths.
const (
	callConverse = "converse"
	callStream   = "converse-stream"
	callCount    = "count-tokens"
)

// callPath is the path of a call for a model, whose id is escaped as the SDKs of
// AWS do: everything but letters, digits, "-", ".", "_" and "~".
func callPath(model, call string) string {
	out := make([]byte, 0, len("/model/")+len(model)+len("/")+len(call)+16)
	out = append(out, "/model/"...)
	for i := range len(model) {
		if c := model[i]; isUnreserved(c) {
			out = append(out, c)
		} else {
			const digits = "0123456789ABCDEF"
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	out = append(out, '/')
	return string(append(out, call...))
}

func isUnreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// splitPath takes the model and the call out of a path as it was received. An id
// that was not escaped may have slashes in it.
func splitPath(path string) (model, call string, err error) {
	_, rest, found := strings.Cut(path, "/model/")
	at := strings.LastIndexByte(rest, '/')
	if !found || at <= 0 {
		e := weir.Errorf(weir.KindInvalid, "the path does not name a model")
		e.Hint = "send the request to /model/{modelId}/converse"
		return "", "", e
	}
	model, err = url.PathUnescape(rest[:at])
	if err != nil {
		return "", "", weir.Invalid("modelId", "the model in the path is not well escaped")
	}
	return model, rest[at+1:], nil
}
