package h1

import (
	"net/http"
	"strings"
)

// framing is how the end of an answer's body is known.
type framing uint8

const (
	framedNone    framing = iota // there is no body
	framedLength                 // Content-Length
	framedChunked                // Transfer-Encoding: chunked
	framedClose                  // the end of the connection
)

// frame decides how the body ends (RFC 9112 §6.3), and its length, -1 when not
// known. What two readers could take differently is an error.
func (h *head) frame(method string) (framing, int64, error) {
	length, err := contentLength(h.header["Content-Length"])
	if err != nil {
		return 0, 0, err
	}
	encoding := h.header["Transfer-Encoding"]
	if method == http.MethodHead || h.code == http.StatusNotModified {
		return framedNone, length, nil
	}
	if h.code == http.StatusNoContent {
		return framedNone, 0, nil
	}
	if encoding == nil {
		if length >= 0 {
			return framedLength, length, nil
		}
		return framedClose, -1, nil
	}
	switch {
	case length >= 0:
		return 0, 0, malformed("both a length and a transfer encoding")
	case h.minor == 0:
		return 0, 0, malformed("a transfer encoding in HTTP/1.0")
	case len(encoding) != 1 || !strings.EqualFold(encoding[0], "chunked"):
		return 0, 0, malformed("a transfer encoding other than chunked")
	}
	return framedChunked, -1, nil
}

// contentLength reads the values of Content-Length, -1 when there is none. The
// same value may stand there several times (RFC 9110 §8.6).
func contentLength(values []string) (int64, error) {
	if len(values) == 0 {
		return -1, nil
	}
	first := ""
	for _, list := range values {
		for v := range strings.SplitSeq(list, ",") {
			v = strings.Trim(v, " \t")
			if first == "" {
				first = v
			}
			if v != first || v == "" {
				return 0, malformed("lengths that conflict")
			}
		}
	}
	return decimal(first)
}

// decimal reads digits and nothing else, up to 18 of them.
func decimal(s string) (int64, error) {
	if s == "" || len(s) > 18 {
		return 0, malformed("a length that is no number")
	}
	n := int64(0)
	for _, d := range []byte(s) {
		if d < '0' || d > '9' {
			return 0, malformed("a length that is no number")
		}
		n = n*10 + int64(d-'0')
	}
	return n, nil
}

// persists reports whether the connection may be used after the answer (RFC
// 9112 §9.3). HTTP/1.0 is not worth the question.
func (h *head) persists() bool {
	if h.minor == 0 {
		return false
	}
	for _, list := range h.header["Connection"] {
		for option := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.Trim(option, " \t"), "close") {
				return false
			}
		}
	}
	return true
}
