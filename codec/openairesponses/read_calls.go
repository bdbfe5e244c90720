package openairesponses

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// spaceMark joins a namespace and the name of a tool in it, for protocols without
// namespaces (protocols.md §12.5).
const spaceMark = "__"

// call reads a function_call or a custom_tool_call.
func (d *bodyReader) call(at, typ string, raw []byte) {
	c := &weir.ToolCall{Type: weir.ToolFunction}
	if typ == "custom_tool_call" {
		c.Type = weir.ToolCustom
	}
	d.object(at, raw, func(key string, value []byte) { d.callMember(c, at, key, value) })
	if d.err != nil {
		return
	}
	switch {
	case c.ID == "":
		d.fail(weir.Invalid(at+".call_id", "%s.call_id is required", at))
	case c.Name == "":
		d.fail(weir.Invalid(at+".name", "%s.name is required", at))
	}
	d.space(c)
	if c.Arguments == "" && c.Type == weir.ToolFunction {
		c.Arguments = "{}"
		spell(&c.Extra, "arguments", []byte(`""`))
	}
	c.Signature = d.signatures[c.ID]
	d.turn(at, weir.Block{Type: weir.BlockToolCall, Call: c, At: at})
}

func (d *bodyReader) callMember(c *weir.ToolCall, at, key string, value []byte) {
	input := "arguments"
	if c.Type == weir.ToolCustom {
		input = "input"
	}
	switch {
	case key == "type":
	case jsonx.IsNull(value), key == "id", key == "status", key == "namespace":
		spell(&c.Extra, key, value)
	case key == "call_id":
		c.ID = d.str(at+".call_id", value)
	case key == "name":
		c.Name = d.str(at+".name", value)
	case key == input && jsonx.KindOf(value) == jsonx.KindObject && c.Type == weir.ToolFunction:
		// As some clients of other servers write them; taken as their text.
		c.Arguments = string(jsonx.Compact(nil, value))
		spell(&c.Extra, key, value)
	case key == input:
		c.Arguments = d.str(at+"."+input, value)
	default:
		keep(&c.Extra, key, value)
	}
}

// space makes the name of a call that belongs to a declared namespace the one
// under which the tool is known.
func (d *bodyReader) space(c *weir.ToolCall) {
	if space := jsonx.StringOr(c.Extra.Value("namespace"), ""); d.spaces[space] {
		c.Name = space + spaceMark + c.Name
	}
}

// withoutSpace is the name of a tool inside the namespace that raw names.
func withoutSpace(name string, raw []byte) string {
	if space := jsonx.StringOr(raw, ""); space != "" {
		return strings.TrimPrefix(name, space+spaceMark)
	}
	return name
}

// output reads the result of a call: a text or a list of parts.
func (d *bodyReader) output(at, typ string, raw []byte) {
	r := &weir.ToolResult{}
	if typ == "custom_tool_call_output" {
		spell(&r.Extra, "type", []byte(`"custom_tool_call_output"`))
	}
	var output []byte
	d.object(at, raw, func(key string, value []byte) {
		switch key {
		case "type":
		case "call_id":
			r.CallID = d.str(at+".call_id", value)
		case "output":
			output = value
		case "id", "status":
			spell(&r.Extra, key, value)
		default:
			keep(&r.Extra, key, value)
		}
	})
	if r.CallID == "" && d.err == nil {
		d.fail(weir.Invalid(at+".call_id", "%s.call_id is required", at))
	}
	switch jsonx.KindOf(output) {
	case jsonx.KindString:
		r.Plain = true
		if text := d.str(at+".output", output); text != "" {
			r.Content = []weir.Block{{Type: weir.BlockText, Text: text}}
		}
	case jsonx.KindArray:
		r.Content = d.parts(at+".output", weir.RoleTool, output)
	case jsonx.KindNull:
		spell(&r.Extra, "output", output)
	case jsonx.KindInvalid:
		d.fail(weir.Invalid(at+".output", "%s.output is required", at))
	default:
		d.wrong(at+".output", "a string or an array of parts", output)
	}
	d.alone(weir.Message{Role: weir.RoleTool, At: at, Blocks: []weir.Block{{Type: weir.BlockToolResult, Result: r, At: at}}})
}

// reasoningItem reads a reasoning item, as one block. Its parts are remembered as
// they were written. An envelope is opened; one that holds signatures of calls
// only leaves no block.
func (d *bodyReader) reasoningItem(at string, raw []byte) {
	r := &weir.Reasoning{Format: reasoningFormat}
	b := weir.Block{Type: weir.BlockReasoning, Reasoning: r, At: at}
	var summary, content []byte
	d.object(at, raw, func(key string, value []byte) {
		switch {
		case key == "type":
		case key == "id" && !jsonx.IsNull(value):
			r.ID = d.str(at+".id", value)
		case key == "summary" && !jsonx.IsNull(value):
			summary = value
			spell(&r.Extra, key, value)
		case key == "content" && !jsonx.IsNull(value):
			content = value
			spell(&r.Extra, key, value)
		case key == "encrypted_content" && !jsonx.IsNull(value):
			r.Encrypted = d.str(at+".encrypted_content", value)
		case key == "status":
			spell(&r.Extra, key, value)
		default:
			keep(&r.Extra, key, value)
		}
	})
	if summary == nil && r.Extra.Value("summary") == nil { // required, but not by everyone
		spell(&r.Extra, "summary", noMember)
	}
	b.Text, r.Summary = thoughtText(summary, content)
	if d.err == nil && (!isEnvelope(r.Encrypted) || d.unwrap(&b)) {
		d.turn(at, b)
	}
}

// thoughtText is what a reasoning item says: the thinking where it is there, else
// its summary.
func thoughtText(summary, content []byte) (text string, short bool) {
	if text = joinParts(content); text != "" {
		return text, false
	}
	text = joinParts(summary)
	return text, text != ""
}

// partBreak stands between the parts of a reasoning item, which are paragraphs.
const partBreak = "\n\n"

func joinParts(list []byte) string {
	var text strings.Builder
	_ = jsonx.EachElement(list, func(_ int, part []byte) error {
		s := jsonx.StringOr(jsonx.Get(part, "text"), "")
		if s != "" && text.Len() > 0 {
			text.WriteString(partBreak)
		}
		text.WriteString(s)
		return nil
	})
	return text.String()
}

// unwrap opens the envelope in a block and reports whether the block says
// anything itself.
func (d *bodyReader) unwrap(b *weir.Block) bool {
	r := b.Reasoning
	e, ok := parseEnvelope(r.Encrypted)
	if !ok {
		r.Format = damaged
		return true
	}
	for _, c := range e.calls {
		if d.signatures == nil {
			d.signatures = map[string]string{}
		}
		d.signatures[c.id] = c.signature
	}
	if e.text != "" && e.text != b.Text {
		b.Text, r.Summary = e.text, false
	}
	r.Summary = r.Summary && !e.full
	*r = weir.Reasoning{ID: e.id, Format: e.format, Signature: e.signature, Encrypted: e.encrypted, Summary: r.Summary, Extra: r.Extra}
	return b.Text != "" || e.signature != "" || e.encrypted != ""
}
