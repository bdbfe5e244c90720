package openairesponses

import (
	"bytes"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// readInput reads the items (protocols.md §4.3). What an assistant did in one
// turn (reasoning, a text, calls, what hosted tools did) is several items here
// and one canonical message, so that other protocols send the reasoning back
// beside the calls that it led to (T-01, T-07). A second text begins a new one.
func (d *bodyReader) readInput(raw []byte) {
	if jsonx.KindOf(raw) == jsonx.KindString {
		m := weir.UserText(d.str("input", raw))
		m.At, m.Blocks[0].At = "input", "input"
		d.body.Messages = append(d.body.Messages, m)
		return
	}
	if saysNothing(raw) {
		spell(&d.body.Extra, "input", raw)
	}
	d.array("input", raw, d.item)
}

func (d *bodyReader) item(at string, raw []byte) {
	if jsonx.KindOf(raw) != jsonx.KindObject {
		d.wrong(at, "an item", raw)
		return
	}
	switch typ := d.itemType(at, raw); typ {
	case "message":
		d.message(at, raw)
	case "reasoning":
		d.reasoningItem(at, raw)
	case "function_call", "custom_tool_call":
		d.call(at, typ, raw)
	case "function_call_output", "custom_tool_call_output":
		if d.hosted[jsonx.StringOr(jsonx.Get(raw, "call_id"), "")] {
			d.opaque(at, typ, raw) // it answers what is known here by value only
			return
		}
		d.output(at, typ, raw)
	case "tool_search_call", "tool_search_output":
		if !d.searchItem(at, typ, raw) {
			d.opaque(at, typ, raw)
		}
	case additionalField:
		d.additionalItem(at, raw)
	default:
		d.opaque(at, typ, raw)
	}
}

// itemType is the type of an item. Messages and references may leave it out.
func (d *bodyReader) itemType(at string, raw []byte) string {
	switch typ := jsonx.Get(raw, "type"); {
	case says(typ):
		return d.str(at+".type", typ)
	case jsonx.Get(raw, "role") != nil:
		return "message"
	case jsonx.Get(raw, "id") != nil:
		return "item_reference"
	}
	d.fail(weir.Invalid(at+".type", "%s.type is required", at))
	return ""
}

// turn adds a block to the assistant's message that is open, or to a new one.
func (d *bodyReader) turn(at string, blocks ...weir.Block) {
	if !d.open {
		d.open = true
		d.body.Messages = append(d.body.Messages, weir.Message{Role: weir.RoleAssistant, At: at})
	}
	m := &d.body.Messages[len(d.body.Messages)-1]
	m.Blocks = append(m.Blocks, blocks...)
}

// alone adds a message that is one item by itself.
func (d *bodyReader) alone(m weir.Message) {
	d.open = false
	d.body.Messages = append(d.body.Messages, m)
}

// opaque keeps an item by value. What clients answer (the outputs of computers
// and shells, approvals) stands by itself, everything else belongs to the turn.
func (d *bodyReader) opaque(at, typ string, raw []byte) {
	if id := jsonx.StringOr(jsonx.Get(raw, "call_id"), ""); id != "" {
		if d.hosted == nil {
			d.hosted = map[string]bool{}
		}
		d.hosted[id] = true
	}
	b := weir.Block{Type: weir.BlockOpaque, At: at, Opaque: &weir.Opaque{Protocol: protocol, Type: typ, Raw: bytes.Clone(raw)}}
	switch {
	case strings.HasSuffix(typ, "_output") && typ != "tool_search_output", strings.HasSuffix(typ, "_response"), typ == "compaction_trigger":
		d.alone(weir.Message{Role: weir.RoleUser, At: at, Blocks: []weir.Block{b}})
	default:
		d.turn(at, b)
	}
}

// itemField is the spelling that remembers the members of a message item around
// its content, in the first block of the content.
const itemField = "item"

// itemReader reads a message item.
type itemReader struct {
	*bodyReader
	at            string
	m             weir.Message
	role, content []byte
	phase         []byte
	around        weir.Fields
}

func (d *bodyReader) message(at string, raw []byte) {
	r := &itemReader{bodyReader: d, at: at}
	d.object(at, raw, r.member)
	if d.err != nil {
		return
	}
	r.m.At = at
	if r.m.Role = weir.Role(d.str(at+".role", r.role)); !roles[r.m.Role] && d.err == nil {
		d.fail(weir.Invalid(at+".role", "%s.role: expected user, assistant, system or developer", at))
		return
	}
	r.readContent()
	if r.m.Role == weir.RoleAssistant {
		r.assistant()
		return
	}
	r.m.Extra = append(r.m.Extra, r.around...)
	if r.phase != nil {
		keep(&r.m.Extra, "phase", r.phase)
	}
	d.alone(r.m)
}

var roles = map[weir.Role]bool{weir.RoleUser: true, weir.RoleAssistant: true, weir.RoleSystem: true, weir.RoleDeveloper: true}

func (r *itemReader) member(key string, value []byte) {
	switch key {
	case "role":
		r.role = value
	case "content":
		r.content = value
	case "phase":
		r.phase = value
	case "type", "id", "status": // of no meaning elsewhere
		spell(&r.around, key, value)
	default:
		keep(&r.around, key, value)
	}
}

// readContent reads a content that is a string or a list of parts.
func (r *itemReader) readContent() {
	at := r.at + ".content"
	switch jsonx.KindOf(r.content) {
	case jsonx.KindString:
		r.m.Plain = true
		if text := r.str(at, r.content); text != "" {
			r.m.Blocks = []weir.Block{{Type: weir.BlockText, Text: text, At: at}}
		}
	case jsonx.KindArray:
		r.m.Blocks = r.parts(at, r.m.Role, r.content)
	case jsonx.KindNull, jsonx.KindInvalid:
		if r.content == nil {
			r.fail(weir.Invalid(at, "%s is required", at))
			return
		}
		spell(&r.around, "content", r.content)
	default:
		r.wrong(at, "a string or an array of parts", r.content)
	}
}

// assistant adds the item to the turn. An empty one stands by itself, and so
// does one behind another text: they were told one after the other.
func (r *itemReader) assistant() {
	if len(r.m.Blocks) == 0 {
		r.m.Extra = r.around
		if r.phase != nil {
			keep(&r.m.Extra, "phase", r.phase)
		}
		r.alone(r.m)
		return
	}
	first := &r.m.Blocks[0]
	if r.phase != nil {
		keep(&first.Extra, "phase", r.phase)
	}
	if r.m.Plain || len(r.around) > 0 {
		first.Extra = append(first.Extra, weir.Field{Name: itemField, Value: r.header(), Spelling: true})
	}
	if n := len(r.body.Messages); r.open && n > 0 && endsWithText(&r.body.Messages[n-1]) {
		r.open = false
	}
	for i := range r.around {
		if f := r.around[i]; !f.Spelling { // told as a loss where it is one
			first.Extra = append(first.Extra, f)
		}
	}
	r.turn(r.at, r.m.Blocks...)
}

func endsWithText(m *weir.Message) bool {
	return len(m.Blocks) > 0 && isContent(m.Blocks[len(m.Blocks)-1].Type)
}

// isContent reports whether a block is content of a message item and not an item
// by itself.
func isContent(t weir.BlockType) bool {
	switch t {
	case weir.BlockReasoning, weir.BlockToolCall, weir.BlockToolResult, weir.BlockOpaque:
		return false
	}
	return true
}

// header is what stands around the content of an item, as an object. A content
// that was a string is an empty one there.
func (r *itemReader) header() []byte {
	var b jsonx.Buffer
	b.BeginObject()
	for i := range r.around {
		if r.around[i].Spelling {
			b.RawField(r.around[i].Name, r.around[i].Value)
		}
	}
	if r.m.Plain {
		b.StringField("content", "")
	}
	b.EndObject()
	return b.B
}
