package replay

import (
	"slices"

	"github.com/weir-gateway/weir"
)

// choose is the messages that can get back what they lack. The note counts
// them, and those that cannot.
func (s *stage) choose(body *weir.Body, p *plan, note *Note) []*lack {
	var out []*lack
	for i := range p.lacks {
		l := &p.lacks[i]
		if _, found := s.inject(body.Messages[l.at].Blocks, l); !found {
			note.Missing++
			continue
		}
		note.Injected++
		out = append(out, l)
	}
	return out
}

// inject is blocks with what was kept of their turn, if there was anything that
// the deployment may be given.
func (s *stage) inject(blocks []weir.Block, l *lack) (out []weir.Block, found bool) {
	if l.turn == nil {
		return nil, false
	}
	w := weaver{turn: l.turn, own: l.turn.Family == s.Family, needs: l.needs}
	out = w.weave(blocks)
	if !w.found && l.needs&Text != 0 {
		out = w.retold(blocks)
	}
	return out, w.found
}

// A weaver puts the segments of a kept turn between the blocks of a message.
type weaver struct {
	turn  *value
	own   bool // the provider that made it is the one that gets it
	needs Needs
	found bool
}

// weave walks along the message and the turn together. Thoughts go to the head
// of their segment, or in front of its call when a text came before them.
func (w *weaver) weave(blocks []weir.Block) []weir.Block {
	if w.bringsState() {
		blocks = withoutPlainThoughts(blocks)
	}
	out := make([]weir.Block, 0, len(blocks)+2)
	head, next := 0, 0 // of the segment in out; the segment that comes next
	for i := range blocks {
		b := blocks[i]
		if b.Call == nil {
			out = append(out, b)
			continue
		}
		n := next + slices.IndexFunc(w.turn.Segments[next:], func(s segment) bool { return s.ID == b.Call.ID })
		if n >= next {
			early, late := w.thoughts(&w.turn.Segments[n])
			out = append(slices.Insert(out, head, early...), late...)
			b = w.signed(b, w.turn.Segments[n].Signature)
			next = n + 1
		}
		out = append(out, b)
		head = len(out)
	}
	return out
}

// thoughts are those of a segment that the deployment lacks and may be given.
func (w *weaver) thoughts(s *segment) (early, late []weir.Block) {
	for i := range s.Thoughts {
		t := &s.Thoughts[i]
		state := w.own && w.needs&State != 0 && t.hasState()
		if !state && (w.needs&Text == 0 || t.Text == "") {
			continue
		}
		w.found = true
		if t.Late {
			late = append(late, t.block(state))
		} else {
			early = append(early, t.block(state))
		}
	}
	return early, late
}

// signed is the call with the signature that it came with.
func (w *weaver) signed(b weir.Block, signature string) weir.Block {
	if !w.own || w.needs&Calls == 0 || signature == "" || b.Call.Signature != "" {
		return b
	}
	w.found = true
	b = b.Clone()
	b.Call.Signature = signature
	return b
}

// bringsState reports whether blocks with state are there to be put in.
func (w *weaver) bringsState() bool {
	if !w.own || w.needs&State == 0 {
		return false
	}
	return slices.ContainsFunc(w.turn.Segments, func(s segment) bool {
		return slices.ContainsFunc(s.Thoughts, func(t thought) bool { return t.hasState() })
	})
}

// withoutPlainThoughts leaves out the text of thoughts that a client could carry
// without their state: they come back whole.
func withoutPlainThoughts(blocks []weir.Block) []weir.Block {
	out := make([]weir.Block, 0, len(blocks))
	for i := range blocks {
		if blocks[i].Type != weir.BlockReasoning || stateOf(&blocks[i]) != "" {
			out = append(out, blocks[i])
		}
	}
	return out
}

// retold puts the text of the whole turn's thoughts in front of a message whose
// own calls had none: a client has made several messages of one turn, and the
// deployment wants thinking in each that calls.
func (w *weaver) retold(blocks []weir.Block) []weir.Block {
	var thoughts []weir.Block
	for i := range w.turn.Segments {
		for j := range w.turn.Segments[i].Thoughts {
			if t := &w.turn.Segments[i].Thoughts[j]; t.Text != "" {
				thoughts = append(thoughts, t.block(false))
			}
		}
	}
	w.found = len(thoughts) > 0
	return slices.Concat(thoughts, blocks)
}
