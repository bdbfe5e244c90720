package ollama

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// wholeEncoder writes an answer in one piece: as it came, when it came whole in this
// protocol and in the words of the same endpoint, else what was gathered.
type wholeEncoder struct {
	w      writer
	all    weir.Collector
	run    codec.Run
	raw    []byte // the answer as it was received, when it came back whole
	any    bool
	failed *weir.Error
}

// ContentType implements codec.Encoder.
func (e *wholeEncoder) ContentType() string { return "application/json; charset=utf-8" }

// Losses implements codec.Encoder.
func (e *wholeEncoder) Losses() []weir.Loss { return e.w.losses }

// KeepAlive implements codec.Encoder: nothing can be sent ahead of JSON.
func (e *wholeEncoder) KeepAlive(dst []byte) []byte { return dst }

// Failed implements codec.Failer.
func (e *wholeEncoder) Failed() *weir.Error { return e.failed }

// Encode implements codec.Encoder.
func (e *wholeEncoder) Encode(dst []byte, ev weir.Event) []byte {
	if ev.Type == weir.EventNote || ev.Type == weir.EventPing {
		return dst
	}
	e.any = true
	f := ev.Frame
	own := f != nil && f.Protocol == protocol && f.Whole && e.raw == nil
	switch {
	case own && ev.Type == weir.EventStart && e.w.isForeign(ev.Start):
		own = false
	case own && ev.Type == weir.EventRelay && len(e.run.Held()) == 0:
		for _, inner := range newRereader().reread(f.Raw) {
			e.all.Add(inner)
		}
		return dst
	}
	if !own || ev.FrameSeq > 0 && !e.run.Continues(ev) {
		e.abandon()
		e.add(ev.Detach())
		return dst
	}
	if e.run.Add(ev); ev.FrameSeq == f.Events-1 {
		e.raw = bytes.Clone(f.Raw)
	}
	return dst
}

// abandon turns to writing by value.
func (e *wholeEncoder) abandon() {
	held := e.run.Held()
	for i := range held {
		e.add(held[i])
	}
	e.run.Clear()
	e.raw = nil
}

func (e *wholeEncoder) add(ev weir.Event) {
	if ev.Choice != 0 {
		e.w.lose("choices", "the client's protocol has one choice; the first one was sent")
		return
	}
	e.all.Add(ev)
}

// Close implements codec.Encoder.
func (e *wholeEncoder) Close(dst []byte, err *weir.Error) []byte {
	switch {
	case err != nil && !e.any:
		return dst
	case err != nil:
		return ollama{}.AppendError(dst, err)
	case e.raw != nil:
		return append(dst, e.raw...)
	}
	e.abandon()
	out := e.answer(dst, e.all.Completion())
	if e.failed = e.w.unfinished(); e.failed != nil {
		return ollama{}.AppendError(dst, e.failed)
	}
	return out
}

// answer writes what was gathered.
func (e *wholeEncoder) answer(dst []byte, done *weir.Completion) []byte {
	w := &e.w
	w.begin(&done.Start)
	var choice weir.Choice
	if len(done.Choices) > 0 {
		choice = done.Choices[0]
	}
	w.finish = &choice.Finish
	w.usage.Merge(done.Usage)
	g := w.gather(&choice)
	b := jsonx.Buffer{B: append(dst, w.heading()...)}
	if w.form == formGenerate {
		b.StringField("response", g.text.String())
	} else {
		b.Key("message")
		b.BeginObject()
		b.StringField("role", "assistant")
		b.StringField("content", g.text.String())
	}
	if g.thinking.Len() > 0 {
		b.StringField("thinking", g.thinking.String())
	}
	g.list(&b, "images", g.images.B)
	g.list(&b, "tool_calls", g.calls.B)
	if w.form != formGenerate {
		b.EndObject()
	}
	g.list(&b, "logprobs", g.logprobs.B)
	w.ending(&b)
	b.EndObject()
	return b.B
}

// gathered are the members of a message.
type gathered struct {
	text, thinking          strings.Builder
	images, calls, logprobs jsonx.Buffer // elements of lists
}

func (*gathered) list(b *jsonx.Buffer, name string, elements []byte) {
	if len(elements) > 1 {
		b.RawField(name, append(elements, ']'))
	}
}

// gather puts the blocks of a choice where the protocol has them.
func (w *writer) gather(c *weir.Choice) *gathered {
	g := new(gathered)
	g.images.BeginArray()
	g.calls.BeginArray()
	g.logprobs.BeginArray()
	for i := range c.Message.Blocks {
		b := &c.Message.Blocks[i]
		if len(b.Citations) > 0 {
			w.loseCitations()
		}
		switch b.Type {
		case weir.BlockReasoning:
			g.thinking.WriteString(b.Text)
			w.loseState(b.Reasoning)
		case weir.BlockToolCall:
			w.gatherCall(g, b.Call)
		case weir.BlockImage:
			w.gatherImage(g, b.Media)
		case weir.BlockAudio:
			w.lose("message.audio", "the sound was left out, its words were sent as text")
			if b.Media != nil {
				g.text.WriteString(b.Media.Transcript)
			}
		case weir.BlockOpaque:
			w.lose("message.content", "only its own protocol understands it")
		default:
			g.text.WriteString(b.Text)
		}
	}
	for _, piece := range c.Logprobs {
		w.gatherLogprobs(g, piece)
	}
	return g
}

func (w *writer) gatherCall(g *gathered, c *weir.ToolCall) {
	if c == nil {
		return
	}
	if w.form == formGenerate {
		w.lose("tool_calls", "answers of /api/generate have no tool calls")
		return
	}
	object, ok := callArguments(c, c.Arguments)
	if !ok {
		w.broken = strconv.Quote(c.Name)
		return
	}
	appendCall(&g.calls, c, w.calls, object)
	w.calls++
}

func (w *writer) gatherImage(g *gathered, m *weir.Media) {
	switch data := imageData(m); {
	case data == "":
		w.lose("message.images", "the client's protocol has images by value only")
	case w.form == formGenerate:
		w.lose("images", "answers of /api/generate have none")
	default:
		g.images.String(data)
	}
}

func (w *writer) gatherLogprobs(g *gathered, piece []byte) {
	tokens := jsonx.Get(piece, "content")
	if jsonx.KindOf(tokens) != jsonx.KindArray {
		w.lose("logprobs", "the client's protocol has those of text only")
	}
	_ = jsonx.EachElement(tokens, func(_ int, token []byte) error {
		g.logprobs.Raw(token)
		return nil
	})
}
