package converse

import (
	"errors"
	"io"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/eventstream"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// streamDecoder reads the events of a stream (ConverseStreamOutput; providers.md
// §6). Every frame becomes at least one Event, so that the frames together are the
// stream.
type streamDecoder struct {
	answer *codec.Answer
	yield  func(weir.Event, error) bool
	reader *eventstream.Reader
	// one is the Frame of Events that are alone in theirs. Frames of several
	// Events are made anew: an encoder tells them apart by their address.
	one weir.Frame

	started  bool
	content  bool // a frame of content came
	lead     bool // a Start is to be made up: messageStart was lost (W-04)
	finished bool // messageStop came
	complete bool // metadata came behind it
	open     []openBlock
	next     int32 // number of the next block
	held     heldBlock
}

// frameType is what a frame is.
type frameType uint8

const (
	frameUnknown frameType = iota
	frameMessageStart
	frameBlockStart
	frameBlockDelta
	frameBlockStop
	frameMessageStop
	frameMetadata
)

// The names of events.
const (
	messageStart      = "messageStart"
	contentBlockStart = "contentBlockStart"
	contentBlockDelta = "contentBlockDelta"
	contentBlockStop  = "contentBlockStop"
	messageStop       = "messageStop"
	metadataEvent     = "metadata"
)

func typeOf(f *eventstream.Frame) frameType {
	if f.Type != eventstream.TypeEvent {
		return frameUnknown
	}
	switch string(f.Name) {
	case contentBlockDelta:
		return frameBlockDelta
	case contentBlockStart:
		return frameBlockStart
	case contentBlockStop:
		return frameBlockStop
	case messageStart:
		return frameMessageStart
	case messageStop:
		return frameMessageStop
	case metadataEvent:
		return frameMetadata
	}
	return frameUnknown
}

func (d *streamDecoder) run() {
	for {
		f, err := d.reader.Next()
		if err != nil {
			d.close(err)
			return
		}
		if !d.frame(f) {
			return
		}
	}
}

// frame handles one frame and reports whether to go on.
func (d *streamDecoder) frame(f *eventstream.Frame) bool {
	if x := f.Exception(); x != nil {
		if d.giveUp() {
			d.yield(weir.Event{}, streamError(d.answer, x))
		}
		return false
	}
	t := typeOf(f)
	if d.held.active {
		if more, done := d.hold(f, t); done {
			return more
		}
	}
	if !d.started && t != frameMessageStart && t != frameUnknown {
		d.started, d.lead = true, true
	}
	switch t {
	case frameBlockStart, frameBlockDelta, frameBlockStop:
		d.content = true
		if d.finished || d.answer.Relay && d.answer.Stream {
			return d.emit(f.Raw, weir.Event{Type: weir.EventRelay})
		}
		return d.block(f, t)
	case frameMessageStart:
		return d.messageStart(f)
	case frameMessageStop:
		return d.messageStop(f)
	case frameMetadata:
		return d.metadata(f)
	}
	if !d.started {
		// Not content of an answer that has not begun: it commits nothing.
		return d.emit(f.Raw, weir.Event{Type: weir.EventPing})
	}
	return d.emit(f.Raw, weir.Event{Type: weir.EventRelay})
}

func (d *streamDecoder) block(f *eventstream.Frame, t frameType) bool {
	switch t {
	case frameBlockStart:
		return d.blockStart(f)
	case frameBlockDelta:
		return d.blockDelta(f)
	}
	return d.blockStop(f)
}

// emit sends the only Event of a frame.
func (d *streamDecoder) emit(raw []byte, ev weir.Event) bool {
	if d.lead {
		return d.emitAll(raw, ev)
	}
	d.one = weir.Frame{Protocol: protocol, Raw: raw, Events: 1}
	ev.Frame = &d.one
	ev.More = d.reader.More()
	return d.yield(ev, nil)
}

// emitAll sends the Events of a frame that has several, or one without meaning
// where there is none.
func (d *streamDecoder) emitAll(raw []byte, events ...weir.Event) bool {
	if d.lead {
		d.lead = false
		events = append([]weir.Event{{Type: weir.EventStart, Start: &weir.Start{From: protocol}}}, events...)
	}
	switch len(events) {
	case 0:
		return d.emit(raw, weir.Event{Type: weir.EventRelay})
	case 1:
		return d.emit(raw, events[0])
	}
	frame := &weir.Frame{Protocol: protocol, Raw: raw, Events: int32(len(events))}
	for i, ev := range events {
		ev.Frame, ev.FrameSeq = frame, int32(i)
		ev.More = i+1 < len(events) || d.reader.More()
		if !d.yield(ev, nil) {
			return false
		}
	}
	return true
}

func (d *streamDecoder) messageStart(f *eventstream.Frame) bool {
	switch {
	case d.content:
		// A gateway in between has begun again: what it sends now does not
		// continue what was sent, and a cut call would look finished.
		d.yield(weir.Event{}, upstreamError(d.answer, "the upstream began a second answer inside the first"))
		return false
	case d.started:
		return d.emit(f.Raw, weir.Event{Type: weir.EventRelay})
	}
	d.started = true
	return d.emit(f.Raw, weir.Event{Type: weir.EventStart, Start: &weir.Start{From: protocol}})
}

func (d *streamDecoder) messageStop(f *eventstream.Frame) bool {
	if jsonx.Valid(f.Payload) != nil {
		return d.malformed()
	}
	if d.finished {
		return d.emit(f.Raw, weir.Event{Type: weir.EventRelay})
	}
	fin, err := readFinish(d.answer, f.Payload)
	if err != nil {
		d.yield(weir.Event{}, err)
		return false
	}
	var events []weir.Event
	for i := range d.open {
		events = append(events, d.open[i].end()...)
	}
	d.open, d.finished = nil, true
	return d.emitAll(f.Raw, append(events, weir.Event{Type: weir.EventFinish, Finish: fin})...)
}

func (d *streamDecoder) metadata(f *eventstream.Frame) bool {
	if jsonx.Valid(f.Payload) != nil {
		return d.malformed()
	}
	d.complete = d.finished
	u := readUsage(jsonx.Get(f.Payload, "usage"), besideOf(f.Payload))
	if u == nil {
		return d.emit(f.Raw, weir.Event{Type: weir.EventRelay})
	}
	return d.emit(f.Raw, weir.Event{Type: weir.EventUsage, Usage: u})
}

// malformed ends the stream at a frame whose payload is not what its type says.
func (d *streamDecoder) malformed() bool {
	d.yield(weir.Event{}, upstreamError(d.answer, "malformed answer: an event is not what its type says"))
	return false
}

// giveUp sends on the frames of a block that will never be complete.
func (d *streamDecoder) giveUp() bool {
	if !d.held.active {
		return true
	}
	raw := d.held.raw
	d.held = heldBlock{}
	return d.emit(raw, weir.Event{Type: weir.EventRelay})
}

// close judges the end of the stream: complete with messageStop, since some
// gateways leave out what comes behind it, else cut (W-05).
func (d *streamDecoder) close(err error) {
	if !d.giveUp() || d.complete {
		return
	}
	ended := errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case ended && d.finished:
		return
	case !ended:
		err = broken(err, d.answer)
	case !d.started:
		err = upstreamError(d.answer, "the answer is empty")
	default:
		err = upstreamError(d.answer, "the answer ended before messageStop")
	}
	d.yield(weir.Event{}, err)
}
