package openaicompletions

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// decoder is the state of reading one answer.
type decoder struct {
	q        *codec.Quirks
	provider string
	relay    bool // content flows by as EventRelay

	started bool // EventStart was sent
	content bool // something that the client would see was sent
	done    bool // data: [DONE]
	chatty  bool // the answer has the shape of Chat
	choices []*choice

	chunk  chunk
	events []weir.Event // of the current frame
	first  [4]weir.Event
	frame  weir.Frame
	failed error // what the current frame reported, after its events

	// The callbacks, bound once: a closure for every frame would be garbage.
	onTop, onChoice, onMessage func(key, value []byte) error
	onChoices                  func(i int, value []byte) error
}

func newDecoder(target *codec.Target) *decoder {
	d := &decoder{q: target.Quirks, provider: target.Provider}
	d.events = d.first[:0]
	d.onTop, d.onChoices, d.onChoice, d.onMessage = d.top, d.oneChoice, d.choiceMember, d.messageMember
	return d
}

func (d *decoder) emit(ev weir.Event) {
	if ev.IsContent() {
		d.content = true
	}
	d.events = append(d.events, ev)
}

// choice is the state of one alternative: at most one block of text.
type choice struct {
	n        int32
	met      bool // the upstream has named it
	open     bool
	finished bool
}

// maxChoices bounds the number of choices: 2048 prompts with 128 answers each are
// more than any upstream takes.
const maxChoices = 4096

// at is the state of choice n, made when it is first met. A number that no upstream
// can mean is taken for the last one, so that nobody can make the gateway hold a
// million of them.
func (d *decoder) at(n int64) *choice {
	n = min(max(n, 0), maxChoices-1)
	for int64(len(d.choices)) <= n {
		d.choices = append(d.choices, &choice{n: int32(len(d.choices))})
	}
	return d.choices[n]
}

// text adds to the block of c, which opens with the first character (T-09).
func (d *decoder) text(c *choice, text string) {
	if text == "" {
		return
	}
	if !c.open {
		c.open = true
		d.emit(weir.Event{Type: weir.EventBlockStart, Choice: c.n, Block: &weir.Block{Type: weir.BlockText}})
	}
	d.emit(weir.Event{Type: weir.EventDelta, Choice: c.n, Text: text})
}

// close ends the block of c, and the choice.
func (d *decoder) close(c *choice, f *weir.Finish) {
	c.finished = true
	if c.open {
		c.open = false
		d.emit(weir.Event{Type: weir.EventBlockEnd, Choice: c.n})
	}
	d.emit(weir.Event{Type: weir.EventFinish, Choice: c.n, Finish: f})
}

// complete reports whether the answer may end here: with [DONE], or with a finish
// reason for every choice (W-05).
func (d *decoder) complete() bool {
	for _, c := range d.choices {
		if c.met && !c.finished {
			return d.done
		}
	}
	return d.done || len(d.choices) > 0
}

// closeAll ends the choices that no finish reason has ended.
func (d *decoder) closeAll() {
	for _, c := range d.choices {
		if c.met && !c.finished {
			d.close(c, &weir.Finish{Reason: weir.FinishStop, From: protocol})
		}
	}
}

// shape is the protocol that the frames of this answer are told by.
func (d *decoder) shape() weir.Protocol {
	if d.chatty {
		return fim
	}
	return protocol
}

// flush yields what was made of the current frame and reports whether to go on.
func (d *decoder) flush(more func() bool, yield func(weir.Event, error) bool) bool {
	last := len(d.events) - 1
	for i := range d.events {
		ev := &d.events[i]
		if d.failed == nil {
			ev.Frame, ev.FrameSeq = &d.frame, int32(i)
		}
		ev.More = i < last || more()
		if !yield(*ev, nil) {
			return false
		}
	}
	if d.failed != nil {
		yield(weir.Event{}, d.failed)
		return false
	}
	return true
}
