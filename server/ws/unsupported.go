package ws

import (
	"github.com/weir-gateway/weir/internal/jsonx"
)

// What follows answers the events of betas that are not served: clients wait for
// a word about them, and have one for "no" (protocols.md §5, client types of
// November 2026).

// injectFailed hands the input of a response.inject back.
func injectFailed(top *jsonx.Top, message []byte, stream string) []byte {
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("type", "response.inject.failed")
	copyMember(&b, top, message, "response_id")
	copyMember(&b, top, message, "input")
	notSupported(&b, "response.inject is not supported: send the input with the next response.create")
	b.EndObject()
	return withStream(b.B, stream)
}

// steerFailed hands the input of a response.steer back.
func steerFailed(top *jsonx.Top, message []byte, stream string) []byte {
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("type", "response.steer.failed")
	b.Key("steer")
	b.BeginObject()
	copyMember(&b, top, message, "id")
	copyMember(&b, top, message, "previous_response_id")
	copyMember(&b, top, message, "input")
	b.EndObject()
	notSupported(&b, "response.steer is not supported: send the input with the next response.create")
	b.EndObject()
	return withStream(b.B, stream)
}

func copyMember(b *jsonx.Buffer, top *jsonx.Top, message []byte, name string) {
	if v := top.Get(message, name); v != nil {
		b.RawField(name, v)
	}
}

func notSupported(b *jsonx.Buffer, why string) {
	b.Key("error")
	b.BeginObject()
	b.StringField("type", "invalid_request_error")
	b.StringField("code", "not_supported")
	b.StringField("message", why)
	b.EndObject()
}
