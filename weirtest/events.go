package weirtest

import (
	"errors"
	"fmt"

	"github.com/weir-gateway/weir"
)

// CheckEvents reports how a whole answer breaks the grammar of weir.Event, nil
// when it does not. Events must have been cloned where they carry frames.
func CheckEvents(events []weir.Event) error { return checkWhole(new(grammar), events) }

func checkWhole(g *grammar, events []weir.Event) error {
	if err := g.all(events); err != nil {
		return err
	}
	if !g.started {
		return errors.New("there is no start")
	}
	for n, c := range g.choices {
		if !c.finished {
			return fmt.Errorf("choice %d has no finish", n)
		}
	}
	if g.frame != nil && int(g.frame.Events) != g.inFrame {
		return fmt.Errorf("the last frame says %d events and had %d", g.frame.Events, g.inFrame)
	}
	return nil
}

// CheckPartial is CheckEvents for an answer that was cut: nothing may be wrong
// in it, but things may be missing.
func CheckPartial(events []weir.Event) error { return new(grammar).all(events) }

func (g *grammar) all(events []weir.Event) error {
	g.choices = map[int32]*choiceState{}
	for i, ev := range events {
		if err := g.step(ev); err != nil {
			return fmt.Errorf("event %d (%s, choice %d, index %d): %w", i, ev.Type, ev.Choice, ev.Index, err)
		}
	}
	return nil
}

// grammar is the state after some events.
type grammar struct {
	started bool
	choices map[int32]*choiceState
	usage   weir.Usage
	frame   *weir.Frame
	inFrame int
	// shrinks lets usage shrink.
	shrinks bool
}

type choiceState struct {
	blocks   []blockState // by index
	finished bool
}

type blockState struct {
	kind weir.BlockType
	open bool
}

func (g *grammar) step(ev weir.Event) error {
	if err := g.checkFrame(ev); err != nil {
		return err
	}
	switch ev.Type {
	case weir.EventNote:
		if ev.Note == nil {
			return errors.New("a note event without a note")
		}
		return nil
	case weir.EventPing:
		return nil
	case weir.EventStart:
		return g.start(ev)
	}
	if !g.started {
		return errors.New("the answer has not started")
	}
	switch ev.Type {
	case weir.EventUsage:
		return g.addUsage(ev.Usage)
	case weir.EventRelay:
		return nil
	case weir.EventVector:
		if ev.Vector == nil || ev.Index < 0 || (ev.Vector.JSON == nil) == (ev.Vector.Base64 == "") {
			return errors.New("a vector event without one vector")
		}
		return nil
	case weir.EventBlockStart, weir.EventDelta, weir.EventBlockEnd, weir.EventFinish:
		return g.content(ev)
	}
	return errors.New("an event of no known type")
}

func (g *grammar) start(ev weir.Event) error {
	if ev.Start == nil {
		return errors.New("a start event without a start")
	}
	if g.started {
		return errors.New("a second start")
	}
	g.started = true
	return nil
}

// content checks an event that belongs to a choice.
func (g *grammar) content(ev weir.Event) error {
	if ev.Choice < 0 || ev.Index < 0 {
		return errors.New("a negative number")
	}
	c := g.choices[ev.Choice]
	if c == nil {
		c = new(choiceState)
		g.choices[ev.Choice] = c
	}
	if c.finished {
		return errors.New("the choice has finished")
	}
	switch ev.Type {
	case weir.EventBlockStart:
		return c.startBlock(ev)
	case weir.EventDelta:
		return c.delta(ev)
	case weir.EventBlockEnd:
		return c.endBlock(ev.Index)
	}
	return c.finish(ev.Finish)
}

func (c *choiceState) startBlock(ev weir.Event) error {
	if ev.Block == nil || ev.Block.Type == "" {
		return errors.New("a block start without a typed block")
	}
	if int(ev.Index) != len(c.blocks) {
		return fmt.Errorf("the next block is number %d", len(c.blocks))
	}
	c.blocks = append(c.blocks, blockState{kind: ev.Block.Type, open: true})
	return nil
}

func (c *choiceState) delta(ev weir.Event) error {
	if ev.Part == weir.PartLogprobs {
		return nil // belongs to the choice
	}
	if int(ev.Index) >= len(c.blocks) || !c.blocks[ev.Index].open {
		return errors.New("a delta outside of an open block")
	}
	if kind := c.blocks[ev.Index].kind; !partFits(ev.Part, kind) {
		return fmt.Errorf("part %d does not belong to a %s block", ev.Part, kind)
	}
	if ev.Part == weir.PartCitation && ev.Citation == nil {
		return errors.New("a citation delta without a citation")
	}
	return nil
}

// partFits tells which parts a block of a kind may grow by.
func partFits(p weir.Part, kind weir.BlockType) bool {
	switch p {
	case weir.PartText:
		return kind == weir.BlockText || kind == weir.BlockReasoning || kind == weir.BlockRefusal
	case weir.PartArguments:
		return kind == weir.BlockToolCall
	case weir.PartSignature:
		return kind == weir.BlockReasoning || kind == weir.BlockToolCall
	case weir.PartEncrypted:
		return kind == weir.BlockReasoning
	case weir.PartCitation:
		return kind == weir.BlockText
	case weir.PartAudio, weir.PartTranscript:
		return kind == weir.BlockAudio
	}
	return false
}

func (c *choiceState) endBlock(index int32) error {
	if int(index) >= len(c.blocks) || !c.blocks[index].open {
		return errors.New("the end of a block that is not open")
	}
	c.blocks[index].open = false
	return nil
}

func (c *choiceState) finish(f *weir.Finish) error {
	if f == nil || f.Reason == "" {
		return errors.New("a finish without a reason")
	}
	for i, b := range c.blocks {
		if b.open {
			return fmt.Errorf("block %d is still open", i)
		}
	}
	c.finished = true
	return nil
}

// addUsage checks that no count goes down.
func (g *grammar) addUsage(u *weir.Usage) error {
	if u == nil {
		return errors.New("a usage event without usage")
	}
	before := g.usage
	g.usage.Merge(u)
	for _, c := range usageCounts(&before) {
		if now := usageCount(&g.usage, c.field); before.Has(c.field) && now < c.n && !g.shrinks {
			return fmt.Errorf("usage %s shrinks from %d to %d", c.name, c.n, now)
		}
	}
	return nil
}

// checkFrame checks that the events of a frame are numbered and complete.
func (g *grammar) checkFrame(ev weir.Event) error {
	if ev.Type == weir.EventNote && ev.Frame == nil {
		return nil
	}
	if ev.Frame != nil && ev.Frame == g.frame && int(ev.FrameSeq) == g.inFrame {
		g.inFrame++
		return nil
	}
	if g.frame != nil && int(g.frame.Events) != g.inFrame {
		return fmt.Errorf("the frame before says %d events and had %d", g.frame.Events, g.inFrame)
	}
	g.frame, g.inFrame = ev.Frame, 1
	if ev.Frame != nil && ev.FrameSeq != 0 {
		return fmt.Errorf("a frame begins with event %d", ev.FrameSeq)
	}
	return nil
}
