package codec

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// generateOnly are the members of Ollama's /api/generate that no conversation can
// say, and why: without them the model would be asked something else
// (protocols.md §12.5).
var generateOnly = []struct{ name, why string }{
	{"raw", "raw asks for text to be continued without a template, which needs an Ollama server"},
	{"template", "template replaces the model's own, which needs an Ollama server"},
	{"context", "context is the conversation so far in tokens, which only the server that made them can read"},
	{"suffix", "suffix asks for text to be filled in, which needs an Ollama server"},
}

// refuseGenerate is the error for a body of /api/generate that no conversation can
// say, nil for all others.
func refuseGenerate(b *weir.Body) error {
	if b.From != weir.OllamaChat {
		return nil
	}
	for _, m := range generateOnly {
		for i := range b.Extra {
			if f := &b.Extra[i]; f.Name == m.name && !f.Spelling && !jsonx.IsNull(f.Value) {
				e := weir.Errorf(weir.KindUnsupported, "%s", m.why)
				e.Param, e.Hint = m.name, "send messages to /api/chat, or ask for a model that is served by Ollama"
				return e
			}
		}
	}
	return nil
}
