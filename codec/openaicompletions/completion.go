package openaicompletions

import (
	"bytes"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// wholeEncoder writes an answer as one body.
type wholeEncoder struct {
	chunks chunkWriter
	all    weir.Collector
	run    codec.Run
	raw    []byte // the answer as it was received, when it came back whole
	any    bool
}

// ContentType implements codec.Encoder.
func (e *wholeEncoder) ContentType() string { return "application/json" }

// Losses implements codec.Encoder.
func (e *wholeEncoder) Losses() []weir.Loss { return e.chunks.losses }

// KeepAlive implements codec.Encoder: nothing can be sent ahead of JSON.
func (e *wholeEncoder) KeepAlive(dst []byte) []byte { return dst }

// Encode implements codec.Encoder.
func (e *wholeEncoder) Encode(dst []byte, ev weir.Event) []byte {
	if ev.Type == weir.EventNote || ev.Type == weir.EventPing {
		return dst
	}
	e.any = true
	f := ev.Frame
	whole := f != nil && f.Protocol == e.chunks.shape && f.Whole && e.raw == nil
	if !whole || ev.FrameSeq > 0 && !e.run.Continues(ev) {
		e.abandon()
		e.all.Add(ev.Detach())
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
		e.all.Add(ev)
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
		return completions{}.AppendError(dst, err)
	case e.raw != nil:
		return append(dst, e.raw...)
	}
	e.abandon()
	return e.completion(dst)
}

// completion writes what was collected.
func (e *wholeEncoder) completion(dst []byte) []byte {
	done := e.all.Completion()
	w := &e.chunks
	w.start = done.Start
	b := jsonx.Buffer{B: dst}
	b.BeginObject()
	object := "text_completion"
	if w.shape == fim {
		object = "chat.completion"
	}
	w.identify(&b, object)
	b.Key("choices")
	b.BeginArray()
	for i := range done.Choices {
		w.message(&b, int32(i), &done.Choices[i])
	}
	b.EndArray()
	if done.Usage != nil && done.Usage.Known != 0 {
		b.Key("usage")
		codec.WriteOpenAIUsage(&b, done.Usage, protocol)
	}
	b.EndObject()
	return b.B
}

// message writes one choice.
func (w *chunkWriter) message(b *jsonx.Buffer, n int32, c *weir.Choice) {
	b.BeginObject()
	b.IntField("index", int64(n))
	text := w.wholeText(c)
	if w.shape == fim {
		b.Key("message")
		b.BeginObject()
		b.StringField("role", "assistant")
		b.StringField("content", text)
		b.EndObject()
		for _, piece := range c.Logprobs {
			w.ownLogprobs(n, piece) // to note that they are lost
		}
	} else {
		b.StringField("text", text)
		b.Key("logprobs")
		w.joinLogprobs(b, n, c.Logprobs)
	}
	if c.Finish.Reason == "" {
		b.Key("finish_reason")
		b.Null()
	} else {
		w.finishMembers(b, &c.Finish)
	}
	b.EndObject()
}

// wholeText is the text of a choice; what else it has is noted as lost.
func (w *chunkWriter) wholeText(c *weir.Choice) string {
	var text strings.Builder
	for i := range c.Message.Blocks {
		block := &c.Message.Blocks[i]
		if !isText(block.Type) {
			w.lose(block.Type)
			continue
		}
		text.WriteString(block.Text)
		w.uncited(block)
	}
	return text.String()
}
