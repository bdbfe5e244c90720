// Package openairest speaks what else OpenAI's API and those after its model have,
// beside conversations and completions: embeddings, images, sound, moderations,
// reranking, files, batches, and any other path (OpenAI OpenAPI 2.3.0, 2026-08-21;
// Cohere v2 and Jina rerank; protocols.md §9).
//
// Embeddings have a canonical form (the files embed_*.go). For all other operations
// the request and the answer are sent on as they are, to an upstream that speaks
// this protocol too: only the model's name is replaced, in JSON (edits) or in a form
// (multipart.go), and the answer is looked through for its usage while it flows by
// (relay.go, usage_scan.go), however large it is.
//
// Where to begin reading: open.go takes a request in, path.go says where it goes,
// encode.go writes it, decode.go reads the answer and encoder.go writes it.
package openairest

import (
	"net/http"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

const protocol = weir.OpenAIREST

type rest struct{}

// New is the codec. It holds no state.
func New() codec.Codec { return rest{} }

// Protocol implements codec.Codec.
func (rest) Protocol() weir.Protocol { return protocol }

// RequestHeaders implements codec.Server. They are canonical names: what the client
// wants to have, and of which version. The organisation and project headers are not
// among them: they belong to the client's own account.
func (rest) RequestHeaders() []string {
	return []string{"Accept", "Idempotency-Key", "Openai-Beta", "Range", "X-Client-Request-Id"}
}

// AppendError implements codec.Server.
func (rest) AppendError(dst []byte, err *weir.Error) []byte {
	return codec.AppendOpenAIError(dst, err, protocol)
}

// DecodeError implements codec.Client.
func (rest) DecodeError(status int, header http.Header, body []byte, target *codec.Target) *weir.Error {
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

// speaks reports whether the protocol has an operation.
func speaks(op weir.Operation) bool {
	switch op {
	case weir.Embed, weir.Rerank, weir.Moderate, weir.Image, weir.Speech, weir.Transcribe, weir.Files, weir.Batches, weir.Other:
		return true
	}
	return false
}

// needsModel reports whether a request of op says nothing without a model. OpenAI
// has a default for moderations and images, Cohere had one for reranking, and what
// belongs to an account has none.
func needsModel(op weir.Operation) bool {
	switch op {
	case weir.Embed, weir.Speech, weir.Transcribe:
		return true
	}
	return false
}
