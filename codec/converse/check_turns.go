package converse

import (
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// checkTurns refuses a conversation that the API would refuse and that cannot be
// mended: one without a message, calls without a result, results without a call
// (§13.1). It puts results in the order of their calls.
func (e *bodyEncoder) checkTurns(turns []turn) error {
	if len(e.body.Messages) == 0 {
		err := weir.Invalid("messages", "messages: at least one message is required")
		err.Hint = "send the text as a user message"
		return err
	}
	for i := range turns {
		if err := e.checkCalls(turns, i); err != nil {
			return err
		}
		if err := e.checkResults(turns, i); err != nil {
			return err
		}
	}
	return nil
}

// checkCalls looks for the results of turn i's calls in the turn behind it.
func (e *bodyEncoder) checkCalls(turns []turn, i int) error {
	order := map[string]int{}
	var results []part
	if i+1 < len(turns) {
		results = leadingResults(turns[i+1].parts)
	}
	answered := make(map[string]bool, len(results))
	for _, p := range results {
		answered[p.block.Result.CallID] = true
	}
	for _, p := range turns[i].parts {
		c := p.block.Call
		if p.block.Type != weir.BlockToolCall || c == nil {
			continue
		}
		if _, twice := order[c.ID]; twice {
			at := e.path(p)
			return weir.Invalid(at, "%s: the id %q of a tool call has to be unique", at, c.ID)
		}
		order[c.ID] = len(order)
		if !answered[c.ID] {
			at := e.path(p)
			err := weir.Invalid(at, "%s: the tool call %q has no result in the next message", at, c.ID)
			err.Hint = "send one tool result for every call, directly after it"
			return err
		}
	}
	if len(order) > 1 {
		slices.SortStableFunc(results, func(a, b part) int {
			return order[a.block.Result.CallID] - order[b.block.Result.CallID]
		})
	}
	return nil
}

// leadingResults are the tool results at the head of a turn, which is where
// resultsFirst has put them.
func leadingResults(parts []part) []part {
	n := 0
	for n < len(parts) && parts[n].block.Type == weir.BlockToolResult && parts[n].block.Result != nil {
		n++
	}
	return parts[:n]
}

// checkResults looks for the calls of turn i's results in the turn before it.
func (e *bodyEncoder) checkResults(turns []turn, i int) error {
	asked := map[string]bool{}
	if i > 0 {
		for _, p := range turns[i-1].parts {
			if p.block.Call != nil {
				asked[p.block.Call.ID] = true
			}
		}
	}
	for _, p := range leadingResults(turns[i].parts) {
		if id := p.block.Result.CallID; !asked[id] {
			at := e.path(p)
			return weir.Invalid(at, "%s: the tool result %q answers no call of the message before", at, id)
		}
	}
	return nil
}

// opening is what the user says before an assistant who spoke first, or where
// there is nothing but instructions: the least that changes nothing.
const opening = "Continue."

// beginWithUser puts a user turn before a conversation that does not begin with
// one, which the API refuses (P-06).
func (e *bodyEncoder) beginWithUser(turns []turn) []turn {
	if len(turns) > 0 && turns[0].role == weir.RoleUser {
		return turns
	}
	at := 0
	if len(turns) > 0 {
		at = turns[0].msg
	}
	e.losses.Approximate("messages", "a conversation begins with the user here: a message was put before it")
	first := part{&weir.Block{Type: weir.BlockText, Text: opening}, codec.Place{Message: at}}
	return slices.Insert(turns, 0, turn{role: weir.RoleUser, parts: []part{first}, msg: at})
}

// checkPrefill looks at a conversation that ends with the assistant's words.
func (e *bodyEncoder) checkPrefill(turns []turn) error {
	last := &turns[len(turns)-1]
	if last.role != weir.RoleAssistant {
		return nil
	}
	if e.q.Prefill == "refused" {
		at := e.paths.Message(last.msg)
		err := weir.Errorf(weir.KindUnsupported, "%s: the model does not continue an assistant message", at)
		err.Param, err.Hint = at, "end the conversation with a user message"
		return err
	}
	if n := len(last.parts); n > 0 && last.parts[n-1].block.Type == weir.BlockText {
		// The API refuses a last text that ends in white space.
		b := *last.parts[n-1].block
		b.Text = strings.TrimRightFunc(b.Text, func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) })
		last.parts[n-1].block = &b
	}
	return nil
}
