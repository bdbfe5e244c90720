package anthropic

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// AppendError implements codec.Server (protocols.md §6.9; API errors page,
// 2026-08-07).
func (anthropicCodec) AppendError(dst []byte, err *weir.Error) []byte { return appendError(dst, err) }

// appendError appends the envelope of an error: the upstream's own where it is
// one of this protocol.
func appendError(dst []byte, err *weir.Error) []byte {
	if w := err.Wire; w != nil && w.Protocol == protocol && isEnvelope(w.Body) {
		return append(dst, w.Body...)
	}
	b := jsonx.Buffer{B: dst}
	b.BeginObject()
	b.StringField("type", "error")
	b.Key("error")
	b.BeginObject()
	b.StringField("type", err.Kind.Type(protocol))
	b.StringField("message", errorMessage(err))
	if len(err.Attempts) > 0 {
		appendAttempts(&b, err.Attempts)
	}
	b.EndObject()
	if err.RequestID != "" {
		b.StringField("request_id", err.RequestID)
	}
	b.EndObject()
	return b.B
}

// isEnvelope reports whether body is what a client of this protocol can read.
func isEnvelope(body []byte) bool {
	return jsonx.KindOf(body) == jsonx.KindObject && jsonx.Valid(body) == nil &&
		jsonx.KindOf(jsonx.Get(body, "error")) == jsonx.KindObject
}

// tooLong is how the API begins its message about a full context. Coding clients
// look for it and compact their conversation (protocols.md §12.4).
const tooLong = "prompt is too long"

func errorMessage(err *weir.Error) string {
	msg := err.Message
	if msg == "" {
		msg = err.Kind.String()
	}
	if err.Kind == weir.KindContextLength && !strings.Contains(strings.ToLower(msg), tooLong) {
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
