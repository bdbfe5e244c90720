package provider

import (
	"net/http"
	"net/textproto"
	"strings"
)

// mayForward reports whether a header of the protocol may go up. A codec has
// no reason to name one of these; if it did, a client's credential or a detail
// of the client's connection would reach the provider.
func mayForward(name string) bool {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "Cookie",
		"Proxy-Authorization", "Proxy-Authenticate", "Proxy-Connection",
		"Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
		"Host", "Content-Length", "Content-Encoding", "Accept-Encoding", "Expect",
		"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip":
		return false
	}
	return true
}

// forwardable is the operator's header in canonical form and a copy of its
// own. Only what frames the message is taken out: an operator may well send a
// credential of his own.
func forwardable(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		name = textproto.CanonicalMIMEHeaderKey(name)
		switch name {
		case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer",
			"Transfer-Encoding", "Upgrade", "Host", "Content-Length":
			continue
		}
		out[name] = append([]string(nil), values...)
	}
	return out
}

// notable is what of an answer's header the note of it carries: rate limits
// and ids. Everything else may identify the account or the connection.
//
// A retry-after beside a success is left out: some providers always send it,
// and taken seriously it would bench what works.
func notable(h http.Header, status int) http.Header {
	var out http.Header
	for name, values := range h {
		if !isNotable(name, status) {
			continue
		}
		if out == nil {
			out = make(http.Header, 8)
		}
		out[name] = values
	}
	return out
}

func isNotable(name string, status int) bool {
	switch name {
	case "Retry-After", "Retry-After-Ms", "X-Should-Retry":
		return status > 299
	case "Openai-Processing-Ms", "Openai-Version", "X-Envoy-Upstream-Service-Time",
		"X-Request-Id", "Request-Id", "Cf-Ray", "X-Ms-Region":
		return true
	}
	for _, prefix := range [...]string{"X-Ratelimit-", "Anthropic-Ratelimit-", "Anthropic-Priority-", "Ratelimit-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return name == "Ratelimit"
}
