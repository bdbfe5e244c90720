package openairesponses

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// chatWords are the names that Chat has for this protocol's members. Losses of a
// body of another protocol are told in the words of its client, which are looked
// up by Chat's.
var chatWords = map[string]string{
	maxTokens:          "max_tokens",
	"text.format":      "response_format",
	"text.verbosity":   "verbosity",
	"reasoning.effort": "reasoning_effort",
}

// inClientWords renames the fields of losses, which are in this protocol's words
// or in Chat's, to those of protocol from.
func inClientWords(losses codec.Losses, from weir.Protocol) {
	for i := range losses {
		field := losses[i].Field
		for own, chat := range chatWords {
			if rest, ok := strings.CutPrefix(field, own); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
				field = chat + rest
			}
		}
		losses[i].Field = codec.ClientWord(from, field)
	}
}
