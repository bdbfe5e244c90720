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
		if err == nil {
			d.seen = look(f.Data)
		}
		switch {
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

// keepFrame is a copy of a frame that outlives the next one.
func keepFrame(f *sse.Frame) *sse.Frame {
	c := *f
	c.Raw, c.Event, c.Data = bytes.Clone(f.Raw), bytes.Clone(f.Event), bytes.Clone(f.Data)
	return &c
}

// deliver yields the events of one frame and reports whether to go on.
func (d *decoder) deliver(f *sse.Frame, more func() bool, yield func(weir.Event, error) bool) bool {
	d.events, d.failed, d.renamed = d.events[:0], nil, false
	if err := d.process(f); err != nil {
		yield(weir.Event{}, err)
		return false
	}
	if len(d.events) == 0 && d.failed == nil {
		d.events = append(d.events, weir.Event{Type: d.filler(f)})
	}
	d.frame = weir.Frame{Protocol: protocol, Raw: f.Raw, Events: int32(len(d.events))}
	return d.flush(more, yield)
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
	case d.relay && d.started && d.plain(f.Data):
		d.content = true
		d.events = append(d.events, weir.Event{Type: weir.EventRelay})
		return nil
	}
	err := d.read(f.Data)
	switch {
	case err == nil:
		return nil
	case f.Truncated:
		return d.truncated()
	case isSyntax(err):
		return d.broken("an event of the stream is not the JSON that it should be: %w", err)
	}
	return err
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
	if d.done {
		return
	}
	if !d.started {
		yield(weir.Event{}, d.empty())
		return
	}
	for _, c := range d.choices {
		if !c.finished {
			yield(weir.Event{}, d.truncated())
			return
		}
	}
	if len(d.choices) == 0 {
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
