package anthropic

import (
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// outKind is what a block is written as.
type outKind uint8

const (
	outNone outKind = iota
	outText
	outThinking
	outTool
	outOpaque
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
	citations [][]byte
	signature []byte
	encrypted []byte
	json      jsonScan // of arguments
	wrote     bool     // some arguments were written
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
	case weir.BlockOpaque:
		if o := ev.Block.Opaque; o != nil && o.Protocol == protocol {
			b.kind = outOpaque
		}
	}
	b.ink = b.ink || hasInk(string(b.text))
	return b
}

// own reports whether the thinking's signature is one that this protocol made:
// only those go into its place.
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
		b.signature = append(b.signature, ev.Text...)
	case weir.PartEncrypted:
		b.encrypted = append(b.encrypted, ev.Text...)
	case weir.PartCitation:
		if ev.Citation != nil {
			b.cite(w, ev.Citation)
		}
	}
}

// speaks reports whether there is text to be written. White space between two
// texts counts, thinking and arguments of nothing else do not: no block is opened
// for them (T-09).
func (b *outBlock) speaks() bool {
	return len(b.text) > 0 && (b.ink || b.kind == outText || b.kind == outThinking && b.open)
}

func (b *outBlock) gather(s string) {
	b.text = append(b.text, s...)
	b.ink = b.ink || hasInk(s)
}

func (b *outBlock) cite(w *streamWriter, c *weir.Citation) {
	if c.From != protocol || c.Raw == nil {
		w.lose("content.citations", "citations of another protocol cannot be written")
		return
	}
	b.citations = append(b.citations, c.Raw)
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
	w.end.last = b.kind == outTool
	w.end.calls = w.end.calls || w.end.last
}

// open writes the start of a block, which is always empty.
func (w *streamWriter) open(dst []byte, b *outBlock) []byte {
	w.number(b)
	e := event(dst, "content_block_start")
	e.IntField("index", int64(b.out))
	e.Key("content_block")
	e.BeginObject()
	switch b.kind {
	case outText:
		e.StringField("type", "text")
		e.StringField("text", "")
	case outThinking:
		e.StringField("type", "thinking")
		e.StringField("thinking", "")
		e.StringField("signature", "")
	case outTool:
		appendCall(&e, b.block.Call, []byte("{}"))
	}
	if b.block != nil && w.same() {
		appendFields(&e, b.block.Extra)
		if b.own() {
			appendFields(&e, b.block.Reasoning.Extra)
		}
	}
	e.EndObject()
	return endEvent(&e)
}

// same reports whether the upstream speaks this protocol, so that unknown members
// belong here.
func (w *streamWriter) same() bool { return w.start != nil && w.start.From == protocol }

// deltaNames are the part, the type and the member of each kind's delta.
var deltaNames = [...]struct {
	part        weir.Part
	typ, member string
}{
	outText:     {weir.PartText, "text_delta", "text"},
	outThinking: {weir.PartText, "thinking_delta", "thinking"},
	outTool:     {weir.PartArguments, "input_json_delta", "partial_json"},
}

// appendDelta is what nearly all events are, so it is put together of pieces
// that never change.
func appendDelta(dst []byte, out int, kind outKind, text string) []byte {
	name := &deltaNames[kind]
	dst = append(dst, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"...)
	dst = strconv.AppendInt(dst, int64(out), 10)
	dst = append(append(dst, `,"delta":{"type":"`...), name.typ...)
	dst = append(append(dst, `","`...), name.member...)
	dst = jsonx.AppendString(append(dst, `":`...), text)
	return append(dst, "}}\n\n"...)
}

func beginDelta(dst []byte, out int, typ string) jsonx.Buffer {
	e := event(dst, "content_block_delta")
	e.IntField("index", int64(out))
	e.Key("delta")
	e.BeginObject()
	e.StringField("type", typ)
	return e
}

func appendCitation(dst []byte, out int, raw []byte) []byte {
	e := beginDelta(dst, out, "citations_delta")
	e.RawField("citation", raw)
	e.EndObject()
	return endEvent(&e)
}

// closeBlock ends a block: thinking with its signature, once and last.
func (w *streamWriter) closeBlock(dst []byte, b *outBlock) []byte {
	b.closed = true
	if b.kind == outThinking {
		dst = w.seal(dst, b)
	}
	if b.custom() {
		dst = appendDelta(dst, b.out, outTool, codec.WrapCustom(string(b.text)))
	}
	if !b.open {
		if len(b.citations) > 0 {
			w.lose("content.citations", "a citation without a text cannot be written")
		}
		return dst
	}
	e := event(dst, "content_block_stop")
	e.IntField("index", int64(b.out))
	return endEvent(&e)
}

func (w *streamWriter) seal(dst []byte, b *outBlock) []byte {
	if !b.own() {
		if len(b.signature) > 0 || len(b.encrypted) > 0 {
			w.lose("content.thinking.signature", "the state of another provider's thinking cannot be carried")
		}
		return dst
	}
	if len(b.encrypted) > 0 && !b.open {
		w.number(b)
		e := event(dst, "content_block_start")
		e.IntField("index", int64(b.out))
		e.Key("content_block")
		e.BeginObject()
		e.StringField("type", "redacted_thinking")
		e.StringField("data", string(b.encrypted))
		appendFields(&e, b.block.Reasoning.Extra)
		e.EndObject()
		return endEvent(&e)
	}
	if len(b.signature) == 0 {
		return dst
	}
	if !b.open {
		dst = w.open(dst, b) // thinking that is not shown has a signature only
		if len(b.text) > 0 {
			dst = appendDelta(dst, b.out, b.kind, string(b.text))
		}
	}
	e := beginDelta(dst, b.out, "signature_delta")
	e.StringField("signature", string(b.signature))
	e.EndObject()
	return endEvent(&e)
}

// writeOpaque writes the start of a block that is kept by value. The input of a
// hosted call follows in one delta, as the protocol has it; everything else is
// complete at its start.
func (w *streamWriter) writeOpaque(dst []byte, b *outBlock) []byte {
	if b.open {
		return dst
	}
	w.number(b)
	raw := b.block.Opaque.Raw
	input := jsonx.Get(raw, "input")
	split := jsonx.KindOf(input) == jsonx.KindObject && string(jsonx.Compact(nil, input)) != "{}"
	e := event(dst, "content_block_start")
	e.IntField("index", int64(b.out))
	if !split {
		e.RawField("content_block", raw)
		return endEvent(&e)
	}
	e.Key("content_block")
	e.BeginObject()
	_ = jsonx.EachMember(raw, func(k, v []byte) error {
		if string(k) == "input" {
			v = []byte("{}")
		}
		e.RawField(string(k), v)
		return nil
	})
	e.EndObject()
	return appendDelta(endEvent(&e), b.out, outTool, string(input))
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
