package converse

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// A turn is a message as the protocol wants it: user and assistant in turns, tool
// results at the head of user turns.
type turn struct {
	role  weir.Role
	parts []part
	extra weir.Fields
	msg   int // index of the first message in it, for errors
}

// A part is a block and where in the request it stood.
type part struct {
	block *weir.Block
	at    codec.Place
}

// path is where in the client's request p stood, in the client's words.
func (e *bodyEncoder) path(p part) string { return e.paths.Block(p.at) }

func hasInk(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsSpace(r) }) >= 0
}

// arrange brings the conversation from message first on, which is what is behind
// the system text, into the order that the API demands: alternating roles, results
// in the user turn directly behind their calls (S-10), a user who begins, no blank
// text (§13.7). A client of this protocol has its messages kept as they were.
func (e *bodyEncoder) arrange(first int) ([]turn, error) {
	in := codec.Turns(e.body.Messages)[first:]
	if !e.same || e.q.SystemFirst {
		in = codec.SystemTurnsFirst(in, e.paths.Message, &e.losses)
	}
	var out []turn
	for i := range in {
		t := e.newTurn(&in[i])
		if n := len(out); n > 0 && out[n-1].role == t.role && (!e.same || e.q.StrictAlternation) {
			out[n-1].join(t)
			continue
		}
		out = append(out, t)
	}
	if e.same {
		return e.filterSame(out), nil
	}
	for i := range out {
		resultsFirst(out[i].parts)
	}
	pairByOrder(out)
	if err := e.checkTurns(out); err != nil {
		return nil, err
	}
	out = e.beginWithUser(e.filter(out))
	e.textBesideDocuments(out)
	return out, e.checkPrefill(out)
}

func (e *bodyEncoder) newTurn(m *codec.Turn) turn {
	t := turn{role: m.Role, extra: slices.Clone(m.Extra), msg: m.At}
	if m.Role == weir.RoleTool {
		t.role = weir.RoleUser
	}
	for i := range m.Blocks {
		t.parts = append(t.parts, part{&m.Blocks[i], m.Place(i)})
	}
	e.named(&t, &m.Message)
	return t
}

// join appends the turn of the same speaker.
func (t *turn) join(more turn) {
	t.parts = append(t.parts, more.parts...)
	t.extra = append(t.extra, more.extra...)
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

// resultsFirst moves tool results to the head, everything else keeping its order.
func resultsFirst(parts []part) {
	rank := func(p part) int {
		if p.block.Type == weir.BlockToolResult {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(parts, func(a, b part) int { return rank(a) - rank(b) })
}

// filterSame takes out of a client's own turns what a quirk of the target refuses.
func (e *bodyEncoder) filterSame(turns []turn) []turn {
	if e.q.ReasoningReplay != replayNever {
		return turns
	}
	return e.filter(turns)
}

// filter takes out of every turn what the API would refuse: blank texts, thinking
// of another maker, and the turns that are empty then (§13.7, T-03).
func (e *bodyEncoder) filter(turns []turn) []turn {
	out := turns[:0:0]
	for _, t := range turns {
		had := len(t.parts) > 0
		t.parts = slices.DeleteFunc(slices.Clone(t.parts), func(p part) bool { return !e.keeps(t.role, p) })
		if len(t.parts) == 0 && (had || !e.same) {
			e.lost(t.extra, e.paths.Message(t.msg))
			continue
		}
		if n := len(out); n > 0 && !e.same && out[n-1].role == t.role {
			out[n-1].join(t)
			continue
		}
		out = append(out, t)
	}
	return out
}

func (e *bodyEncoder) keeps(role weir.Role, p part) bool {
	switch b := p.block; b.Type {
	case weir.BlockText, weir.BlockRefusal:
		return e.same || hasInk(b.Text)
	case weir.BlockReasoning:
		if !e.keepsReasoning(role, b) {
			e.losses.Drop(e.path(p), "thinking without a signature of this model's maker is not accepted")
			return false
		}
	}
	return true
}

// keepsReasoning reports whether a thinking block may be sent. Signatures and
// redacted thinking are only ever sent as they came, to a model of their maker;
// none is made up (T-03, T-04). Claude takes no thinking without a signature, other
// makers have none.
func (e *bodyEncoder) keepsReasoning(role weir.Role, b *weir.Block) bool {
	if e.q.ReasoningReplay == replayNever || role != weir.RoleAssistant {
		return false
	}
	r := b.Reasoning
	switch {
	case e.same:
		return r == nil || e.owns(r.Format)
	case r != nil && e.owns(r.Format) && (r.Signature != "" || r.Encrypted != "" || !isClaude(e.model)):
		return true
	}
	return e.q.ReasoningReplay == replayToolTurns && (r == nil || r.Encrypted == "") && hasInk(b.Text)
}

// owns reports whether the target's model takes state of this Format: one of its
// maker's, and for Claude also what the same provider made behind its Messages
// protocol.
func (e *bodyEncoder) owns(format string) bool {
	if format == formatOf(e.model) || format == ownFormat+e.vendor && e.vendor != "" {
		return true
	}
	return isClaude(e.model) && (format == rawFormat || format == string(weir.AnthropicMessages)+"/"+e.target.Provider)
}

// pairByOrder gives ids to calls that came without, and to results that do not say
// which call they answer that of the first call which nothing answers (S-03). The
// ids follow from the places alone, so they are the same in every turn. Blocks are
// copied, the body stays as it is.
func pairByOrder(turns []turn) {
	for i := range turns {
		var waiting []string
		for k := range turns[i].parts {
			p := &turns[i].parts[k]
			if p.block.Type != weir.BlockToolCall || p.block.Call == nil {
				continue
			}
			if p.block.Call.ID == "" {
				b := p.block.Clone()
				b.Call.ID = fmt.Sprintf("call_%d_%d", p.at.Message, p.at.Block)
				p.block = &b
			}
			waiting = append(waiting, p.block.Call.ID)
		}
		if len(waiting) > 0 && i+1 < len(turns) {
			nameResults(turns[i+1].parts, waiting)
		}
	}
}

// nameResults hands the ids that no result names to the results that name none.
func nameResults(parts []part, ids []string) {
	for _, p := range parts {
		if r := p.block.Result; r != nil && r.CallID != "" {
			ids = slices.DeleteFunc(ids, func(id string) bool { return id == r.CallID })
		}
	}
	for k := range parts {
		if r := parts[k].block.Result; r != nil && r.CallID == "" && len(ids) > 0 {
			b := parts[k].block.Clone()
			b.Result.CallID = ids[0]
			parts[k].block, ids = &b, ids[1:]
		}
	}
}
