package openairesponses

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func isInstructions(m *weir.Message) bool {
	return m.At == "instructions" && m.Role == weir.RoleSystem
}

// input writes instructions and items. System text stays an item, so that its
// role and place are kept; what a client wrote as instructions goes back there.
func (w *writer) input() error {
	turns := w.turns()
	if err := w.checkPairs(turns); err != nil {
		return err
	}
	if w.native() && len(turns) > 0 && isInstructions(&turns[0].Message) && allText(turns[0].Blocks) {
		w.StringField("instructions", turns[0].Text())
		turns = turns[1:]
	}
	if w.native() && len(turns) == 0 {
		return nil // absent, or a spelling
	}
	if w.native() && len(turns) == 1 && w.isBareInput(&turns[0].Message) {
		w.StringField("input", turns[0].Text())
		return nil
	}
	w.Key("input")
	w.BeginArray()
	for i := range turns {
		if err := w.turn(&turns[i], i == len(turns)-1); err != nil {
			return err
		}
	}
	w.EndArray()
	return nil
}

// isBareInput reports whether a message is an input that was one string.
func (w *writer) isBareInput(m *weir.Message) bool {
	return m.At == "input" && m.Plain && m.Role == weir.RoleUser && allText(m.Blocks)
}

// turn writes the items of one message.
func (w *writer) turn(t *codec.Turn, last bool) error {
	if last && t.Role == weir.RoleAssistant && w.q.Prefill == prefillRefused && !holdsCalls(&t.Message) {
		at := w.paths.Message(t.At)
		e := weir.Invalid(at, "%s: the model does not continue an assistant message", at)
		e.Hint = "end the conversation with a user message"
		return e
	}
	if !w.native() {
		w.losses.DropExtra(w.paths.Message(t.At), t.Extra)
		if t.Name != "" && t.Role != weir.RoleTool {
			w.losses.Drop(w.paths.Message(t.At)+".name", "the target's protocol has no names of speakers")
		}
	}
	if raw := t.Extra.Value(additionalField); raw != nil && w.native() {
		if w.hoists() {
			return nil
		}
		return w.additional(w.paths.Message(t.At), raw)
	}
	if len(t.Blocks) == 0 && w.native() {
		w.message(t, 0, 0)
		return nil
	}
	for from := 0; from < len(t.Blocks); {
		to, err := w.item(t, from)
		if err != nil {
			return err
		}
		from = to
	}
	return nil
}

func holdsCalls(m *weir.Message) bool { return len(m.ToolCalls()) > 0 }

// item writes the item that begins with block from and tells where the next one
// begins.
func (w *writer) item(t *codec.Turn, from int) (to int, err error) {
	b := placed{&t.Blocks[from], t.Place(from)}
	switch b.Type {
	case weir.BlockReasoning:
		for to = from + 1; to < len(t.Blocks) && sameThought(b.Block, &t.Blocks[to]); to++ {
			continue
		}
		w.thought(t, from, to)
		return to, nil
	case weir.BlockToolCall:
		return from + 1, w.call(b)
	case weir.BlockToolResult:
		return from + 1, w.result(b)
	case weir.BlockOpaque:
		if isItem(b.Block) {
			w.Raw(b.Opaque.Raw)
			return from + 1, nil
		}
	}
	for to = from + 1; to < len(t.Blocks) && w.continues(t, to); to++ {
		continue
	}
	return to, w.contentItem(t, from, to)
}

// isItem reports whether an opaque block is an item by itself and not a part of
// a message.
func isItem(b *weir.Block) bool {
	return b.Opaque.Protocol == protocol && b.Extra.Value(partField) == nil
}

// continues reports whether block i is more of the message item before it.
func (w *writer) continues(t *codec.Turn, i int) bool {
	b := &t.Blocks[i]
	if b.Type == weir.BlockOpaque {
		return !isItem(b)
	}
	if !isContent(b.Type) {
		return false
	}
	header := b.Extra.Value(itemField)
	return t.Role != weir.RoleAssistant || header == nil || string(header) == string(t.Blocks[i-1].Extra.Value(itemField))
}

// placed is a block and where in the request it stood.
type placed struct {
	*weir.Block
	at codec.Place
}

// contentItem writes the blocks [from, to) as one message item, if they say
// anything.
func (w *writer) contentItem(t *codec.Turn, from, to int) error {
	if w.native() {
		w.message(t, from, to)
		return nil
	}
	outside := w.Buffer
	w.Buffer = jsonx.Buffer{}
	parts := 0
	for i := from; i < to; i++ {
		n := len(w.B)
		if err := w.foreignPart(t.Role, placed{&t.Blocks[i], t.Place(i)}); err != nil {
			return err
		}
		if len(w.B) > n {
			parts++
		}
	}
	content := w.B
	w.Buffer = outside
	if parts == 0 {
		return nil
	}
	w.BeginObject()
	w.StringField("type", "message")
	w.StringField("role", string(t.Role))
	w.Key("content")
	if only := &t.Blocks[from]; parts == 1 && to == from+1 && only.Type == weir.BlockText && len(only.Citations) == 0 {
		w.String(only.Text)
	} else {
		w.BeginArray()
		w.Raw(content)
		w.EndArray()
	}
	w.EndObject()
	return nil
}

// message writes a message item of a body of this protocol.
func (w *writer) message(t *codec.Turn, from, to int) {
	header, plain := t.Extra, t.Plain
	var phase []byte
	if t.Role == weir.RoleAssistant && from < to {
		first := &t.Blocks[from]
		raw := first.Extra.Value(itemField)
		header, plain = nil, t.Plain && len(t.Blocks) == 1
		_ = jsonx.EachMember(raw, func(key, value []byte) error {
			if string(key) == "content" && string(value) == `""` {
				plain = true
			} else {
				header = append(header, weir.Field{Name: string(key), Value: value})
			}
			return nil
		})
		phase = first.Extra.Value("phase")
	}
	w.BeginObject()
	role := string(t.Role)
	w.StringField("role", role)
	null := false
	for i := range header {
		if header[i].Name == "content" {
			null = true
		}
		w.RawField(header[i].Name, header[i].Value)
	}
	if phase != nil {
		w.RawField("phase", phase)
	}
	switch texts := t.Blocks[from:to]; {
	case null && len(texts) == 0:
	case plain && allText(texts):
		var s strings.Builder
		for i := range texts {
			s.WriteString(texts[i].Text)
		}
		w.StringField("content", s.String())
	default:
		w.Key("content")
		w.BeginArray()
		for i := from; i < to; i++ {
			w.part(t.Role, &t.Blocks[i])
		}
		w.EndArray()
	}
	w.EndObject()
}

func allText(blocks []weir.Block) bool {
	for i := range blocks {
		if blocks[i].Type != weir.BlockText {
			return false
		}
	}
	return true
}
