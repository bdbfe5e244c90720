package weirtest

import (
	"slices"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/all"
)

// conversing are the codecs of conversations. What is none has other operations:
// they are relayed, or refused by name, as the tests of codec/openairest show.
func conversing() []codec.Codec {
	return slices.DeleteFunc(all.List(), func(c codec.Codec) bool { return c.Protocol() == weir.OpenAIREST })
}

func TestEveryCodec(t *testing.T) {
	for _, c := range conversing() {
		t.Run(string(c.Protocol()), func(t *testing.T) { TestCodec(t, c) })
	}
}

// P-01: every pair but those that cannot be. A conversation does not become a text
// to be continued (P-04), so that of the pairs into completions the answers are
// carried over and every request is refused.
func TestEveryPairOfCodecs(t *testing.T) {
	for _, from := range conversing() {
		for _, into := range conversing() {
			if from.Protocol() == into.Protocol() {
				continue // TestEveryCodec
			}
			t.Run(string(from.Protocol())+" into "+string(into.Protocol()), func(t *testing.T) {
				if into.Protocol() == weir.OpenAICompletions {
					refusedAll(t, from, into)
				}
				TestCross(t, from, into)
			})
		}
	}
}
