package openairesponses

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// wholeEncoder writes an answer as one response, by the same steps as a stream.
type wholeEncoder struct {
	answer answerWriter
	run    codec.Run
	raw    []byte // the answer as it was received, when it came back whole
	any    bool
}

func newWholeEncoder(req *weir.Request) *wholeEncoder {
	return &wholeEncoder{answer: answerWriter{req: req, quiet: true}}
}

// ContentType implements codec.Encoder.
func (e *wholeEncoder) ContentType() string { return "application/json" }

// Losses implements codec.Encoder.
func (e *wholeEncoder) Losses() []weir.Loss { return e.answer.losses }

// KeepAlive implements codec.Encoder: nothing can be sent ahead of JSON.
func (e *wholeEncoder) KeepAlive(dst []byte) []byte { return dst }

// Encode implements codec.Encoder.
func (e *wholeEncoder) Encode(dst []byte, ev weir.Event) []byte {
	if ev.Type == weir.EventNote || ev.Type == weir.EventPing {
		return dst
	}
	e.any = true
	f := ev.Frame
	whole := f != nil && f.Protocol == protocol && f.Whole && e.raw == nil
	if !whole || ev.FrameSeq > 0 && !e.run.Continues(ev) {
		e.abandon()
		e.answer.event(nil, &ev)
		return dst
	}
	if e.run.Add(ev); ev.FrameSeq == f.Events-1 {
		e.raw = bytes.Clone(f.Raw)
	}
	return dst
}

// abandon turns to writing by value.
func (e *wholeEncoder) abandon() {
	for _, ev := range e.run.Held() {
		e.answer.event(nil, &ev)
	}
	e.run.Clear()
	e.raw = nil
}

// Close implements codec.Encoder.
func (e *wholeEncoder) Close(dst []byte, err *weir.Error) []byte {
	switch {
	case err != nil && !e.any:
		return dst
	case err != nil:
		return responses{}.AppendError(dst, err)
	case e.raw != nil:
		return append(dst, e.raw...)
	}
	e.abandon()
	w := &e.answer
	w.closeAll(nil, w.finish != nil && isCut(w.finish))
	w.explain(nil)
	b := jsonx.Buffer{B: dst}
	w.response(&b, w.status(), nil)
	return b.B
}
