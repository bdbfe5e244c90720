package codec

import (
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// keptItems are the items of the Responses API that stand for something which only
// the provider that keeps it can read: part of the conversation, its compacted
// beginning, a running program (protocols.md §12.5; OpenAPI 2.3.0).
var keptItems = []string{"item_reference", "compaction", "program"}

// refuseKept is the error for a body of the Responses API that refers to a stored
// template or holds such items, nil for all others.
func refuseKept(b *weir.Body) error {
	if b.From != weir.OpenAIResponses {
		return nil
	}
	if raw := b.Extra.Value("prompt"); raw != nil && !jsonx.IsNull(raw) {
		return kept("prompt", "refers to a template", "send what it says in the request")
	}
	for i := range b.Messages {
		for k := range b.Messages[i].Blocks {
			o := b.Messages[i].Blocks[k].Opaque
			if o != nil && o.Protocol == weir.OpenAIResponses && slices.Contains(keptItems, o.Type) {
				return kept(NewPaths(b).Block(Place{i, k}), "refers to what is kept", "send the items themselves")
			}
		}
	}
	return nil
}

func kept(field, what, hint string) error {
	e := weir.Errorf(weir.KindUnsupported, "%s %s by the client's provider, which this target does not know", field, what)
	e.Param, e.Hint = field, hint
	return e
}
