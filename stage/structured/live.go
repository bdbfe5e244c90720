package structured

import (
	"strings"

	"github.com/weir-gateway/weir"
)

// live is a streamed call of the tool that flows on as text while it comes.
// From its first event the attempt is committed, so that it can only be checked
// at its end.
type live struct {
	answer *answer
	call   *call

	block   int32           // the number of the block that calls the tool
	numbers map[int32]int32 // the client's number of each block that flows on
	text    strings.Builder // what there is to check
	begun   bool            // there was any text
	usage   weir.Usage      // of this ask
	failed  error           // the end of the call, once the answer is over
}

// start gives out what was held, without the words in front of the call, and
// begins the text.
func (l *live) start(b *weir.Block) bool {
	l.call.countAttempt(l.answer)
	if !l.call.giveUp() {
		return false
	}
	for _, commit := range l.answer.commits {
		if !l.call.say(weir.NoteEvent(commit)) {
			return false
		}
	}
	for _, ev := range l.held() {
		if !l.call.say(ev) {
			return false
		}
	}
	text := weir.Event{Type: weir.EventBlockStart, Index: l.number(l.block), Block: &weir.Block{Type: weir.BlockText}}
	return l.call.say(text) && l.grow(b.Call.Arguments)
}

// held is what stands in front of the call.
func (l *live) held() []weir.Event {
	done := l.answer.gathered.Completion()
	g := giver{out: []weir.Event{{Type: weir.EventStart, Start: &done.Start}}}
	if u := done.Usage; u != nil {
		g.out = append(g.out, l.spent(u))
	}
	if len(done.Choices) == 0 {
		return g.out
	}
	for i := range done.Choices[0].Message.Blocks {
		b := &done.Choices[0].Message.Blocks[i]
		if b.Type == weir.BlockText || b.Call != nil {
			l.answer.dropped++
			continue
		}
		l.number(int32(i))
		if g.block(b); !l.answer.ended[int32(i)] {
			g.out = g.out[:len(g.out)-1] // it goes on
		}
	}
	return g.out
}

// number gives a block the client's next number.
func (l *live) number(block int32) int32 {
	n := int32(len(l.numbers))
	l.numbers[block] = n
	return n
}

// take takes one event, and reports whether to go on.
func (l *live) take(ev weir.Event) bool {
	switch {
	case ev.Type == weir.EventUsage:
		return l.call.say(l.spent(ev.Usage))
	case ev.Choice != 0 || l.failed != nil:
		return true
	}
	switch ev.Type {
	case weir.EventBlockStart:
		return l.another(ev)
	case weir.EventDelta:
		return l.delta(ev)
	case weir.EventBlockEnd:
		if ev.Index == l.block && !l.begun && !l.grow("{}") {
			return false
		}
		return l.pass(ev)
	case weir.EventFinish:
		return l.finish(ev.Finish)
	}
	return true
}

// spent is the event of the usage so far, with that of the asks before.
func (l *live) spent(u *weir.Usage) weir.Event {
	l.usage.Merge(u)
	sum := l.usage
	return weir.Event{Type: weir.EventUsage, Usage: l.call.cost.add(&sum).usage()}
}

// another begins a block beside the call: words and calls are left out.
func (l *live) another(ev weir.Event) bool {
	if ev.Block.Type == weir.BlockText || ev.Block.Call != nil {
		l.answer.dropped++
		return true
	}
	l.number(ev.Index)
	return l.pass(ev)
}

// delta turns arguments into text. Logprobs are of the call as the model wrote
// it, not of the text.
func (l *live) delta(ev weir.Event) bool {
	switch {
	case ev.Part == weir.PartLogprobs:
		return true
	case ev.Index != l.block:
		return l.pass(ev)
	case ev.Part != weir.PartArguments:
		return true // the call's signature
	}
	return l.grow(ev.Text)
}

// pass hands on an event of a block that flows on.
func (l *live) pass(ev weir.Event) bool {
	n, ok := l.numbers[ev.Index]
	if !ok {
		return true
	}
	ev = ev.Detach()
	ev.Index = n
	return l.call.say(ev)
}

// grow adds to the text.
func (l *live) grow(text string) bool {
	if text == "" {
		return true
	}
	l.begun = true
	if l.text.Len() <= l.call.o.MaxBytes {
		l.text.WriteString(text)
	}
	return l.call.say(weir.Event{Type: weir.EventDelta, Index: l.numbers[l.block], Part: weir.PartText, Text: text})
}

// finish checks the whole and ends the choice.
func (l *live) finish(f *weir.Finish) bool {
	a := l.answer
	if f.Reason == weir.FinishToolCalls || f.Reason == weir.FinishStop {
		if a.checked = l.text.Len() <= l.call.o.MaxBytes; a.checked {
			a.violation = l.call.check.check(l.text.String())
		}
	}
	if !l.call.say(weir.NoteEvent(l.call.note(a))) {
		return false
	}
	if a.violation != nil && l.call.strict {
		l.failed = l.call.mismatch(a.violation)
		return true // usage may follow
	}
	if a.violation != nil && !l.call.say(weir.NoteEvent(l.call.loss())) {
		return false
	}
	end := finished(*f, true)
	return l.call.say(weir.Event{Type: weir.EventFinish, Finish: &end})
}
