package codec

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// What follows is about requests of the legacy completions, where a model goes on
// with a text instead of answering a message. Their canonical body has a user
// message for every prompt, whose At is PromptPath or an element of it.

// PromptPath is where the text stands that a model is to continue.
const PromptPath = "prompt"

// isPrompt reports whether a path is that of a text to be continued.
func isPrompt(path string) bool {
	return path == PromptPath || strings.HasPrefix(path, PromptPath+"[")
}

// refusePrompt is the error for a body of completions that no conversation can say:
// a text to be filled into (suffix), several texts at once, tokens instead of text.
// A model that has not learned to fill in would answer nonsense. Nil for all other
// bodies.
func refusePrompt(b *weir.Body) error {
	if b.From != weir.OpenAICompletions {
		return refuseGenerate(b)
	}
	if suffix := b.Extra.Value("suffix"); suffix != nil && !jsonx.IsNull(suffix) && jsonx.StringOr(suffix, " ") != "" {
		return unfit("suffix", "suffix asks for text to be filled in, which needs a model with fill-in-the-middle behind a completions endpoint")
	}
	if b.Extra.Value(PromptPath) != nil {
		return unfit(PromptPath, "prompt is in tokens, which only a completions endpoint takes")
	}
	texts := 0
	for i := range b.Messages {
		if strings.HasPrefix(b.Messages[i].At, PromptPath+"[") {
			texts++
		}
	}
	if texts > 1 {
		return unfit(PromptPath, "prompt holds several texts, which only a completions endpoint takes in one request")
	}
	return nil
}

func unfit(param, text string) *weir.Error {
	e := weir.Errorf(weir.KindUnsupported, "%s", text)
	e.Param = param
	e.Hint = "ask for a model that is served with completions"
	return e
}
