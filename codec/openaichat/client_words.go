package openaichat

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// inClientWords tells losses in the words of a client of another protocol. What
// this one calls the effort was made of what the client said: a mode or a budget.
func inClientWords(losses codec.Losses, b *weir.Body) {
	if codec.ClientWord(b.From, "enable_thinking") == "enable_thinking" {
		return // the client's words are those of Chat, or not known
	}
	for i := range losses {
		field := &losses[i].Field
		switch {
		case *field == "thinking":
			*field = "enable_thinking"
		case *field != "reasoning_effort" || b.Reasoning == nil || b.Reasoning.Effort != "":
		case b.Reasoning.Budget != nil:
			*field = "thinking_budget"
		default:
			*field = "enable_thinking"
		}
	}
	codec.InClientWords(losses, b.From)
}
