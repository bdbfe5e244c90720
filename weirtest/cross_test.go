package weirtest

import (
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec/all"
)

func TestEveryCodec(t *testing.T) {
	for _, c := range all.List() {
		t.Run(string(c.Protocol()), func(t *testing.T) {
			if c.Protocol() == weir.OpenAIREST {
				t.Skip("it has no conversations: its own tests prove embeddings and what is relayed")
			}
			TestCodec(t, c)
		})
	}
}

// P-01: every pair but those that cannot be, each for its reason. A conversation does
// not become a text to be continued (P-04), so that of the pairs into completions the
// answers are carried over and every request is refused.
func TestEveryPairOfCodecs(t *testing.T) {
	for _, from := range all.List() {
		for _, into := range all.List() {
			if from.Protocol() == into.Protocol() {
				continue // TestEveryCodec
			}
			t.Run(string(from.Protocol())+" into "+string(into.Protocol()), func(t *testing.T) {
				switch {
				case from.Protocol() == weir.OpenAIREST, into.Protocol() == weir.OpenAIREST:
					t.Skip("what is no conversation has another operation: it is relayed, or refused by name (codec/openairest)")
				case into.Protocol() == weir.OpenAICompletions:
					refusedAll(t, from, into)
				}
				TestCross(t, from, into)
			})
		}
	}
}
