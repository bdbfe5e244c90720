package gemini

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// statuses are Google's names of what went wrong (protocols.md §7.7, §12.4).
var statuses = map[weir.Kind]string{
	weir.KindInternal:        "INTERNAL",
	weir.KindInvalid:         "INVALID_ARGUMENT",
	weir.KindUnsupported:     "INVALID_ARGUMENT",
	weir.KindContextLength:   "INVALID_ARGUMENT",
	weir.KindContentFilter:   "INVALID_ARGUMENT",
	weir.KindUnauthenticated: "UNAUTHENTICATED",
	weir.KindPermission:      "PERMISSION_DENIED",
	weir.KindNotFound:        "NOT_FOUND",
	weir.KindModelNotFound:   "NOT_FOUND",
	weir.KindConflict:        "ABORTED",
	weir.KindTooLarge:        "INVALID_ARGUMENT",
	weir.KindRateLimit:       "RESOURCE_EXHAUSTED",
	weir.KindQuota:           "RESOURCE_EXHAUSTED",
	weir.KindOverloaded:      "UNAVAILABLE",
	weir.KindTimeout:         "DEADLINE_EXCEEDED",
	weir.KindUpstream:        "UNAVAILABLE",
	weir.KindUpstreamAuth:    "UNAVAILABLE",
	weir.KindUnavailable:     "UNAVAILABLE",
	weir.KindCanceled:        "CANCELLED",
}

// statusOf is Google's name of an error. An upstream's own code is sent on, and
// what failed there has the name that goes with it: 500 is never UNAVAILABLE,
// which clients take for a model that is overloaded (google.rpc.Code).
func statusOf(kind weir.Kind, code int) string {
	switch status := statuses[kind]; {
	case status == "", status == "UNAVAILABLE" && code == http.StatusInternalServerError:
		return statuses[weir.KindInternal]
	case status == "UNAVAILABLE" && code == http.StatusGatewayTimeout:
		return statuses[weir.KindTimeout]
	default:
		return status
	}
}

// Types of the details of an error.
const (
	typeErrorInfo  = "type.googleapis.com/google.rpc.ErrorInfo"
	typeBadRequest = "type.googleapis.com/google.rpc.BadRequest"
	typeRetryInfo  = "type.googleapis.com/google.rpc.RetryInfo"
	typeHelp       = "type.googleapis.com/google.rpc.Help"
)

// AppendError implements codec.Server.
func (geminiCodec) AppendError(dst []byte, err *weir.Error) []byte {
	if w := err.Wire; w != nil && w.Protocol == protocol && isEnvelope(w.Body) {
		return append(dst, w.Body...)
	}
	return appendError(dst, err)
}

// isEnvelope reports whether body is what a client of this protocol can read:
// an error, or a list of one as streams without events have it.
func isEnvelope(body []byte) bool {
	if jsonx.Valid(body) != nil {
		return false
	}
	if jsonx.KindOf(body) == jsonx.KindArray {
		body = element(body, 0)
	}
	return jsonx.KindOf(jsonx.Get(body, "error")) == jsonx.KindObject
}

// appendError appends one object: the upstream's own error where it is one of this
// protocol.
func appendError(dst []byte, err *weir.Error) []byte {
	if w := err.Wire; w != nil && w.Protocol == protocol && isEnvelope(w.Body) {
		if jsonx.KindOf(w.Body) == jsonx.KindArray {
			return jsonx.Compact(dst, element(w.Body, 0))
		}
		return jsonx.Compact(dst, w.Body)
	}
	code := err.HTTPStatus(protocol)
	b := jsonx.Buffer{B: dst}
	b.BeginObject()
	b.Key("error")
	b.BeginObject()
	b.IntField("code", int64(code))
	b.StringField("message", errorMessage(err))
	b.StringField("status", statusOf(err.Kind, code))
	appendDetails(&b, err)
	b.EndObject()
	b.EndObject()
	return b.B
}

// tooLong is how the API says that the context is full. Coding clients look for it
// and compact their conversation (protocols.md §12.4).
const tooLong = "exceeds the maximum number of tokens allowed"

func errorMessage(err *weir.Error) string {
	msg := err.Message
	if msg == "" {
		msg = err.Kind.String()
	}
	if err.Kind == weir.KindContextLength && !strings.Contains(msg, tooLong) {
		msg = "The input token count " + tooLong + ": " + msg
	}
	if err.Hint != "" {
		msg += " (" + err.Hint + ")"
	}
	return msg
}

// appendDetails tells the field at fault, how long to wait and what was tried
// (E-05), in the types that Google's SDKs know.
func appendDetails(b *jsonx.Buffer, err *weir.Error) {
	if err.Param == "" && err.RetryAfter <= 0 && len(err.Attempts) == 0 && err.Kind != weir.KindUnauthenticated {
		return
	}
	b.Key("details")
	b.BeginArray()
	if err.Kind == weir.KindUnauthenticated {
		beginDetail(b, typeErrorInfo)
		b.StringField("reason", "API_KEY_INVALID")
		b.StringField("domain", "googleapis.com")
		b.EndObject()
	}
	if err.Param != "" {
		beginDetail(b, typeBadRequest)
		b.Key("fieldViolations")
		b.BeginArray()
		b.BeginObject()
		b.StringField("field", err.Param)
		b.StringField("description", errorMessage(err))
		b.EndObject()
		b.EndArray()
		b.EndObject()
	}
	if err.RetryAfter > 0 {
		beginDetail(b, typeRetryInfo)
		b.StringField("retryDelay", strconv.FormatFloat(err.RetryAfter.Seconds(), 'f', -1, 64)+"s")
		b.EndObject()
	}
	if len(err.Attempts) > 0 {
		beginDetail(b, typeHelp)
		appendAttempts(b, err.Attempts)
		b.EndObject()
	}
	b.EndArray()
}

func beginDetail(b *jsonx.Buffer, typ string) {
	b.BeginObject()
	b.StringField("@type", typ)
}

// appendAttempts tells what was tried as the descriptions of links, which is the
// one list of free text that the known types have.
func appendAttempts(b *jsonx.Buffer, attempts []*weir.Attempt) {
	b.Key("links")
	b.BeginArray()
	for _, a := range attempts {
		text := "attempt: " + a.Deployment
		if a.Err != nil {
			if a.Err.Status != 0 {
				text += ", status " + strconv.Itoa(a.Err.Status)
			}
			text += ", " + a.Err.Kind.String()
		}
		b.BeginObject()
		b.StringField("description", text)
		b.EndObject()
	}
	b.EndArray()
}

// DecodeError implements codec.Client.
func (geminiCodec) DecodeError(status int, header http.Header, body []byte, target *codec.Target) *weir.Error {
	e := codec.ParseError(status, header, body, target.Quirks)
	e.Provider = target.Provider
	if e.RetryAfter == 0 {
		e.RetryAfter = retryDelay(body)
	}
	e.Wire = &weir.ErrorWire{Protocol: protocol, Status: status, ContentType: header.Get("Content-Type"), Body: body}
	return e
}

// maxRetryDelay is the longest wait that is believed.
const maxRetryDelay = time.Hour

// retryDelay is the wait that an error asks for in its details, since there is
// mostly no header (protocols.md §7.7): {"retryDelay":"31s"}.
func retryDelay(body []byte) time.Duration {
	if jsonx.KindOf(body) == jsonx.KindArray {
		body = element(body, 0)
	}
	var wait time.Duration
	_ = jsonx.EachElement(jsonx.GetPath(body, "error", "details"), func(_ int, detail []byte) error {
		if d, err := time.ParseDuration(jsonx.StringOr(jsonx.Get(detail, "retryDelay"), "")); err == nil && d > 0 {
			wait = min(d, maxRetryDelay)
		}
		return nil
	})
	return wait
}
