package all

import (
	"testing"

	"github.com/weir-gateway/weir"
)

func TestEveryProtocolIsListedOnce(t *testing.T) {
	seen := map[weir.Protocol]bool{}
	for _, c := range List() {
		if seen[c.Protocol()] {
			t.Errorf("%s is listed twice", c.Protocol())
		}
		seen[c.Protocol()] = true
		if got := For(c.Protocol()); got == nil || got.Protocol() != c.Protocol() {
			t.Errorf("For(%s) = %v", c.Protocol(), got)
		}
	}
	for _, p := range []weir.Protocol{weir.OpenAIChat, weir.OpenAIResponses, weir.OpenAICompletions, weir.OpenAIREST, weir.AnthropicMessages, weir.GeminiGenerate, weir.BedrockConverse, weir.OllamaChat} {
		if !seen[p] {
			t.Errorf("%s is not listed", p)
		}
	}
	if For("no.such") != nil {
		t.Error("a protocol that does not exist has a codec")
	}
}
