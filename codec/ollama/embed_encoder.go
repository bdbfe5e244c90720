package ollama

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// embedEncoder writes vectors: as they came, when they came in this protocol and
// untouched, else what was gathered.
type embedEncoder struct {
	req    *weir.Request
	legacy bool // the client asked /api/embeddings, which has one vector
	all    weir.Collector
	run    codec.Run
	raw    []byte
	any    bool
	losses codec.Losses
	failed *weir.Error
}

// ContentType implements codec.Encoder.
func (e *embedEncoder) ContentType() string { return "application/json; charset=utf-8" }

// Losses implements codec.Encoder.
func (e *embedEncoder) Losses() []weir.Loss { return e.losses }

// KeepAlive implements codec.Encoder: nothing can be sent ahead of JSON.
func (e *embedEncoder) KeepAlive(dst []byte) []byte { return dst }

// Failed implements codec.Failer.
func (e *embedEncoder) Failed() *weir.Error { return e.failed }

// Encode implements codec.Encoder.
func (e *embedEncoder) Encode(dst []byte, ev weir.Event) []byte {
	if ev.Type == weir.EventNote || ev.Type == weir.EventPing {
		return dst
	}
	e.any = true
	f := ev.Frame
	own := f != nil && f.Protocol == protocol && f.Whole && e.raw == nil && e.fits(f.Raw)
	if !own || ev.FrameSeq > 0 && !e.run.Continues(ev) {
		e.abandon()
		e.all.Add(ev.Detach())
		return dst
	}
	// The vectors are borrowed: what may be needed by value is kept here.
	e.all.Add(ev)
	if e.run.Add(weir.Event{Frame: f, FrameSeq: ev.FrameSeq}); ev.FrameSeq == f.Events-1 {
		e.raw = bytes.Clone(f.Raw)
	}
	return dst
}

// fits reports whether an answer of this protocol is of the endpoint that was
// asked.
func (e *embedEncoder) fits(raw []byte) bool {
	return e.legacy == (jsonx.Get(raw, "embedding") != nil)
}

// abandon turns to writing by value; everything was gathered already.
func (e *embedEncoder) abandon() {
	e.run.Clear()
	e.raw = nil
}

// Close implements codec.Encoder.
func (e *embedEncoder) Close(dst []byte, err *weir.Error) []byte {
	switch {
	case err != nil && !e.any:
		return dst
	case err != nil:
		return ollama{}.AppendError(dst, err)
	case e.raw != nil:
		return append(dst, e.raw...)
	}
	out, failed := e.answer(dst, e.all.Completion())
	if failed != nil {
		e.failed = weir.AsError(failed)
		return ollama{}.AppendError(dst, e.failed)
	}
	return out
}

func (e *embedEncoder) answer(dst []byte, done *weir.Completion) ([]byte, error) {
	b := jsonx.Buffer{B: dst}
	b.BeginObject()
	if e.legacy {
		return e.legacyAnswer(&b, done.Vectors)
	}
	model := e.req.Model
	if done.Start.From == protocol && done.Start.Model != "" {
		model = done.Start.Model
	}
	b.StringField("model", model)
	b.Key("embeddings")
	b.BeginArray()
	for i := range done.Vectors {
		numbers, err := done.Vectors[i].AsJSON()
		if err != nil {
			return nil, err
		}
		b.Raw(numbers)
	}
	b.EndArray()
	if done.Start.From == protocol {
		appendFields(&b, done.Start.Extra)
	}
	if done.Usage.Has(weir.UsageInput) {
		b.IntField("prompt_eval_count", done.Usage.InputTokens)
	}
	b.EndObject()
	return b.B, nil
}

func (e *embedEncoder) legacyAnswer(b *jsonx.Buffer, vectors []weir.Vector) ([]byte, error) {
	numbers := []byte("[]")
	if len(vectors) > 0 {
		var err error
		if numbers, err = vectors[0].AsJSON(); err != nil {
			return nil, err
		}
	}
	b.RawField("embedding", numbers)
	b.EndObject()
	return b.B, nil
}
