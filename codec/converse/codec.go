package converse

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// protocol is what this package speaks.
const protocol = weir.BedrockConverse

// streamType is the content type of streams.
const streamType = "application/vnd.amazon.eventstream"

type converseCodec struct{}

// New makes the codec of Bedrock's Converse. It holds no state and is safe for
// concurrent use.
func New() codec.Codec { return converseCodec{} }

// Protocol implements codec.Codec.
func (converseCodec) Protocol() weir.Protocol { return protocol }

// RequestHeaders implements codec.Server. The protocol has none.
func (converseCodec) RequestHeaders() []string { return nil }

// NewEncoder implements codec.Server.
func (converseCodec) NewEncoder(req *weir.Request) codec.Encoder {
	switch {
	case req.Op == weir.CountTokens:
		return &countEncoder{}
	case req.Stream:
		return newStreamEncoder(req)
	}
	return newMessageEncoder(req)
}
