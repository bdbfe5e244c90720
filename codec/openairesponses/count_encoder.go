package openairesponses

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// countEncoder writes the answer to input_tokens (C-05).
type countEncoder struct {
	usage  *weir.Usage
	run    codec.Run
	raw    []byte // as it was received, when it came back whole
	any    bool
	failed *weir.Error
}

// ContentType implements codec.Encoder.
func (e *countEncoder) ContentType() string { return "application/json" }

// Losses implements codec.Encoder.
func (e *countEncoder) Losses() []weir.Loss { return nil }

// KeepAlive implements codec.Encoder.
func (e *countEncoder) KeepAlive(dst []byte) []byte { return dst }

// Failed implements codec.Failer.
func (e *countEncoder) Failed() *weir.Error { return e.failed }

// Encode implements codec.Encoder.
func (e *countEncoder) Encode(dst []byte, ev weir.Event) []byte {
	if ev.Type == weir.EventNote || ev.Type == weir.EventPing {
		return dst
	}
	e.any = true
	if ev.Type == weir.EventUsage {
		if e.usage == nil {
			e.usage = new(weir.Usage)
		}
		e.usage.Merge(ev.Usage)
	}
	f := ev.Frame
	if f == nil || f.Protocol != protocol || !f.Whole || ev.FrameSeq > 0 && !e.run.Continues(ev) {
		e.run.Clear()
		e.raw = nil
		return dst
	}
	if e.run.Add(ev); ev.FrameSeq == f.Events-1 {
		e.raw = bytes.Clone(f.Raw)
	}
	return dst
}

// Close implements codec.Encoder.
func (e *countEncoder) Close(dst []byte, err *weir.Error) []byte {
	switch {
	case err != nil && !e.any:
		return dst
	case err != nil:
		return responses{}.AppendError(dst, err)
	case e.raw != nil:
		return append(dst, e.raw...)
	case !e.usage.Has(weir.UsageInput):
		e.failed = weir.Errorf(weir.KindUpstream, "the answer has no count of input tokens")
		return responses{}.AppendError(dst, e.failed)
	}
	b := jsonx.Buffer{B: dst}
	b.BeginObject()
	b.StringField("object", "response.input_tokens")
	b.IntField("input_tokens", e.usage.InputTokens)
	if e.usage.From == protocol {
		for _, f := range e.usage.Extra {
			b.RawField(f.Name, f.Value)
		}
	}
	b.EndObject()
	return b.B
}
