package openairest

import (
	"net/url"
	"strings"

	"github.com/weir-gateway/weir"
)

// defaults are the paths of the operations where a request names none. Rules for the
// others are in resource.
var defaults = map[weir.Operation]string{
	weir.Embed:      "/embeddings",
	weir.Rerank:     "/rerank",
	weir.Moderate:   "/moderations",
	weir.Image:      "/images/generations",
	weir.Speech:     "/audio/speech",
	weir.Transcribe: "/audio/transcriptions",
	weir.Files:      "/files",
	weir.Batches:    "/batches",
}

// resource is what of a client's path follows an endpoint's base URL: the path
// without the segments at its head that name the API and its version. These are
// "openai" and versions ("v1", "v2", "v1beta"), as often as they come: clients
// disagree about where a base URL ends (P-14). So /v1/files/f, /openai/v1/files/f and
// /files/f are all /files/f.
//
// A path that would leave the resource by ".." is refused, however it is escaped:
// what may be called is decided by the path as it was received.
func resource(op weir.Operation, path string) (string, error) {
	plain, err := url.PathUnescape(path)
	if err != nil {
		return "", weir.Invalid("path", "the path is not well escaped")
	}
	for segment := range strings.FieldsFuncSeq(plain, func(r rune) bool { return r == '/' || r == '\\' }) {
		if segment == ".." || segment == "." {
			return "", weir.Invalid("path", "the path must not hold the segments . and ..")
		}
	}
	for {
		rest := strings.TrimLeft(path, "/")
		head, tail, _ := strings.Cut(rest, "/")
		if rest != "" && (head == "openai" || isVersion(head)) {
			path = tail
			continue
		}
		if rest != "" {
			return "/" + rest, nil
		}
		if known, ok := defaults[op]; ok {
			return known, nil
		}
		return "", weir.Invalid("path", "the path names nothing to call")
	}
}

// isVersion reports whether a segment is the version of an API: "v1", "v1beta2".
func isVersion(s string) bool {
	if len(s) < 2 || s[0] != 'v' || s[1] < '0' || s[1] > '9' {
		return false
	}
	rest := strings.TrimLeft(s[1:], "0123456789")
	rest = strings.TrimPrefix(strings.TrimPrefix(rest, "beta"), "alpha")
	return strings.TrimLeft(rest, "0123456789") == ""
}
