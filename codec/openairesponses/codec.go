// Package openairesponses speaks the OpenAI Responses API over HTTP on both
// sides: it reads requests and writes answers as a server does, and writes
// requests and reads answers as a client does (OpenAI OpenAPI 2.3.0, 2026-08-21;
// protocols.md §4). The imitations of other vendors differ by codec.Quirks and
// by what the reader of answers tolerates.
//
// Where to begin reading. Server half: open.go takes a request in, read_*.go
// makes the canonical body of its items, encoder.go decides which frames of an
// answer go out as they came, mirror.go follows those, and answer_*.go write all
// others. Client half: encode.go writes a request, by edits.go where its bytes
// can be kept and by write_*.go where not; decode.go reads an answer, stream.go
// and event_*.go one that comes in frames and whole.go one that comes as one body.
//
// Reasoning of other protocols travels through a client of this one in an
// envelope: see envelope.go.
package openairesponses

import (
	"net/http"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

const (
	protocol  = weir.OpenAIResponses
	path      = "/responses"
	countPath = "/responses/input_tokens"
)

// reasoningFormat is the Format of encrypted reasoning that came in this
// protocol, in the words of OpenRouter's reasoning_details: from OpenAI, or from
// a client, who does not say where it has it from.
const reasoningFormat = "openai-responses-v1"

// foreignFormat begins the Format of what came from another provider who speaks
// this protocol; its name follows. A client of the protocol gets it as it came,
// but no other provider does (T-04).
const foreignFormat = string(protocol) + "/"

// formatOf is the Format of reasoning that provider made, empty being unknown.
func formatOf(provider string) string {
	if provider == "" || provider == "openai" {
		return reasoningFormat
	}
	return foreignFormat + provider
}

// ofProtocol reports whether a Format is of state that came in this protocol.
func ofProtocol(format string) bool {
	return format == reasoningFormat || strings.HasPrefix(format, foreignFormat)
}

type responses struct{}

// New is the codec. It holds no state and is safe for concurrent use.
func New() codec.Codec { return responses{} }

// Protocol implements codec.Codec.
func (responses) Protocol() weir.Protocol { return protocol }

// RequestHeaders implements codec.Server. They are canonical names. The
// organisation and project headers are not among them: they belong to the
// client's own account.
func (responses) RequestHeaders() []string { return []string{"Openai-Beta", "X-Client-Request-Id"} }

// NewEncoder implements codec.Server.
func (responses) NewEncoder(req *weir.Request) codec.Encoder {
	switch {
	case req.Op == weir.CountTokens:
		return &countEncoder{}
	case req.Stream:
		return newStreamEncoder(req)
	}
	return newWholeEncoder(req)
}

// DecodeError implements codec.Client.
func (responses) DecodeError(status int, header http.Header, body []byte, target *codec.Target) *weir.Error {
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
