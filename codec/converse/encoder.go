package converse

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/eventstream"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// streamEncoder decides which frames go out as they came, and has the writer do
// the rest by value.
type streamEncoder struct {
	w streamWriter
	// pending are the Events so far of frame, which is not complete yet.
	pending []weir.Event
	frame   *weir.Frame
	// edited tells that something was written by value: from then on a frame
	// goes out as it came only where its numbers still fit.
	edited bool
}

func newStreamEncoder(req *weir.Request) *streamEncoder {
	return &streamEncoder{w: streamWriter{req: req}}
}

// ContentType implements codec.Encoder.
func (e *streamEncoder) ContentType() string { return streamType }

// Losses implements codec.Encoder.
func (e *streamEncoder) Losses() []weir.Loss { return e.w.losses }

// KeepAlive implements codec.Encoder. The protocol has no frame that says nothing.
func (e *streamEncoder) KeepAlive(dst []byte) []byte { return dst }

// Encode implements codec.Encoder.
func (e *streamEncoder) Encode(dst []byte, ev weir.Event) []byte {
	f := ev.Frame
	switch {
	case ev.Type == weir.EventNote || ev.Type == weir.EventNone:
		return dst
	case f == nil || f.Protocol != protocol || f.Whole:
		return e.byValue(e.flush(dst), ev)
	case ev.FrameSeq == 0:
		dst = e.flush(dst)
		if f.Events == 1 {
			return e.verbatim(dst, f.Raw, ev)
		}
		e.frame, e.pending = f, append(e.pending[:0], ev)
		return dst
	case f != e.frame || int(ev.FrameSeq) != len(e.pending):
		return e.byValue(e.flush(dst), ev)
	}
	e.pending = append(e.pending, ev)
	if len(e.pending) < int(f.Events) {
		return dst
	}
	dst = e.verbatim(dst, f.Raw, e.pending...)
	e.frame, e.pending = nil, e.pending[:0]
	return dst
}

// verbatim writes a complete frame as it came, where it fits.
func (e *streamEncoder) verbatim(dst, raw []byte, events ...weir.Event) []byte {
	if (e.edited || e.w.skipped(events)) && !e.w.fits(raw, events) {
		for _, ev := range events {
			dst = e.byValue(dst, ev)
		}
		return dst
	}
	for i := range events {
		e.w.note(raw, &events[i])
	}
	return append(dst, raw...)
}

// byValue writes an Event anew. Frames without meaning have nothing to say then.
func (e *streamEncoder) byValue(dst []byte, ev weir.Event) []byte {
	if ev.Type == weir.EventPing || ev.Type == weir.EventRelay {
		return dst
	}
	e.edited = true
	return e.w.write(dst, ev)
}

// flush writes the Events of a frame that will not be complete by value.
func (e *streamEncoder) flush(dst []byte) []byte {
	for _, ev := range e.pending {
		dst = e.byValue(dst, ev.Detach())
	}
	e.frame, e.pending = nil, e.pending[:0]
	return dst
}

// Close implements codec.Encoder. After an error the stream ends with an exception,
// which SDKs raise.
func (e *streamEncoder) Close(dst []byte, err *weir.Error) []byte {
	dst = e.flush(dst)
	if err == nil {
		return e.w.close(dst)
	}
	if e.w.failed {
		return dst
	}
	e.w.failed = true
	return appendException(dst, err)
}

// skipped reports whether a block that the frames number has been left out: the
// numbers of those behind it do not fit any more.
func (w *streamWriter) skipped(events []weir.Event) bool {
	for i := range events {
		if events[i].Type == weir.EventBlockStart && events[i].Index != w.seen {
			return true
		}
	}
	return false
}

// fits reports whether a frame can follow, as it came, what was written by value.
func (w *streamWriter) fits(raw []byte, events []weir.Event) bool {
	f, err := eventstream.Parse(raw)
	if err != nil {
		return false
	}
	wire, ok := jsonx.Int64(jsonx.Get(f.Payload, "contentBlockIndex"))
	if !ok {
		wire = -1
	}
	idle := w.started && w.cur == nil && len(w.queue) == 0
	for i := range events {
		ev := &events[i]
		fit := false
		switch ev.Type {
		case weir.EventBlockStart:
			fit = i == 0 && len(events) <= 2 && idle && wire == int64(w.next)
		case weir.EventDelta, weir.EventBlockEnd:
			fit = i > 0 && events[0].Type == weir.EventBlockStart || w.isOpen(ev.Index, wire)
		case weir.EventFinish:
			fit = idle && !w.finished
		case weir.EventUsage:
			fit = w.finished && !w.counted
		case weir.EventRelay, weir.EventPing:
			fit = f.Type == eventstream.TypeEvent && typeOf(&f) == frameUnknown
		}
		if !fit {
			return false
		}
	}
	return true
}

func (w *streamWriter) isOpen(index int32, wire int64) bool {
	return w.cur != nil && w.cur.open && w.cur.index == index && int64(w.cur.out) == wire
}

// note keeps up with a frame that went out as it came.
func (w *streamWriter) note(raw []byte, ev *weir.Event) {
	switch ev.Type {
	case weir.EventStart:
		w.start, w.started = ev.Start, true
	case weir.EventUsage:
		w.usage.Merge(ev.Usage)
		w.counted = true
	case weir.EventFinish:
		w.fin, w.finished = ev.Finish, true
	case weir.EventBlockStart:
		w.seen++
		b := newOutBlock(ev)
		w.number(b)
		b.out = wireIndex(raw, b.out)
		w.next = b.out + 1
		w.cur = b
		w.put(b)
	case weir.EventDelta:
		if b := w.blocks[ev.Index]; b != nil && ev.Part == weir.PartArguments {
			b.json.feed(ev.Text)
			b.wrote = true
		}
	case weir.EventBlockEnd:
		if b := w.blocks[ev.Index]; b != nil {
			b.ended, b.closed = true, true
			if w.cur == b {
				w.cur = nil
			}
		}
	}
}

// wireIndex is the number of the block that a frame belongs to, or.
func wireIndex(raw []byte, or int) int {
	f, err := eventstream.Parse(raw)
	if err != nil {
		return or
	}
	n, ok := jsonx.Int64(jsonx.Get(f.Payload, "contentBlockIndex"))
	if !ok || n < 0 || n > 1<<30 {
		return or
	}
	return int(n)
}
