package converse

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// countEncoder writes the answer to CountTokens (C-05).
type countEncoder struct {
	usage  *weir.Usage
	any    bool
	whole  wholeRun
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
	e.whole.take(ev)
	if ev.Type == weir.EventUsage {
		if e.usage == nil {
			e.usage = &weir.Usage{}
		}
		e.usage.Merge(ev.Usage)
	}
	return dst
}

// Close implements codec.Encoder.
func (e *countEncoder) Close(dst []byte, err *weir.Error) []byte {
	switch {
	case err != nil && !e.any:
		return dst
	case err != nil:
		return appendError(dst, err)
	case e.whole.raw != nil:
		return append(dst, e.whole.raw...)
	case !e.usage.Has(weir.UsageInput):
		e.failed = weir.Errorf(weir.KindUpstream, "the answer has no count of input tokens")
		return appendError(dst, e.failed)
	}
	b := jsonx.Buffer{B: dst}
	b.BeginObject()
	b.IntField("inputTokens", e.usage.InputTokens)
	if e.usage.From == protocol {
		appendFields(&b, e.usage.Extra)
	}
	b.EndObject()
	return b.B
}
