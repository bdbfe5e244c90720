// Package openaicompletions speaks the legacy completions of OpenAI on both sides:
// a text goes in and the model continues it, or with a suffix fills in what stands
// between the two (OpenAI OpenAPI 2.3.0, 2026-08-21; Mistral's OpenAPI for
// /v1/fim/completions, 2026-08).
//
// Where to begin reading. Server half: open.go takes a request in, read.go makes the
// canonical body of it, encoder.go (a stream) and completion.go (one body) write the
// answer. Client half: encode.go writes a request, by edits where its bytes can be
// kept and by write.go where not; decode.go reads an answer, stream.go one in frames
// and whole.go one in one body, both over chunk.go.
//
// A text to be continued is a user message in the canonical form, with its place in
// Message.At; codec/prompt.go says what that means for other protocols. The other
// way round there is no passage: a conversation is not sent to a model that only
// continues texts.
//
// Mistral answers its fill-in-the-middle in the shape of Chat. Both shapes are read
// and, by the path that a client has called, written: see shape.go.
package openaicompletions

import (
	"net/http"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

const (
	protocol = weir.OpenAICompletions
	path     = "/completions"
)

type completions struct{}

// New is the codec. It holds no state.
func New() codec.Codec { return completions{} }

// Protocol implements codec.Codec.
func (completions) Protocol() weir.Protocol { return protocol }

// RequestHeaders implements codec.Server. They are canonical names.
func (completions) RequestHeaders() []string { return []string{"X-Client-Request-Id"} }

// AppendError implements codec.Server.
func (completions) AppendError(dst []byte, err *weir.Error) []byte {
	return codec.AppendOpenAIError(dst, err, protocol)
}

// DecodeError implements codec.Client.
func (completions) DecodeError(status int, header http.Header, body []byte, target *codec.Target) *weir.Error {
	e := codec.ParseError(status, header, body, target.Quirks)
	e.Provider = target.Provider
	e.Wire = &weir.ErrorWire{
		Protocol:    protocol,
		Status:      status,
		ContentType: header.Get("Content-Type"),
		Body:        body,
	}
	return e
}
