package openaichat

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// messagesWords are the names that Messages has for the members of this protocol:
// a loss is told in the client's words (Messages API reference, 2026-08-07).
var messagesWords = map[string]string{
	"stop":                "stop_sequences",
	"user":                "metadata.user_id",
	"response_format":     "output_config.format",
	"parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
	maxCompletionTokens:   "max_tokens",
	"thinking":            "thinking.type",
	"enable_thinking":     "thinking.type",
	"thinking_budget":     "thinking.budget_tokens",
	"reasoning_effort":    "output_config.effort",
	"reasoning":           "thinking",
}

// clientWord is what the client of the body calls a top-level member.
func clientWord(b *weir.Body, name string) string {
	if b.From != weir.AnthropicMessages {
		return name
	}
	if r := b.Reasoning; name == "reasoning_effort" && r != nil && r.Effort == "" {
		if name = "thinking"; r.Budget != nil {
			name = "thinking_budget"
		}
	}
	if word, ok := messagesWords[name]; ok {
		return word
	}
	return name
}

// inClientWords renames the fields of losses that the client of the body knows by
// another name. Paths below a member keep their rest.
func inClientWords(losses codec.Losses, b *weir.Body) {
	if b.From == protocol {
		return
	}
	for i := range losses {
		name, rest := losses[i].Field, ""
		if at := strings.IndexAny(name, ".["); at >= 0 {
			name, rest = name[:at], name[at:]
		}
		if name != "thinking" || rest == "" {
			losses[i].Field = clientWord(b, name) + rest
		}
	}
}
