package gemini

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// streamDecoder reads an answer in frames (protocols.md §7.5). Every frame becomes
// at least one Event that carries it, so that the frames together are the stream.
//
// A frame with a finishReason is held until the stream ends or goes on: some
// models give one after a step of their own, some old servers with every chunk
// (recordings of code execution and of early Vertex AI), and only the last is the
// end.
type streamDecoder struct {
	chunks *chunkDecoder
	src    frameSource
	yield  func(weir.Event, error) bool
	frame  weir.Frame
	held   []heldFrame
	// partial is what came of frames that only together say something.
	partial []byte
	done    bool // the end was delivered
}

// heldFrame is a copy of a frame that waits for the next one, and what it became.
type heldFrame struct {
	raw    []byte
	events []weir.Event
	quiet  bool
}

// maxHeld bounds what waits, in frames: an upstream that says the end over and over
// is not to fill the memory.
const maxHeld = 64

func (d *streamDecoder) run() {
	for {
		f, err := d.src.next()
		if err != nil {
			d.close(err)
			return
		}
		if !d.take(&f) {
			return
		}
	}
}

// take handles one frame and reports whether to go on.
func (d *streamDecoder) take(f *wireFrame) bool {
	switch {
	case f.truncated && jsonx.Valid(f.data) != nil:
		return true // the rest of it never came, and half a frame must not be sent on
	case f.kind == frameTail:
		return d.end(f.raw)
	case f.kind == frameQuiet && len(d.held) > 0:
		return d.hold(f) && d.yield(weir.Event{Type: weir.EventPing, More: d.src.more()}, nil)
	case f.kind == frameQuiet && len(d.partial) > 0:
		d.partial = append(d.partial, f.raw...)
		return d.yield(weir.Event{Type: weir.EventPing, More: d.src.more()}, nil)
	case f.kind == frameQuiet:
		return d.emit(f.raw, weir.EventPing)
	case d.done:
		return d.emit(f.raw, weir.EventRelay) // behind the end there is nothing to say
	}
	if err := d.chunks.open(f.data); err != nil {
		return d.fail(err)
	}
	finishes := d.chunks.finishes()
	if len(d.held) > 0 && d.chunks.goesOn() && !d.release(false) {
		return false
	}
	if err := d.chunks.decode(); err != nil {
		return d.fail(err)
	}
	if finishes || len(d.held) > 0 {
		return d.hold(f)
	}
	return d.flush(f.raw)
}

// hold keeps a frame back, and what it has become.
func (d *streamDecoder) hold(f *wireFrame) bool {
	if len(d.held) >= maxHeld {
		return d.fail(upstreamError(d.chunks.answer, "the upstream did not stop behind the end of its answer"))
	}
	h := heldFrame{raw: bytes.Clone(f.raw), quiet: f.kind == frameQuiet}
	if !h.quiet {
		h.events = slices.Clone(d.chunks.take())
	}
	d.held = append(d.held, h)
	return true
}

// release delivers what was held; last tells that the answer ends with it, so that
// the events of the end belong to its last chunk.
func (d *streamDecoder) release(last bool) bool {
	held := d.held
	d.held = nil
	end := len(held) - 1
	for end > 0 && held[end].quiet {
		end--
	}
	for i, h := range held {
		if h.quiet {
			if !d.emit(h.raw, weir.EventPing) {
				return false
			}
			continue
		}
		d.chunks.events = append(d.chunks.events[:0], h.events...)
		if last && i == end {
			if err := d.chunks.finals(false); err != nil {
				return d.fail(err)
			}
		}
		if !d.flush(h.raw) {
			return false
		}
	}
	d.done = d.done || last
	return true
}

// flush yields the events that were gathered as those of raw. A call that comes in
// pieces is one frame: it is sent on verbatim or by value, never half of each.
func (d *streamDecoder) flush(raw []byte) bool {
	c := d.chunks
	if c.isPartial() && !c.relay && !c.ending {
		d.partial = append(d.partial, raw...)
		if len(d.partial) > defaultMax {
			return d.fail(upstreamError(c.answer, "a call of the answer is longer than %d bytes", defaultMax))
		}
		c.keepEvents()
		return d.yield(weir.Event{Type: weir.EventPing, More: d.src.more()}, nil)
	}
	if len(d.partial) > 0 {
		raw = append(d.partial, raw...)
		d.partial = nil
	}
	events := c.take()
	if len(events) == 0 {
		kind := weir.EventRelay
		if !c.content {
			kind = weir.EventPing // not content of an answer that has not begun: it commits nothing
		}
		return d.emit(raw, kind)
	}
	d.frame = weir.Frame{Protocol: protocol, Raw: raw, Events: int32(len(events))}
	for i := range events {
		ev := &events[i]
		if !c.renamed {
			ev.Frame, ev.FrameSeq = &d.frame, int32(i)
		}
		ev.More = i+1 < len(events) || d.src.more()
		if !d.yield(*ev, nil) {
			return false
		}
	}
	return true
}

// emit yields the only Event of a frame.
func (d *streamDecoder) emit(raw []byte, typ weir.EventType) bool {
	d.frame = weir.Frame{Protocol: protocol, Raw: raw, Events: 1}
	return d.yield(weir.Event{Type: typ, Frame: &d.frame, More: d.src.more()}, nil)
}

// end is the end mark of the stream: a promise that the answer is complete, even
// where an old server gave no finishReason.
func (d *streamDecoder) end(raw []byte) bool {
	if d.done {
		return d.emit(raw, weir.EventRelay)
	}
	c := d.chunks
	if c.complete() && len(d.held) > 0 {
		return d.release(true) && d.emit(raw, weir.EventRelay)
	}
	if !d.release(false) {
		return false
	}
	if len(c.choices) == 0 {
		return d.fail(upstreamError(c.answer, "the answer is empty"))
	}
	if err := c.finals(true); err != nil {
		return d.fail(err)
	}
	d.done = true
	return d.flush(raw)
}

// fail ends the stream with an error, behind what had arrived.
func (d *streamDecoder) fail(err error) bool {
	if len(d.held) > 0 && !d.release(false) {
		return false
	}
	d.yield(weir.Event{}, err)
	return false
}

// close judges the end of the source: complete with a finishReason for every
// candidate, else cut (W-05).
func (d *streamDecoder) close(err error) {
	c := d.chunks
	ended := errors.Is(err, io.EOF)
	if d.done && (ended || !isCancelled(err)) {
		return
	}
	if c.complete() && len(d.held) > 0 && !isCancelled(err) {
		d.release(true)
		return
	}
	if !d.release(false) {
		return
	}
	switch {
	case !ended:
		err = broken(err, c.answer)
	case len(c.choices) == 0:
		err = upstreamError(c.answer, "the answer is empty")
	default:
		err = upstreamError(c.answer, "the answer ended before its finishReason")
	}
	d.yield(weir.Event{}, err)
}
