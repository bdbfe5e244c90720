package sim

import (
	"net/http"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/all"
)

// protocolCodec is the codec of a protocol that the Server has paths for.
func protocolCodec(p weir.Protocol) codec.Codec { return all.For(p) }

// faceOf guesses the protocol of a call whose path does not say it: Anthropic's
// clients send a version.
func faceOf(r *http.Request) codec.Codec {
	if r.Header.Get("Anthropic-Version") != "" {
		return protocolCodec(weir.AnthropicMessages)
	}
	return protocolCodec(weir.OpenAIChat)
}
