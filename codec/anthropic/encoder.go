package anthropic

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/internal/sse"
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
	// ends is how many line ends are missing before the next frame can begin.
	ends int
}

func newStreamEncoder(req *weir.Request) *streamEncoder {
	return &streamEncoder{w: streamWriter{req: req}}
}

// ContentType implements codec.Encoder.
func (e *streamEncoder) ContentType() string { return "text/event-stream; charset=utf-8" }

// Losses implements codec.Encoder.
func (e *streamEncoder) Losses() []weir.Loss { return e.w.losses }

// Encode implements codec.Encoder.
func (e *streamEncoder) Encode(dst []byte, ev weir.Event) []byte {
	f := ev.Frame
	switch {
	case ev.Type == weir.EventNote || ev.Type == weir.EventNone:
		return dst
	case f == nil && ev.Type == weir.EventPing:
		return dst // a sign of life that has nothing to show
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
	if e.w.started && events[0].Type == weir.EventRelay && rawType(raw) == frameMessageStart {
		return dst // there is exactly one message_start
	}
	if (e.edited || e.w.skipped(events)) && !e.w.fits(raw, events) {
		for _, ev := range events {
			dst = e.byValue(dst, ev)
		}
		return dst
	}
	for i := range events {
		e.w.note(raw, &events[i])
	}
	return e.asItCame(dst, raw)
}

// asItCame writes the bytes of a frame.
func (e *streamEncoder) asItCame(dst, raw []byte) []byte {
	e.ends = missingEnds(raw)
	return append(dst, raw...)
}

func (e *streamEncoder) byValue(dst []byte, ev weir.Event) []byte {
	switch ev.Type {
	case weir.EventPing:
		return e.ping(dst, ev)
	case weir.EventRelay:
		return e.w.relay(dst, ev)
	}
	e.edited = true
	return e.w.write(dst, ev)
}

// flush writes the Events of a frame that will not be complete by value.
func (e *streamEncoder) flush(dst []byte) []byte {
	for _, ev := range e.pending {
		ev = ev.Detach() // its bytes are gone by now
		dst = e.byValue(dst, ev)
	}
	e.frame, e.pending = nil, e.pending[:0]
	return dst
}

// Close implements codec.Encoder. After an error the stream ends with an event of
// type error (E-03): the SDKs raise it, and do not take the answer for complete.
func (e *streamEncoder) Close(dst []byte, err *weir.Error) []byte {
	dst = e.flush(dst)
	if err == nil && e.w.stopped {
		return dst
	}
	// An upstream that was cut may have left its last frame open.
	dst = append(dst, "\n\n"[:e.ends]...)
	e.ends = 0
	if err == nil {
		return e.w.close(dst)
	}
	e.w.stopped = true
	return sse.AppendEvent(dst, "error", appendError(nil, err))
}

// missingEnds is how many \n raw needs to end with a blank line. The first one
// behind a \r belongs to it.
func missingEnds(raw []byte) int {
	switch rest := withoutEnd(raw); {
	case len(raw) == 0:
		return 0
	case len(rest) == len(raw):
		return 2
	case len(rest) == 0 || len(withoutEnd(rest)) < len(rest):
		return 0
	case raw[len(raw)-1] == '\r':
		return 2
	}
	return 1
}

// withoutEnd is raw without its last line end, \n, \r\n or \r.
func withoutEnd(raw []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
}

// KeepAlive implements codec.Encoder. The official SDKs skip a ping wherever it
// stands, before message_start too; after message_stop nobody reads any more.
func (e *streamEncoder) KeepAlive(dst []byte) []byte {
	if e.w.stopped {
		return dst
	}
	return append(dst, pingEvent...)
}

const pingEvent = "event: ping\ndata: {\"type\":\"ping\"}\n\n"

// ping passes a sign of life on: as it came in this protocol, else in its form.
func (e *streamEncoder) ping(dst []byte, ev weir.Event) []byte {
	if ev.Frame != nil && ev.Frame.Protocol == protocol {
		return e.asItCame(dst, ev.Frame.Raw)
	}
	return append(dst, pingEvent...)
}

// relay writes a delta of a type that has no word into the block that is open.
// Every other frame that was not decoded has nothing to say here.
func (w *streamWriter) relay(dst []byte, ev weir.Event) []byte {
	if ev.Frame == nil || ev.Frame.Protocol != protocol || w.cur == nil || rawType(ev.Frame.Raw) != frameBlockDelta {
		return dst
	}
	data := rawData(ev.Frame.Raw)
	index, ok := jsonx.Int64(jsonx.Get(data, "index"))
	delta := jsonx.Get(data, "delta")
	if !ok || index != int64(w.cur.index) || isKnownDelta(delta) {
		return dst
	}
	if !w.cur.open {
		dst = w.open(dst, w.cur)
	}
	b := event(dst, "content_block_delta")
	b.IntField("index", int64(w.cur.out))
	b.RawField("delta", delta)
	return endEvent(&b)
}

// isKnownDelta reports whether a delta has a word: it flows by only when empty.
func isKnownDelta(delta []byte) bool {
	switch jsonx.StringOr(jsonx.Get(delta, "type"), "") {
	case "text_delta", "thinking_delta", "signature_delta", "input_json_delta", "citations_delta":
		return true
	}
	return false
}

// skipped reports whether a block that the frames number has been left out: the
// numbers of those behind it do not fit any more.
func (w *streamWriter) skipped(events []weir.Event) bool {
	for i := range events {
		if events[i].Type == weir.EventBlockStart && int(events[i].Index) != w.next {
			return true
		}
	}
	return false
}

// rawType is the type of a frame by its bytes.
func rawType(raw []byte) frameType {
	if name, ok := bytes.CutPrefix(raw, []byte("event:")); ok {
		name, _, _ = bytes.Cut(name, []byte("\n"))
		if t := namedType(bytes.TrimSpace(name)); t != frameUnknown {
			return t
		}
	}
	typ := jsonx.Get(rawData(raw), "type")
	if len(typ) < 2 {
		return frameUnknown
	}
	return namedType(typ[1 : len(typ)-1])
}

// rawData is the first line of data of a frame.
func rawData(raw []byte) []byte {
	_, data, _ := bytes.Cut(raw, []byte("data:"))
	data, _, _ = bytes.Cut(data, []byte("\n"))
	return data
}

// fits reports whether a frame can follow, as it came, what was written by value.
func (w *streamWriter) fits(raw []byte, events []weir.Event) bool {
	finish := false
	for i := range events {
		ev := &events[i]
		finish = finish || ev.Type == weir.EventFinish
		if !w.fitsEvent(raw, ev, finish) {
			return false
		}
	}
	return true
}

func (w *streamWriter) fitsEvent(raw []byte, ev *weir.Event, finish bool) bool {
	idle := w.started && w.cur == nil && len(w.queue) == 0
	switch ev.Type {
	case weir.EventPing:
		return true
	case weir.EventBlockStart:
		return idle && int32(w.next) == ev.Index
	case weir.EventDelta, weir.EventBlockEnd:
		return w.isOpen(int64(ev.Index))
	case weir.EventFinish:
		return idle && !w.finished
	case weir.EventUsage:
		return finish
	case weir.EventRelay:
		switch rawType(raw) {
		case frameMessageStop:
			return w.finished && !w.stopped
		case frameBlockDelta:
			n, ok := jsonx.Int64(jsonx.Get(rawData(raw), "index"))
			return ok && w.isOpen(n)
		case frameUnknown:
			return true
		}
	}
	return false
}

func (w *streamWriter) isOpen(index int64) bool {
	return w.cur != nil && w.cur.open && int64(w.cur.index) == index && int64(w.cur.out) == index
}

// note keeps up with a frame that went out as it came.
func (w *streamWriter) note(raw []byte, ev *weir.Event) {
	switch ev.Type {
	case weir.EventStart:
		w.start, w.started = ev.Start, true
	case weir.EventUsage:
		w.usage.Merge(ev.Usage)
	case weir.EventFinish:
		w.fin, w.finished = ev.Finish, true
	case weir.EventBlockStart:
		b := newOutBlock(ev)
		w.number(b)
		w.cur = b
		w.put(b)
	case weir.EventDelta:
		if w.cur != nil && ev.Part == weir.PartArguments {
			w.cur.json.feed(ev.Text)
			w.cur.wrote = true
		}
	case weir.EventBlockEnd:
		if w.cur != nil && w.cur.index == ev.Index {
			w.cur.ended, w.cur.closed = true, true
			w.cur = nil
		}
	case weir.EventRelay:
		w.stopped = w.stopped || !w.stopped && rawType(raw) == frameMessageStop
	}
}
