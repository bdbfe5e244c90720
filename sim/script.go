package sim

import "github.com/weir-gateway/weir"

// A script is one choice of an answer, as the events that it will become.
type script struct {
	choice  int32
	events  []weir.Event
	blocks  int32
	limit   int // tokens; below 0 is none
	tokens  int // spent
	thought int // spent on reasoning
	cut     bool
}

// spend takes one token from the limit.
func (s *script) spend() bool {
	if s.limit >= 0 && s.tokens >= s.limit {
		s.cut = true
		return false
	}
	s.tokens++
	return true
}

func (s *script) add(ev weir.Event) {
	ev.Choice, ev.Index = s.choice, s.blocks
	s.events = append(s.events, ev)
}

// block writes a whole block: its start, its text token by token as far as the
// limit goes, what tail adds, its end.
func (s *script) block(b *weir.Block, part weir.Part, text string, tail func()) {
	if s.cut || s.limit == 0 {
		s.cut = true
		return
	}
	s.add(weir.Event{Type: weir.EventBlockStart, Block: b})
	for _, piece := range tokens(text) {
		if !s.spend() {
			break
		}
		s.add(weir.Event{Type: weir.EventDelta, Part: part, Text: piece})
	}
	if tail != nil {
		tail()
	}
	s.add(weir.Event{Type: weir.EventBlockEnd})
	s.blocks++
}

func (s *script) text(text string) {
	s.block(&weir.Block{Type: weir.BlockText}, weir.PartText, text, nil)
}

// reasoning writes a thought, with a signature when it was thought to its end.
func (s *script) reasoning(text, signature string, budget int) {
	if pieces := tokens(text); budget >= 0 && len(pieces) > budget {
		text = join(pieces[:budget])
	}
	before := s.tokens
	b := &weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{Format: ReasoningFormat}}
	s.block(b, weir.PartText, text, func() {
		if !s.cut {
			s.add(weir.Event{Type: weir.EventDelta, Part: weir.PartSignature, Text: signature})
		}
	})
	s.thought += s.tokens - before
}

func (s *script) call(c *weir.ToolCall, arguments string) {
	s.block(&weir.Block{Type: weir.BlockToolCall, Call: c}, weir.PartArguments, arguments, nil)
}

// finish ends the choice for the reason given, unless the limit was met before.
func (s *script) finish(f weir.Finish) {
	if s.cut {
		f = weir.Finish{Reason: weir.FinishLength}
	}
	s.add(weir.Event{Type: weir.EventFinish, Finish: &f})
	s.events[len(s.events)-1].Index = 0
}
