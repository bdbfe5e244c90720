package h1

import (
	"net/textproto"
	"strings"
)

// known maps the names that upstreams send, as they are sent, to their
// canonical form: neither a conversion nor an allocation for the usual ones.
var known = func() map[string]string {
	names := []string{
		"Access-Control-Allow-Credentials", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers",
		"Alt-Svc", "Cache-Control", "Cf-Cache-Status", "Cf-Ray", "Connection", "Content-Encoding",
		"Content-Length", "Content-Type", "Date", "Keep-Alive", "Location", "Openai-Model",
		"Openai-Organization", "Openai-Processing-Ms", "Openai-Version", "Request-Id", "Retry-After",
		"Server", "Set-Cookie", "Strict-Transport-Security", "Transfer-Encoding", "Vary", "Via",
		"X-Accel-Buffering", "X-Content-Type-Options", "X-Envoy-Upstream-Service-Time", "X-Request-Id",
		"X-Ratelimit-Limit-Requests", "X-Ratelimit-Limit-Tokens",
		"X-Ratelimit-Remaining-Requests", "X-Ratelimit-Remaining-Tokens",
		"X-Ratelimit-Reset-Requests", "X-Ratelimit-Reset-Tokens",
	}
	m := make(map[string]string, 2*len(names))
	for _, n := range names {
		m[n] = n
		m[strings.ToLower(n)] = n
	}
	return m
}()

// canonical is the canonical form of a valid name.
func canonical(name string) string {
	if c, ok := known[name]; ok {
		return c
	}
	return textproto.CanonicalMIMEHeaderKey(name)
}

// tokens are the characters of a token (RFC 9110 §5.6.2).
var tokens = func() (set [256]bool) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
		set[c] = true
	}
	return set
}()

func validName(s string) bool {
	for i := range len(s) {
		if !tokens[s[i]] {
			return false
		}
	}
	return s != ""
}

// validValue reports whether s has no control character but the tab.
func validValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
