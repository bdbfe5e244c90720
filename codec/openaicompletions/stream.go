package openaicompletions

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
func (d *decoder) stream(src io.Reader, maxFrame int, yield func(weir.Event, error) bool) {
	if maxFrame <= 0 {
		maxFrame = defaultMax
	}
	r := sse.NewReader(src, maxFrame)
	defer r.Release()
	more := r.More // bound once: for every frame it would be garbage
	for {
		f, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			d.atEnd(yield)
			return
		case err != nil:
			yield(weir.Event{}, d.failure(err))
			return
		case f.Truncated && d.breaksOff(f):
			yield(weir.Event{}, d.truncated())
			return
		case !d.deliver(f, more, yield):
			return
		}
	}
}

// breaksOff reports whether the frame in which the source ended is incomplete, so
// that it must not be sent on. What stands behind a complete answer and says nothing
// may be cut anywhere.
func (d *decoder) breaksOff(f *sse.Frame) bool {
	if len(f.Data) == 0 {
		return !d.complete()
	}
	return !isDone(f.Data) && jsonx.Valid(f.Data) != nil
}

// deliver yields the events of one frame and reports whether to go on.
func (d *decoder) deliver(f *sse.Frame, more func() bool, yield func(weir.Event, error) bool) bool {
	d.events, d.failed = d.events[:0], nil
	if err := d.process(f); err != nil {
		yield(weir.Event{}, err)
		return false
	}
	if len(d.events) == 0 && d.failed == nil {
		d.events = append(d.events, weir.Event{Type: d.filler(f)})
	}
	d.frame = weir.Frame{Protocol: d.shape(), Raw: f.Raw, Events: int32(len(d.events))}
	return d.flush(more, yield)
}

// filler is the event of a frame that says nothing. Ahead of the answer it must not
// be taken for the answer's beginning.
func (d *decoder) filler(f *sse.Frame) weir.EventType {
	if !d.content || f.IsLiveness() || len(f.Data) == 0 {
		return weir.EventPing
	}
	return weir.EventRelay
}

// process makes the events of a frame.
func (d *decoder) process(f *sse.Frame) error {
	switch {
	case len(f.Data) == 0:
		return nil
	case isDone(f.Data):
		d.atDone()
		return nil
	case string(f.Event) == "error":
		return d.errorEvent(f.Data)
	}
	err := d.checked(f.Data)
	if err == nil {
		err = d.read(f.Data)
	}
	if _, syntax := errors.AsType[*jsonx.SyntaxError](err); syntax {
		return d.broken("malformed: an event of the stream is not the JSON that it should be: %w", err)
	}
	return err
}

// checked is what is wrong with the JSON of a frame. Content that flows by is walked
// over down to its strings, which finds what was cut.
func (d *decoder) checked(data []byte) error {
	if d.relay && d.started {
		return nil
	}
	return jsonx.Valid(data)
}

// errorEvent is an error that the upstream reports with "event: error".
func (d *decoder) errorEvent(data []byte) error {
	if e := d.disguised(data); e != nil {
		return e
	}
	e := codec.ParseError(200, nil, data, d.q)
	e.Kind = weir.KindUpstream
	d.own(e, data)
	return e
}

// atDone ends what no finish reason has ended: [DONE] is a promise that the answer
// is complete.
func (d *decoder) atDone() {
	d.done = true
	if len(d.choices) == 0 {
		d.failed = d.empty()
		return
	}
	d.closeAll()
}

// atEnd is where the source ends. With a finish reason for every choice the answer
// is complete, with [DONE] or without (W-05).
func (d *decoder) atEnd(yield func(weir.Event, error) bool) {
	switch {
	case d.complete():
	case !d.started:
		yield(weir.Event{}, d.empty())
	default:
		yield(weir.Event{}, d.truncated())
	}
}

var doneMark = []byte("[DONE]")

func isDone(data []byte) bool { return bytes.Equal(bytes.TrimSpace(data), doneMark) }
