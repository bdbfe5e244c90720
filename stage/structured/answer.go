package structured

import (
	"context"

	"github.com/weir-gateway/weir"
)

// An answer is what came of one ask.
type answer struct {
	call     *call
	gathered weir.Collector
	size     int             // of its text in bytes
	commits  []*weir.Attempt // notes that it answers, held until that is true
	live     *live           // nil unless it flows on as it comes
	ended    map[int32]bool  // blocks of the first choice that have ended
	err      error
	used     int // of the Allowance when it began

	// By judge:
	whole     *weir.Completion
	texts     []string // the JSON of each choice
	checked   bool
	cleaned   bool
	dropped   int
	violation *violation // of the first choice that has one
}

// ask makes one ask. Notes and pings go on at once, everything else is held,
// unless it is a streamed call of the tool.
func (c *call) ask(ctx context.Context, req *weir.Request) *answer {
	c.asks++
	a := &answer{call: c, ended: map[int32]bool{}}
	if c.req.Allowance != nil {
		a.used = c.req.Allowance.Used()
	}
	for ev, err := range c.next.Handle(ctx, req) {
		if err != nil {
			a.err = err
			return a
		}
		if !a.take(ev) {
			return a
		}
	}
	if a.live != nil {
		a.err = a.live.failed
	}
	return a
}

// take takes one event of an ask, and reports whether to go on.
func (a *answer) take(ev weir.Event) bool {
	switch {
	case ev.Type == weir.EventNote:
		return a.note(ev.Note)
	case ev.Type == weir.EventPing:
		return a.call.say(weir.Event{Type: weir.EventPing})
	case a.live != nil:
		return a.live.take(ev)
	case a.mayFlow(ev):
		a.live = &live{answer: a, call: a.call, block: ev.Index, numbers: map[int32]int32{}}
		return a.live.start(ev.Block)
	}
	a.gathered.Add(ev)
	if ev.Type == weir.EventBlockEnd && ev.Choice == 0 {
		a.ended[ev.Index] = true
	}
	if a.size += len(ev.Text); a.size > a.call.o.MaxBytes {
		a.err = a.call.upstream("the answer is longer than the %d bytes that are held to check it", a.call.o.MaxBytes)
	}
	return a.err == nil
}

// note hands a note on, but for the one that says that this attempt answers.
func (a *answer) note(n weir.Note) bool {
	if commit, ok := n.(*weir.Attempt); ok && commit.Err == nil && a.live == nil {
		a.commits = append(a.commits, commit)
		return true
	}
	return a.call.say(weir.NoteEvent(n))
}

// mayFlow reports whether ev begins the call of the tool for a client that
// streams: then the answer has begun and is not held.
func (a *answer) mayFlow(ev weir.Event) bool {
	return ev.Type == weir.EventBlockStart && ev.Choice == 0 && a.call.req.Stream && a.call.single && a.call.isTool(ev.Block)
}

func (c *call) isTool(b *weir.Block) bool {
	return c.mode == ModeTool && b.Call != nil && b.Call.Name == c.tool
}

// judge compares every choice with the format.
func (a *answer) judge() {
	a.whole = a.gathered.Completion()
	a.texts = make([]string, len(a.whole.Choices))
	a.checked = len(a.whole.Choices) > 0
	for i := range a.whole.Choices {
		ch := &a.whole.Choices[i]
		raw := a.textOf(ch)
		if a.texts[i] = raw; !a.isAnswer(ch) {
			a.checked = false
			continue
		}
		a.texts[i] = clean(raw)
		a.cleaned = a.cleaned || a.texts[i] != raw
		if v := a.call.check.check(a.texts[i]); v != nil && a.violation == nil {
			a.violation = v
		}
	}
}

// said is the text of the first choice as the model wrote it.
func (a *answer) said() string { return a.textOf(&a.whole.Choices[0]) }

// textOf is what a choice gives as its answer: what the tool was called with,
// else its text.
func (a *answer) textOf(ch *weir.Choice) string {
	if i := a.toolCall(ch); i >= 0 {
		return ch.Message.Blocks[i].Call.Arguments
	}
	return ch.Message.Text()
}

// toolCall is the number of the block that calls the tool, -1 when none does.
func (a *answer) toolCall(ch *weir.Choice) int {
	for i := range ch.Message.Blocks {
		if a.call.isTool(&ch.Message.Blocks[i]) {
			return i
		}
	}
	return -1
}

// isAnswer reports whether a choice is meant as an answer in the format, and
// whole.
func (a *answer) isAnswer(ch *weir.Choice) bool {
	called := a.toolCall(ch) >= 0
	if r := ch.Finish.Reason; r != weir.FinishStop && (r != weir.FinishToolCalls || !called) {
		return false
	}
	for i := range ch.Message.Blocks {
		if b := &ch.Message.Blocks[i]; b.Type == weir.BlockRefusal || b.Call != nil && !called {
			return false
		}
	}
	return true
}

// give yields a whole answer. The events come first, since making them finds
// what the note has to tell.
func (c *call) give(a *answer) {
	events := a.events(c.cost.usage())
	for _, commit := range a.commits {
		if !c.say(weir.NoteEvent(commit)) {
			return
		}
	}
	if a.violation != nil && !c.say(weir.NoteEvent(c.loss())) || !c.say(weir.NoteEvent(c.note(a))) {
		return
	}
	for i := range events {
		events[i].More = i+1 < len(events)
		if !c.say(events[i]) {
			return
		}
	}
}
