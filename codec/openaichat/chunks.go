package openaichat

import (
	"crypto/rand"
	"strings"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// chunkWriter writes chunks by value.
type chunkWriter struct {
	req      *weir.Request
	start    weir.Start
	verbatim bool   // frames went out as received: go on in their name
	head     []byte // `data: {"id":…,` up to the choices; made with the first chunk
	choices  []*outChoice
	losses   []weir.Loss
}

// outChoice is what was written of one alternative.
type outChoice struct {
	role   bool
	refuse bool // a refusal was written
	calls  int64
	blocks []outBlock
}

// outBlock is what is known of a block.
type outBlock struct {
	typ       weir.BlockType
	call      int64 // the number of a tool call in its message
	legacy    bool
	custom    bool
	arguments bool // some were written
	reasoning *weir.Reasoning
}

func (w *chunkWriter) choice(n int32) *outChoice {
	for int(n) >= len(w.choices) {
		w.choices = append(w.choices, new(outChoice))
	}
	return w.choices[n]
}

func (c *outChoice) block(i int32) *outBlock {
	for int(i) >= len(c.blocks) {
		c.blocks = append(c.blocks, outBlock{typ: weir.BlockText})
	}
	return &c.blocks[i]
}

// observe takes note of an event that went out otherwise.
func (w *chunkWriter) observe(ev *weir.Event) {
	switch ev.Type {
	case weir.EventStart:
		w.start = *ev.Start
	case weir.EventBlockStart:
		w.note(ev)
	default:
		w.choice(ev.Choice).role = true
		if ev.Part == weir.PartArguments && ev.Type == weir.EventDelta {
			w.choice(ev.Choice).block(ev.Index).arguments = true
		}
	}
}

// note registers a block that begins.
func (w *chunkWriter) note(ev *weir.Event) *outBlock {
	c := w.choice(ev.Choice)
	b := c.block(ev.Index)
	*b = outBlock{typ: ev.Block.Type, reasoning: ev.Block.Reasoning}
	if call := ev.Block.Call; call != nil {
		b.call, b.custom = c.calls, call.Type == weir.ToolCustom
		b.legacy = call.Extra.Value("function_call") != nil
		c.calls++
	}
	return b
}

// event writes the chunks of one event.
func (w *chunkWriter) event(dst []byte, ev *weir.Event) []byte {
	switch ev.Type {
	case weir.EventStart:
		w.start = *ev.Start
	case weir.EventBlockStart:
		return w.blockStart(dst, ev)
	case weir.EventDelta:
		return w.delta(dst, ev)
	case weir.EventBlockEnd:
		return w.blockEnd(dst, ev)
	case weir.EventFinish:
		return w.finish(dst, ev)
	}
	return dst
}

// open begins a chunk up to its delta's members. The first chunk of a choice
// says the role.
func (w *chunkWriter) open(dst []byte, n int32) jsonx.Buffer {
	if w.head == nil {
		w.head = w.makeHead()
	}
	b := jsonx.Buffer{B: append(dst, w.head...)}
	b.B = append(b.B, `"choices":[{"index":`...)
	b.Int(int64(n))
	b.B = append(b.B, `,"delta":{`...)
	if c := w.choice(n); !c.role {
		c.role = true
		b.B = append(b.B, `"role":"assistant"`...)
	}
	return b
}

const chunkEnd = "},\"finish_reason\":null}]}\n\n"

// makeHead is what all chunks begin with.
func (w *chunkWriter) makeHead() []byte {
	b := jsonx.Buffer{B: []byte("data: ")}
	b.BeginObject()
	w.identify(&b, "chat.completion.chunk")
	return append(b.B, ',')
}

// identify writes the members that name an answer.
func (w *chunkWriter) identify(b *jsonx.Buffer, object string) {
	s := &w.start
	b.StringField("id", answerID(s, w.req.ID))
	b.StringField("object", object)
	created := s.Created
	if created == 0 {
		created = time.Now().Unix()
		s.Created = created
	}
	b.IntField("created", created)
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

// answerID is the upstream's id in the client's style, or a new one.
func answerID(s *weir.Start, request string) string {
	switch {
	case s.ID == "" && request != "":
		return "chatcmpl-" + request
	case s.ID == "":
		return "chatcmpl-" + rand.Text()
	case s.From == protocol || s.From == "" || strings.HasPrefix(s.ID, "chatcmpl-"):
		return s.ID
	}
	return "chatcmpl-" + s.ID
}

func (w *chunkWriter) blockStart(dst []byte, ev *weir.Event) []byte {
	blk := w.note(ev)
	block := ev.Block
	switch block.Type {
	case weir.BlockToolCall:
		return w.callStart(dst, ev, blk)
	case weir.BlockImage:
		b := w.open(dst, ev.Choice)
		b.Key("images")
		b.BeginArray()
		writeImage(&b, block.Media)
		b.EndArray()
		return append(b.B, chunkEnd...)
	case weir.BlockAudio:
		return w.audioStart(dst, ev)
	case weir.BlockOpaque:
		w.lose("a block of the type " + block.Opaque.Type + " has no counterpart here")
		return dst
	case weir.BlockReasoning:
		if r := block.Reasoning; r != nil && (r.Encrypted != "" || r.Signature != "") {
			b := w.open(dst, ev.Choice)
			if block.Text != "" {
				b.StringField("reasoning_content", block.Text)
			}
			b.Key("reasoning_details")
			b.BeginArray()
			writeDetail(&b, block, int(ev.Index), w.format())
			b.EndArray()
			return append(b.B, chunkEnd...)
		}
	}
	if block.Text != "" {
		dst = w.prose(dst, ev.Choice, ev.Index, blk, block.Text)
	}
	return w.annotations(dst, ev.Choice, block.Citations)
}

// annotations writes citations in a chunk of their own.
func (w *chunkWriter) annotations(dst []byte, n int32, citations []weir.Citation) []byte {
	if citations = w.citable(citations); len(citations) == 0 {
		return dst
	}
	b := w.open(dst, n)
	writeCitations(&b, citations)
	return append(b.B, chunkEnd...)
}

// lose notes a block that was left out.
func (w *chunkWriter) lose(detail string) {
	w.losses = append(w.losses, weir.Loss{Field: "choices.message.content", Action: weir.LossDropped, Detail: detail})
}

// format names the maker of signatures that come without a name.
func (w *chunkWriter) format() string { return signatureFormat(w.start.From) }

func writeImage(b *jsonx.Buffer, m *weir.Media) {
	b.BeginObject()
	b.StringField("type", "image_url")
	b.Key("image_url")
	b.BeginObject()
	b.StringField("url", address(m))
	b.EndObject()
	b.EndObject()
}

func (w *chunkWriter) audioStart(dst []byte, ev *weir.Event) []byte {
	m := ev.Block.Media
	if m.ID == "" && m.Data == "" && m.Transcript == "" {
		return dst
	}
	b := w.open(dst, ev.Choice)
	b.Key("audio")
	b.BeginObject()
	writeAudio(&b, m)
	b.EndObject()
	return append(b.B, chunkEnd...)
}

func writeAudio(b *jsonx.Buffer, m *weir.Media) {
	for _, f := range []struct{ name, value string }{{"id", m.ID}, {"data", m.Data}, {"transcript", m.Transcript}} {
		if f.value != "" {
			b.StringField(f.name, f.value)
		}
	}
	for _, f := range m.Extra {
		b.RawField(f.Name, f.Value)
	}
}

func (w *chunkWriter) delta(dst []byte, ev *weir.Event) []byte {
	blk := w.choice(ev.Choice).block(ev.Index)
	switch ev.Part {
	case weir.PartText:
		return w.prose(dst, ev.Choice, ev.Index, blk, ev.Text)
	case weir.PartArguments:
		return w.arguments(dst, ev.Choice, blk, ev.Text)
	case weir.PartSignature, weir.PartEncrypted:
		if blk.typ == weir.BlockToolCall {
			return w.callSignature(dst, ev, blk)
		}
		return w.sealed(dst, ev, blk)
	case weir.PartLogprobs:
		b := w.open(dst, ev.Choice)
		b.EndObject()
		b.RawField("logprobs", []byte(ev.Text))
		return append(b.B, ",\"finish_reason\":null}]}\n\n"...)
	}
	if ev.Part == weir.PartCitation {
		return w.annotations(dst, ev.Choice, []weir.Citation{*ev.Citation})
	}
	b := w.open(dst, ev.Choice)
	switch ev.Part {
	case weir.PartAudio:
		b.Key("audio")
		b.BeginObject()
		b.StringField("data", ev.Text)
		b.EndObject()
	case weir.PartTranscript:
		b.Key("audio")
		b.BeginObject()
		b.StringField("transcript", ev.Text)
		b.EndObject()
	}
	return append(b.B, chunkEnd...)
}

// prose writes text of a block, under the member of its kind.
func (w *chunkWriter) prose(dst []byte, n, index int32, blk *outBlock, text string) []byte {
	b := w.open(dst, n)
	switch blk.typ {
	case weir.BlockReasoning:
		b.StringField("reasoning_content", text)
		if r := blk.reasoning; r != nil {
			b.Key("reasoning_details")
			b.BeginArray()
			writeDetail(&b, &weir.Block{Text: text, Reasoning: r}, int(index), w.format())
			b.EndArray()
		}
	case weir.BlockRefusal:
		w.choice(n).refuse = true
		b.StringField("refusal", text)
	default:
		b.StringField("content", text)
	}
	return append(b.B, chunkEnd...)
}

// sealed writes a signature or an encrypted payload (protocols.md §10).
func (w *chunkWriter) sealed(dst []byte, ev *weir.Event, blk *outBlock) []byte {
	r := weir.Reasoning{}
	if blk.reasoning != nil {
		r = weir.Reasoning{ID: blk.reasoning.ID, Format: blk.reasoning.Format, Summary: blk.reasoning.Summary}
	}
	b := w.open(dst, ev.Choice)
	b.Key("reasoning_details")
	b.BeginArray()
	if ev.Part == weir.PartEncrypted {
		r.Encrypted = ev.Text
	} else {
		r.Signature = ev.Text
	}
	writeDetail(&b, &weir.Block{Reasoning: &r}, int(ev.Index), w.format())
	b.EndArray()
	return append(b.B, chunkEnd...)
}

// blockEnd gives a call that came without arguments an empty object (S-04).
func (w *chunkWriter) blockEnd(dst []byte, ev *weir.Event) []byte {
	blk := w.choice(ev.Choice).block(ev.Index)
	if blk.typ != weir.BlockToolCall || blk.arguments || blk.custom {
		return dst
	}
	return w.arguments(dst, ev.Choice, blk, "{}")
}

func (w *chunkWriter) finish(dst []byte, ev *weir.Event) []byte {
	c := w.choice(ev.Choice)
	if text := refusalOf(ev.Finish); text != "" && !c.refuse {
		b := w.open(dst, ev.Choice)
		b.StringField("refusal", text)
		b.B = append(b.B, chunkEnd...)
		dst = b.B
	}
	b := w.open(dst, ev.Choice)
	b.EndObject()
	w.finishMembers(&b, ev.Finish, c)
	return append(b.B, "}]}\n\n"...)
}

// appendUsage writes the chunk of usage alone.
func (w *chunkWriter) appendUsage(dst []byte, u *weir.Usage) []byte {
	if w.head == nil {
		w.head = w.makeHead()
	}
	b := jsonx.Buffer{B: append(dst, w.head...)}
	b.B = append(b.B, `"choices":[]`...)
	b.Key("usage")
	writeUsage(&b, u)
	return append(b.B, "}\n\n"...)
}
