package converse

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/eventstream"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// exceptions are the types that the kinds have here (the errors of Converse in
// botocore's service model, 2026-08-07, and AWS's common errors).
var exceptions = map[weir.Kind]string{
	weir.KindInternal:        "InternalServerException",
	weir.KindInvalid:         "ValidationException",
	weir.KindUnsupported:     "ValidationException",
	weir.KindContextLength:   "ValidationException",
	weir.KindContentFilter:   "ValidationException",
	weir.KindTooLarge:        "ValidationException",
	weir.KindUnauthenticated: "UnrecognizedClientException",
	weir.KindPermission:      "AccessDeniedException",
	weir.KindNotFound:        "ResourceNotFoundException",
	weir.KindModelNotFound:   "ResourceNotFoundException",
	weir.KindConflict:        "ConflictException",
	weir.KindRateLimit:       "ThrottlingException",
	weir.KindQuota:           "ServiceQuotaExceededException",
	weir.KindOverloaded:      "ServiceUnavailableException",
	weir.KindUnavailable:     "ServiceUnavailableException",
	weir.KindTimeout:         "ModelTimeoutException",
	weir.KindUpstream:        "ModelErrorException",
	weir.KindUpstreamAuth:    "InternalServerException",
	weir.KindCanceled:        "ValidationException",
}

// streamExceptions are the types that a stream may end with.
var streamExceptions = map[string]string{
	"ValidationException":           "validationException",
	"ThrottlingException":           "throttlingException",
	"ServiceQuotaExceededException": "throttlingException",
	"ServiceUnavailableException":   "serviceUnavailableException",
	"ModelErrorException":           "modelStreamErrorException",
	"ModelTimeoutException":         "modelStreamErrorException",
}

// AppendError implements codec.Server. SDKs look for the type in a header first
// and in __type then.
func (converseCodec) AppendError(dst []byte, err *weir.Error) []byte { return appendError(dst, err) }

func appendError(dst []byte, err *weir.Error) []byte {
	if w := err.Wire; w != nil && w.Protocol == protocol && isErrorBody(w.Body) {
		return append(dst, w.Body...)
	}
	b := jsonx.Buffer{B: dst}
	b.BeginObject()
	b.StringField("__type", exceptions[err.Kind])
	b.StringField("message", errorMessage(err))
	if len(err.Attempts) > 0 {
		appendAttempts(&b, err.Attempts)
	}
	b.EndObject()
	return b.B
}

// isErrorBody reports whether body is what a client of this protocol can read.
func isErrorBody(body []byte) bool {
	return jsonx.KindOf(body) == jsonx.KindObject && jsonx.Valid(body) == nil && jsonx.KindOf(jsonx.Get(body, "message")) == jsonx.KindString
}

// tooLong is how Bedrock begins its message about a full context, which clients
// look for (protocols.md §12.4).
const tooLong = "Input is too long"

func errorMessage(err *weir.Error) string {
	msg := err.Message
	if msg == "" {
		msg = err.Kind.String()
	}
	if err.Kind == weir.KindContextLength && !strings.Contains(strings.ToLower(msg), "too long") {
		msg = tooLong + ": " + msg
	}
	if err.Hint != "" {
		msg += " (" + err.Hint + ")"
	}
	return msg
}

// appendAttempts tells what was tried (E-05).
func appendAttempts(b *jsonx.Buffer, attempts []*weir.Attempt) {
	b.Key("attempts")
	b.BeginArray()
	for _, a := range attempts {
		b.BeginObject()
		b.StringField("deployment", a.Deployment)
		if a.Err != nil {
			if a.Err.Status != 0 {
				b.IntField("status", int64(a.Err.Status))
			}
			b.StringField("reason", a.Err.Kind.String())
		}
		b.EndObject()
	}
	b.EndArray()
}

// appendException ends a stream with an error: the upstream's own where it spoke
// this protocol.
func appendException(dst []byte, err *weir.Error) []byte {
	name := streamExceptions[exceptions[err.Kind]]
	if own := lowerFirst(err.Code); err.Wire != nil && err.Wire.Protocol == protocol && strings.HasSuffix(own, "Exception") {
		name = own
	}
	if name == "" {
		name = "internalServerException"
	}
	return eventstream.AppendException(dst, name, appendError(nil, err))
}

func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}

// streamError is the error that an exception in a stream is.
func streamError(a *codec.Answer, x *eventstream.Exception) *weir.Error {
	e := codec.ParseError(0, nil, x.Body(), quirksOf(a))
	if x.Message == "" {
		e.Message = "the upstream ended the answer with " + codec.Scrub(x.Type)
	}
	refine(e)
	e.Wire = &weir.ErrorWire{Protocol: protocol, ContentType: "application/json", Body: x.Payload}
	return from(a, e)
}

// errorIn is the error that a whole answer is in truth, or nil (E-02): it has a
// message, or the type of an error, and no output.
func errorIn(a *codec.Answer, raw []byte) *weir.Error {
	if jsonx.Get(raw, "output") != nil || jsonx.Get(raw, "inputTokens") != nil {
		return nil
	}
	body := raw
	if inner := jsonx.Get(raw, "Output"); inner != nil {
		body = inner // of AWS's own front: {"Output":{"__type":…},"Version":"1.0"}
	}
	typ := jsonx.StringOr(jsonx.Get(body, "__type"), "")
	message := jsonx.StringOr(jsonx.Get(body, "message"), jsonx.StringOr(jsonx.Get(body, "Message"), ""))
	if typ == "" && message == "" {
		if e := codec.ErrorIn200(raw, quirksOf(a)); e != nil {
			return from(a, e)
		}
		return nil
	}
	e := codec.ParseError(200, a.Header, body, quirksOf(a))
	if message == "" {
		e.Message = "the upstream answered with " + codec.Scrub(typ)
	}
	refine(e)
	e.Wire = &weir.ErrorWire{Protocol: protocol, Status: 200, ContentType: "application/json", Body: append([]byte(nil), raw...)}
	return from(a, e)
}

func quirksOf(a *codec.Answer) *codec.Quirks {
	if a.Target == nil {
		return nil
	}
	return a.Target.Quirks
}

// from names who spoke.
func from(a *codec.Answer, e *weir.Error) *weir.Error {
	if a.Target != nil {
		e.Provider = a.Target.Provider
	}
	if e.RequestID == "" {
		e.RequestID = codec.RequestID(a.Header)
	}
	return e
}
