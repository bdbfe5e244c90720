// Package all is the list of the protocols that Weir speaks, in plain sight: a
// new codec is one more line in List.
package all

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/converse"
	"github.com/weir-gateway/weir/codec/gemini"
	"github.com/weir-gateway/weir/codec/ollama"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/codec/openaicompletions"
	"github.com/weir-gateway/weir/codec/openairesponses"
	"github.com/weir-gateway/weir/codec/openairest"
)

// List is one codec of every protocol. The slice is the caller's.
func List() []codec.Codec {
	return []codec.Codec{
		openaichat.New(),
		openairesponses.New(),
		openaicompletions.New(),
		openairest.New(),
		anthropic.New(),
		gemini.New(),
		converse.New(),
		ollama.New(),
	}
}

// For is the codec of protocol p, nil when there is none.
func For(p weir.Protocol) codec.Codec {
	for _, c := range List() {
		if c.Protocol() == p {
			return c
		}
	}
	return nil
}
