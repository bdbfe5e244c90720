package replay

import (
	"context"
	"strings"

	"github.com/weir-gateway/weir"
)

// maxTurn bounds the bytes of reasoning that are gathered of one choice. A turn
// that is longer is not kept.
const maxTurn = 1 << 20

// A recorder gathers the reasoning and the calls of an answer as it flows by.
type recorder struct{ choices []*choice }

func (r *recorder) choice(n int32) *choice {
	for int(n) >= len(r.choices) {
		r.choices = append(r.choices, new(choice))
	}
	return r.choices[n]
}

// A choice is what is kept of one alternative, by the numbers of its blocks.
type choice struct {
	blocks []piece
	size   int
	long   bool // more than maxTurn
}

// A piece is a block of an answer: reasoning, a call, or anything else.
type piece struct {
	typ       weir.BlockType
	reasoning weir.Reasoning
	call      weir.ToolCall
	text      strings.Builder // of reasoning, or arguments
	signature strings.Builder
	encrypted strings.Builder
	counted   bool // a call whose id says too little, so that its arguments count
}

func (r *recorder) see(ev *weir.Event) {
	switch ev.Type {
	case weir.EventBlockStart:
		r.choice(ev.Choice).start(int(ev.Index), ev.Block)
	case weir.EventDelta:
		r.choice(ev.Choice).delta(ev)
	}
}

func (c *choice) start(i int, b *weir.Block) {
	for i >= len(c.blocks) {
		c.blocks = append(c.blocks, piece{})
	}
	p := &c.blocks[i]
	p.typ = b.Type
	switch {
	case b.Type == weir.BlockReasoning:
		c.add(&p.text, b.Text)
		if r := b.Reasoning; r != nil {
			p.reasoning = *r
			c.add(&p.signature, r.Signature)
			c.add(&p.encrypted, r.Encrypted)
		}
	case b.Call != nil:
		p.call = *b.Call
		c.add(&p.signature, b.Call.Signature)
		if p.counted = !isUnique(p.call.ID, p.call.Name); p.counted {
			c.add(&p.text, b.Call.Arguments)
		}
	}
}

func (c *choice) delta(ev *weir.Event) {
	if int(ev.Index) >= len(c.blocks) {
		return
	}
	p := &c.blocks[ev.Index]
	switch {
	case ev.Part == weir.PartText && p.typ == weir.BlockReasoning:
		c.add(&p.text, ev.Text)
	case ev.Part == weir.PartSignature:
		c.add(&p.signature, ev.Text)
	case ev.Part == weir.PartEncrypted:
		c.add(&p.encrypted, ev.Text)
	case ev.Part == weir.PartArguments && p.counted:
		c.add(&p.text, ev.Text)
	}
}

func (c *choice) add(to *strings.Builder, text string) {
	if c.size += len(text); c.size > maxTurn {
		c.long = true
		return
	}
	to.WriteString(text)
}

// keep stores what the choice has, and reports whether the Store took it.
func (s *stage) keep(ctx context.Context, req *weir.Request, c *choice) bool {
	if c.long {
		return true
	}
	values := s.values(req, c)
	if len(values) == 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	return s.Store.Put(ctx, values) == nil
}

// values is what is to be kept of a choice: its turn under its calls, and who
// made each piece of state under that.
func (s *stage) values(req *weir.Request, c *choice) map[string][]byte {
	tenant := tenantOf(req)
	turn := value{Family: s.Family, Deployment: s.Deployment, Segments: c.segments()}
	values := map[string][]byte{}
	maker := (&value{Family: s.Family, Deployment: s.Deployment}).encode()
	for i := range c.blocks {
		p := &c.blocks[i]
		for _, state := range []string{p.signature.String(), p.encrypted.String()} {
			if state != "" {
				values[stateKey(tenant, state)] = maker
			}
		}
	}
	if !turn.worth() {
		return values
	}
	before := func() string { return lastWords(req) }
	first := ""
	for i := range c.blocks {
		p := &c.blocks[i]
		if p.typ != weir.BlockToolCall {
			continue
		}
		call := p.call
		call.Arguments = p.text.String()
		key := callKey(tenant, &call, before)
		switch {
		case first == "":
			first = key
			values[key] = turn.encode()
		case key != first:
			values[key] = (&value{First: first}).encode()
		}
	}
	return values
}

// lastWords are the words that the answer to req comes after.
func lastWords(req *weir.Request) string {
	body, err := req.Body()
	if err != nil {
		return ""
	}
	return wordsBefore(body, len(body.Messages))
}

// worth reports whether the turn has anything that a client could lose.
func (v *value) worth() bool {
	for i := range v.Segments {
		if v.Segments[i].Signature != "" || len(v.Segments[i].Thoughts) > 0 {
			return true
		}
	}
	return false
}

// segments are the calls of a choice with the thoughts in front of each.
func (c *choice) segments() []segment {
	var out []segment
	var next segment
	late := false
	for i := range c.blocks {
		p := &c.blocks[i]
		switch p.typ {
		case weir.BlockReasoning:
			t := thought{
				Text: p.text.String(), Signature: p.signature.String(), Encrypted: p.encrypted.String(),
				ID: p.reasoning.ID, Format: p.reasoning.Format, Summary: p.reasoning.Summary, Late: late,
			}
			if t.Text != "" || t.hasState() {
				next.Thoughts = append(next.Thoughts, t)
			}
		case weir.BlockToolCall:
			next.ID, next.Signature = p.call.ID, p.signature.String()
			out = append(out, next)
			next, late = segment{}, false
		default:
			late = true
		}
	}
	return out
}
