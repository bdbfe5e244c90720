package anthropic

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// protocol is what this package speaks.
const protocol = weir.AnthropicMessages

// reasoningFormat is the Format of signatures and encrypted thinking that came
// in this protocol, in the words of OpenRouter's reasoning_details: from
// Anthropic, or from a client, who does not say where it has them from.
const reasoningFormat = "anthropic-claude-v1"

// foreignFormat begins the Format of those that came from another provider who
// speaks this protocol; its name follows. A client of the protocol gets them as
// they came, but no other provider does (T-04).
const foreignFormat = string(protocol) + "/"

// formatOf is the Format of thinking that provider made, empty being unknown.
func formatOf(provider string) string {
	if provider == "" || provider == "anthropic" {
		return reasoningFormat
	}
	return foreignFormat + provider
}

// ofProtocol reports whether a Format is of state that came in this protocol.
func ofProtocol(format string) bool {
	return format == reasoningFormat || strings.HasPrefix(format, foreignFormat)
}

// The versions of the API, as in the header anthropic-version.
const (
	version2023 = "2023-06-01"
	// version2026 refuses sampling parameters, documents of assistants and
	// citations of users.
	version2026 = "2026-10-21"
)

// Canonical names of the protocol's headers.
const (
	headerVersion = "Anthropic-Version"
	headerBeta    = "Anthropic-Beta"
)

type anthropicCodec struct{}

// New makes the codec of Anthropic Messages. It holds no state and is safe for
// concurrent use.
func New() codec.Codec { return anthropicCodec{} }

// Protocol implements codec.Codec.
func (anthropicCodec) Protocol() weir.Protocol { return protocol }

// RequestHeaders implements codec.Server. Credentials are not among them.
func (anthropicCodec) RequestHeaders() []string { return []string{headerVersion, headerBeta} }

// NewEncoder implements codec.Server.
func (anthropicCodec) NewEncoder(req *weir.Request) codec.Encoder {
	switch {
	case req.Op == weir.CountTokens:
		return &countEncoder{}
	case req.Stream:
		return newStreamEncoder(req)
	}
	return newMessageEncoder(req)
}
