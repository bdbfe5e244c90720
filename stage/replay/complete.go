package replay

import (
	"context"

	"github.com/weir-gateway/weir"
)

// maxLooked bounds how many turns, and how many pieces of state, of one request
// are looked up. The newest are; a conversation that is longer has them kept
// for it by then, or never had.
const maxLooked = 512

// completed is a request on its way in, and what was done to it.
type completed struct {
	req  *weir.Request
	note Note
}

// report tells what was done, and reports whether the consumer wants to go on.
func (c *completed) report(yield func(weir.Event, error) bool) bool {
	if c.note.Stripped > 0 {
		loss := &weir.Loss{Field: "messages", Action: weir.LossDropped, Detail: strippedDetail}
		if !yield(weir.NoteEvent(loss), nil) {
			return false
		}
	}
	return c.note == (Note{}) || yield(weir.NoteEvent(&c.note), nil)
}

const strippedDetail = "another provider made this reasoning state, and only that one can read it"

// complete puts into the request what it lacks and was kept, and takes out what
// another provider made. The request is the one given when there is nothing to
// change. Errors are those of Request.Body, and KindUnsupported for a strict
// request of which something would have to be taken out.
func (s *stage) complete(ctx context.Context, req *weir.Request) (*completed, error) {
	body, err := req.Body()
	if err != nil {
		return nil, err
	}
	done := &completed{req: req}
	p := s.survey(tenantOf(req), body)
	if len(p.lacks) == 0 && len(p.states) == 0 {
		return done, nil
	}
	done.note.StoreFailed = s.lookUp(ctx, p) != nil
	foreign := p.foreign(s.Family)
	if len(foreign) > 0 && req.Strict {
		e := weir.Errorf(weir.KindUnsupported, "messages cannot be carried over: %s", strippedDetail)
		e.Param, e.Hint = "messages", "leave the reasoning out, or allow losses by not asking for strict treatment"
		return nil, e
	}
	changed := s.choose(body, p, &done.note)
	if done.note.Stripped = len(foreign); len(changed) == 0 && len(foreign) == 0 {
		return done, nil
	}
	done.req, err = req.Edit(func(b *weir.Body) error {
		strip(b, foreign)
		for _, l := range changed {
			b.Messages[l.at].Blocks, _ = s.inject(b.Messages[l.at].Blocks, l)
		}
		tidy(b, foreign)
		return nil
	})
	return done, err
}

// A plan is what a request holds and lacks, with what the Store knows of it.
type plan struct {
	lacks  []lack
	states []state
}

// A lack is an assistant message that misses something in front of its calls.
type lack struct {
	at  int // of the message
	key string
	// What is missing.
	needs Needs
	turn  *value // as it was kept; nil when it was not
}

// A state is a signature or an encrypted payload.
type state struct {
	at    place
	key   string
	maker *value // nil when not known
}

// A place is a block's: its message and its number there.
type place struct{ message, block int }

// survey finds what the request lacks and which state it carries.
func (s *stage) survey(tenant string, body *weir.Body) *plan {
	p := new(plan)
	var seen Needs // reasoning since the last call of this run of the assistant
	for i := range body.Messages {
		m := &body.Messages[i]
		if m.Role != weir.RoleAssistant {
			seen = 0
			continue
		}
		first := -1
		for j := range m.Blocks {
			b := &m.Blocks[j]
			if b.Type == weir.BlockReasoning {
				seen |= has(b)
			}
			if b.Call != nil && first < 0 {
				first = j
			}
			if blob := stateOf(b); blob != "" && s.Needs&(State|Calls) != 0 {
				p.states = append(p.states, state{at: place{i, j}, key: stateKey(tenant, blob)})
			}
		}
		if first < 0 {
			continue
		}
		call := m.Blocks[first].Call
		if needs := s.Needs &^ (seen | ofCall(call)); needs != 0 {
			key := callKey(tenant, call, func() string { return wordsBefore(body, i) })
			p.lacks = append(p.lacks, lack{at: i, key: key, needs: needs})
		}
		seen = 0
	}
	p.lacks = p.lacks[max(len(p.lacks)-maxLooked, 0):]
	p.states = p.states[max(len(p.states)-maxLooked, 0):]
	return p
}

// has is which needs a block of reasoning meets.
func has(b *weir.Block) (n Needs) {
	if b.Text != "" {
		n |= Text
	}
	if stateOf(b) != "" {
		n |= Text | State
	}
	return n
}

func ofCall(c *weir.ToolCall) Needs {
	if c.Signature != "" {
		return Calls
	}
	return 0
}

// stateOf is what of a block only its maker can read; empty when nothing is.
func stateOf(b *weir.Block) string {
	switch {
	case b.Call != nil:
		return b.Call.Signature
	case b.Type != weir.BlockReasoning || b.Reasoning == nil:
		return ""
	case b.Reasoning.Encrypted != "":
		return b.Reasoning.Encrypted
	}
	return b.Reasoning.Signature
}

// lookUp asks the Store about everything at once, and once more for turns that
// are kept under another of their calls.
func (s *stage) lookUp(ctx context.Context, p *plan) error {
	keys := make([]string, 0, len(p.lacks)+len(p.states))
	for i := range p.lacks {
		keys = append(keys, p.lacks[i].key)
	}
	for i := range p.states {
		keys = append(keys, p.states[i].key)
	}
	values, err := get(ctx, s.Store, keys)
	if err != nil {
		return err
	}
	var later []int
	keys = nil
	for i := range p.lacks {
		v := decode(values[i])
		if v != nil && v.First != "" {
			later = append(later, i)
			keys = append(keys, v.First)
			continue
		}
		p.lacks[i].turn = v
	}
	for i := range p.states {
		p.states[i].maker = decode(values[len(p.lacks)+i])
	}
	values, err = get(ctx, s.Store, keys)
	for n, i := range later {
		p.lacks[i].turn = decode(values[n])
	}
	return err
}
