package openaicompletions

import (
	"crypto/rand"
	"strings"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// chunkWriter writes chunks by value, in the shape that the client reads.
type chunkWriter struct {
	req      *weir.Request
	shape    weir.Protocol
	start    weir.Start
	verbatim bool   // frames went out as received: go on in their name
	head     []byte // `data: {"id":…,` up to the choices; made with the first chunk
	choices  []*outChoice
	losses   codec.Losses
}

// outChoice is what was written of one alternative.
type outChoice struct {
	role   bool             // that an assistant speaks was said, in the shape of Chat
	kinds  []weir.BlockType // of the blocks, by their number
	offset *int             // of the next token in the text, in characters; see logprobs.go
}

func (w *chunkWriter) choice(n int32) *outChoice {
	for int(n) >= len(w.choices) {
		w.choices = append(w.choices, new(outChoice))
	}
	return w.choices[n]
}

// note remembers what kind of block begins.
func (w *chunkWriter) note(ev *weir.Event) {
	c := w.choice(ev.Choice)
	for int(ev.Index) >= len(c.kinds) {
		c.kinds = append(c.kinds, weir.BlockText)
	}
	c.kinds[ev.Index] = ev.Block.Type
}

func (c *outChoice) kind(i int32) weir.BlockType {
	if int(i) < len(c.kinds) {
		return c.kinds[i]
	}
	return weir.BlockText
}

// event writes the chunk of one event.
func (w *chunkWriter) event(dst []byte, ev *weir.Event) []byte {
	switch ev.Type {
	case weir.EventStart:
		w.start = *ev.Start
	case weir.EventBlockStart:
		w.note(ev)
		w.uncited(ev.Block)
		if isText(ev.Block.Type) {
			return w.text(dst, ev.Choice, ev.Block.Text)
		}
		w.lose(ev.Block.Type)
	case weir.EventDelta:
		switch {
		case ev.Part == weir.PartLogprobs:
			return w.logprobs(dst, ev.Choice, []byte(ev.Text))
		case ev.Part == weir.PartCitation:
			w.uncited(&weir.Block{Citations: []weir.Citation{*ev.Citation}})
		case ev.Part == weir.PartText && isText(w.choice(ev.Choice).kind(ev.Index)):
			return w.text(dst, ev.Choice, ev.Text)
		}
	case weir.EventFinish:
		return w.finish(dst, ev)
	}
	return dst
}

// isText reports whether a block's text is part of a completion. A refusal is what
// the model said.
func isText(t weir.BlockType) bool { return t == weir.BlockText || t == weir.BlockRefusal }

// lostBlocks says of each kind of block what it is called and why it is lost.
var lostBlocks = map[weir.BlockType][2]string{
	weir.BlockReasoning: {"reasoning", "a completion has no place for thinking"},
	weir.BlockToolCall:  {"tool_calls", "a completion cannot call tools"},
}

// lose notes a block that was left out, once for each kind.
func (w *chunkWriter) lose(t weir.BlockType) {
	if said, ok := lostBlocks[t]; ok {
		w.dropOnce(said[0], said[1])
		return
	}
	w.dropOnce(string(t), "a completion is text only")
}

// uncited notes that the citations of a block are left out.
func (w *chunkWriter) uncited(b *weir.Block) {
	if len(b.Citations) > 0 {
		w.dropOnce("citations", "a completion has no citations")
	}
}

func (w *chunkWriter) dropOnce(field, detail string) {
	field = "choices." + field
	for i := range w.losses {
		if w.losses[i].Field == field {
			return
		}
	}
	w.losses.Drop(field, detail)
}

func (w *chunkWriter) text(dst []byte, n int32, text string) []byte {
	if text == "" {
		return dst
	}
	b := w.open(dst, n)
	w.writeText(&b, n, text)
	if w.shape == protocol {
		b.Key("logprobs")
		b.Null()
	}
	return append(b.B, chunkEnd...)
}

const (
	chunkEnd = ",\"finish_reason\":null}]}\n\n"
	lastEnd  = "}]}\n\n"
)

// open begins a chunk up to the first member behind the index of its choice.
func (w *chunkWriter) open(dst []byte, n int32) jsonx.Buffer {
	if w.head == nil {
		w.head = w.makeHead()
	}
	b := jsonx.Buffer{B: append(dst, w.head...)}
	b.B = append(b.B, `"choices":[{"index":`...)
	b.Int(int64(n))
	return b
}

// writeText writes the member that holds the text.
func (w *chunkWriter) writeText(b *jsonx.Buffer, n int32, text string) {
	if w.shape == protocol {
		b.StringField("text", text)
		return
	}
	b.Key("delta")
	b.BeginObject()
	if c := w.choice(n); !c.role {
		c.role = true
		b.StringField("role", "assistant")
	}
	b.StringField("content", text)
	b.EndObject()
}

// makeHead is what all chunks begin with.
func (w *chunkWriter) makeHead() []byte {
	b := jsonx.Buffer{B: []byte("data: ")}
	b.BeginObject()
	object := "text_completion"
	if w.shape == fim {
		object = "chat.completion.chunk"
	}
	w.identify(&b, object)
	return append(b.B, ',')
}

// identify writes the members that name an answer.
func (w *chunkWriter) identify(b *jsonx.Buffer, object string) {
	s := &w.start
	b.StringField("id", w.id())
	b.StringField("object", object)
	if s.Created == 0 {
		s.Created = time.Now().Unix()
	}
	b.IntField("created", s.Created)
	model := w.req.Model
	if w.verbatim && s.Model != "" || model == "" {
		model = s.Model
	}
	b.StringField("model", model)
	if s.From == protocol {
		for _, f := range s.Extra {
			b.RawField(f.Name, f.Value)
		}
	}
}

// id is the upstream's id in the client's style, or a new one.
func (w *chunkWriter) id() string {
	const prefix = "cmpl-"
	s := &w.start
	switch {
	case s.ID == "" && w.req.ID != "":
		return prefix + w.req.ID
	case s.ID == "":
		return prefix + rand.Text()
	case s.From == protocol || s.From == "" || strings.HasPrefix(s.ID, prefix):
		return s.ID
	}
	return prefix + s.ID
}

// finish writes the chunk that ends a choice.
func (w *chunkWriter) finish(dst []byte, ev *weir.Event) []byte {
	b := w.open(dst, ev.Choice)
	w.writeText(&b, ev.Choice, "")
	if w.shape == protocol {
		b.Key("logprobs")
		b.Null()
	}
	w.finishMembers(&b, ev.Finish)
	return append(b.B, lastEnd...)
}

// finishMembers writes finish_reason and what belongs to it. The upstream's own word
// is kept beside where it says more (P-11), as OpenRouter does.
func (w *chunkWriter) finishMembers(b *jsonx.Buffer, f *weir.Finish) {
	word, native := finishWord(f)
	b.StringField("finish_reason", word)
	if native && f.Native != "" {
		b.StringField("native_finish_reason", f.Native)
	}
	if f.Reason == weir.FinishPause || f.Reason == weir.FinishToolCalls {
		w.losses.Approximate("choices.finish_reason", "the upstream waits to be continued, which completions cannot say")
	}
	if f.From != protocol {
		return
	}
	for _, x := range f.Extra {
		if x.Name != "native_finish_reason" {
			b.RawField(x.Name, x.Value)
		}
	}
}

// finishWord is a reason in the words of completions, of which there are three.
// native tells that the upstream's own word says more.
func finishWord(f *weir.Finish) (word string, native bool) {
	switch f.Reason {
	case weir.FinishStop:
		return "stop", false
	case weir.FinishLength:
		return "length", false
	case weir.FinishContentFilter:
		return "content_filter", f.From != protocol
	case weir.FinishContextWindow:
		return "length", true
	case weir.FinishRefusal:
		return "content_filter", true
	case weir.FinishOther:
		if f.From == protocol && f.Native != "" {
			return f.Native, false
		}
	}
	return "stop", true
}

// appendUsage writes the chunk of usage alone.
func (w *chunkWriter) appendUsage(dst []byte, u *weir.Usage) []byte {
	if w.head == nil {
		w.head = w.makeHead()
	}
	b := jsonx.Buffer{B: append(dst, w.head...)}
	b.B = append(b.B, `"choices":[]`...)
	b.Key("usage")
	codec.WriteOpenAIUsage(&b, u, protocol)
	return append(b.B, "}\n\n"...)
}
