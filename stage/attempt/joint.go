package attempt

import (
	"context"

	"github.com/weir-gateway/weir"
)

// A joint makes the events of a continuation part of the answer that the client
// has: no second start, its blocks behind those that are there, its first text
// at the end of the text.
type joint struct {
	*continuation
	seam    seam
	numbers map[int32]int32 // the client's number of each block that is shown
	hidden  bool            // something is not shown, and that has been told
	text    int32           // the continuation's own number of its first text block, -1 before it
	begun   bool            // it has been told that this call goes on
	usage   weir.Usage
	broke   *weir.Error // what this call goes on after
	from    weir.Attempt
}

// goOn makes one continuation. It reports whether the call is over, and if not,
// whether the continuation had begun before it broke.
func (c *continuation) goOn(ctx context.Context, req *weir.Request) (over, begun bool) {
	sent, rest := cutPrefill(c.said.text.String())
	j := joint{
		continuation: c, seam: seam{sent: sent, rest: rest}, numbers: map[int32]int32{}, text: -1,
		broke: c.broke, from: c.served, usage: c.call.total(),
	}
	call := callUsage{req: req}
	for ev, err := range c.next.Handle(ctx, req) {
		if err != nil {
			return !j.breaks(weir.AsError(err)), j.begun
		}
		if ev.Type == weir.EventNote {
			c.note(ev.Note)
			if !c.yield(ev, nil) {
				return true, true
			}
			continue
		}
		if !j.begun {
			c.spent, c.call = *plus(c.spent, j.usage), call
			if !j.tell() {
				return true, true
			}
		}
		c.call.see(&ev)
		if !j.take(ev.Detach()) {
			return true, true
		}
	}
	j.end()
	return true, true
}

// breaks takes the error that ended the continuation, and reports whether the
// consumer is still there. Before it has said anything, the error that it was to
// mend remains the one that counts.
func (j *joint) breaks(err *weir.Error) bool {
	if !j.begun {
		return true
	}
	j.continuation.broke = err
	return j.flush()
}

func (j *joint) tell() bool {
	j.begun = true
	u := j.usage
	return j.yield(weir.NoteEvent(&Continued{
		Deployment: j.from.Deployment, Provider: j.from.Provider, Model: j.from.Model,
		To: j.served.Deployment, Err: j.broke, Bytes: j.said.text.Len(), Usage: &u,
	}), nil)
}

// take takes one event, and reports whether to go on.
func (j *joint) take(ev weir.Event) bool {
	switch ev.Type {
	case weir.EventPing:
		return j.yield(ev, nil)
	case weir.EventUsage:
		ev.Usage = plus(j.spent, j.call.usage)
		return j.yield(ev, nil)
	case weir.EventBlockStart, weir.EventDelta, weir.EventBlockEnd, weir.EventFinish:
		return ev.Choice != 0 || j.content(ev)
	}
	return true // the client has its start, and nothing else means anything to it
}

func (j *joint) content(ev weir.Event) bool {
	switch ev.Type {
	case weir.EventBlockStart:
		return j.start(ev)
	case weir.EventDelta:
		return j.delta(ev)
	case weir.EventFinish:
		return j.flush() && j.closeText(j.said.openText()) && j.say(ev)
	}
	n, shown := j.numbers[ev.Index]
	if !shown {
		return true
	}
	if ev.Index == j.text && !j.flush() {
		return false
	}
	ev.Index = n
	return j.say(ev)
}

// start begins a block. The first text goes on in the client's open text block.
func (j *joint) start(ev weir.Event) bool {
	if ev.Block.Type == weir.BlockReasoning {
		return j.hide("the model that continued the answer thought anew")
	}
	if ev.Block.Type != weir.BlockText || j.text >= 0 {
		return j.flush() && j.leaveText() && j.another(ev)
	}
	j.text = ev.Index
	text := ev.Block.Text
	if n := j.said.openText(); n >= 0 {
		j.numbers[ev.Index] = n
	} else {
		block := *ev.Block
		block.Text = ""
		ev.Block = &block
		if !j.another(ev) {
			return false
		}
	}
	return j.grow(weir.Event{Type: weir.EventDelta, Index: ev.Index, Part: weir.PartText}, text)
}

// another begins a block of its own.
func (j *joint) another(ev weir.Event) bool {
	n := int32(len(j.said.blocks))
	j.numbers[ev.Index] = n
	ev.Index = n
	return j.say(ev)
}

func (j *joint) delta(ev weir.Event) bool {
	if ev.Part == weir.PartLogprobs {
		return j.say(ev)
	}
	n, shown := j.numbers[ev.Index]
	switch {
	case !shown:
		return true
	case ev.Part == weir.PartCitation:
		return j.hide("citations of a continued answer do not fit the whole text")
	case ev.Index == j.text && ev.Part == weir.PartText:
		return j.grow(ev, ev.Text)
	}
	ev.Index = n
	return j.say(ev)
}

// grow adds to the first text, through the seam.
func (j *joint) grow(ev weir.Event, text string) bool {
	ev.Index, ev.Text = j.numbers[ev.Index], j.seam.add(text)
	return ev.Text == "" || j.say(ev)
}

// flush says what the seam still holds.
func (j *joint) flush() bool {
	text := j.seam.flush()
	if text == "" {
		return true
	}
	return j.say(weir.Event{Type: weir.EventDelta, Index: j.numbers[j.text], Part: weir.PartText, Text: text})
}

// leaveText ends the client's open text block, unless the continuation is still
// at it.
func (j *joint) leaveText() bool {
	n := j.said.openText()
	if j.text >= 0 && j.numbers[j.text] == n {
		return true
	}
	return j.closeText(n)
}

// closeText ends block n, where that is one.
func (j *joint) closeText(n int32) bool {
	return n < 0 || j.say(weir.Event{Type: weir.EventBlockEnd, Index: n})
}

// hide tells, once, that part of the continuation is not shown.
func (j *joint) hide(why string) bool {
	if j.hidden {
		return true
	}
	j.hidden = true
	return j.yield(weir.NoteEvent(&weir.Loss{Field: "content", Action: weir.LossDropped, Detail: why}), nil)
}

func (j *joint) say(ev weir.Event) bool {
	j.said.see(&ev, j.MaxText)
	return j.yield(ev, nil)
}

// end tells the usage of a continuation that did not report its own: what was
// told before is no longer the whole.
func (j *joint) end() {
	if j.begun && !j.call.seen {
		j.yield(weir.Event{Type: weir.EventUsage, Usage: plus(j.spent, j.call.total())}, nil)
	}
}
