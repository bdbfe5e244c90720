package openaichat

import (
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// checkPairs refuses a translated conversation in which a call has no result or a
// result no call, as every target would, in the words of the client
// (protocols.md §13.1). A client of this protocol hears it from the upstream.
func (w *writer) checkPairs(turns []codec.Turn) error {
	if w.native() {
		return nil
	}
	var calls []placed // of the last assistant turn, those without a result
	for i := range turns {
		t := &turns[i]
		if holdsResults(&t.Message) { // one, and nothing else
			id := t.Blocks[0].Result.CallID
			n := slices.IndexFunc(calls, func(c placed) bool { return c.Call.ID == id })
			if n < 0 {
				at := w.paths.Block(t.Place(0))
				return weir.Invalid(at, "%s: the tool result %q answers no call of the message before", at, id)
			}
			calls = slices.Delete(calls, n, n+1)
			continue
		}
		if len(calls) > 0 {
			break
		}
		for k := range t.Blocks {
			if t.Blocks[k].Type == weir.BlockToolCall {
				calls = append(calls, placed{&t.Blocks[k], t.Place(k)})
			}
		}
	}
	if len(calls) == 0 {
		return nil
	}
	at := w.paths.Block(calls[0].at)
	e := weir.Invalid(at, "%s: the tool call %q has no result in the next message", at, calls[0].Call.ID)
	e.Hint = "send one tool result for every call, directly after it"
	return e
}
