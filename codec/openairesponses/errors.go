package openairesponses

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// AppendError implements codec.Server.
func (responses) AppendError(dst []byte, err *weir.Error) []byte {
	return codec.AppendOpenAIError(dst, err, protocol)
}

// failureCodes are the codes that a failed response may have (OpenAPI 2.3.0,
// ResponseErrorCode) and those that clients read beside them. What is not listed
// is the server's fault, which clients try again (P-16).
var failureCodes = map[weir.Kind]string{
	weir.KindRateLimit:     "rate_limit_exceeded",
	weir.KindQuota:         "insufficient_quota",
	weir.KindContextLength: "context_length_exceeded",
	weir.KindContentFilter: "content_filter",
	weir.KindInvalid:       "invalid_prompt",
	weir.KindUnsupported:   "invalid_prompt",
}

// writeFailure writes the error of a failed response: with the upstream's own code
// where it spoke this protocol.
func writeFailure(b *jsonx.Buffer, err *weir.Error) {
	body := codec.AppendOpenAIError(nil, err, protocol)
	said := jsonx.Get(body, "error")
	code := failureCodes[err.Kind]
	if err.Wire != nil && bytes.Equal(body, err.Wire.Body) {
		code = jsonx.StringOr(jsonx.Get(said, "code"), code)
	}
	if code == "" {
		code = "server_error"
	}
	b.BeginObject()
	b.StringField("code", code)
	b.StringField("message", jsonx.StringOr(jsonx.Get(said, "message"), err.Message))
	b.EndObject()
}
