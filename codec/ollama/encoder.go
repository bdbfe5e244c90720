package ollama

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// streamEncoder writes an answer as lines. Lines of this protocol whose events come
// back whole and in order are written as they were received; all else is written
// by value.
type streamEncoder struct {
	w       writer
	run     codec.Run
	done    bool     // the last line was written
	cut     bool     // the last line that was written has no end: its stream was cut
	foreign bool     // the upstream answers in the words of the other endpoint
	again   *decoder // reads lines of the other endpoint that flow by
}

// ContentType implements codec.Encoder.
func (e *streamEncoder) ContentType() string { return "application/x-ndjson" }

// Losses implements codec.Encoder.
func (e *streamEncoder) Losses() []weir.Loss { return e.w.losses }

// Encode implements codec.Encoder.
func (e *streamEncoder) Encode(dst []byte, ev weir.Event) []byte {
	if ev.Type == weir.EventNote {
		return dst
	}
	if ev.Type == weir.EventStart {
		e.foreign = e.w.isForeign(ev.Start)
	}
	f := ev.Frame
	if f == nil || f.Protocol != protocol || f.Whole || e.foreign {
		return e.value(e.abandon(dst), &ev)
	}
	switch {
	case ev.FrameSeq == 0:
		dst = e.abandon(dst)
	case !e.run.Continues(ev):
		return e.value(e.abandon(dst), &ev)
	}
	if ev.FrameSeq < f.Events-1 {
		e.run.Add(ev)
		return dst
	}
	held := e.run.Held()
	for i := range held {
		e.observe(&held[i])
	}
	e.observe(&ev)
	e.run.Clear()
	dst = append(e.fresh(dst), f.Raw...)
	e.cut = len(f.Raw) > 0 && f.Raw[len(f.Raw)-1] != '\n'
	return dst
}

// isForeign reports whether an answer of this protocol has the words of the other
// endpoint: a request of /api/generate that became a conversation went to
// /api/chat.
func (w *writer) isForeign(s *weir.Start) bool {
	return s.From == protocol && (s.Extra.Value(marker) != nil) != (w.form == formGenerate)
}

// abandon writes by value what was held of a line that did not come back whole.
func (e *streamEncoder) abandon(dst []byte) []byte {
	held := e.run.Held()
	for i := range held {
		dst = e.value(dst, &held[i])
	}
	e.run.Clear()
	return dst
}

// observe keeps the writer by value informed of what went out as received, in case
// it has to take over.
func (e *streamEncoder) observe(ev *weir.Event) {
	switch ev.Type {
	case weir.EventStart:
		e.w.begin(ev.Start)
	case weir.EventBlockStart:
		e.w.note(ev)
		if ev.Block.Call != nil {
			e.w.calls++
		}
	case weir.EventFinish:
		e.done = true
	}
}

// value writes an event by value.
func (e *streamEncoder) value(dst []byte, ev *weir.Event) []byte {
	switch ev.Type {
	case weir.EventPing:
		return e.KeepAlive(dst)
	case weir.EventRelay:
		return e.relayed(dst, ev)
	}
	n := len(dst)
	dst = e.w.event(e.fresh(dst), ev)
	e.cut = e.cut && len(dst) == n
	return dst
}

// fresh ends the line that was cut, if one was, so that what comes next is not
// glued to it.
func (e *streamEncoder) fresh(dst []byte) []byte {
	if e.cut {
		e.cut = false
		dst = append(dst, '\n')
	}
	return dst
}

// relayed writes a line that was not decoded and has the words of the other
// endpoint. All others have nothing to say here.
func (e *streamEncoder) relayed(dst []byte, ev *weir.Event) []byte {
	if !e.foreign || ev.Frame == nil || ev.Frame.Protocol != protocol {
		return dst
	}
	if e.again == nil {
		e.again = newRereader()
	}
	for _, inner := range e.again.reread(ev.Frame.Raw) {
		dst = e.w.event(dst, &inner)
	}
	return dst
}

// KeepAlive implements codec.Encoder. A blank line would break the official Python
// and Go clients, which parse every line; a line without text is what Ollama itself
// sends now and then.
func (e *streamEncoder) KeepAlive(dst []byte) []byte {
	if e.done || e.cut {
		return dst
	}
	return e.w.piece(dst, "content", "")
}

// Close implements codec.Encoder.
func (e *streamEncoder) Close(dst []byte, err *weir.Error) []byte {
	dst = e.abandon(dst)
	if err == nil && e.done {
		return dst
	}
	if err == nil {
		for i := range e.w.blocks {
			dst = e.w.endCall(dst, &e.w.blocks[i])
		}
		err = e.w.unfinished()
	}
	dst = e.fresh(dst)
	if err != nil {
		return append(ollama{}.AppendError(dst, err), '\n')
	}
	e.done = true
	dst = e.w.piece(dst, "content", "")
	b := jsonx.Buffer{B: dst[:len(dst)-len(lineEnd)]}
	e.w.ending(&b)
	return append(b.B, "}\n"...)
}
