package openaichat

import (
	"bytes"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// wholeEncoder writes an answer as one chat.completion.
type wholeEncoder struct {
	req    *weir.Request
	all    weir.Collector
	run    run
	raw    []byte // the answer as it was received, when it came back whole
	any    bool
	losses []weir.Loss
}

// ContentType implements codec.Encoder.
func (e *wholeEncoder) ContentType() string { return "application/json" }

// Losses implements codec.Encoder.
func (e *wholeEncoder) Losses() []weir.Loss { return e.losses }

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
	if !whole || ev.FrameSeq > 0 && !e.run.continues(ev) {
		e.abandon()
		e.all.Add(ev.Detach())
		return dst
	}
	if e.run.add(ev); ev.FrameSeq == f.Events-1 {
		e.raw = bytes.Clone(f.Raw)
	}
	return dst
}

// abandon turns to writing by value.
func (e *wholeEncoder) abandon() {
	for i := range e.run.held {
		e.all.Add(e.run.held[i])
	}
	e.run.clear()
	e.raw = nil
}

// Close implements codec.Encoder.
func (e *wholeEncoder) Close(dst []byte, err *weir.Error) []byte {
	switch {
	case err != nil && !e.any:
		return dst
	case err != nil:
		return chat{}.AppendError(dst, err)
	case e.raw != nil:
		return append(dst, e.raw...)
	}
	e.abandon()
	return e.completion(dst)
}

// completion writes what was collected.
func (e *wholeEncoder) completion(dst []byte) []byte {
	done := e.all.Completion()
	w := chunkWriter{req: e.req, start: done.Start}
	b := jsonx.Buffer{B: dst}
	b.BeginObject()
	w.identify(&b, "chat.completion")
	b.Key("choices")
	b.BeginArray()
	for i := range done.Choices {
		w.message(&b, i, &done.Choices[i])
	}
	b.EndArray()
	if done.Usage != nil && done.Usage.Known != 0 {
		b.Key("usage")
		writeUsage(&b, done.Usage)
	}
	b.EndObject()
	e.losses = append(e.losses, w.losses...)
	return b.B
}

// message writes one choice.
func (w *chunkWriter) message(b *jsonx.Buffer, n int, c *weir.Choice) {
	b.BeginObject()
	b.IntField("index", int64(n))
	b.Key("message")
	b.BeginObject()
	b.StringField("role", "assistant")
	out := w.choice(int32(n))
	w.messageText(b, c)
	w.messageReasoning(b, c)
	w.messageCalls(b, c, out)
	w.messageMedia(b, c)
	b.EndObject()
	if len(c.Logprobs) > 0 {
		b.Key("logprobs")
		joinLogprobs(b, c.Logprobs)
	}
	if c.Finish.Reason == "" {
		b.Key("finish_reason")
		b.Null()
	} else {
		w.finishMembers(b, &c.Finish, out)
	}
	b.EndObject()
}

// messageText writes content and refusal, which are null where there is none.
func (w *chunkWriter) messageText(b *jsonx.Buffer, c *weir.Choice) {
	var content, refusal strings.Builder
	text := false
	for i := range c.Message.Blocks {
		switch blk := &c.Message.Blocks[i]; blk.Type {
		case weir.BlockText:
			content.WriteString(blk.Text)
			text = true
		case weir.BlockRefusal:
			refusal.WriteString(blk.Text)
		}
	}
	b.Key("content")
	if text {
		b.String(content.String())
	} else {
		b.Null()
	}
	if refusal.Len() == 0 {
		refusal.WriteString(refusalOf(&c.Finish))
	}
	if refusal.Len() > 0 {
		b.StringField("refusal", refusal.String())
	}
}

func (w *chunkWriter) messageReasoning(b *jsonx.Buffer, c *weir.Choice) {
	var blocks []weir.Block
	var text strings.Builder
	detailed := false
	for i := range c.Message.Blocks {
		if blk := c.Message.Blocks[i]; blk.Type == weir.BlockReasoning {
			blocks = append(blocks, blk)
			text.WriteString(blk.Text)
			detailed = detailed || blk.Reasoning != nil
		}
	}
	if text.Len() > 0 {
		b.StringField("reasoning_content", text.String())
	}
	if !detailed {
		return
	}
	b.Key("reasoning_details")
	b.BeginArray()
	for i := range blocks {
		if blocks[i].Reasoning == nil {
			blocks[i].Reasoning = &weir.Reasoning{}
		}
		writeDetail(b, &blocks[i], i, w.format())
	}
	b.EndArray()
}

func (w *chunkWriter) messageCalls(b *jsonx.Buffer, c *weir.Choice, out *outChoice) {
	open := false
	for _, call := range c.Message.ToolCalls() {
		if call.Extra.Value("function_call") != nil {
			out.block(0).legacy = true
			b.Key("function_call")
			b.BeginObject()
			b.StringField("name", call.Name)
			b.StringField("arguments", call.Arguments)
			b.EndObject()
			continue
		}
		if !open {
			b.Key("tool_calls")
			b.BeginArray()
			open = true
		}
		b.BeginObject()
		writeCall(b, call, call.Arguments)
		b.EndObject()
	}
	if open {
		b.EndArray()
	}
}

// messageMedia writes citations, pictures and sound.
func (w *chunkWriter) messageMedia(b *jsonx.Buffer, c *weir.Choice) {
	var citations []weir.Citation
	var images []*weir.Media
	for i := range c.Message.Blocks {
		blk := &c.Message.Blocks[i]
		citations = append(citations, blk.Citations...)
		switch blk.Type {
		case weir.BlockImage:
			images = append(images, blk.Media)
		case weir.BlockAudio:
			b.Key("audio")
			b.BeginObject()
			writeAudio(b, blk.Media)
			b.EndObject()
		case weir.BlockOpaque:
			w.lose("a block of the type " + blk.Opaque.Type + " has no counterpart here")
		}
	}
	if citations = w.citable(citations); len(citations) > 0 {
		writeCitations(b, citations)
	}
	if len(images) > 0 {
		b.Key("images")
		b.BeginArray()
		for _, m := range images {
			writeImage(b, m)
		}
		b.EndArray()
	}
}

// logprobNames are the lists in the pieces, in order: content, refusal, and with
// DeepSeek reasoning_content.
func logprobNames(pieces [][]byte) []string {
	var names []string
	for _, p := range pieces {
		_ = jsonx.EachMember(p, func(key, value []byte) error {
			if jsonx.KindOf(value) == jsonx.KindArray && !slices.Contains(names, string(key)) {
				names = append(names, string(key))
			}
			return nil
		})
	}
	return names
}

// joinLogprobs makes one object of the pieces of a stream.
func joinLogprobs(b *jsonx.Buffer, pieces [][]byte) {
	if len(pieces) == 1 {
		b.Raw(pieces[0])
		return
	}
	b.BeginObject()
	for _, name := range logprobNames(pieces) {
		begun := false
		for _, p := range pieces {
			_ = jsonx.EachElement(jsonx.Get(p, name), func(_ int, token []byte) error {
				if !begun {
					b.Key(name)
					b.BeginArray()
					begun = true
				}
				b.Raw(token)
				return nil
			})
		}
		if begun {
			b.EndArray()
		}
	}
	b.EndObject()
}
