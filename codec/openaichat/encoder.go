package openaichat

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/sse"
)

// NewEncoder implements codec.Server.
func (chat) NewEncoder(req *weir.Request) codec.Encoder {
	if !req.Stream {
		return &wholeEncoder{req: req}
	}
	return &streamEncoder{chunks: chunkWriter{req: req}, wantsUsage: wantsUsage(req)}
}

// streamEncoder writes an answer as chunks. Frames of this protocol whose events
// come back whole and in order are written as they were received; all else is
// written by value. An answer of which nothing was written by value is the
// upstream's byte for byte, whether it ends with [DONE] or not.
type streamEncoder struct {
	chunks     chunkWriter
	wantsUsage bool
	run        run
	usage      *weir.Usage
	shown      bool   // usage was written
	done       bool   // [DONE] was written
	byValue    bool   // not everything was written as received
	missing    string // the line ends that the last frame lacks: its stream was cut
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
	if f == nil || f.Protocol != protocol || f.Whole {
		return e.value(e.abandon(dst), ev)
	}
	switch {
	case ev.FrameSeq == 0:
		dst = e.abandon(dst)
	case !e.run.continues(ev):
		return e.value(e.abandon(dst), ev)
	}
	if ev.FrameSeq == f.Events-1 {
		dst = e.verbatim(dst, f.Raw, ev)
		e.run.clear()
		return dst
	}
	e.run.add(ev)
	return dst
}

// run is the beginning of a frame whose events have come back so far.
type run struct {
	frame *weir.Frame // to compare only
	held  []weir.Event
	first [4]weir.Event
}

func (r *run) continues(ev weir.Event) bool {
	return r.frame == ev.Frame && int(ev.FrameSeq) == len(r.held) && len(r.held) > 0
}

func (r *run) add(ev weir.Event) {
	if r.held == nil {
		r.held = r.first[:0]
	}
	r.frame = ev.Frame
	r.held = append(r.held, ev.Detach())
}

func (r *run) clear() {
	clear(r.held)
	r.frame, r.held = nil, r.held[:0]
}

// abandon writes by value what was held of a frame that did not come whole.
func (e *streamEncoder) abandon(dst []byte) []byte {
	for i := range e.run.held {
		dst = e.value(dst, e.run.held[i])
	}
	e.run.clear()
	return dst
}

// verbatim writes a frame as it was received; last is its last event. A frame of
// usage alone is left out for a client that did not ask for it (U-01).
func (e *streamEncoder) verbatim(dst, raw []byte, last weir.Event) []byte {
	usageOnly := last.Type == weir.EventUsage
	for i := range e.run.held {
		usageOnly = usageOnly && e.run.held[i].Type == weir.EventUsage
		e.observe(&e.run.held[i])
	}
	e.observe(&last)
	if usageOnly && !e.wantsUsage {
		return dst
	}
	if isDoneFrame(raw) {
		dst = e.showUsage(dst)
		e.done = true
	}
	e.chunks.verbatim = true
	e.missing = missingEnd(raw)
	return append(dst, raw...)
}

// isDoneFrame reports whether a frame is [DONE] and nothing else.
func isDoneFrame(raw []byte) bool {
	return len(raw) < 64 && bytes.Contains(raw, doneMark) && bytes.IndexByte(raw, '{') < 0
}

// missingEnd is what raw lacks to be a frame with a blank line behind it. A lone
// comment or blank line needs none: it belongs to no frame.
func missingEnd(raw []byte) string {
	rest, ended := cutLineEnd(raw)
	if _, blank := cutLineEnd(rest); ended && (blank || len(rest) == 0) {
		return ""
	}
	if line := bytes.TrimLeft(raw, "\r\n"); ended && (len(line) == 0 || line[0] == ':') {
		return ""
	}
	if ended {
		return "\n"
	}
	return "\n\n"
}

// cutLineEnd is raw without one line end, and whether it had one.
func cutLineEnd(raw []byte) (rest []byte, ended bool) {
	rest, lf := bytes.CutSuffix(raw, []byte("\n"))
	rest, cr := bytes.CutSuffix(rest, []byte("\r"))
	return rest, lf || cr
}

// fresh ends the frame that was cut, if one was, so that what comes next is not
// glued to it.
func (e *streamEncoder) fresh(dst []byte) []byte {
	dst = append(dst, e.missing...)
	e.missing = ""
	return dst
}

// observe keeps the writer by value informed of what went out verbatim, in case
// it has to take over.
func (e *streamEncoder) observe(ev *weir.Event) {
	switch ev.Type {
	case weir.EventUsage:
		e.account(ev.Usage)
		e.shown = true
	case weir.EventStart, weir.EventBlockStart, weir.EventFinish, weir.EventDelta, weir.EventRelay:
		e.chunks.observe(ev)
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
		return sse.AppendEvent(e.fresh(dst), "", chat{}.AppendError(nil, err))
	}
	dst = e.showUsage(dst)
	if !e.done && (e.byValue || !e.chunks.verbatim) {
		e.done = true
		dst = append(e.fresh(dst), "data: [DONE]\n\n"...)
	}
	return dst
}
