package openairesponses

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/sse"
)

// streamEncoder writes an answer as events. Frames of this protocol whose events
// come back whole and in order are written as they were received, up to the first
// event that does not: from there on everything is written by value, since the
// numbers of the events would not fit any more.
type streamEncoder struct {
	answer  answerWriter
	mirror  mirror
	run     codec.Run
	byValue bool
	missing string // the line ends that the last frame lacks: its stream was cut
}

func newStreamEncoder(req *weir.Request) *streamEncoder {
	e := &streamEncoder{answer: answerWriter{req: req}}
	e.mirror.w = &e.answer
	return e
}

// ContentType implements codec.Encoder.
func (e *streamEncoder) ContentType() string { return "text/event-stream" }

// Losses implements codec.Encoder.
func (e *streamEncoder) Losses() []weir.Loss { return e.answer.losses }

// Encode implements codec.Encoder.
func (e *streamEncoder) Encode(dst []byte, ev weir.Event) []byte {
	if ev.Type == weir.EventNote {
		return dst
	}
	f := ev.Frame
	if e.byValue || f == nil || f.Protocol != protocol || f.Whole {
		return e.value(e.abandon(dst), ev)
	}
	switch {
	case ev.FrameSeq == 0:
		dst = e.abandon(dst)
		if e.byValue {
			return e.value(dst, ev)
		}
	case !e.run.Continues(ev):
		return e.value(e.abandon(dst), ev)
	}
	if ev.FrameSeq == f.Events-1 {
		dst = e.verbatim(dst, f.Raw, ev)
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

// verbatim writes a frame as it was received; last is its last event. A second
// beginning of the answer cannot follow the first one and is written by value,
// which is not at all.
func (e *streamEncoder) verbatim(dst, raw []byte, last weir.Event) []byte {
	if last.Type == weir.EventStart && e.mirror.started || len(e.run.Held()) > 0 && e.run.Held()[0].Type == weir.EventStart && e.mirror.started {
		dst = e.abandon(dst)
		return e.value(dst, last.Detach())
	}
	e.mirror.frame(raw, e.run.Held(), &last)
	e.missing = codec.MissingEnd(raw)
	return append(dst, raw...)
}

// fresh ends the frame that was cut, if one was, so that what comes next is not
// glued to it.
func (e *streamEncoder) fresh(dst []byte) []byte {
	dst = append(dst, e.missing...)
	e.missing = ""
	return dst
}

// value writes an event by value. A frame without a meaning of its own (a hosted
// tool that makes progress) is said again at the end of its item.
func (e *streamEncoder) value(dst []byte, ev weir.Event) []byte {
	switch ev.Type {
	case weir.EventPing:
		return e.KeepAlive(dst)
	case weir.EventRelay:
		return dst
	}
	return e.answer.event(e.takeOver(dst), &ev)
}

// takeOver begins to write by value where the frames have ended.
func (e *streamEncoder) takeOver(dst []byte) []byte {
	if !e.byValue {
		e.byValue = true
		e.mirror.handOver()
		dst = e.fresh(dst)
	}
	return dst
}

// KeepAlive implements codec.Encoder. A comment is not followed by a blank line,
// which some clients take for an empty event (W-06).
func (e *streamEncoder) KeepAlive(dst []byte) []byte {
	if e.missing != "" {
		return dst
	}
	return sse.AppendComment(dst, "keep-alive")
}

// Close implements codec.Encoder. Whatever happened, the stream ends with exactly
// one terminal event (P-15).
func (e *streamEncoder) Close(dst []byte, err *weir.Error) []byte {
	dst = e.abandon(dst)
	if e.mirror.ended && !e.byValue {
		return dst
	}
	dst = e.takeOver(dst)
	if err != nil {
		return e.answer.fail(dst, err)
	}
	return e.answer.close(dst)
}
