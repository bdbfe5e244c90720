package openaichat

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// decoder is the state of reading one answer.
type decoder struct {
	q        *codec.Quirks
	provider string
	names    map[string]string
	custom   map[string]bool // functions that are custom tools for the client
	relay    bool            // content flows by as EventRelay

	started  bool // EventStart was sent
	content  bool // something that the client would see was sent
	done     bool // data: [DONE]
	renamed  bool // the current frame holds what was mapped back: a name, a wrapped input
	seen     sights
	suppress bool // the current frame's finish reason is not the end
	id       string
	choices  []*choice

	twin    twin // of the frame before
	chunk   chunk
	events  []weir.Event // of the current frame
	first   [5]weir.Event
	frame   weir.Frame
	failed  error // what the current frame reported, after its events
	current *choice

	finishes int   // finish reasons in the current frame so far
	hiding   []int // which of them hide that there are calls, from 0

	// The callbacks, bound once: a closure for every frame would be garbage.
	onTop     func(key, value []byte) error
	onChoices func(i int, value []byte) error
	onChoice  func(key, value []byte) error
	onDelta   func(key, value []byte) error
}

func newDecoder(a *codec.Answer) *decoder {
	d := &decoder{
		q:        a.Target.Quirks,
		provider: a.Target.Provider,
		names:    a.Names,
		custom:   a.Custom,
		relay:    a.Relay && len(a.Names)+len(a.Custom) == 0,
	}
	d.events = d.first[:0]
	d.onTop, d.onChoices, d.onChoice, d.onDelta = d.top, d.oneChoice, d.choiceMember, d.deltaMember
	return d
}

func (d *decoder) emit(ev weir.Event) {
	if ev.IsContent() {
		d.content = true
	}
	d.events = append(d.events, ev)
}

// choice is the state of one alternative.
type choice struct {
	n       int32
	blocks  int32 // started so far
	open    [proseKinds]int32
	thought thought
	calls   []*call
	tags    thinkTags

	hasCalls bool
	finished bool
}

// proseKinds are the kinds of block of which at most one is open in a choice.
const (
	openText = iota
	openReasoning
	openRefusal
	openAudio
	proseKinds
)

const notOpen = -1

// at is the state of choice n, made when it is first met. A number that no
// upstream can mean is taken for the last one, so that nobody can make the
// gateway hold a million of them.
func (d *decoder) at(n int64) *choice {
	n = min(max(n, 0), maxChoices-1)
	for int64(len(d.choices)) <= n {
		c := &choice{n: int32(len(d.choices))}
		for i := range c.open {
			c.open[i] = notOpen
		}
		d.choices = append(d.choices, c)
	}
	return d.choices[n]
}

// maxChoices bounds n, which the protocol ends at 128.
const maxChoices = 1024

// start opens a block in c.
func (d *decoder) start(c *choice, b *weir.Block) int32 {
	i := c.blocks
	c.blocks++
	d.emit(weir.Event{Type: weir.EventBlockStart, Choice: c.n, Index: i, Block: b})
	return i
}

func (d *decoder) delta(c *choice, index int32, part weir.Part, text string) {
	d.emit(weir.Event{Type: weir.EventDelta, Part: part, Choice: c.n, Index: index, Text: text})
}

func (d *decoder) end(c *choice, index int32) {
	d.emit(weir.Event{Type: weir.EventBlockEnd, Choice: c.n, Index: index})
}

// prose adds text to the open block of a kind, or opens one; the other kinds of
// prose end with it, so that blocks come one after another where they can.
func (d *decoder) prose(c *choice, kind int, typ weir.BlockType, text string) {
	if text == "" {
		return // no block opens for nothing (T-09)
	}
	if c.open[kind] == notOpen {
		d.endProse(c, kind)
		c.open[kind] = d.start(c, &weir.Block{Type: typ})
	}
	d.delta(c, c.open[kind], weir.PartText, text)
}

// endProse ends what is open but for one kind.
func (d *decoder) endProse(c *choice, but int) {
	for kind := range c.open {
		if kind != but && c.open[kind] != notOpen {
			d.end(c, c.open[kind])
			c.open[kind] = notOpen
		}
	}
}
