package openairesponses

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// put remembers where a block is written.
func (w *answerWriter) put(i int32, b *outBlock) *outBlock {
	if w.blocks == nil {
		w.blocks = map[int32]*outBlock{}
	}
	w.blocks[i] = b
	return b
}

// blockStart begins a block. Texts and thoughts are written when something of
// them is there; everything else begins at once.
func (w *answerWriter) blockStart(dst []byte, ev *weir.Event) []byte {
	block := ev.Block
	switch block.Type {
	case weir.BlockText, weir.BlockRefusal, weir.BlockAudio:
		return w.textStart(dst, ev)
	case weir.BlockReasoning:
		return w.thoughtStart(dst, ev)
	case weir.BlockToolCall:
		return w.callStart(dst, ev)
	case weir.BlockImage:
		return w.image(w.settle(dst, nil), ev)
	case weir.BlockOpaque:
		return w.opaque(w.settle(dst, nil), ev)
	}
	w.lose("output."+string(block.Type), "the client's protocol has no such item in answers")
	w.put(ev.Index, &outBlock{typ: block.Type, silent: true})
	return dst
}

func (w *answerWriter) textStart(dst []byte, ev *weir.Event) []byte {
	block := ev.Block
	b := w.put(ev.Index, &outBlock{typ: block.Type, part: &outPart{typ: outputText}})
	if block.Type == weir.BlockRefusal {
		b.part.typ = outputRefusal
	}
	b.item = w.messageFor(block)
	dst = w.settle(dst, b.item)
	b.item.open++
	text := block.Text
	if block.Type == weir.BlockAudio {
		w.lose("output.audio", "the sound was left out, its words were sent as text")
		text = block.Media.Transcript
	}
	dst = w.say(dst, b.item, b.part, text)
	for i := range block.Citations {
		dst = w.cite(dst, b, &block.Citations[i])
	}
	return dst
}

// messageFor is the message item that a text belongs to: the last one, where the
// text goes on what was said there, or a new one.
func (w *answerWriter) messageFor(block *weir.Block) *outItem {
	id, phase := itemIDOf(block), block.Extra.Value("phase")
	if n := len(w.items); n > 0 {
		it := w.items[n-1]
		if it.kind == outMessage && !it.closed && it.open == 0 && phase == nil && (id == "" || id == it.id) {
			return it
		}
	}
	return &outItem{kind: outMessage, id: id, phase: phase}
}

// itemIDOf is the id of the item that a block of this protocol came from.
func itemIDOf(b *weir.Block) string {
	return jsonx.StringOr(jsonx.Get(b.Extra.Value(itemField), "id"), "")
}

// begun writes the beginnings of an item and of a part, unless they are written.
func (w *answerWriter) beginPart(dst []byte, it *outItem, p *outPart) []byte {
	if p.open {
		return dst
	}
	if !it.added {
		dst = w.add(dst, it)
	}
	p.open = true
	for _, other := range it.parts {
		if other != p && (other.typ == summaryText) == (p.typ == summaryText) {
			p.index = max(p.index, other.index+1)
		}
	}
	if len(it.parts) == 0 || it.parts[len(it.parts)-1] != p {
		it.parts = append(it.parts, p)
	}
	if w.quiet {
		return dst
	}
	b := w.partEvent(dst, partNames[p.typ].part+".added", it, p)
	b.Key("part")
	p.write(&b)
	return endEvent(&b)
}

// partEvent begins an event about a part.
func (w *answerWriter) partEvent(dst []byte, typ string, it *outItem, p *outPart) jsonx.Buffer {
	b := w.open(dst, typ)
	b.StringField("item_id", it.id)
	b.IntField("output_index", it.index)
	b.IntField(partNames[p.typ].index, p.index)
	return b
}

// say writes a piece of a text.
func (w *answerWriter) say(dst []byte, it *outItem, p *outPart, s string) []byte {
	if s == "" {
		return dst
	}
	dst = w.beginPart(dst, it, p)
	p.text = append(p.text, s...)
	if w.quiet {
		return dst
	}
	if p.head == nil {
		p.prepare(it)
	}
	dst = append(dst, p.head...)
	dst = strconv.AppendInt(dst, w.seq, 10)
	w.seq++
	dst = append(dst, p.tail...)
	dst = jsonx.AppendString(dst, s)
	if p.typ == outputText {
		dst = append(dst, `,"logprobs":[]`...)
	}
	return append(dst, "}\n\n"...)
}

// prepare makes what all deltas of a part have in common.
func (p *outPart) prepare(it *outItem) {
	typ := partNames[p.typ].text + ".delta"
	p.head = append(p.head, "event: "+typ+"\ndata: {\"type\":\""+typ+"\",\"sequence_number\":"...)
	b := jsonx.Buffer{B: []byte(",")}
	b.StringField("item_id", it.id)
	b.IntField("output_index", it.index)
	b.IntField(partNames[p.typ].index, p.index)
	b.Key("delta")
	p.tail = b.B
}

// closePart writes the end of a part.
func (w *answerWriter) closePart(dst []byte, it *outItem, p *outPart) []byte {
	p.closed = true
	if !p.open {
		return dst
	}
	for i := range p.waiting { // they support the whole text, which is known now
		c := p.waiting[i]
		c.Start, c.End = 0, utf8.RuneCount(p.text)
		dst = w.annotate(dst, it, p, &c)
	}
	p.waiting = nil
	if w.quiet {
		return dst
	}
	n := &partNames[p.typ]
	if !p.told {
		b := w.partEvent(dst, n.text+".done", it, p)
		b.Key(n.member)
		b.Bytes(p.text)
		if p.typ == outputText {
			b.Key("logprobs")
			p.writeLogprobs(&b)
		}
		dst = endEvent(&b)
	}
	b := w.partEvent(dst, n.part+".done", it, p)
	b.Key("part")
	p.write(&b)
	return endEvent(&b)
}

// cite adds a citation to a text.
func (w *answerWriter) cite(dst []byte, b *outBlock, c *weir.Citation) []byte {
	switch p := b.part; {
	case p == nil || p.typ != outputText || !citable(c):
		w.lose("output.content.annotations", "the client's protocol cites addresses only, and this source has none")
	case c.From == protocol && c.Raw != nil, c.End > 0:
		return w.annotate(w.beginPart(dst, b.item, p), b.item, p, c)
	default:
		dst = w.beginPart(dst, b.item, p)
		p.waiting = append(p.waiting, *c)
	}
	return dst
}

// annotate writes an annotation.
func (w *answerWriter) annotate(dst []byte, it *outItem, p *outPart, c *weir.Citation) []byte {
	var raw jsonx.Buffer
	writeAnnotation(&raw, c)
	p.cited = append(p.cited, raw.B)
	if w.quiet {
		return dst
	}
	b := w.partEvent(dst, "response.output_text.annotation.added", it, p)
	b.IntField("annotation_index", int64(len(p.cited)-1))
	b.RawField("annotation", raw.B)
	return endEvent(&b)
}

// addLogprobs adds the tokens of a list.
func (p *outPart) addLogprobs(list []byte) {
	inner := bytes.TrimSpace(list)
	if !hasElements(inner) {
		return
	}
	if len(p.logprobs) > 0 {
		p.logprobs = append(p.logprobs, ',')
	}
	p.logprobs = append(p.logprobs, bytes.TrimSpace(inner[1:len(inner)-1])...)
}

// logprobs adds the tokens of a piece, in an event without text: the text went
// out before. They come at the end of everything from some upstreams (Gemini), and
// then belong to the text that is still open.
func (w *answerWriter) logprobs(dst []byte, b *outBlock, raw string) []byte {
	if hasElements(jsonx.Get([]byte(raw), "refusal")) {
		w.loseLogprobs()
	}
	list := jsonx.Get([]byte(raw), "content")
	if !hasElements(list) {
		return dst
	}
	if b == nil || !b.takesLogprobs() {
		if b = w.openText(); b == nil {
			w.loseLogprobs()
			return dst
		}
	}
	p := b.part
	dst = w.beginPart(dst, b.item, p)
	p.addLogprobs(list)
	if w.quiet {
		return dst
	}
	e := w.partEvent(dst, "response.output_text.delta", b.item, p)
	e.StringField("delta", "")
	e.RawField("logprobs", list)
	return endEvent(&e)
}

func (w *answerWriter) loseLogprobs() {
	w.lose("output.content.logprobs", "log probabilities of this part of the answer have no place here")
}

// takesLogprobs reports whether the block is a text that goes on.
func (b *outBlock) takesLogprobs() bool {
	return b.part != nil && b.part.typ == outputText && !b.part.closed && !b.item.closed
}

// openText is the text that began last and goes on, nil when there is none.
func (w *answerWriter) openText() *outBlock {
	last := int32(-1)
	for i, b := range w.blocks {
		if i > last && b.takesLogprobs() {
			last = i
		}
	}
	return w.blocks[last]
}

func (w *answerWriter) delta(dst []byte, ev *weir.Event) []byte {
	b := w.blocks[ev.Index]
	if ev.Part == weir.PartLogprobs {
		return w.logprobs(dst, b, ev.Text)
	}
	if b == nil || b.silent || b.ended {
		return dst
	}
	switch ev.Part {
	case weir.PartText, weir.PartTranscript:
		if b.part != nil {
			return w.say(dst, b.item, b.part, b.more(ev.Text))
		}
	case weir.PartArguments:
		if b.typ == weir.BlockToolCall && ev.Text != "" {
			return w.argue(dst, b.item, ev.Text)
		}
	case weir.PartSignature, weir.PartEncrypted:
		w.seal(b, ev)
	case weir.PartCitation:
		return w.cite(dst, b, ev.Citation)
	}
	return dst
}

// more is a piece of a block's text. Of reasoning whose part was closed as it came
// the next paragraph is a part of its own.
func (b *outBlock) more(s string) string {
	if b.part.closed && b.typ == weir.BlockReasoning && s != "" {
		b.part = &outPart{typ: b.part.typ}
		return strings.TrimPrefix(s, partBreak)
	}
	return s
}

// blockEnd ends a block: its part with it, its item when the next one begins.
func (w *answerWriter) blockEnd(dst []byte, i int32) []byte {
	b := w.blocks[i]
	if b == nil || b.ended {
		return dst
	}
	b.ended = true
	if b.silent {
		return dst
	}
	b.item.open--
	switch {
	case b.typ == weir.BlockReasoning:
		return w.thoughtEnd(dst, b)
	case b.part != nil && b.part.open && !b.part.closed:
		return w.closePart(dst, b.item, b.part)
	}
	return dst
}

// callStart begins a call.
func (w *answerWriter) callStart(dst []byte, ev *weir.Event) []byte {
	c := ev.Block.Call
	dst = w.signCall(dst, c)
	dst = w.settle(dst, nil)
	it := &outItem{kind: outFunction, callID: c.ID, name: c.Name, open: 1}
	if c.Type == weir.ToolCustom {
		it.kind = outCustom
	}
	if w.start.From == protocol {
		it.id = jsonx.StringOr(c.Extra.Value("id"), "")
		it.space = jsonx.StringOr(c.Extra.Value("namespace"), "")
	}
	w.asDeclared(it)
	w.put(ev.Index, &outBlock{typ: weir.BlockToolCall, item: it})
	dst = w.add(dst, it)
	if c.Arguments != "" {
		dst = w.argue(dst, it, c.Arguments)
	}
	return dst
}

// image writes a picture that a model made.
func (w *answerWriter) image(dst []byte, ev *weir.Event) []byte {
	w.put(ev.Index, &outBlock{typ: weir.BlockImage, silent: true})
	m := ev.Block.Media
	it := &outItem{id: jsonx.StringOr(jsonx.Get(ev.Block.Extra.Value(itemField), "id"), "")}
	switch raw := ev.Block.Extra.Value(itemField); {
	case raw != nil && jsonx.StringOr(jsonx.Get(raw, "result"), "") == m.Data:
		it.raw = raw
	case m.Data == "":
		w.lose("output.image", "a picture is sent by its content here, and only its address is known")
		return dst
	default:
		it.raw = w.picture(it, m)
	}
	dst = w.add(dst, it)
	return w.closeItem(dst, it, statusCompleted)
}

// picture is the item of a picture.
func (w *answerWriter) picture(it *outItem, m *weir.Media) []byte {
	if it.id == "" {
		it.id = "ig_" + w.suffix(w.next)
	}
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("id", it.id)
	b.StringField("type", "image_generation_call")
	b.StringField("status", statusCompleted)
	if format, ok := strings.CutPrefix(m.MIME, "image/"); ok {
		b.StringField("output_format", format)
	}
	b.StringField("result", m.Data)
	b.EndObject()
	return b.B
}

// opaque writes an item that is kept by value, where it is of this protocol.
func (w *answerWriter) opaque(dst []byte, ev *weir.Event) []byte {
	w.put(ev.Index, &outBlock{typ: weir.BlockOpaque, silent: true})
	o := ev.Block.Opaque
	if o.Protocol != protocol {
		w.lose("output", "a block of the type "+o.Type+" has no counterpart here")
		return dst
	}
	id := jsonx.StringOr(jsonx.Get(o.Raw, "id"), "")
	for _, it := range w.items { // announced as it came
		if it.kind == outOther && !it.closed && it.id == id {
			it.raw = o.Raw
			return w.closeItem(dst, it, statusCompleted)
		}
	}
	it := &outItem{id: id, raw: o.Raw}
	dst = w.add(dst, it)
	return w.closeItem(dst, it, statusCompleted)
}
