package openairesponses

import (
	"cmp"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

type outKind uint8

const (
	outOther outKind = iota
	outMessage
	outReasoning
	outFunction
	outCustom
	outSearch // of tools, run by the client
)

// isCall reports whether a client runs the item.
func (k outKind) isCall() bool { return k == outFunction || k == outCustom || k == outSearch }

// outItem is an output item as far as it was written.
type outItem struct {
	index  int64 // output_index
	id     string
	kind   outKind
	phase  []byte // of a message
	added  bool   // output_item.added was written
	closed bool   // output_item.done was written
	open   int    // blocks that have not ended
	blind  bool   // pieces of it went out that nobody decoded
	raw    []byte // the item as a whole, once it is closed

	parts []*outPart

	// of calls
	callID, name, space string
	arguments           []byte
	argued              bool // the end of the arguments was written

	// of reasoning
	reasoningID string
	encrypted   []byte
	state       envelope // of another protocol
	foreign     bool
}

// outPart is one part of a message or of a reasoning item.
type outPart struct {
	typ      partType
	index    int64 // content_index or summary_index
	open     bool
	closed   bool
	told     bool // the text was written again as a whole
	text     []byte
	cited    [][]byte // annotations
	waiting  []weir.Citation
	logprobs []byte // elements, with commas between them
	head     []byte // what every delta begins with, up to its number
	tail     []byte // and goes on with, up to the text
}

type partType uint8

const (
	outputText partType = iota
	outputRefusal
	summaryText
	reasoningText
)

// partNames are a part's type, the member of its text, the member of its number
// and the words of its events.
var partNames = [...]struct{ typ, member, index, text, part string }{
	outputText:    {"output_text", "text", "content_index", "response.output_text", "response.content_part"},
	outputRefusal: {"refusal", "refusal", "content_index", "response.refusal", "response.content_part"},
	summaryText:   {"summary_text", "text", "summary_index", "response.reasoning_summary_text", "response.reasoning_summary_part"},
	reasoningText: {"reasoning_text", "text", "content_index", "response.reasoning_text", "response.content_part"},
}

// outBlock is a block of the answer and where it is written.
type outBlock struct {
	item  *outItem
	part  *outPart // nil for calls and what is complete at once
	typ   weir.BlockType
	ended bool
	// silent tells that the block is not written: nothing of it is here, or it
	// was complete at once.
	silent bool
}

// openPart follows a part that an upstream has opened.
func (it *outItem) openPart(data []byte, short bool) {
	raw := jsonx.Get(data, "part")
	p := &outPart{open: true, typ: outputText, index: index(jsonx.Get(data, "content_index"))}
	switch string(jsonx.Get(raw, "type")) {
	case `"refusal"`:
		p.typ = outputRefusal
	case `"reasoning_text"`:
		p.typ = reasoningText
	}
	if short {
		p.typ, p.index = summaryText, index(jsonx.Get(data, "summary_index"))
	}
	it.parts = append(it.parts, p)
}

// closePart follows a part that an upstream has closed.
func (it *outItem) closePart(data []byte, short bool) {
	n := index(jsonx.Get(data, "content_index"))
	if short {
		n = index(jsonx.Get(data, "summary_index"))
	}
	for _, p := range it.parts {
		if p.index == n && (p.typ == summaryText) == short {
			p.closed = true
		}
	}
}

// lastPart is the open part of a kind that came last, nil when there is none.
func (it *outItem) lastPart(typ partType) *outPart {
	for _, p := range slices.Backward(it.parts) {
		if p.typ == typ && !p.closed {
			return p
		}
	}
	return nil
}

// sortItems puts items into the order of their numbers.
func (w *answerWriter) sortItems() {
	slices.SortStableFunc(w.items, func(a, b *outItem) int { return cmp.Compare(a.index, b.index) })
}

// write writes the part as it stands in its item.
func (p *outPart) write(b *jsonx.Buffer) {
	n := &partNames[p.typ]
	b.BeginObject()
	b.StringField("type", n.typ)
	if p.typ == outputText {
		b.Key("annotations")
		b.BeginArray()
		for _, a := range p.cited {
			b.Raw(a)
		}
		b.EndArray()
		b.Key("logprobs")
		p.writeLogprobs(b)
	}
	b.Key(n.member)
	b.Bytes(p.text)
	b.EndObject()
}

func (p *outPart) writeLogprobs(b *jsonx.Buffer) {
	b.BeginArray()
	if len(p.logprobs) > 0 {
		b.Raw(p.logprobs)
	}
	b.EndArray()
}

// write writes the item as a whole: empty where it begins, with all its parts
// where it ends.
func (it *outItem) write(b *jsonx.Buffer, status string) {
	begins := status == statusInProgress
	b.BeginObject()
	b.StringField("id", it.id)
	switch it.kind {
	case outMessage:
		b.StringField("type", "message")
		b.StringField("status", status)
		it.writeParts(b, "content", begins, false)
		b.StringField("role", "assistant")
		if it.phase != nil {
			b.RawField("phase", it.phase)
		}
	case outReasoning:
		b.StringField("type", "reasoning")
		it.writeParts(b, "summary", begins, true)
		if it.hasText() || begins {
			it.writeParts(b, "content", begins, false)
		}
		if encrypted := it.sealed(begins); encrypted != "" {
			b.StringField("encrypted_content", encrypted)
		}
	default:
		it.writeCall(b, status, begins)
	}
	b.EndObject()
}

func (it *outItem) writeCall(b *jsonx.Buffer, status string, begins bool) {
	if it.kind == outSearch {
		it.writeSearch(b, status, begins)
		return
	}
	typ, input := "function_call", "arguments"
	if it.kind == outCustom {
		typ, input = "custom_tool_call", "input"
	}
	b.StringField("type", typ)
	b.StringField("status", status)
	b.Key(input)
	if begins {
		b.String("")
	} else {
		b.Bytes(it.arguments)
	}
	b.StringField("call_id", it.callID)
	b.StringField("name", it.name)
	if it.space != "" {
		b.StringField("namespace", it.space)
	}
}

// writeSearch writes the call of a search, whose arguments are an object.
func (it *outItem) writeSearch(b *jsonx.Buffer, status string, begins bool) {
	b.StringField("type", "tool_search_call")
	b.StringField("status", status)
	b.Key("arguments")
	if begins {
		b.Raw([]byte("{}"))
	} else {
		b.Raw(searchArguments(string(it.arguments)))
	}
	b.StringField("call_id", it.callID)
	b.StringField("execution", "client")
}

// writeParts writes a list of parts: the summaries of a reasoning item, or the
// content.
func (it *outItem) writeParts(b *jsonx.Buffer, key string, empty, short bool) {
	b.Key(key)
	b.BeginArray()
	for _, p := range it.parts {
		if !empty && (p.typ == summaryText) == short {
			p.write(b)
		}
	}
	b.EndArray()
}

func (it *outItem) hasText() bool {
	return slices.ContainsFunc(it.parts, func(p *outPart) bool { return p.typ == reasoningText })
}

// sealed is the encrypted_content: what the upstream gave, or an envelope around
// what another protocol's model gave. Where the item begins, an envelope says only
// whose state it will be.
func (it *outItem) sealed(begins bool) string {
	switch {
	case begins && it.foreign:
		return (&envelope{format: it.state.format, id: it.state.id, full: it.state.full}).String()
	case begins:
		return ""
	case !it.foreign:
		return string(it.encrypted)
	}
	if it.state.encrypted = string(it.encrypted); it.state.signature != "" {
		var text []byte
		for _, p := range it.parts {
			text = append(text, p.text...)
		}
		it.state.text = string(text)
	}
	return it.state.String()
}
