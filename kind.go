package weir

// Kind is what went wrong, from a closed set. A Kind is itself an error, to be
// matched with errors.Is.
type Kind uint8

// Kinds.
const (
	KindInternal        Kind = iota // Weir itself failed
	KindInvalid                     // the request is wrong; Param names the field
	KindUnsupported                 // the request cannot be carried over, and may not be approximated
	KindContextLength               // the prompt is longer than the model's context
	KindContentFilter               // the provider refuses the content
	KindUnauthenticated             // the client's own credential is missing or wrong
	KindPermission                  // the client may not do this
	KindNotFound                    // no such path or object
	KindModelNotFound               // no such model
	KindConflict                    // try again
	KindTooLarge                    // the body is over the limit
	KindRateLimit                   // too many requests or tokens
	KindQuota                       // the account is out of money or quota: waiting does not help
	KindOverloaded                  // the provider is busy
	KindTimeout                     // a time limit was reached
	KindUpstream                    // the upstream broke: connection, malformed or cut answer, 5xx
	KindUpstreamAuth                // the upstream refused the gateway's credential
	KindUnavailable                 // no deployment can serve now
	KindCanceled                    // the caller went away

	kindCount
)

// kindInfo is a row of the one table that maps kinds to protocols.
type kindInfo struct {
	name          string
	status        int    // HTTP
	openaiType    string // error.type of the OpenAI protocols
	openaiCode    string // error.code, unless the Error has its own
	anthropicType string // error.type of Anthropic Messages
	anthropicHTTP int    // where Anthropic uses a status of its own, else 0
	retry         bool   // the same call may succeed later or elsewhere
}

// kinds is the table. Sources: OpenAI error codes guide and OpenAPI 2.3.0
// (2026-08-21); Anthropic API errors page (2026-08-07).
var kinds = [kindCount]kindInfo{
	KindInternal:        {"internal", 500, "server_error", "internal_error", "api_error", 0, false},
	KindInvalid:         {"invalid_request", 400, "invalid_request_error", "invalid_value", "invalid_request_error", 0, false},
	KindUnsupported:     {"unsupported", 400, "invalid_request_error", "unsupported_parameter", "invalid_request_error", 0, false},
	KindContextLength:   {"context_length_exceeded", 400, "invalid_request_error", "context_length_exceeded", "invalid_request_error", 0, false},
	KindContentFilter:   {"content_filter", 400, "invalid_request_error", "content_filter", "invalid_request_error", 0, false},
	KindUnauthenticated: {"unauthenticated", 401, "invalid_request_error", "invalid_api_key", "authentication_error", 0, false},
	KindPermission:      {"permission_denied", 403, "permission_error", "permission_denied", "permission_error", 0, false},
	KindNotFound:        {"not_found", 404, "invalid_request_error", "not_found", "not_found_error", 0, false},
	KindModelNotFound:   {"model_not_found", 404, "invalid_request_error", "model_not_found", "not_found_error", 0, false},
	KindConflict:        {"conflict", 409, "invalid_request_error", "conflict", "conflict_error", 0, true},
	KindTooLarge:        {"too_large", 413, "invalid_request_error", "request_too_large", "request_too_large", 0, false},
	KindRateLimit:       {"rate_limit", 429, "rate_limit_error", "rate_limit_exceeded", "rate_limit_error", 0, true},
	KindQuota:           {"quota", 429, "insufficient_quota", "insufficient_quota", "billing_error", 402, false},
	KindOverloaded:      {"overloaded", 503, "server_error", "overloaded", "overloaded_error", 529, true},
	KindTimeout:         {"timeout", 504, "timeout", "timeout", "timeout_error", 0, true},
	KindUpstream:        {"upstream", 502, "server_error", "upstream_error", "api_error", 0, true},
	KindUpstreamAuth:    {"upstream_auth", 502, "server_error", "upstream_auth_error", "api_error", 0, true},
	KindUnavailable:     {"unavailable", 503, "server_error", "unavailable", "overloaded_error", 529, true},
	KindCanceled:        {"canceled", 499, "invalid_request_error", "canceled", "invalid_request_error", 0, false},
}

func (k Kind) info() *kindInfo {
	if k >= kindCount {
		k = KindInternal
	}
	return &kinds[k]
}

// String is the kind's name in logs, metrics and notes.
func (k Kind) String() string { return k.info().name }

// Error makes a Kind a target of errors.Is.
func (k Kind) Error() string { return k.info().name }

// Status is the HTTP status of the kind for a client of protocol p.
func (k Kind) Status(p Protocol) int {
	i := k.info()
	if p == AnthropicMessages && i.anthropicHTTP != 0 {
		return i.anthropicHTTP
	}
	return i.status
}

// Type is the error type of the kind in protocol p.
func (k Kind) Type(p Protocol) string {
	if p == AnthropicMessages {
		return k.info().anthropicType
	}
	return k.info().openaiType
}

// Code is the error code of the kind in the OpenAI protocols.
func (k Kind) Code() string { return k.info().openaiCode }

// Retryable reports whether the same request may succeed later or at another
// deployment. What is wrong with the request itself is not retryable.
func (k Kind) Retryable() bool { return k.info().retry }

// KindOfStatus is the kind that an HTTP status stands for when the body does
// not say more.
func KindOfStatus(status int) Kind {
	switch status {
	case 401:
		return KindUpstreamAuth
	case 402:
		return KindQuota
	case 403:
		return KindPermission
	case 404:
		return KindNotFound
	case 408, 504:
		return KindTimeout
	case 409:
		return KindConflict
	case 413:
		return KindTooLarge
	case 429:
		return KindRateLimit
	case 451:
		return KindContentFilter
	case 503, 529:
		return KindOverloaded
	}
	if status >= 400 && status < 500 {
		return KindInvalid
	}
	return KindUpstream
}
