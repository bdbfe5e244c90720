package gemini

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// protocol is what this package speaks.
const protocol = weir.GeminiGenerate

// reasoningFormat is the Format of thought signatures that came in this protocol,
// in the words of OpenRouter's reasoning_details: from the Gemini API, or from a
// client, who does not say where it has them from.
const reasoningFormat = "google-gemini-v1"

// foreignFormat begins the Format of those that came from another provider who
// speaks this protocol; its name follows. Signatures are bound to the backend that
// made them (protocols.md §7.6).
const foreignFormat = string(protocol) + "/"

// formatOf is the Format of thoughts that provider made, empty being unknown.
func formatOf(provider string) string {
	switch provider {
	case "", "gemini", "google":
		return reasoningFormat
	}
	return foreignFormat + provider
}

// ofProtocol reports whether a Format is of state that came in this protocol.
func ofProtocol(format string) bool {
	return format == reasoningFormat || strings.HasPrefix(format, foreignFormat)
}

type geminiCodec struct{}

// New makes the codec of generateContent. It holds no state and is safe for
// concurrent use.
func New() codec.Codec { return geminiCodec{} }

// Protocol implements codec.Codec.
func (geminiCodec) Protocol() weir.Protocol { return protocol }

// RequestHeaders implements codec.Server. Credentials and the project that pays
// are not among them: they belong to the client's own account.
func (geminiCodec) RequestHeaders() []string { return []string{"X-Goog-Api-Client"} }

// NewEncoder implements codec.Server.
func (geminiCodec) NewEncoder(req *weir.Request) codec.Encoder {
	switch {
	case req.Op == weir.CountTokens:
		return &countEncoder{}
	case req.Op == weir.Embed:
		return newEmbedEncoder(req)
	case req.Stream:
		return newStreamEncoder(req)
	}
	return &wholeEncoder{w: chunkWriter{req: req}}
}
