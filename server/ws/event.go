package ws

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// maxStream is the longest stream_id (OpenAPI 2.3.0, 2026-08-21).
const maxStream = 256

// event takes one event of the client over. A nil message is none.
func (c *conn) event(message []byte) {
	if message == nil {
		return
	}
	var top jsonx.Top
	if err := top.Scan(message); err != nil {
		c.refuse(message, "", codec.InvalidJSON(message, err))
		return
	}
	stream, err := streamOf(top.Get(message, "stream_id"))
	if err != nil {
		c.refuse(message, "", err)
		return
	}
	switch kind := jsonx.StringOr(top.Get(message, "type"), ""); kind {
	case "response.create":
		c.create(message, &top, stream)
		return
	case "response.processed":
		// Codex tells so that it has read an answer (openai/codex#21284,
		// 2026-05-06). There is nothing to do about it.
	case "response.inject":
		c.send(injectFailed(&top, message, stream))
	case "response.steer":
		c.send(steerFailed(&top, message, stream))
	default:
		e := weir.Invalid("type", "there is no event of this type")
		e.Code, e.Hint = "unknown_event", "send response.create"
		c.fail(stream, e)
	}
	c.let(int64(len(message)))
}

// create begins a turn.
func (c *conn) create(message []byte, top *jsonx.Top, stream string) {
	if background, ok := jsonx.Bool(top.Get(message, "background")); ok && background {
		e := weir.Errorf(weir.KindUnsupported, "background is not supported over WebSocket")
		e.Param, e.Hint = "background", "POST the request"
		c.refuse(message, stream, e)
		return
	}
	t := &turn{conn: c, stream: stream, held: int64(len(message)), body: createBody(message, top)}
	if err := c.enqueue(t); err != nil {
		c.refuse(message, stream, err)
	}
}

// refuse tells that a message comes to nothing.
func (c *conn) refuse(message []byte, stream string, err *weir.Error) {
	c.let(int64(len(message)))
	c.fail(stream, err)
}

// createBody is a create request: the event without what belongs to the
// connection. Everything else keeps its bytes.
func createBody(message []byte, top *jsonx.Top) []byte {
	pieces := top.Splice(nil, message, []jsonx.Edit{
		{Key: "type"}, {Key: "stream_id"}, {Key: "background"}, {Key: "stream", Value: []byte("true")},
	})
	return bytes.Join(pieces, nil)
}

// streamOf is the lane that an event names; empty when it names none.
func streamOf(raw []byte) (string, *weir.Error) {
	if raw == nil || jsonx.IsNull(raw) {
		return "", nil
	}
	id, err := jsonx.String(raw)
	if err != nil || id == "" || len(id) > maxStream || !isStream(id) {
		return "", weir.Invalid("stream_id", "a stream_id has 1 to %d characters of A-Z, a-z, 0-9, _, . and -", maxStream)
	}
	return id, nil
}

func isStream(id string) bool {
	for i := range len(id) {
		switch c := id[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '.', c == '-':
		default:
			return false
		}
	}
	return true
}
