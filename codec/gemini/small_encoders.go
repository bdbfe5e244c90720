package gemini

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// smallEncoder is what the encoders of answers have in common that are neither
// streamed nor a message: as it came where nobody edited it, else by value.
type smallEncoder struct {
	any    bool
	whole  wholeRun
	failed *weir.Error
	losses codec.Losses
}

// ContentType implements codec.Encoder.
func (e *smallEncoder) ContentType() string { return contentJSON }

// Losses implements codec.Encoder.
func (e *smallEncoder) Losses() []weir.Loss { return e.losses }

// KeepAlive implements codec.Encoder.
func (e *smallEncoder) KeepAlive(dst []byte) []byte { return dst }

// Failed implements codec.Failer.
func (e *smallEncoder) Failed() *weir.Error { return e.failed }

// take notes an event and reports whether it is of interest.
func (e *smallEncoder) take(ev weir.Event) bool {
	if ev.Type == weir.EventNote || ev.Type == weir.EventPing || ev.Type == weir.EventNone {
		return false
	}
	e.any = true
	e.whole.take(ev)
	return true
}

// done writes what needs no value: nothing, an error, the bytes as they came.
func (e *smallEncoder) done(dst []byte, err *weir.Error) ([]byte, bool) {
	switch {
	case err != nil && !e.any:
		return dst, true
	case err != nil:
		return appendError(dst, err), true
	case e.whole.raw != nil:
		return append(dst, e.whole.raw...), true
	}
	return dst, false
}

// fail makes the answer an error.
func (e *smallEncoder) fail(dst []byte, err *weir.Error) []byte {
	e.failed = err
	return appendError(dst, err)
}

// countEncoder writes the answer to countTokens.
type countEncoder struct {
	smallEncoder
	usage weir.Usage
}

// Encode implements codec.Encoder.
func (e *countEncoder) Encode(dst []byte, ev weir.Event) []byte {
	if e.take(ev) && ev.Type == weir.EventUsage {
		e.usage.Merge(ev.Usage)
	}
	return dst
}

// Close implements codec.Encoder.
func (e *countEncoder) Close(dst []byte, err *weir.Error) []byte {
	if out, done := e.done(dst, err); done {
		return out
	}
	if !e.usage.Has(weir.UsageInput) {
		return e.fail(dst, weir.Errorf(weir.KindUpstream, "the answer has no count of input tokens"))
	}
	b := jsonx.Buffer{B: dst}
	b.BeginObject()
	b.IntField("totalTokens", e.usage.InputTokens)
	if e.usage.Has(weir.UsageCacheRead) {
		b.IntField("cachedContentTokenCount", e.usage.CacheReadTokens)
	}
	if e.usage.From == protocol {
		appendFields(&b, e.usage.Extra)
	}
	b.EndObject()
	return b.B
}

// embedEncoder writes the answer to embedContent or batchEmbedContents.
type embedEncoder struct {
	smallEncoder
	all weir.Collector
	// batch answers with a list, alone with one vector; unset goes by their number.
	batch, alone bool
}

func newEmbedEncoder(req *weir.Request) *embedEncoder {
	e := &embedEncoder{}
	if w := req.Wire; w != nil && w.Protocol == protocol {
		m := addressOf(w).method
		e.batch, e.alone = m == methodBatch, m == methodEmbed
	}
	return e
}

// Encode implements codec.Encoder.
func (e *embedEncoder) Encode(dst []byte, ev weir.Event) []byte {
	if e.take(ev) {
		e.all.Add(ev)
	}
	return dst
}

// Close implements codec.Encoder.
func (e *embedEncoder) Close(dst []byte, err *weir.Error) []byte {
	if out, done := e.done(dst, err); done {
		return out
	}
	c := e.all.Completion()
	if len(c.Vectors) == 0 {
		return e.fail(dst, weir.Errorf(weir.KindUpstream, "the answer has no vectors"))
	}
	b := jsonx.Buffer{B: dst}
	b.BeginObject()
	one := e.alone || !e.batch && len(c.Vectors) == 1
	if one {
		b.Key("embedding")
	} else {
		b.Key("embeddings")
		b.BeginArray()
	}
	for i := range c.Vectors {
		if one && i > 0 {
			e.losses.Drop("embedding", "the client asked for one vector; the first one was sent")
			break
		}
		if err := appendVector(&b, &c.Vectors[i], c.Start.From == protocol); err != nil {
			return e.fail(dst, weir.AsError(err))
		}
	}
	if !one {
		b.EndArray()
	}
	if c.Usage.Has(weir.UsageInput) {
		b.Key("usageMetadata")
		appendUsage(&b, c.Usage)
	}
	if c.Start.From == protocol {
		appendFields(&b, c.Start.Extra)
	}
	b.EndObject()
	return b.B
}

func appendVector(b *jsonx.Buffer, v *weir.Vector, same bool) error {
	values, err := v.AsJSON()
	if err != nil {
		return err
	}
	b.BeginObject()
	b.RawField("values", values)
	if same {
		appendFields(b, v.Extra)
	}
	b.EndObject()
	return nil
}
