package gemini

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// The roles of contents.
const (
	roleUser  = "user"
	roleModel = "model"
)

// A turn is a content as the protocol wants it: user or model in turn, results of
// tools at the head of the user's.
type turn struct {
	role  string // empty for the system text
	parts []placed
	extra weir.Fields
	at    int // the message that it began with, for paths
}

// placed is a block and where in the request it stood.
type placed struct {
	*weir.Block
	at        codec.Place
	signature string // that is to stand on the part, beside the block's own
}

func (t *turn) holds(typ weir.BlockType) bool {
	return slices.ContainsFunc(t.parts, func(p placed) bool { return p.Type == typ })
}

// turns brings the conversation into order (protocols.md §7.3, §13.4, §13.5). A
// client of this protocol has its contents kept apart as they were.
func (w *bodyWriter) turns() (system *turn, out []turn, err error) {
	all := codec.SystemTurnsFirst(codec.Turns(w.body.Messages), w.paths.Message, &w.losses)
	w.called = map[string]string{}
	for i := range all {
		t := w.newTurn(&all[i])
		switch n := len(out); {
		case t.role == "" && system == nil:
			system = &t
		case t.role == "":
			w.join(system, &t)
		case n > 0 && !w.same && out[n-1].role == t.role:
			w.join(&out[n-1], &t)
		case w.same:
			out = append(out, t.apart()...)
		default:
			out = append(out, t)
		}
	}
	if w.same {
		if w.q.ReasoningReplay == replayNever {
			out = w.withoutThoughts(out)
		}
		w.bypass(out)
		return system, out, nil
	}
	for i := range out {
		slices.SortStableFunc(out[i].parts, func(a, b placed) int { return rank(a) - rank(b) })
	}
	pairByOrder(out, w.called)
	if err := w.checkPairs(out); err != nil {
		return nil, nil, err
	}
	if system != nil {
		if system.parts = w.filter(system); len(system.parts) == 0 {
			system = nil
		}
	}
	out, err = w.foreignTurns(out, system != nil)
	w.bypass(out)
	return system, out, err
}

// withoutThoughts takes the thoughts out of what a client of this protocol sent, for
// a target that refuses them.
func (w *bodyWriter) withoutThoughts(turns []turn) []turn {
	var out []turn
	for _, t := range turns {
		n := len(t.parts)
		t.parts = slices.DeleteFunc(t.parts, func(p placed) bool {
			is := p.Type == weir.BlockReasoning && t.role == roleModel
			if is {
				w.losses.Drop(w.paths.Block(p.at), noThinking)
			}
			return is
		})
		if n == 0 || len(t.parts) > 0 {
			out = append(out, t)
		}
	}
	return out
}

func (w *bodyWriter) join(to, t *turn) {
	to.parts = append(to.parts, t.parts...)
	to.extra = append(slices.Clone(to.extra), t.extra...)
}

func rank(p placed) int {
	if p.Type == weir.BlockToolResult {
		return 0
	}
	return 1
}

// newTurn makes a turn of a message. A signature that stood on the part before
// goes back there.
func (w *bodyWriter) newTurn(m *codec.Turn) turn {
	t := turn{extra: m.Extra, at: m.At}
	switch m.Role {
	case weir.RoleSystem, weir.RoleDeveloper:
	case weir.RoleAssistant:
		t.role = roleModel
	default:
		t.role = roleUser
	}
	for i := range m.Blocks {
		p := placed{Block: &m.Blocks[i], at: m.Place(i)}
		if p.Call != nil {
			w.called[p.Call.ID] = p.Call.Name
		}
		if n := len(t.parts); w.same && n > 0 && p.Type == weir.BlockReasoning && marked(p.Extra, "signature") == "before" {
			t.parts[n-1].signature = p.Reasoning.Signature
			continue
		}
		t.parts = append(t.parts, p)
	}
	if m.Name != "" && m.Role != weir.RoleTool && !w.same {
		w.named(&t, m.Name)
	}
	return t
}

// named puts a participant's name, for which there is no member, before the text.
func (w *bodyWriter) named(t *turn, name string) {
	w.losses.Approximate(w.paths.Message(t.at)+".name", "the name was put before the text")
	for i := range t.parts {
		if b := t.parts[i].Block; b.Type == weir.BlockText {
			renamed := *b
			renamed.Text = name + ": " + b.Text
			t.parts[i].Block = &renamed
			return
		}
	}
}

// foreignTurns takes out of a translated conversation what the API would refuse,
// and puts in what it demands (protocols.md §13.7, P-06).
func (w *bodyWriter) foreignTurns(turns []turn, system bool) ([]turn, error) {
	if err := w.checkPrefill(turns); err != nil {
		return nil, err
	}
	var out []turn
	for i := range turns {
		t := turns[i]
		if t.parts = w.filter(&t); len(t.parts) == 0 {
			continue
		}
		if n := len(out); n > 0 && out[n-1].role == t.role {
			w.join(&out[n-1], &t)
			continue
		}
		out = append(out, t)
	}
	if len(out) > 0 {
		return out, nil
	}
	if !system {
		e := weir.Invalid("messages", "messages: at least one message is required")
		e.Hint = "send the text as a user message"
		return nil, e
	}
	w.losses.Approximate("messages", "a conversation needs a message of the user here: one was added")
	opening := placed{Block: &weir.Block{Type: weir.BlockText, Text: "Continue."}}
	return []turn{{role: roleUser, parts: []placed{opening}}}, nil
}

// checkPrefill looks at a conversation that ends with the model's own words.
func (w *bodyWriter) checkPrefill(turns []turn) error {
	if n := len(turns); n == 0 || turns[n-1].role != roleModel || w.q.Prefill != "refused" {
		return nil
	}
	at := w.paths.Message(turns[len(turns)-1].at)
	e := weir.Errorf(weir.KindUnsupported, "%s: the model does not continue an assistant message", at)
	e.Param, e.Hint = at, "end the conversation with a user message"
	return e
}

// filter takes out empty texts and thoughts that are not the target's own, puts
// signatures on the part that they belong to, and moves the media of results to
// where the model can take them.
func (w *bodyWriter) filter(t *turn) []placed {
	var out, media []placed
	signature := ""
	for _, p := range t.parts {
		switch p.Type {
		case weir.BlockText, weir.BlockRefusal:
			if p.Text == "" {
				continue
			}
		case weir.BlockReasoning:
			if !w.thought(&p, t.role, &signature) {
				continue
			}
		case weir.BlockToolResult:
			w.splitMedia(&p, &media)
		}
		out = append(out, p)
	}
	out = append(out, media...)
	if signature != "" {
		out = withSignature(out, signature)
	}
	return out
}

// withSignature puts a signature on the last text, where the model puts those that
// belong to no call; where there is no text it has a part of its own.
func withSignature(parts []placed, signature string) []placed {
	for i := range slices.Backward(parts) {
		if p := &parts[i]; p.Type == weir.BlockText {
			p.signature = signature
			return parts
		}
	}
	b := &weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{Format: reasoningFormat, Signature: signature}}
	return slices.Insert(parts, 0, placed{Block: b})
}

const noThinking = "the target takes no earlier thinking"

// thought reports whether a thought goes back as a part, and takes its signature
// if that is the target's own. Signatures are only ever sent on as they came, to
// where they came from.
func (w *bodyWriter) thought(p *placed, role string, signature *string) bool {
	at, r := w.paths.Block(p.at), p.Reasoning
	if w.q.ReasoningReplay == replayNever || role != roleModel {
		w.losses.Drop(at, noThinking)
		return false
	}
	if r != nil {
		switch {
		case w.owns(r.Format) && r.Signature != "":
			*signature = r.Signature
		case r.Signature != "":
			w.losses.Drop(at+".signature", "only the provider that signed this thinking can check it")
		}
		if r.Encrypted != "" {
			w.losses.Drop(at, "only the provider that encrypted this thinking can read it")
		}
	}
	if strings.TrimSpace(p.Text) == "" {
		return false
	}
	p.Block = &weir.Block{Type: weir.BlockReasoning, Text: p.Text}
	return true
}

// checkPairs refuses a translated conversation in which a call has no result or a
// result no call, as the API would (protocols.md §13.1), and puts results in the
// order of their calls, which is what counts where they have no ids.
func (w *bodyWriter) checkPairs(turns []turn) error {
	for i := range turns {
		order := map[string]int{}
		if i > 0 {
			for _, p := range turns[i-1].parts {
				if p.Type == weir.BlockToolCall && p.Call != nil {
					order[p.Call.ID] = len(order)
				}
			}
		}
		results := leadingResults(turns[i].parts)
		answered := map[string]bool{}
		for _, p := range results {
			if _, asked := order[p.Result.CallID]; !asked {
				at := w.paths.Block(p.at)
				return weir.Invalid(at, "%s: the tool result %q answers no call of the message before", at, p.Result.CallID)
			}
			answered[p.Result.CallID] = true
		}
		if len(answered) < len(order) {
			return w.unanswered(turns[i-1].parts, answered)
		}
		slices.SortStableFunc(results, func(a, b placed) int { return order[a.Result.CallID] - order[b.Result.CallID] })
	}
	if n := len(turns); n > 0 && turns[n-1].holds(weir.BlockToolCall) {
		return w.unanswered(turns[n-1].parts, nil)
	}
	return nil
}

func (w *bodyWriter) unanswered(parts []placed, answered map[string]bool) error {
	for _, p := range parts {
		if p.Type != weir.BlockToolCall || p.Call == nil || answered[p.Call.ID] {
			continue
		}
		at := w.paths.Block(p.at)
		e := weir.Invalid(at, "%s: the tool call %q has no result in the next message", at, p.Call.ID)
		e.Hint = "send one tool result for every call, directly after it"
		return e
	}
	return nil
}

// leadingResults are the results at the head of a turn.
func leadingResults(parts []placed) []placed {
	n := 0
	for n < len(parts) && parts[n].Type == weir.BlockToolResult && parts[n].Result != nil {
		n++
	}
	return parts[:n]
}

// pairByOrder gives ids to calls that came without, and to results that do not say
// which call they answer that of the first call which nothing answers (S-03).
// Blocks are copied, the body stays as it is. called learns the names of calls
// whose ids were made up.
func pairByOrder(turns []turn, called map[string]string) {
	for i := range turns {
		var waiting []string
		for k := range turns[i].parts {
			p := &turns[i].parts[k]
			if p.Type != weir.BlockToolCall || p.Call == nil {
				continue
			}
			if p.Call.ID == "" {
				b := p.Clone()
				b.Call.ID = fmt.Sprintf("call_%d_%d", p.at.Message, p.at.Block)
				p.Block, called[b.Call.ID] = &b, b.Call.Name
			}
			waiting = append(waiting, p.Call.ID)
		}
		if len(waiting) > 0 && i+1 < len(turns) {
			nameResults(leadingResults(turns[i+1].parts), waiting)
		}
	}
}

// nameResults hands the ids that no result names to the results that name none.
func nameResults(results []placed, ids []string) {
	named := map[string]bool{}
	for _, p := range results {
		named[p.Result.CallID] = true
	}
	for k := range results {
		p := &results[k]
		if p.Result.CallID != "" {
			continue
		}
		for len(ids) > 0 && named[ids[0]] {
			ids = ids[1:]
		}
		if len(ids) == 0 {
			return
		}
		b := p.Clone()
		b.Result.CallID, ids = ids[0], ids[1:]
		p.Block = &b
	}
}
