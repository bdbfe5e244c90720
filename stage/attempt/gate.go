package attempt

import (
	"bytes"

	"github.com/weir-gateway/weir"
)

// maxHeld bounds the bytes that a Gate keeps of one attempt.
const maxHeld = 1 << 20

// eventCost is what a held event counts beside its frame's bytes.
const eventCost = 128

// A Gate decides whether an attempt may still be thrown away. Start, ping and
// usage events, and blocks that begin with nothing in them, are held back until
// the first content event; notes go through at once. With the first content event the attempt is committed: what was
// held is released in order, and everything after it passes untouched.
//
// At most 1 MiB is held. Beyond it pings and repeated starts are dropped, and
// usage events are merged into one; the first start is never lost.
//
// The zero value is a Gate for one attempt. Not safe for concurrent use.
type Gate struct {
	committed bool
	// started tells that a start is held.
	started bool
	// merged tells that usage beyond the bound is in spent only.
	merged bool
	size   int
	held   []weir.Event
	first  [4]weir.Event
	spent  weir.Usage
	saw    bool // spent holds something
	// loose is the frame of the event held last while more events of it are to
	// come: its bytes stay until they have, so that nothing needs to be copied
	// when the same frame commits.
	loose *weir.Frame
}

// Pass hands ev on to yield, or holds it back. It reports whether the consumer
// wants to go on, as yield does.
func (g *Gate) Pass(ev weir.Event, yield func(weir.Event, error) bool) bool {
	if g.committed {
		return yield(ev, nil)
	}
	return g.pass(ev, yield)
}

// Open reports whether Pass does nothing any more but call yield.
func (g *Gate) Open() bool { return g.committed }

func (g *Gate) pass(ev weir.Event, yield func(weir.Event, error) bool) bool {
	if ev.Type == weir.EventNote {
		return yield(ev, nil) && (!opens(ev.Note) || g.release(yield))
	}
	if g.loose != nil && (ev.Frame != g.loose || ev.FrameSeq == 0) {
		g.detach() // the rest of the frame never came
	}
	if !g.commits(&ev) {
		g.hold(ev)
		return true
	}
	return g.release(yield) && yield(ev, nil)
}

// content reports whether the client would see ev as part of the answer. That a
// text begins is not yet to be seen: some protocols say so in a frame of its own,
// and an upstream may break right behind it.
func content(ev *weir.Event) bool {
	return ev.IsContent() && (ev.Type != weir.EventBlockStart || ev.Block == nil || !hollow(ev.Block))
}

// commits reports whether the gate opens with ev: with content, and with a block
// that there is no room to hold, since what follows could not do without it.
func (g *Gate) commits(ev *weir.Event) bool {
	return content(ev) || ev.Type == weir.EventBlockStart && g.size+cost(ev) > maxHeld
}

// hollow reports whether a block says nothing but what kind of text is to come.
func hollow(b *weir.Block) bool {
	switch b.Type {
	case weir.BlockText, weir.BlockRefusal:
		return b.Text == "" && len(b.Citations) == 0
	case weir.BlockReasoning:
		return b.Text == "" && (b.Reasoning == nil || b.Reasoning.Signature == "" && b.Reasoning.Encrypted == "")
	}
	return false
}

// opens reports whether n tells of a commit by an inner stage: its gate has
// opened already, and holding the same events a second time would only cost.
func opens(n weir.Note) bool {
	a, ok := n.(*weir.Attempt)
	return ok && a.Err == nil
}

// cost is what ev counts while it is held.
func cost(ev *weir.Event) int {
	if ev.Frame != nil && ev.FrameSeq == 0 {
		return eventCost + len(ev.Frame.Raw)
	}
	return eventCost
}

func (g *Gate) hold(ev weir.Event) {
	if ev.Type == weir.EventUsage {
		g.spent.Merge(ev.Usage)
		g.saw = true
	}
	size := cost(&ev)
	if g.size+size > maxHeld && (ev.Type != weir.EventStart || g.started) {
		g.merged = g.merged || ev.Type == weir.EventUsage
		return
	}
	g.size += size
	g.started = g.started || ev.Type == weir.EventStart
	if g.held == nil {
		g.held = g.first[:0]
	}
	g.held = append(g.held, ev)
	if f := ev.Frame; f != nil && ev.FrameSeq+1 < f.Events {
		g.loose = f
	} else if f != nil {
		g.keep(f)
	}
}

// keep gives the held events of a frame that has come whole a copy of their
// own, one for all: an encoder knows by the pointer that they belong together.
func (g *Gate) keep(f *weir.Frame) {
	clone := *f
	clone.Raw = bytes.Clone(f.Raw)
	g.rebind(f, &clone)
}

// detach takes the frame from the held events of one that did not come whole.
func (g *Gate) detach() { g.rebind(g.loose, nil) }

func (g *Gate) rebind(from, to *weir.Frame) {
	for i := range g.held {
		if g.held[i].Frame == from {
			g.held[i].Frame = to
		}
	}
	g.loose = nil
}

// release commits and hands on what is held.
func (g *Gate) release(yield func(weir.Event, error) bool) bool {
	g.committed = true
	held := g.held
	g.held = nil
	for i := range held {
		if !yield(held[i], nil) {
			return false
		}
	}
	if g.merged {
		g.merged = false
		u := g.spent
		return yield(weir.Event{Type: weir.EventUsage, Usage: &u}, nil)
	}
	return true
}

// Flush releases what is held at the end of an attempt that succeeded without
// content. It reports whether the consumer wants to go on.
func (g *Gate) Flush(yield func(weir.Event, error) bool) bool {
	return g.committed || g.release(yield)
}

// Committed reports whether the attempt can no longer be thrown away.
func (g *Gate) Committed() bool { return g.committed }

// Spent is the usage that an attempt reported before it failed uncommitted, to
// be told in a note; nil when there was none or the attempt is committed.
func (g *Gate) Spent() *weir.Usage {
	if g.committed || !g.saw {
		return nil
	}
	u := g.spent
	return &u
}
