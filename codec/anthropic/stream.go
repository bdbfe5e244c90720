package anthropic

import (
	"bytes"
	"errors"
	"io"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/internal/sse"
)

// streamDecoder reads the events of a stream (protocols.md §6.6). Every frame
// becomes at least one Event, so that the frames together are the stream.
type streamDecoder struct {
	answer *codec.Answer
	yield  func(weir.Event, error) bool
	reader *sse.Reader
	// one is the Frame of Events that are alone in theirs. Frames of several
	// Events are made anew: an encoder tells them apart by their address.
	one weir.Frame

	started  bool
	content  bool // a frame of content came
	said     bool // one came that says more than that text begins
	lead     bool // a Start is to be made up: message_start was lost (W-04)
	finished bool // Finish was sent
	stopped  bool // message_stop came
	usage    usageState
	end      finishState
	open     []openBlock
	next     int32 // number of the next block
	held     heldBlock
	twin     twin // of the delta before
}

// openBlock is a block that has begun and not ended.
type openBlock struct {
	wire  int64 // the upstream's number
	index int32 // ours
	// input is a tool call's input where it came with the start, which is the
	// call's arguments unless others follow.
	input string
	// custom unwraps the input of a custom tool; nil for any other block.
	custom *codec.CustomInput
}

// frameType is what a frame is.
type frameType uint8

const (
	frameUnknown frameType = iota
	framePing
	frameMessageStart
	frameBlockStart
	frameBlockDelta
	frameBlockStop
	frameMessageDelta
	frameMessageStop
	frameError
)

func namedType(name []byte) frameType {
	switch string(name) {
	case "content_block_delta":
		return frameBlockDelta
	case "content_block_start":
		return frameBlockStart
	case "content_block_stop":
		return frameBlockStop
	case "message_start":
		return frameMessageStart
	case "message_delta":
		return frameMessageDelta
	case "message_stop":
		return frameMessageStop
	case "ping":
		return framePing
	case "error":
		return frameError
	}
	return frameUnknown
}

// typeOf goes by the event line, and by the data where there is none or it says
// nothing (some upstreams leave it out).
func typeOf(f *sse.Frame) frameType {
	if f.IsLiveness() || len(bytes.TrimSpace(f.Data)) == 0 {
		return framePing
	}
	if t := namedType(f.Event); t != frameUnknown {
		return t
	}
	raw := jsonx.Get(f.Data, "type")
	if len(raw) < 2 {
		return frameUnknown
	}
	return namedType(raw[1 : len(raw)-1])
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
func (d *streamDecoder) frame(f *sse.Frame) bool {
	t := typeOf(f)
	if !d.stopped && t != frameError {
		switch {
		case f.Truncated && jsonx.Valid(f.Data) != nil:
			return true // the rest of it never came, and half a frame must not be sent on
		case t >= frameBlockStart && t <= frameBlockStop && !isWhole(f.Data), t == frameUnknown && isBroken(f.Data):
			return d.malformed(f)
		}
	}
	if d.held.active {
		if more, done := d.hold(f, t); done {
			return more
		}
	}
	if !d.started && t != framePing && t != frameMessageStart && t != frameError && t != frameUnknown {
		d.started, d.lead = true, true
	}
	switch t {
	case framePing:
		return d.emit(f.Raw, weir.Event{Type: weir.EventPing})
	case frameBlockStart, frameBlockDelta, frameBlockStop:
		d.content = true
		if d.answer.Relay && d.answer.Stream {
			if !d.said && t == frameBlockStart && beginsEmpty(f.Data) {
				return d.emit(f.Raw, weir.Event{Type: weir.EventPing}) // nothing to be seen yet: it commits nothing
			}
			d.said = true
			return d.emit(f.Raw, weir.Event{Type: weir.EventRelay})
		}
		return d.block(f, t)
	case frameMessageStart:
		return d.messageStart(f)
	case frameMessageDelta:
		return d.messageDelta(f)
	case frameMessageStop:
		return d.messageStop(f)
	case frameError:
		return d.fail(f)
	}
	if errorIn(d.answer, f.Data) != nil {
		return d.fail(f)
	}
	if !d.started {
		// Not content of an answer that has not begun: it commits nothing.
		return d.emit(f.Raw, weir.Event{Type: weir.EventPing})
	}
	return d.emit(f.Raw, weir.Event{Type: weir.EventRelay})
}

// beginsEmpty reports whether a content_block_start says no more than that text
// or thinking is to come.
func beginsEmpty(data []byte) bool {
	block := jsonx.Get(data, "content_block")
	switch kind, _ := jsonx.String(jsonx.Get(block, "type")); kind {
	case "text", "thinking":
		text, _ := jsonx.String(jsonx.Get(block, kind))
		return text == ""
	}
	return false
}

// isWhole reports whether data looks like an object with both its ends, which a
// frame that was cut on its way does not. It is what a relayed frame can afford;
// those that are decoded are checked by what reads them.
func isWhole(data []byte) bool {
	data = bytes.TrimSpace(data)
	return len(data) > 1 && data[0] == '{' && data[len(data)-1] == '}'
}

// isBroken reports whether data of an unknown type begins as an object and is
// none. Other text, as "[DONE]", is no answer but does no harm either.
func isBroken(data []byte) bool {
	data = bytes.TrimSpace(data)
	return len(data) > 0 && data[0] == '{' && jsonx.Valid(data) != nil
}

func (d *streamDecoder) block(f *sse.Frame, t frameType) bool {
	if t == frameBlockDelta {
		return d.blockDelta(f)
	}
	d.twin.Forget() // its block may have ended
	if t == frameBlockStart {
		return d.blockStart(f)
	}
	return d.blockStop(f)
}

// emit sends the only Event of a frame.
func (d *streamDecoder) emit(raw []byte, ev weir.Event) bool {
	if d.lead {
		return d.emitAll(raw, []weir.Event{ev})
	}
	d.one = weir.Frame{Protocol: protocol, Raw: raw, Events: 1}
	ev.Frame = &d.one
	ev.More = d.reader.More()
	return d.yield(ev, nil)
}

// emitAll sends the Events of a frame that has several, or one without meaning
// where there is none.
func (d *streamDecoder) emitAll(raw []byte, events []weir.Event) bool {
	if d.lead {
		d.lead = false
		events = append([]weir.Event{{Type: weir.EventStart, Start: &weir.Start{From: protocol}}}, events...)
	}
	if len(events) == 0 {
		return d.emit(raw, weir.Event{Type: weir.EventRelay})
	}
	if len(events) == 1 {
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

func (d *streamDecoder) messageStart(f *sse.Frame) bool {
	message := jsonx.Get(f.Data, "message")
	if jsonx.KindOf(message) != jsonx.KindObject || jsonx.Valid(f.Data) != nil {
		return d.malformed(f)
	}
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
	events := []weir.Event{{Type: weir.EventStart, Start: decodeStart(message)}}
	if d.usage.merge(jsonx.Get(message, "usage")) {
		events = append(events, weir.Event{Type: weir.EventUsage, Usage: d.usage.snapshot()})
	}
	return d.emitAll(f.Raw, events)
}

func (d *streamDecoder) messageDelta(f *sse.Frame) bool {
	if jsonx.Valid(f.Data) != nil {
		return d.malformed(f)
	}
	d.end.read(jsonx.Get(f.Data, "delta"), false)
	usage := false
	_ = jsonx.EachMember(f.Data, func(k, v []byte) error {
		switch key := string(k); key {
		case "type", "delta":
		case "usage":
			usage = d.usage.merge(v)
		default:
			if !jsonx.IsNull(v) {
				d.end.f.Extra = keep(d.end.f.Extra, key, v)
			}
		}
		return nil
	})
	var events []weir.Event
	if d.end.seen && !d.finished {
		var err error
		if events, err = d.finish(); err != nil {
			d.yield(weir.Event{}, err)
			return false
		}
	}
	if usage {
		events = append(events, weir.Event{Type: weir.EventUsage, Usage: d.usage.snapshot()})
	}
	return d.emitAll(f.Raw, events)
}

// finish ends what an upstream left open, and the answer.
func (d *streamDecoder) finish() ([]weir.Event, error) {
	fin, err := d.end.finish(d.answer)
	if err != nil {
		return nil, err
	}
	var events []weir.Event
	for i := range d.open {
		events = append(events, d.open[i].end()...)
	}
	d.open, d.finished = nil, true
	return append(events, weir.Event{Type: weir.EventFinish, Finish: fin}), nil
}

func (d *streamDecoder) messageStop(f *sse.Frame) bool {
	d.stopped = true
	if d.finished {
		return d.emit(f.Raw, weir.Event{Type: weir.EventRelay})
	}
	if d.end.f.Native == "" {
		d.end.f.Native = "end_turn"
	}
	events, err := d.finish()
	if err != nil {
		d.yield(weir.Event{}, err)
		return false
	}
	return d.emitAll(f.Raw, events)
}

// fail ends the stream with the error that a frame holds.
func (d *streamDecoder) fail(f *sse.Frame) bool {
	e := errorIn(d.answer, f.Data)
	if e == nil {
		e = upstreamError(d.answer, "the upstream sent an error that cannot be read")
	}
	d.yield(weir.Event{}, e)
	return false
}

// malformed ends the stream at a frame that is no JSON, or not what its type
// says. In a last frame that was not closed that is only the cut.
func (d *streamDecoder) malformed(f *sse.Frame) bool {
	if f.Truncated {
		return true
	}
	d.yield(weir.Event{}, upstreamError(d.answer, "malformed answer: an event is not valid JSON"))
	return false
}

// close judges the end of the stream: complete with message_stop, or with a
// stop_reason at least, else cut (W-05).
func (d *streamDecoder) close(err error) {
	if d.held.active && !d.emit(d.held.raw, weir.Event{Type: weir.EventRelay}) {
		return
	}
	ended := errors.Is(err, io.EOF)
	if d.stopped || ended && d.finished {
		return
	}
	switch {
	case !ended:
		err = broken(err, d.answer)
	case !d.started:
		err = upstreamError(d.answer, "the answer is empty")
	default:
		err = upstreamError(d.answer, "the answer ended before message_stop")
	}
	d.yield(weir.Event{}, err)
}
