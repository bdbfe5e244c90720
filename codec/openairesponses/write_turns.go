package openairesponses

import (
	"fmt"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// turns are the messages in the order and the roles that the target demands.
func (w *writer) turns() []codec.Turn {
	turns := codec.Turns(w.in.Messages)
	if !w.native() {
		pairByOrder(turns)
		turns = splitResults(turns)
	}
	if w.instruction != "" {
		turns = w.instruct(turns)
	}
	if w.q.DeveloperRole != "" {
		turns = w.renameDeveloper(turns)
	}
	if w.q.SystemFirst {
		turns = codec.SystemTurnsFirst(turns, w.paths.Message, &w.losses)
	}
	if w.q.StrictAlternation {
		turns = codec.MergeTurns(turns)
	}
	return turns
}

// instruct adds the instruction behind the system text at the head, where it
// leaves the prompt cache of what is before it alone.
func (w *writer) instruct(turns []codec.Turn) []codec.Turn {
	n := 0
	for n < len(turns) && (turns[n].Role == weir.RoleSystem || turns[n].Role == weir.RoleDeveloper) {
		n++
	}
	m := weir.SystemText(w.instruction)
	return slices.Insert(slices.Clone(turns), n, codec.Turn{Message: m, At: len(w.in.Messages)})
}

func (w *writer) renameDeveloper(turns []codec.Turn) []codec.Turn {
	out := slices.Clone(turns)
	for i := range out {
		if out[i].Role == weir.RoleDeveloper && !slices.ContainsFunc(out[i].Blocks, func(b weir.Block) bool { return b.Type == weir.BlockOpaque }) {
			out[i].Role = weir.Role(w.q.DeveloperRole)
			w.losses.Rename(w.paths.Message(out[i].At)+".role", "the target does not know the developer role")
		}
	}
	return out
}

// splitResults puts the tool results of a turn in front of what else it holds,
// directly behind their calls (S-10).
func splitResults(turns []codec.Turn) []codec.Turn {
	out := make([]codec.Turn, 0, len(turns))
	for _, t := range turns {
		results := codec.Turn{Message: weir.Message{Role: weir.RoleTool}, At: t.At, Places: []codec.Place{}}
		rest := t
		rest.Blocks, rest.Places = nil, []codec.Place{}
		for i := range t.Blocks {
			to := &rest
			if t.Blocks[i].Type == weir.BlockToolResult {
				to = &results
			}
			to.Blocks, to.Places = append(to.Blocks, t.Blocks[i]), append(to.Places, t.Place(i))
		}
		if len(results.Blocks) == 0 || t.Role == weir.RoleTool {
			out = append(out, t)
			continue
		}
		if out = append(out, results); len(rest.Blocks) > 0 {
			rest.Plain = false
			out = append(out, rest)
		}
	}
	return out
}

// pairByOrder gives ids to calls that came without, and to results that do not
// say which call they answer that of the first call which nothing answers (S-03).
// The ids follow from the places alone, so they are the same in every turn.
// Blocks are copied, the body stays as it is.
func pairByOrder(turns []codec.Turn) {
	var waiting []string
	for i := range turns {
		t := &turns[i]
		if t.Role == weir.RoleAssistant {
			waiting = nil
		}
		cloned := false
		for k := range t.Blocks {
			b := &t.Blocks[k]
			nameless := b.Call != nil && b.Call.ID == "" || b.Result != nil && b.Result.CallID == ""
			if nameless && !cloned {
				t.Blocks, cloned = slices.Clone(t.Blocks), true
				b = &t.Blocks[k]
			}
			switch {
			case b.Call != nil:
				if nameless {
					*b = b.Clone()
					b.Call.ID = fmt.Sprintf("call_%d_%d", t.At, k)
				}
				waiting = append(waiting, b.Call.ID)
			case b.Result != nil:
				if nameless && len(waiting) > 0 {
					*b = b.Clone()
					b.Result.CallID = waiting[0]
				}
				waiting = slices.DeleteFunc(waiting, func(id string) bool { return id == b.Result.CallID })
			}
		}
	}
}

// checkPairs refuses a translated conversation in which a call has no result or a
// result no call, as the API would, in the words of the client (protocols.md
// §13.1). A client of this protocol hears it from the upstream.
func (w *writer) checkPairs(turns []codec.Turn) error {
	if w.native() {
		return nil
	}
	var calls []placed // those without a result so far
	for i := range turns {
		t := &turns[i]
		for k := range t.Blocks {
			b := placed{&t.Blocks[k], t.Place(k)}
			switch b.Type {
			case weir.BlockToolCall:
				calls = append(calls, b)
			case weir.BlockToolResult:
				n := slices.IndexFunc(calls, func(c placed) bool { return c.Call.ID == b.Result.CallID })
				if n < 0 {
					at := w.paths.Block(b.at)
					return weir.Invalid(at, "%s: the tool result %q answers no call before it", at, b.Result.CallID)
				}
				calls = slices.Delete(calls, n, n+1)
			}
		}
	}
	if len(calls) == 0 {
		return nil
	}
	at := w.paths.Block(calls[0].at)
	e := weir.Invalid(at, "%s: the tool call %q has no result", at, calls[0].Call.ID)
	e.Hint = "send one tool result for every call, behind it"
	return e
}
