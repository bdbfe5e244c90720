package server

import (
	"math/rand/v2"
	"net/http"
	"strconv"
)

// requestID is the client's own id of the call where it sends a sane one, else
// a random one. It is no secret and need not be unguessable.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); id != "" && len(id) <= 64 && printable(id) {
		return id
	}
	var b [20]byte
	out := append(b[:0], "req_"...)
	n := rand.Uint64() | 1<<63
	return string(strconv.AppendUint(out, n, 16))
}

func printable(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}
