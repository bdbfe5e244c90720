package gemini

import (
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// streamEncoder writes an answer in chunks. Frames of this protocol whose events
// come back whole and in order are sent on as they were received; all else is
// written by value. Chunks need no numbers, so that either may follow the other.
type streamEncoder struct {
	w      chunkWriter
	f      framing
	run    codec.Run
	failed *weir.Error
}

func newStreamEncoder(req *weir.Request) *streamEncoder {
	e := &streamEncoder{w: chunkWriter{req: req}}
	if w := req.Wire; w != nil && w.Protocol == protocol {
		a := addressOf(w)
		e.f.array = a.method == methodStream && !a.sse
	}
	return e
}

// ContentType implements codec.Encoder.
func (e *streamEncoder) ContentType() string { return e.f.contentType() }

// Losses implements codec.Encoder.
func (e *streamEncoder) Losses() []weir.Loss { return e.w.losses }

// KeepAlive implements codec.Encoder (W-06).
func (e *streamEncoder) KeepAlive(dst []byte) []byte { return e.f.keepAlive(dst) }

// Encode implements codec.Encoder.
func (e *streamEncoder) Encode(dst []byte, ev weir.Event) []byte {
	if ev.Type == weir.EventNote || ev.Type == weir.EventNone || e.failed != nil {
		return dst
	}
	f := ev.Frame
	switch {
	case f == nil && ev.Type == weir.EventPing:
		return dst // a sign of life that has nothing to show
	case f == nil || f.Protocol != protocol || f.Whole:
		return e.value(e.abandon(dst), &ev)
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
		e.note(&held[i])
	}
	e.note(&ev)
	e.run.Clear()
	return e.f.asItCame(dst, f.Raw)
}

// abandon writes by value what was held of a frame that did not come whole.
func (e *streamEncoder) abandon(dst []byte) []byte {
	held := e.run.Held()
	for i := range held {
		dst = e.value(dst, &held[i])
	}
	e.run.Clear()
	return dst
}

// note keeps up with what goes out as it came.
func (e *streamEncoder) note(ev *weir.Event) {
	switch ev.Type {
	case weir.EventStart:
		e.w.begun(ev.Start)
	case weir.EventUsage:
		e.w.usage.Merge(ev.Usage)
	case weir.EventFinish:
		e.w.choice(ev.Choice).shown = true
	case weir.EventBlockStart:
		e.w.choice(ev.Choice).put(ev.Index, &outBlock{block: weir.Block{Type: ev.Block.Type}, sent: true})
	case weir.EventRelay:
		e.w.choice(ev.Choice)
	}
}

// value writes an event by value.
func (e *streamEncoder) value(dst []byte, ev *weir.Event) []byte {
	switch ev.Type {
	case weir.EventStart:
		e.w.begun(ev.Start)
	case weir.EventUsage:
		e.w.usage.Merge(ev.Usage)
	case weir.EventPing:
		return e.KeepAlive(dst)
	case weir.EventBlockStart:
		return e.blockStart(dst, ev)
	case weir.EventDelta:
		return e.delta(dst, ev)
	case weir.EventBlockEnd:
		return e.blockEnd(dst, ev)
	case weir.EventFinish:
		e.finish(ev)
	}
	return dst
}

// blockStart begins a block. What is there already of a text is written.
func (e *streamEncoder) blockStart(dst []byte, ev *weir.Event) []byte {
	c := e.w.choice(ev.Choice)
	b := &outBlock{block: *ev.Block}
	c.put(ev.Index, b)
	c.citations = append(c.citations, ev.Block.Citations...)
	b.block.Citations = nil
	if isProse(b.block.Type) {
		dst = e.text(dst, c, b, b.block.Text)
		b.block.Text = ""
	}
	return dst
}

func isProse(t weir.BlockType) bool {
	return t == weir.BlockText || t == weir.BlockRefusal || t == weir.BlockReasoning
}

func (e *streamEncoder) delta(dst []byte, ev *weir.Event) []byte {
	c := e.w.choice(ev.Choice)
	if ev.Part == weir.PartLogprobs {
		c.logprobs = append(c.logprobs, []byte(ev.Text))
		return dst
	}
	if ev.Part == weir.PartCitation {
		if ev.Citation != nil {
			c.citations = append(c.citations, *ev.Citation)
		}
		return dst
	}
	b := c.blocks[ev.Index]
	if b == nil {
		return dst
	}
	switch {
	case ev.Part == weir.PartText && isProse(b.block.Type):
		return e.text(dst, c, b, ev.Text)
	case ev.Part == weir.PartArguments, ev.Part == weir.PartAudio:
		b.parts[0] = append(b.parts[0], ev.Text...)
	case ev.Part == weir.PartSignature:
		b.parts[1] = append(b.parts[1], ev.Text...)
	case ev.Part == weir.PartEncrypted && b.block.Reasoning != nil:
		e.w.ownSignature(&weir.Reasoning{Encrypted: ev.Text})
	case ev.Part == weir.PartTranscript && b.block.Media != nil:
		m := *b.block.Media
		m.Transcript += ev.Text
		b.block.Media = &m
	}
	return dst
}

// text writes a piece of text as a chunk. It is what nearly all chunks are, so it
// is put together of pieces that never change.
func (e *streamEncoder) text(dst []byte, c *outChoice, b *outBlock, text string) []byte {
	if text == "" {
		return dst
	}
	b.wrote = true
	out := e.f.begin(dst)
	out.B = append(out.B, `{"candidates":[{"content":{"parts":[{"text":`...)
	out.B = jsonx.AppendString(out.B, text)
	if b.block.Type == weir.BlockReasoning {
		out.B = append(out.B, `,"thought":true`...)
	} else {
		c.text = append(c.text, text...)
	}
	out.B = append(out.B, `}],"role":"model"},"index":`...)
	out.B = append(strconv.AppendInt(out.B, int64(c.n), 10), "}]"...)
	e.w.members(&out)
	return e.f.endLine(&out)
}

// blockEnd writes what had to be whole.
func (e *streamEncoder) blockEnd(dst []byte, ev *weir.Event) []byte {
	c := e.w.choice(ev.Choice)
	b := c.blocks[ev.Index]
	if b == nil || b.sent && len(b.parts[1]) == 0 {
		return dst
	}
	blk := b.whole()
	switch blk.Type {
	case weir.BlockText, weir.BlockRefusal:
		return dst
	case weir.BlockReasoning:
		if (b.wrote || b.sent) && blk.Reasoning != nil && blk.Reasoning.Signature != "" {
			return e.thoughtSignature(dst, c, blk.Reasoning)
		}
	}
	before := e.f
	out := e.f.begin(dst)
	beginPart(&out)
	empty := len(out.B)
	e.failed = e.w.appendPart(&out, c, &blk, "")
	if len(out.B) == empty || e.failed != nil {
		e.f = before
		return dst
	}
	e.w.endPart(&out, c.n)
	return e.f.end(&out)
}

// thoughtSignature writes the signature of a thought whose text is out.
func (e *streamEncoder) thoughtSignature(dst []byte, c *outChoice, r *weir.Reasoning) []byte {
	signature := e.w.ownSignature(r)
	if signature == "" {
		return dst
	}
	out := e.f.begin(dst)
	beginPart(&out)
	out.BeginObject()
	out.StringField("text", "")
	out.BoolField("thought", true)
	out.StringField("thoughtSignature", signature)
	out.EndObject()
	e.w.endPart(&out, c.n)
	return e.f.end(&out)
}

// whole is the block with all that was gathered.
func (b *outBlock) whole() weir.Block {
	blk := b.block
	switch {
	case blk.Call != nil && len(b.parts[0]) > 0:
		call := *blk.Call
		call.Arguments = string(append([]byte(call.Arguments), b.parts[0]...))
		blk.Call = &call
	case blk.Media != nil && len(b.parts[0]) > 0:
		m := *blk.Media
		m.Data += string(b.parts[0])
		blk.Media = &m
	}
	if len(b.parts[1]) > 0 {
		r := weir.Reasoning{}
		if blk.Reasoning != nil {
			r = *blk.Reasoning
		}
		r.Signature += string(b.parts[1])
		blk.Reasoning = &r
	}
	return blk
}

// finish notes how a candidate ended: it is told in the last chunk, with the usage.
func (e *streamEncoder) finish(ev *weir.Event) {
	c := e.w.choice(ev.Choice)
	c.finish = ev.Finish
	for _, call := range c.bad {
		if err := e.w.badCall(c, call); err != nil {
			e.failed = err
		}
	}
	c.bad = nil
}

// Close implements codec.Encoder.
func (e *streamEncoder) Close(dst []byte, err *weir.Error) []byte {
	dst = e.abandon(dst)
	if err == nil {
		err = e.failed
	}
	if err != nil {
		if e.f.closed {
			return dst
		}
		b := e.f.begin(dst)
		b.B = appendError(b.B, err)
		return e.f.close(e.f.end(&b))
	}
	if !e.f.closed && e.unfinished() {
		b := e.f.begin(dst)
		e.w.final(&b)
		dst = e.f.end(&b)
	}
	return e.f.close(dst)
}

// unfinished reports whether the last chunk is still to be written: a candidate's
// finish was not sent on as it came.
func (e *streamEncoder) unfinished() bool {
	for _, c := range e.w.choices {
		if !c.shown {
			return true
		}
	}
	return len(e.w.choices) == 0
}
