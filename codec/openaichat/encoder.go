package openaichat

import (
	"bytes"
	"slices"

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
// written by value.
type streamEncoder struct {
	chunks     chunkWriter
	wantsUsage bool
	run        run
	usage      *weir.Usage
	shown      bool // usage was written
	done       bool // [DONE] was written
	open       bool // the last frame had no end: the upstream's stream was cut
	wrote      bool
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
}

func (r *run) continues(ev weir.Event) bool {
	return r.frame == ev.Frame && int(ev.FrameSeq) == len(r.held) && len(r.held) > 0
}

func (r *run) add(ev weir.Event) {
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
	if last.Type == weir.EventRelay && len(raw) < 64 && bytes.Contains(raw, doneMark) {
		e.done = true
	} else if last.Type == weir.EventFinish && bytes.Contains(raw, doneMark) {
		e.done = true
	}
	e.shown = e.shown || last.Type == weir.EventUsage
	e.wrote = true
	e.chunks.verbatim = true
	if last.Type != weir.EventPing {
		e.open = !endsFrame(raw)
	}
	return append(dst, e.corrected(raw, last)...)
}

// endsFrame reports whether raw ends with a blank line.
func endsFrame(raw []byte) bool {
	for _, end := range []string{"\n\n", "\r\n\r\n", "\r\r", "\r\n\r"} {
		if bytes.HasSuffix(raw, []byte(end)) {
			return true
		}
	}
	return false
}

// corrected is the frame with its finish reason made to tell of the tool calls
// in the answer, where the upstream's word hides them (S-05).
func (e *streamEncoder) corrected(raw []byte, last weir.Event) []byte {
	raw = correct(raw, last)
	for i := range e.run.held {
		raw = correct(raw, e.run.held[i])
	}
	return raw
}

// keyFinish is the name before a finish reason.
var keyFinish = []byte(`"finish_reason"`)

func correct(raw []byte, ev weir.Event) []byte {
	if ev.Type != weir.EventFinish || ev.Finish.Reason != weir.FinishToolCalls || ev.Finish.From != protocol {
		return raw
	}
	if w := ev.Finish.Native; w == "tool_calls" || w == "function_call" || finishReasons[w] != weir.FinishStop {
		return raw
	}
	at := bytes.Index(raw, keyFinish)
	if at < 0 {
		return raw
	}
	rest := raw[at+len(keyFinish):]
	word := []byte(`"` + ev.Finish.Native + `"`)
	from := bytes.Index(rest, word)
	if from < 0 || len(bytes.Trim(rest[:from], ": \t\r\n")) > 0 {
		return raw
	}
	return slices.Concat(raw[:at+len(keyFinish)+from], []byte(`"tool_calls"`), rest[from+len(word):])
}

// observe keeps the writer by value informed of what went out verbatim, in case
// it has to take over.
func (e *streamEncoder) observe(ev *weir.Event) {
	switch ev.Type {
	case weir.EventUsage:
		e.account(ev.Usage)
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
	n := len(dst)
	dst = e.chunks.event(dst, &ev)
	e.wrote = e.wrote || len(dst) > n
	return dst
}

// KeepAlive implements codec.Encoder. A comment is not followed by a blank line,
// which some clients take for an empty event (W-06).
func (e *streamEncoder) KeepAlive(dst []byte) []byte {
	if e.open {
		return dst
	}
	return sse.AppendComment(dst, "keep-alive")
}

// Close implements codec.Encoder.
func (e *streamEncoder) Close(dst []byte, err *weir.Error) []byte {
	dst = e.abandon(dst)
	if e.open && (err != nil || !e.done) {
		dst = append(dst, "\n\n"...)
		e.open = false
	}
	if err != nil {
		return sse.AppendEvent(dst, "", chat{}.AppendError(nil, err))
	}
	if e.wantsUsage && !e.shown && e.usage != nil && e.usage.Known != 0 {
		dst = e.chunks.appendUsage(dst, e.usage)
		e.shown = true
	}
	if !e.done {
		e.done = true
		dst = append(dst, "data: [DONE]\n\n"...)
	}
	return dst
}
