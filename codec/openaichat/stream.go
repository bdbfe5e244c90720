package openaichat

import (
	"bytes"
	"errors"
	"io"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/internal/sse"
)

// stream reads an answer in frames. Every frame becomes at least one Event that
// carries it, so that the frames together are the stream.
//
// A frame that holds both content and a finish reason is held until the next
// one is there: some upstreams repeat the reason in every chunk from the first
// tool call on (recordings of OpenRouter and Together), and then it is not the
// end.
func (d *decoder) stream(src io.Reader, maxFrame int, yield func(weir.Event, error) bool) {
	if maxFrame <= 0 {
		maxFrame = defaultMax
	}
	r := sse.NewReader(src, maxFrame)
	defer r.Release()
	var held *sse.Frame
	for {
		f, err := r.Next()
		if held != nil {
			d.suppress, d.seen = err == nil && goesOn(f), sawFinish
			if !d.deliver(held, func() bool { return true }, yield) {
				return
			}
			d.suppress, held = false, nil
		}
		if err == nil && !d.relay && d.again(f) {
			if !d.hand(f, r.More, yield) {
				return
			}
			continue
		}
		if err == nil {
			d.seen = look(f.Data)
		}
		switch {
		case err == nil && f.Truncated && d.breaksOff(f):
			yield(weir.Event{}, d.truncated())
			return
		case errors.Is(err, io.EOF):
			d.atEnd(yield)
			return
		case err != nil:
			yield(weir.Event{}, d.failure(err))
			return
		case d.seen.has(sawFinish) && mayGoOn(f):
			held = keepFrame(f)
		case !d.deliver(f, r.More, yield):
			return
		}
	}
}

// breaksOff reports whether the frame in which the source ended is incomplete, so
// that it must not be sent on: what a client is told behind it would be glued to
// it. What stands behind a complete answer and says nothing may be cut anywhere.
func (d *decoder) breaksOff(f *sse.Frame) bool {
	if len(f.Data) == 0 {
		return !d.complete()
	}
	return !isDone(f.Data) && jsonx.Valid(f.Data) != nil
}

// complete reports whether the answer may end here: with [DONE], or with a finish
// reason for every choice (W-05).
func (d *decoder) complete() bool {
	for _, c := range d.choices {
		if !c.finished {
			return d.done
		}
	}
	return d.done || len(d.choices) > 0
}

// keepFrame is a copy of a frame that outlives the next one.
func keepFrame(f *sse.Frame) *sse.Frame {
	c := *f
	c.Raw, c.Event, c.Data = bytes.Clone(f.Raw), bytes.Clone(f.Event), bytes.Clone(f.Data)
	return &c
}

// deliver yields the events of one frame and reports whether to go on.
func (d *decoder) deliver(f *sse.Frame, more func() bool, yield func(weir.Event, error) bool) bool {
	d.reset()
	if err := d.process(f); err != nil {
		yield(weir.Event{}, err)
		return false
	}
	if !d.relay {
		d.remember(f)
	}
	if len(d.events) == 0 && d.failed == nil {
		d.events = append(d.events, weir.Event{Type: d.filler(f)})
	}
	return d.hand(f, more, yield)
}

// hand yields what was made of a frame.
func (d *decoder) hand(f *sse.Frame, more func() bool, yield func(weir.Event, error) bool) bool {
	d.frame = weir.Frame{Protocol: protocol, Raw: d.corrected(f.Raw), Events: int32(len(d.events))}
	return d.flush(more, yield)
}

// reset makes the decoder ready for the next frame.
func (d *decoder) reset() {
	d.events, d.failed, d.renamed = d.events[:0], nil, false
	d.finishes, d.hiding = 0, d.hiding[:0]
}

// filler is the event of a frame that says nothing. Ahead of the answer it must
// not be taken for the answer's beginning.
func (d *decoder) filler(f *sse.Frame) weir.EventType {
	if !d.content || f.IsLiveness() || len(f.Data) == 0 {
		return weir.EventPing
	}
	return weir.EventRelay
}

// flush yields what was made of the current frame.
func (d *decoder) flush(more func() bool, yield func(weir.Event, error) bool) bool {
	asReceived := d.failed == nil && !d.renamed
	last := len(d.events) - 1
	for i := range d.events {
		ev := &d.events[i]
		if asReceived {
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

// process makes the events of a frame.
func (d *decoder) process(f *sse.Frame) error {
	switch {
	case f.IsLiveness() && f.Event == nil, len(f.Data) == 0:
		return nil
	case isDone(f.Data):
		d.atDone()
		return nil
	case string(f.Event) == "error":
		return d.errorEvent(f.Data)
	case d.relay && d.started && !f.Truncated && isWhole(f.Data) && d.plain(f.Data):
		d.content = true
		d.events = append(d.events, weir.Event{Type: weir.EventRelay})
		return nil
	}
	err := d.checked(f.Data)
	if err == nil {
		err = d.read(f.Data)
	}
	if err != nil && isSyntax(err) {
		return d.broken("malformed: an event of the stream is not the JSON that it should be: %w", err)
	}
	return err
}

// checked is what is wrong with the JSON of a frame that more than content
// depends on. Content is taken apart down to its strings in any case.
func (d *decoder) checked(data []byte) error {
	if d.started && d.plain(data) {
		return nil
	}
	return jsonx.Valid(data)
}

// isWhole reports whether data begins and ends as an object does. What was cut
// on the way does not, and must not reach a client as a frame.
func isWhole(data []byte) bool {
	return len(data) > 3 && data[0] == '{' && data[1] == '"' && data[len(data)-1] == '}'
}

// errorEvent is an error that the upstream reports with "event: error" (Groq).
func (d *decoder) errorEvent(data []byte) error {
	if e := d.disguised(data); e != nil {
		return e
	}
	e := codec.ParseError(200, nil, data, d.q)
	e.Kind = weir.KindUpstream
	return d.own(e, data)
}

// atDone ends what no finish reason has ended: [DONE] is a promise that the
// answer is complete (Snowflake sends "" as reason throughout).
func (d *decoder) atDone() {
	d.done = true
	if len(d.choices) == 0 {
		d.failed = d.empty()
		return
	}
	for _, c := range d.choices {
		if !c.finished {
			d.close(c, &weir.Finish{Reason: weir.FinishStop, From: protocol})
		}
	}
}

func (d *decoder) empty() *weir.Error {
	return d.broken("the upstream ended its stream without an answer")
}

// atEnd is where the source ends. With a finish reason for every choice the
// answer is complete, with [DONE] or without (W-05).
func (d *decoder) atEnd(yield func(weir.Event, error) bool) {
	switch {
	case d.complete():
	case !d.started:
		yield(weir.Event{}, d.empty())
	default:
		yield(weir.Event{}, d.truncated())
	}
}

// mayGoOn reports whether a frame has both content and a finish reason.
func mayGoOn(f *sse.Frame) bool {
	if f.Data[0] != '{' {
		return false
	}
	finish, content := probe(f.Data)
	return finish && content
}

// goesOn reports whether a frame brings more content.
func goesOn(f *sse.Frame) bool {
	if len(f.Data) == 0 || f.Data[0] != '{' {
		return false
	}
	_, content := probe(f.Data)
	return content
}

// probe tells what the choices of a chunk hold.
func probe(data []byte) (finish, content bool) {
	_ = jsonx.EachElement(jsonx.Get(data, "choices"), func(_ int, choice []byte) error {
		finish = finish || nonEmpty(jsonx.Get(choice, "finish_reason"))
		p := decoder{}
		_ = jsonx.EachMember(jsonx.Get(choice, "delta"), p.deltaMember)
		content = content || p.chunk.delta.says()
		return nil
	})
	return finish, content
}
