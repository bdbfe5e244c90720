package anthropic

import (
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// A turn is a message as the protocol wants it: user, assistant or (where the
// client spoke this protocol) system, tool results at the head of user turns.
type turn struct {
	role  weir.Role
	parts []part
	plain bool
	extra weir.Fields
	tool  bool // made of tool messages
	msg   int  // index of the first message in it, for errors
}

// A part is a block and where in the request it stood.
type part struct {
	block *weir.Block
	at    codec.Place
}

// path is where in the client's request p stood, in the client's words.
func (e *bodyEncoder) path(p part) string { return e.paths.Block(p.at) }

// leadingSystem are the system messages at the head of the conversation.
func leadingSystem(msgs []weir.Message) []weir.Message {
	n := 0
	for n < len(msgs) && isSystem(msgs[n].Role) {
		n++
	}
	return msgs[:n]
}

func isSystem(r weir.Role) bool { return r == weir.RoleSystem || r == weir.RoleDeveloper }

// turns brings the conversation from message first on, which is what is behind
// the system prompt, into the order of protocols.md §6.4. A client of this
// protocol has its messages kept apart as they were, since the API merges them
// itself.
func (e *bodyEncoder) turns(first int) []turn {
	in := codec.Turns(e.body.Messages)[first:]
	if !e.same || e.q.SystemFirst {
		in = codec.SystemTurnsFirst(in, e.paths.Message, &e.losses)
	}
	var out []turn
	for i := range in {
		t := newTurn(&in[i])
		e.named(&t, &in[i].Message)
		if n := len(out); n > 0 && e.merges(&out[n-1], &t) {
			out[n-1].parts = append(out[n-1].parts, t.parts...)
			out[n-1].plain = false
			out[n-1].extra = append(out[n-1].extra, t.extra...)
			out[n-1].tool = out[n-1].tool && t.tool
			continue
		}
		out = append(out, t)
	}
	for i := range out {
		resultsFirst(out[i].parts)
	}
	return out
}

func newTurn(m *codec.Turn) turn {
	t := turn{role: m.Role, plain: m.Plain, extra: slices.Clone(m.Extra), msg: m.At}
	if m.Role == weir.RoleTool {
		t.role, t.tool, t.plain = weir.RoleUser, true, false
	}
	for i := range m.Blocks {
		t.parts = append(t.parts, part{&m.Blocks[i], m.Place(i)})
	}
	return t
}

// named puts a participant's name, for which there is no member, before the text.
func (e *bodyEncoder) named(t *turn, m *weir.Message) {
	if m.Name == "" || m.Role == weir.RoleTool {
		return
	}
	e.losses.Approximate(e.paths.Message(t.msg)+".name", "the name was put before the text")
	for i := range t.parts {
		if b := t.parts[i].block; b.Type == weir.BlockText {
			renamed := *b
			renamed.Text = m.Name + ": " + b.Text
			t.parts[i].block = &renamed
			return
		}
	}
}

// merges reports whether t continues before. All results of a turn have to be in
// one user message, directly behind the calls (S-10).
func (e *bodyEncoder) merges(before, t *turn) bool {
	if before.role != t.role {
		return false
	}
	return !e.same || e.q.StrictAlternation || before.tool || t.tool
}

// resultsFirst moves tool results to the head, everything else keeping its order.
func resultsFirst(parts []part) {
	slices.SortStableFunc(parts, func(a, b part) int { return rank(a) - rank(b) })
}

func rank(p part) int {
	if p.block.Type == weir.BlockToolResult {
		return 0
	}
	return 1
}

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
	return slices.Insert(turns, 0, turn{role: weir.RoleUser, parts: []part{first}, plain: true, msg: at})
}

// checkCalls looks for the results of turn i's calls in the turn behind it.
func (e *bodyEncoder) checkCalls(turns []turn, i int) error {
	order := map[string]int{}
	var results []part
	if i+1 < len(turns) {
		results = leadingResults(turns[i+1].parts)
	}
	answered := resultIDs(results)
	for _, p := range turns[i].parts {
		c := p.block.Call
		if p.block.Type != weir.BlockToolCall || c == nil {
			continue
		}
		if _, twice := order[c.ID]; twice || c.ID == "" {
			at := e.path(p)
			return weir.Invalid(at, "%s: the id %q of a tool call has to be there and be unique", at, c.ID)
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

// resultIDs are the calls that results answer.
func resultIDs(results []part) map[string]bool {
	ids := make(map[string]bool, len(results))
	for _, p := range results {
		ids[p.block.Result.CallID] = true
	}
	return ids
}

// callIDs are the ids of the tool calls among parts.
func callIDs(parts []part) map[string]bool {
	ids := map[string]bool{}
	for _, p := range parts {
		if p.block.Call != nil {
			ids[p.block.Call.ID] = true
		}
	}
	return ids
}

// checkResults looks for the calls of turn i's results in the turn before it.
func (e *bodyEncoder) checkResults(turns []turn, i int) error {
	results := leadingResults(turns[i].parts)
	if len(results) == 0 {
		return nil
	}
	var asked map[string]bool
	if i > 0 {
		asked = callIDs(turns[i-1].parts)
	}
	for _, p := range results {
		r := p.block.Result
		if !asked[r.CallID] {
			at := e.path(p)
			return weir.Invalid(at, "%s: the tool result %q answers no call of the message before", at, r.CallID)
		}
	}
	return nil
}
