// Package openaichat speaks OpenAI Chat Completions on both sides: it reads
// requests and writes answers as a server does, and writes requests and reads
// answers as a client does (OpenAI OpenAPI 2.3.0, 2026-08-21), with the dialects
// of the vendors that speak the same protocol as data in codec.Quirks.
//
// Where to begin reading. Server half: open.go takes a request in, read_*.go
// makes the canonical body of it, encoder.go writes the answer. Client half:
// encode.go writes a request, by edits.go where its bytes can be kept and by
// write_*.go where not; decode.go reads an answer, stream.go one that comes in
// frames and whole.go one that comes as one body, both over chunk.go.
//
// An answer that nobody edited is sent on byte for byte: what a vendor says wrongly
// is corrected in its bytes only where a quirk of its catalogue entry says so
// (correct.go).
//
// What the canonical form has one word for and Chat several is remembered as a
// weir.Field with Spelling set, so that an edited request differs from what the
// client wrote by the edit only: see spelling.go.
package openaichat

import (
	"net/http"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

const (
	protocol = weir.OpenAIChat
	path     = "/chat/completions"
)

type chat struct{}

// New is the codec. It holds no state.
func New() codec.Codec { return chat{} }

// Protocol implements codec.Codec.
func (chat) Protocol() weir.Protocol { return protocol }

// RequestHeaders implements codec.Server. They are canonical names. The
// organisation and project headers are not among them: they belong to the
// client's own account.
func (chat) RequestHeaders() []string { return []string{"X-Client-Request-Id"} }

// DecodeError implements codec.Client.
func (chat) DecodeError(status int, header http.Header, body []byte, target *codec.Target) *weir.Error {
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
