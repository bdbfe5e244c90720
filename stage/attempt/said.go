package attempt

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/tokens"
)

// said is what a client has of an answer, as far as going on with it needs.
type said struct {
	text     strings.Builder // of all text blocks
	blocks   []saidBlock     // by number
	begun    bool            // there was any content
	odd      bool            // there is what cannot be gone on with
	finished bool
}

type saidBlock struct {
	kind weir.BlockType
	open bool
}

// see takes note of an event that the client gets.
func (s *said) see(ev *weir.Event, limit int) {
	if !ev.IsContent() || ev.Type == weir.EventRelay {
		return
	}
	s.begun = true
	if ev.Choice != 0 {
		s.odd = true
		return
	}
	switch ev.Type {
	case weir.EventBlockStart:
		s.start(ev, limit)
	case weir.EventDelta:
		s.delta(ev, limit)
	case weir.EventBlockEnd:
		if int(ev.Index) < len(s.blocks) {
			s.blocks[ev.Index].open = false
		}
	case weir.EventFinish:
		s.finished = true
	}
}

func (s *said) start(ev *weir.Event, limit int) {
	if int(ev.Index) != len(s.blocks) || ev.Block == nil {
		s.odd = true
		return
	}
	kind := ev.Block.Type
	s.blocks = append(s.blocks, saidBlock{kind, true})
	s.odd = s.odd || kind != weir.BlockText && kind != weir.BlockReasoning || len(ev.Block.Citations) > 0
	if kind == weir.BlockText {
		s.grow(ev.Block.Text, limit)
	}
}

func (s *said) delta(ev *weir.Event, limit int) {
	if ev.Part == weir.PartLogprobs || ev.Part == weir.PartCitation {
		s.odd = true // they tell of places in the text
		return
	}
	if ev.Part != weir.PartText {
		return // of reasoning, or of a block that is odd already
	}
	if int(ev.Index) < len(s.blocks) && s.blocks[ev.Index].kind == weir.BlockReasoning {
		return
	}
	s.grow(ev.Text, limit)
}

func (s *said) grow(text string, limit int) {
	if s.odd || s.text.Len()+len(text) > limit {
		s.odd = true
		return
	}
	s.text.WriteString(text)
}

// whole reports whether the answer can be gone on with: it has begun, has not
// finished, and is text, behind reasoning that is complete where that is allowed.
func (s *said) whole(reasoning bool) bool {
	if !s.begun || s.odd || s.finished {
		return false
	}
	for i := range s.blocks {
		if s.blocks[i].kind == weir.BlockReasoning && (s.blocks[i].open || !reasoning) {
			return false
		}
	}
	return true
}

// openText is the number of the text block that is open, -1 when none is.
func (s *said) openText() int32 {
	for i := range s.blocks {
		if s.blocks[i].open && s.blocks[i].kind == weir.BlockText {
			return int32(i)
		}
	}
	return -1
}

// callUsage is the usage of one call, and what to estimate it from.
type callUsage struct {
	req   *weir.Request
	usage weir.Usage
	bytes int // that it wrote since usage was reported last
	seen  bool
}

func (c *callUsage) see(ev *weir.Event) {
	switch ev.Type {
	case weir.EventUsage:
		c.usage.Merge(ev.Usage)
		c.seen = true
		c.bytes = 0
	case weir.EventDelta:
		if ev.Part != weir.PartLogprobs {
			c.bytes += len(ev.Text)
		}
	}
}

// output is how many tokens the call wrote, estimated where that is not known.
func (c *callUsage) output() int64 {
	return c.usage.OutputTokens + int64(c.bytes+2)/3 // as the ledger estimates it
}

// total is the usage of the call. What was not reported is estimated: what a
// call that broke has cost is billed, although nobody will say how much it was.
func (c *callUsage) total() weir.Usage {
	u := c.usage
	if !u.Has(weir.UsageInput) {
		u.Estimated = true
		if body, err := c.req.Body(); err == nil {
			u.Set(weir.UsageInput, tokens.EstimateBody(body))
		}
	}
	if !u.Has(weir.UsageOutput) || c.bytes > 0 {
		u.Estimated = true
		u.Set(weir.UsageOutput, c.output())
	}
	return u
}

// plus is the sum of two usages. What only one of them knows is its alone; what
// the upstream said beside the counts is b's.
func plus(a, b weir.Usage) *weir.Usage {
	sum := weir.Usage{Extra: b.Extra, From: b.From, Estimated: a.Estimated || b.Estimated}
	counts := func(u *weir.Usage) [8]int64 {
		return [8]int64{u.InputTokens, u.OutputTokens, u.CacheReadTokens, u.CacheCreationTokens,
			u.CacheCreation1h, u.ReasoningTokens, u.AudioInputTokens, u.AudioOutputTokens}
	}
	x, y := counts(&a), counts(&b)
	for i := range x {
		if f := weir.UsageField(1) << i; a.Has(f) || b.Has(f) {
			sum.Set(f, x[i]+y[i])
		}
	}
	return &sum
}
