package ws

import (
	"bytes"
	"net/http"
	"strconv"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// fail sends an error event; false when the client is gone.
func (c *conn) fail(stream string, err *weir.Error) bool {
	return c.send(withStream(errorOf(err), stream))
}

// errorOf is an error as an event of the connection (OpenAPI 2.3.0,
// ResponseWsError, 2026-08-21).
func errorOf(err *weir.Error) []byte {
	h := http.Header{}
	retryAfter(h, err)
	return errorEvent(err.HTTPStatus(weir.OpenAIResponses), errorObject(err), h)
}

func retryAfter(h http.Header, err *weir.Error) {
	if err.RetryAfter > 0 {
		seconds := int64((err.RetryAfter + time.Second - 1) / time.Second)
		h.Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
}

// refuse answers a request that does not become a connection.
func refuse(w http.ResponseWriter, _ *http.Request, err *weir.Error) {
	var b jsonx.Buffer
	b.BeginObject()
	b.RawField("error", errorObject(err))
	b.EndObject()
	retryAfter(w.Header(), err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(err.HTTPStatus(weir.OpenAIResponses))
	_, _ = w.Write(b.B)
}

// errorObject is an error in the words of the protocol.
func errorObject(err *weir.Error) []byte {
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("type", err.Kind.Type(weir.OpenAIResponses))
	b.Key("code")
	if err.Code != "" {
		b.String(err.Code)
	} else {
		b.String(err.Kind.Code())
	}
	b.StringField("message", messageOf(err))
	b.Key("param")
	if err.Param != "" {
		b.String(err.Param)
	} else {
		b.Null()
	}
	b.EndObject()
	return b.B
}

func messageOf(err *weir.Error) string {
	if err.Hint == "" {
		return err.Message
	}
	return err.Message + " (" + err.Hint + ")"
}

// errorEvent is the event for an error object of the protocol. What a header of
// HTTP would say stands in the object.
func errorEvent(status int, object []byte, h http.Header) []byte {
	if after := h.Get("Retry-After"); after != "" && jsonx.Get(object, "headers") == nil {
		var headers jsonx.Buffer
		headers.BeginObject()
		headers.StringField("retry-after", after)
		headers.EndObject()
		object = withMember(object, "headers", headers.B)
	}
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("type", "error")
	b.IntField("status", int64(status))
	b.RawField("error", object)
	b.EndObject()
	return b.B
}

// wrapError is the error event of a stream, which has its members side by side,
// as that of a connection, which has them in an object beside a status.
func wrapError(data []byte) []byte {
	object := jsonx.Get(data, "error")
	if jsonx.KindOf(object) == jsonx.KindObject && jsonx.Get(data, "status") != nil {
		return data
	}
	if jsonx.KindOf(object) != jsonx.KindObject {
		object = data
	}
	code := jsonx.StringOr(jsonx.Get(object, "code"), "")
	kind := kindOfCode(code)
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("type", "error")
	b.IntField("status", int64(kind.Status(weir.OpenAIResponses)))
	b.Key("error")
	b.BeginObject()
	b.StringField("type", typeOf(object, kind))
	for _, name := range []string{"code", "message", "param"} {
		b.Key(name)
		if v := jsonx.Get(object, name); v != nil {
			b.Raw(v)
		} else {
			b.Null()
		}
	}
	b.EndObject()
	if n := jsonx.Get(data, "sequence_number"); n != nil {
		b.RawField("sequence_number", n)
	}
	b.EndObject()
	return b.B
}

// typeOf is the error's own type where it has one that is not the event's.
func typeOf(object []byte, kind weir.Kind) string {
	if t := jsonx.StringOr(jsonx.Get(object, "type"), ""); t != "" && t != "error" {
		return t
	}
	return kind.Type(weir.OpenAIResponses)
}

// kindOfCode is the kind that has the code; KindInternal for a code that none has.
func kindOfCode(code string) weir.Kind {
	for k := weir.KindInternal; k <= weir.KindCanceled; k++ {
		if k.Code() == code {
			return k
		}
	}
	return weir.KindInternal
}

// withStream is an event with the lane that it belongs to.
func withStream(event []byte, stream string) []byte {
	if stream == "" {
		return event
	}
	var b jsonx.Buffer
	b.String(stream)
	return withMember(event, "stream_id", b.B)
}

// withMember is a JSON object with one member more, behind the others.
func withMember(object []byte, name string, value []byte) []byte {
	head := bytes.TrimRight(object[:bytes.LastIndexByte(object, '}')], " \t\r\n")
	out := make([]byte, 0, len(object)+len(name)+len(value)+4)
	out = append(out, head...)
	if head[len(head)-1] != '{' {
		out = append(out, ',')
	}
	out = append(jsonx.AppendString(out, name), ':')
	return append(append(out, value...), '}')
}
