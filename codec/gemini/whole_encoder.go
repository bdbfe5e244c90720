package gemini

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// wholeEncoder writes an answer that is not streamed: as it came, when it came
// whole in this protocol, else what was gathered.
type wholeEncoder struct {
	w      chunkWriter
	all    weir.Collector
	any    bool
	whole  wholeRun
	failed *weir.Error
}

// ContentType implements codec.Encoder.
func (e *wholeEncoder) ContentType() string { return contentJSON }

const contentJSON = "application/json; charset=UTF-8"

// Losses implements codec.Encoder.
func (e *wholeEncoder) Losses() []weir.Loss { return e.w.losses }

// KeepAlive implements codec.Encoder.
func (e *wholeEncoder) KeepAlive(dst []byte) []byte { return dst }

// Failed implements codec.Failer.
func (e *wholeEncoder) Failed() *weir.Error { return e.failed }

// Encode implements codec.Encoder.
func (e *wholeEncoder) Encode(dst []byte, ev weir.Event) []byte {
	if ev.Type == weir.EventNote || ev.Type == weir.EventPing || ev.Type == weir.EventNone {
		return dst
	}
	e.any = true
	for _, ev := range e.whole.take(ev) {
		e.all.Add(ev)
	}
	return dst
}

// Close implements codec.Encoder.
func (e *wholeEncoder) Close(dst []byte, err *weir.Error) []byte {
	switch {
	case err != nil && !e.any:
		return dst
	case err != nil:
		return appendError(dst, err)
	case e.whole.raw != nil:
		return append(dst, e.whole.raw...)
	}
	for _, ev := range e.whole.rest() {
		e.all.Add(ev)
	}
	out, failed := e.response(dst, e.all.Completion())
	if failed != nil {
		e.failed = failed
		return appendError(dst, failed)
	}
	return out
}

// response writes a gathered answer.
func (e *wholeEncoder) response(dst []byte, c *weir.Completion) ([]byte, *weir.Error) {
	w := &e.w
	w.begun(&c.Start)
	if c.Usage != nil {
		w.usage = *c.Usage
	}
	b := jsonx.Buffer{B: dst}
	b.BeginObject()
	if len(c.Choices) == 1 && len(c.Choices[0].Message.Blocks) == 0 {
		w.choice(0).finish = &c.Choices[0].Finish
	}
	if f := w.blocked(); f != nil {
		b.RawField("promptFeedback", f.Details)
		w.around(&b)
		return b.B, nil
	}
	b.Key("candidates")
	b.BeginArray()
	for i := range c.Choices {
		if err := e.candidate(&b, int32(i), &c.Choices[i]); err != nil {
			return dst, err
		}
	}
	b.EndArray()
	w.around(&b)
	return b.B, nil
}

func (e *wholeEncoder) candidate(b *jsonx.Buffer, n int32, choice *weir.Choice) *weir.Error {
	c := e.w.choice(n)
	c.finish, c.logprobs = &choice.Finish, choice.Logprobs
	b.BeginObject()
	b.Key("content")
	b.BeginObject()
	b.Key("parts")
	b.BeginArray()
	blocks := choice.Message.Blocks
	for i := range blocks {
		if i > 0 && e.stoodBefore(&blocks[i]) {
			continue
		}
		signature := ""
		if i+1 < len(blocks) && e.stoodBefore(&blocks[i+1]) {
			signature = blocks[i+1].Reasoning.Signature
		}
		if err := e.w.appendPart(b, c, &blocks[i], signature); err != nil {
			return err
		}
	}
	b.EndArray()
	b.StringField("role", roleModel)
	b.EndObject()
	e.w.ending(b, c)
	b.EndObject()
	return nil
}

// stoodBefore reports whether a block is a signature that stood on the part of
// the block before it.
func (e *wholeEncoder) stoodBefore(b *weir.Block) bool {
	return b.Type == weir.BlockReasoning && b.Text == "" && b.Reasoning != nil && ofProtocol(b.Reasoning.Format) &&
		marked(b.Extra, "signature") == "before"
}

// wholeRun recognises a whole answer of this protocol whose Events all came back
// unedited.
type wholeRun struct {
	raw     []byte // the answer, once it is complete
	pending []weir.Event
	first   [4]weir.Event
	frame   *weir.Frame
}

// take gives the Events that are to be gathered by value.
func (r *wholeRun) take(ev weir.Event) []weir.Event {
	f := ev.Frame
	fits := f != nil && f.Protocol == protocol && f.Whole && int(ev.FrameSeq) == len(r.pending) &&
		(r.frame == nil || r.frame == f) && r.raw == nil
	if !fits {
		r.raw = nil
		return append(r.rest(), ev)
	}
	if r.pending == nil {
		r.pending = r.first[:0]
	}
	r.frame, r.pending = f, append(r.pending, ev)
	if len(r.pending) == int(f.Events) {
		r.raw = bytes.Clone(f.Raw)
	}
	return nil
}

// rest gives up the run and what it held.
func (r *wholeRun) rest() []weir.Event {
	held := r.pending
	r.pending = nil
	return held
}
