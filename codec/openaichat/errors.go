package openaichat

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// AppendError implements codec.Server.
func (chat) AppendError(dst []byte, err *weir.Error) []byte {
	return codec.AppendOpenAIError(dst, err, protocol)
}
