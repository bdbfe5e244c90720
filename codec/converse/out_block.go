package converse

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/eventstream"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// outKind is what a block is written as.
type outKind uint8

const (
	outNone outKind = iota
	outText
	outThinking
	outTool
	outWhole // complete at its start: an image, or a block that is kept by value
)

// outBlock is a block on its way out.
type outBlock struct {
	index int32 // as the Events number it
	out   int   // as it is written
	kind  outKind
	block *weir.Block // as it began; nil for text that was resumed

	open, ended, closed bool

	text      []byte // gathered and not written: text, thinking, arguments
	ink       bool   // there was more than white space so far
	citations []weir.Citation
	signature []byte
	encrypted []byte
	json      jsonScan // of arguments
	wrote     bool     // some text or arguments were written
}

func newOutBlock(ev *weir.Event) *outBlock {
	b := &outBlock{index: ev.Index, block: ev.Block}
	switch ev.Block.Type {
	case weir.BlockText, weir.BlockRefusal:
		b.kind, b.text = outText, []byte(ev.Block.Text)
	case weir.BlockAudio:
		b.kind = outText
		if ev.Block.Media != nil {
			b.text = []byte(ev.Block.Media.Transcript)
		}
	case weir.BlockReasoning:
		b.kind, b.text = outThinking, []byte(ev.Block.Text)
		if r := ev.Block.Reasoning; r != nil {
			b.signature, b.encrypted = []byte(r.Signature), []byte(r.Encrypted)
		}
	case weir.BlockToolCall:
		if ev.Block.Call != nil {
			b.kind = outTool
			b.addArguments(ev.Block.Call.Arguments)
		}
	case weir.BlockImage:
		if hasImage(ev.Block) {
			b.kind = outWhole
		}
	case weir.BlockOpaque:
		if o := ev.Block.Opaque; o != nil && o.Protocol == protocol {
			b.kind = outWhole
		}
	}
	b.ink = b.ink || hasInk(string(b.text))
	return b
}

// own reports whether the thinking's signature is one that this protocol carries.
func (b *outBlock) own() bool {
	return b.block != nil && b.block.Reasoning != nil && ofProtocol(b.block.Reasoning.Format)
}

// custom reports whether the call's input is free text, which is written as one
// object when it is complete.
func (b *outBlock) custom() bool {
	return b.kind == outTool && b.block.Call.Type == weir.ToolCustom
}

// addArguments gathers arguments. An empty object is the same as none (S-04).
func (b *outBlock) addArguments(s string) {
	if s == "{}" && len(b.text) == 0 && !b.wrote {
		return
	}
	b.text = append(b.text, s...)
	b.json.feed(s)
}

// take gathers what a delta adds.
func (b *outBlock) take(w *streamWriter, ev *weir.Event) {
	switch ev.Part {
	case weir.PartText, weir.PartTranscript:
		if b.kind == outText || b.kind == outThinking {
			b.gather(ev.Text)
		}
	case weir.PartArguments:
		if b.kind == outTool {
			b.gather(ev.Text)
			b.json.feed(ev.Text)
		}
	case weir.PartSignature:
		if b.kind == outTool {
			w.lose("content.toolUse.signature", "the state of another provider's call cannot be carried")
			return
		}
		b.signature = append(b.signature, ev.Text...)
	case weir.PartEncrypted:
		b.encrypted = append(b.encrypted, ev.Text...)
	case weir.PartCitation:
		if ev.Citation != nil && b.kind == outText {
			b.cite(w, ev.Citation)
		}
	}
}

// speaks reports whether there is text to be written. White space between two texts
// counts, thinking and arguments of nothing else do not: no block is opened for them
// (T-09).
func (b *outBlock) speaks() bool {
	return len(b.text) > 0 && (b.ink || b.kind == outText || b.kind == outThinking && b.open)
}

func (b *outBlock) gather(s string) {
	b.text = append(b.text, s...)
	b.ink = b.ink || hasInk(s)
}

func (b *outBlock) cite(w *streamWriter, c *weir.Citation) {
	if !isCitable(c) {
		w.lose("content.citations", "citations that say neither source nor text cannot be written")
		return
	}
	b.citations = append(b.citations, *c)
}

// isCitable reports whether appendCitation has something to write.
func isCitable(c *weir.Citation) bool {
	return c.From == protocol && c.Raw != nil || c.URL != "" || c.Title != "" || c.Cited != ""
}

// mayClose reports whether a block that has not ended can be closed for another:
// text goes on in a new block, a call whose arguments are one complete value has
// nothing to wait for, any other call has.
func (b *outBlock) mayClose() bool {
	return b.kind != outTool || b.json.done && !b.custom()
}

// number gives a block that is begun its place.
func (w *streamWriter) number(b *outBlock) {
	b.open, b.out = true, w.next
	w.next++
	w.calls = w.calls || b.kind == outTool
}

// open writes the start of a call; texts and reasoning have none.
func (w *streamWriter) open(dst []byte, b *outBlock) []byte {
	w.number(b)
	c := b.block.Call
	e := w.event()
	e.IntField("contentBlockIndex", int64(b.out))
	e.Key("start")
	e.BeginObject()
	e.Key("toolUse")
	e.BeginObject()
	e.StringField("toolUseId", callIDOf(c))
	e.StringField("name", c.Name)
	if w.same() {
		appendFields(e, c.Extra)
	}
	e.EndObject()
	e.EndObject()
	return w.send(dst, contentBlockStart)
}

// same reports whether the upstream speaks this protocol, so that unknown members
// belong here.
func (w *streamWriter) same() bool { return w.start != nil && w.start.From == protocol }

// deltaParts are the parts that most deltas of a kind add to.
var deltaParts = [...]weir.Part{outText: weir.PartText, outThinking: weir.PartText, outTool: weir.PartArguments}

func (w *streamWriter) beginDelta(b *outBlock) *jsonx.Buffer {
	e := w.event()
	e.IntField("contentBlockIndex", int64(b.out))
	e.Key("delta")
	e.BeginObject()
	return e
}

// deltaHeaders are those of nearly all frames.
var deltaHeaders = eventstream.EventHeaders(contentBlockDelta)

func (w *streamWriter) endDelta(dst []byte) []byte {
	w.payload.EndObject()
	w.payload.EndObject()
	return eventstream.AppendFrame(dst, deltaHeaders, w.payload.B)
}

func (w *streamWriter) appendDelta(dst []byte, b *outBlock, text string) []byte {
	e := w.beginDelta(b)
	switch b.kind {
	case outThinking:
		e.Key("reasoningContent")
		e.BeginObject()
		e.StringField("text", text)
		e.EndObject()
	case outTool:
		e.Key("toolUse")
		e.BeginObject()
		e.StringField("input", text)
		e.EndObject()
	default:
		e.StringField("text", text)
	}
	return w.endDelta(dst)
}

func (w *streamWriter) appendCitation(dst []byte, b *outBlock, c weir.Citation) []byte {
	e := w.beginDelta(b)
	e.Key("citation")
	appendCitation(e, &c)
	return w.endDelta(dst)
}

// closeBlock ends a block: thinking with its signature, once and last; a call
// without arguments with an empty object, which is what it has (S-04).
func (w *streamWriter) closeBlock(dst []byte, b *outBlock) []byte {
	b.closed = true
	switch {
	case b.kind == outThinking:
		dst = w.seal(dst, b)
	case b.custom():
		dst = w.appendDelta(dst, b, codec.WrapCustom(string(b.text)))
	case b.kind == outTool && b.open && !b.wrote:
		dst = w.appendDelta(dst, b, "{}")
	}
	if !b.open {
		return dst
	}
	w.event().IntField("contentBlockIndex", int64(b.out))
	return w.send(dst, contentBlockStop)
}

// seal writes the state that belongs to thinking, where this protocol carries it.
func (w *streamWriter) seal(dst []byte, b *outBlock) []byte {
	if !b.own() {
		if len(b.signature) > 0 || len(b.encrypted) > 0 {
			w.lose("content.reasoningContent.signature", "the state of another provider's thinking cannot be carried")
		}
		return dst
	}
	member, value := "signature", string(b.signature)
	if len(b.encrypted) > 0 {
		member, value = redacted, blob(string(b.encrypted), b.block.Reasoning.Format)
	}
	if value == "" {
		return dst
	}
	if !b.open {
		w.number(b) // thinking that is not shown has its state only
		if len(b.text) > 0 {
			dst = w.appendDelta(dst, b, string(b.text))
		}
	}
	e := w.beginDelta(b)
	e.Key("reasoningContent")
	e.BeginObject()
	e.StringField(member, value)
	e.EndObject()
	return w.endDelta(dst)
}

// jsonScan finds the end of a JSON object that comes in pieces.
type jsonScan struct {
	depth           int
	text, esc, done bool
}

func (s *jsonScan) feed(piece string) {
	for i := range len(piece) {
		switch c := piece[i]; {
		case s.esc:
			s.esc = false
		case s.text:
			s.esc = c == '\\'
			s.text = c != '"'
		case c == '"':
			s.text = true
		case c == '{' || c == '[':
			s.depth++
		case c == '}' || c == ']':
			s.depth--
			s.done = s.depth == 0
		}
	}
}
