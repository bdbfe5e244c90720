// Package ollama speaks Ollama's own protocol on both sides: /api/chat,
// /api/generate, /api/embed and the older /api/embeddings (protocols.md §8;
// Ollama openapi.yaml at fb30760, 2026-08). Answers are lines of JSON, streamed
// unless the client says otherwise.
//
// Where to begin reading. form.go tells the four endpoints apart. Server half:
// open.go takes a request in, read_*.go makes the canonical body of it,
// encoder.go writes a stream and whole_encoder.go an answer in one piece, both
// by writer.go. Client half: encode.go writes a request, by edits where its bytes
// can be kept and by write_*.go where not; decode.go reads an answer line by line
// (line.go, calls.go, finish.go). embed_*.go are the same for vectors.
//
// What the canonical form need not say (null, an empty list) is remembered as a
// weir.Field with Spelling set, so that an edited request differs from what the
// client wrote by the edit only: see spelling.go.
package ollama

import (
	"bytes"
	"net/http"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

const protocol = weir.OllamaChat

type ollama struct{}

// New is the codec. It holds no state and is safe for concurrent use.
func New() codec.Codec { return ollama{} }

// Protocol implements codec.Codec.
func (ollama) Protocol() weir.Protocol { return protocol }

// RequestHeaders implements codec.Server: the protocol has none.
func (ollama) RequestHeaders() []string { return nil }

// NewEncoder implements codec.Server. Answers have the form of the endpoint that
// the request came to.
func (ollama) NewEncoder(req *weir.Request) codec.Encoder {
	f := formOf(req)
	switch {
	case req.Op == weir.Embed:
		return &embedEncoder{req: req, legacy: f == formEmbeddings}
	case req.Stream:
		return &streamEncoder{w: writer{req: req, form: f}}
	}
	return &wholeEncoder{w: writer{req: req, form: f}}
}

// DecodeError implements codec.Client.
func (ollama) DecodeError(status int, header http.Header, body []byte, target *codec.Target) *weir.Error {
	e := codec.ParseError(status, header, body, target.Quirks)
	e.Provider = target.Provider
	refine(e)
	e.Wire = &weir.ErrorWire{
		Protocol: protocol, Status: status, ContentType: header.Get("Content-Type"), Body: bytes.Clone(body),
	}
	return e
}
