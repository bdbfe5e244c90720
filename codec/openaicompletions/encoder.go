package openaicompletions

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/sse"
)

// NewEncoder implements codec.Server.
func (completions) NewEncoder(req *weir.Request) codec.Encoder {
	w := chunkWriter{req: req, shape: shapeFor(req)}
	if !req.Stream {
		return &wholeEncoder{chunks: w}
	}
	return &streamEncoder{chunks: w, wantsUsage: wantsUsage(req)}
}

// streamEncoder writes an answer as chunks. Frames of the client's shape whose events
// come back whole and in order are written as they were received; all else is
// written by value. An answer of which nothing was written by value is the
// upstream's byte for byte, whether it ends with [DONE] or not.
type streamEncoder struct {
	chunks     chunkWriter
	wantsUsage bool
	run        codec.Run
	usage      *weir.Usage
	shown      bool   // usage was written
	done       bool   // [DONE] was written
	verbatim   bool   // something was written as received
	byValue    bool   // not everything was
	missing    string // the line ends that the last frame lacks: its stream was cut
	inner      *decoder
}

// ContentType implements codec.Encoder.
func (e *streamEncoder) ContentType() string { return "text/event-stream" }

// Losses implements codec.Encoder.
func (e *streamEncoder) Losses() []weir.Loss { return e.chunks.losses }

// Encode implements codec.Encoder.
func (e *streamEncoder) Encode(dst []byte, ev weir.Event) []byte {
	if ev.Type == weir.EventNote {
		return dst
	}
	f := ev.Frame
	if f == nil || f.Protocol != e.chunks.shape || f.Whole {
		dst = e.abandon(dst)
		if ev.Type == weir.EventRelay && f != nil && f.Protocol == protocol {
			return e.reshape(dst, f.Raw)
		}
		return e.value(dst, ev)
	}
	switch {
	case ev.FrameSeq == 0:
		dst = e.abandon(dst)
	case !e.run.Continues(ev):
		return e.value(e.abandon(dst), ev)
	}
	if ev.FrameSeq == f.Events-1 {
		dst = e.received(dst, f.Raw, ev)
		e.run.Clear()
		return dst
	}
	e.run.Add(ev)
	return dst
}

// abandon writes by value what was held of a frame that did not come whole.
func (e *streamEncoder) abandon(dst []byte) []byte {
	for _, ev := range e.run.Held() {
		dst = e.value(dst, ev)
	}
	e.run.Clear()
	return dst
}

// received writes a frame as it was received; last is its last event. A frame of
// usage alone is left out for a client that did not ask for it (U-01).
func (e *streamEncoder) received(dst, raw []byte, last weir.Event) []byte {
	usageOnly := last.Type == weir.EventUsage
	for _, ev := range e.run.Held() {
		usageOnly = usageOnly && ev.Type == weir.EventUsage
		e.observe(&ev)
	}
	e.observe(&last)
	if usageOnly && !e.wantsUsage {
		return dst
	}
	if isDoneFrame(raw) {
		dst = e.showUsage(dst)
		e.done = true
	}
	e.verbatim, e.chunks.verbatim = true, true
	e.missing = codec.MissingEnd(raw)
	return append(dst, raw...)
}

// isDoneFrame reports whether a frame is [DONE] and nothing else.
func isDoneFrame(raw []byte) bool {
	return len(raw) < 64 && bytes.Contains(raw, doneMark) && bytes.IndexByte(raw, '{') < 0
}

// reshape writes the content of a frame of texts that nobody has decoded for a
// client that reads the shape of Chat. What else the frame says follows as events.
func (e *streamEncoder) reshape(dst, raw []byte) []byte {
	if e.inner == nil {
		e.inner = newDecoder(&codec.Target{Quirks: &codec.Quirks{}})
	}
	d := e.inner
	r := sse.NewReader(bytes.NewReader(raw), 0)
	defer r.Release()
	f, err := r.Next()
	if err != nil {
		return dst
	}
	d.events, d.failed = d.events[:0], nil
	if d.process(f) != nil {
		return dst
	}
	for _, ev := range d.events {
		if ev.Type == weir.EventBlockStart || ev.Type == weir.EventDelta {
			dst = e.value(dst, ev)
		}
	}
	return dst
}

// fresh ends the frame that was cut, if one was, so that what comes next is not
// glued to it.
func (e *streamEncoder) fresh(dst []byte) []byte {
	dst = append(dst, e.missing...)
	e.missing = ""
	return dst
}

// observe keeps the writer by value informed of what went out as received, in case
// it has to take over.
func (e *streamEncoder) observe(ev *weir.Event) {
	switch ev.Type {
	case weir.EventUsage:
		e.account(ev.Usage)
		e.shown = true
	case weir.EventStart:
		e.chunks.start = *ev.Start
	case weir.EventBlockStart, weir.EventRelay, weir.EventFinish:
		e.chunks.choice(ev.Choice).role = true
		if ev.Block != nil {
			e.chunks.note(ev)
		}
	}
}

func (e *streamEncoder) account(u *weir.Usage) {
	if e.usage == nil {
		e.usage = new(weir.Usage)
	}
	e.usage.Merge(u)
}

// value writes an event by value.
func (e *streamEncoder) value(dst []byte, ev weir.Event) []byte {
	switch ev.Type {
	case weir.EventUsage:
		e.account(ev.Usage)
		e.shown = false
		return dst // at the end, when it is complete
	case weir.EventPing:
		return e.KeepAlive(dst)
	}
	e.byValue = true
	return e.chunks.event(e.fresh(dst), &ev)
}

// showUsage writes the usage that its client wants to see and has not.
func (e *streamEncoder) showUsage(dst []byte) []byte {
	if !e.wantsUsage || e.shown || e.usage == nil || e.usage.Known == 0 {
		return dst
	}
	e.shown, e.byValue = true, true
	return e.chunks.appendUsage(e.fresh(dst), e.usage)
}

// KeepAlive implements codec.Encoder. A comment is not followed by a blank line,
// which some clients take for an empty event (W-06).
func (e *streamEncoder) KeepAlive(dst []byte) []byte {
	if e.missing != "" {
		return dst
	}
	return sse.AppendComment(dst, "keep-alive")
}

// Close implements codec.Encoder.
func (e *streamEncoder) Close(dst []byte, err *weir.Error) []byte {
	dst = e.abandon(dst)
	if err != nil {
		return sse.AppendEvent(e.fresh(dst), "", completions{}.AppendError(nil, err))
	}
	dst = e.showUsage(dst)
	if !e.done && (e.byValue || !e.verbatim) {
		e.done = true
		dst = append(e.fresh(dst), "data: [DONE]\n\n"...)
	}
	return dst
}
