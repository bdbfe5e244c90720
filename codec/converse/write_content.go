package converse

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func (e *bodyEncoder) blocks(parts []part, role weir.Role) error {
	e.buf.BeginArray()
	for _, p := range parts {
		at := e.path(p)
		if role == weir.RoleSystem && !e.same && p.block.Type != weir.BlockText {
			return unsupported(at, "the target takes text only as its instructions")
		}
		if err := e.block(p.block, at, role); err != nil {
			return err
		}
		c := resultCache(p.block)
		if c != nil && p.block.Cache == nil {
			e.losses.Move(at+".content.cache_control", "the breakpoint stands behind the whole result here")
		}
		e.cache(c, at)
	}
	e.buf.EndArray()
	return nil
}

// block writes a block, without the cache point behind it.
func (e *bodyEncoder) block(b *weir.Block, at string, role weir.Role) error {
	switch b.Type {
	case weir.BlockText, weir.BlockRefusal:
		e.text(b, at)
	case weir.BlockImage, weir.BlockFile:
		return e.media(b, at)
	case weir.BlockReasoning:
		e.reasoning(b, at)
	case weir.BlockToolCall:
		return e.toolUse(b, at)
	case weir.BlockToolResult:
		return e.toolResult(b, at)
	case weir.BlockOpaque:
		e.opaque(b, at)
	case weir.BlockAudio:
		if m := b.Media; role == weir.RoleAssistant && m != nil && hasInk(m.Transcript) {
			// What a model said aloud is history, and its words are enough.
			e.losses.Approximate(at, "spoken words became their transcript")
			e.text(&weir.Block{Type: weir.BlockText, Text: m.Transcript}, at)
			return nil
		}
		return e.media(b, at)
	default:
		return unsupported(at, "the target has no block of type "+string(b.Type))
	}
	return nil
}

func unsupported(at, why string) error {
	err := weir.Errorf(weir.KindUnsupported, "%s: %s", at, why)
	err.Param = at
	return err
}

// text writes a text in the form that it came in, as long as it still says the
// same.
func (e *bodyEncoder) text(b *weir.Block, at string) {
	if e.same {
		switch {
		case e.guarded(b), e.jsonText(b):
			return
		case b.Extra.Value("citationsContent") != nil || len(b.Citations) > 0:
			e.cited(b)
			return
		}
	}
	if len(b.Citations) > 0 {
		e.losses.Drop(at+".citations", "citations of another provider cannot be written")
	}
	start := e.begin()
	e.buf.StringField("text", b.Text)
	e.extra(start, b.Extra, at)
	e.buf.EndObject()
}

// guarded puts back a text for a guardrail to look at.
func (e *bodyEncoder) guarded(b *weir.Block) bool {
	raw := jsonx.Get(b.Extra.Value("guardContent"), "text")
	if raw == nil {
		return false
	}
	start := e.begin()
	e.buf.Key("guardContent")
	e.buf.BeginObject()
	e.buf.Key("text")
	inner := e.begin()
	e.buf.StringField("text", b.Text)
	var rest weir.Fields
	_ = jsonx.EachMember(raw, func(k, v []byte) error { rest.Add(string(k), v); return nil })
	addMissing(&e.buf, inner, rest)
	e.buf.EndObject()
	e.buf.EndObject()
	addMissing(&e.buf, start, b.Extra)
	e.buf.EndObject()
	return true
}

// jsonText puts back a part of a tool result that is JSON.
func (e *bodyEncoder) jsonText(b *weir.Block) bool {
	raw := b.Extra.Value("json")
	if raw == nil || string(raw) != b.Text {
		return false
	}
	start := e.begin()
	e.buf.RawField("json", raw)
	addMissing(&e.buf, start, b.Extra)
	e.buf.EndObject()
	return true
}

// cited puts back a text with its citations: as it came, or with what is left of
// it after an edit.
func (e *bodyEncoder) cited(b *weir.Block) {
	e.buf.BeginObject()
	e.buf.Key("citationsContent")
	root := path{}
	raw := b.Extra.Value("citationsContent")
	if was, err := readCited(&root, raw); raw != nil && err == nil && was.Text == b.Text && len(was.Citations) == len(b.Citations) {
		e.buf.Raw(raw)
	} else {
		appendCited(&e.buf, b.Text, b.Citations)
	}
	for _, f := range b.Extra {
		if f.Name != "citationsContent" && !isInside(f.Name, "citationsContent") {
			e.buf.RawField(f.Name, f.Value)
		}
	}
	e.buf.EndObject()
}

func isInside(name, object string) bool {
	return len(name) > len(object) && name[:len(object)] == object && name[len(object)] == '.'
}

// appendCited writes the value of a citationsContent block.
func appendCited(b *jsonx.Buffer, text string, citations []weir.Citation) {
	b.BeginObject()
	b.Key("content")
	b.BeginArray()
	b.BeginObject()
	b.StringField("text", text)
	b.EndObject()
	b.EndArray()
	b.Key("citations")
	b.BeginArray()
	for i := range citations {
		appendCitation(b, &citations[i])
	}
	b.EndArray()
	b.EndObject()
}

func (e *bodyEncoder) reasoning(b *weir.Block, at string) {
	r := b.Reasoning
	if r == nil {
		r = &weir.Reasoning{}
	}
	start := e.begin()
	e.buf.Key("reasoningContent")
	appendReasoning(&e.buf, b.Text, r, e.owns(r.Format), e.same)
	if !e.same && r.Format != claudeFormat {
		e.losses.DropExtra(at, r.Extra)
	}
	e.extra(start, b.Extra, at)
	e.buf.EndObject()
}

func (e *bodyEncoder) toolUse(b *weir.Block, at string) error {
	c := b.Call
	if c == nil {
		c = &weir.ToolCall{}
	}
	input, err := e.input(c, at)
	if err != nil {
		return err
	}
	start := e.begin()
	e.buf.Key("toolUse")
	inner := e.begin()
	e.buf.StringField("toolUseId", e.callID(c.ID))
	e.buf.StringField("name", e.names.Sent(c.Name))
	e.buf.RawField("input", input)
	e.extra(inner, c.Extra, at)
	e.buf.EndObject()
	e.extra(start, b.Extra, at)
	e.buf.EndObject()
	if c.Signature != "" {
		e.losses.Drop(at, "the state that another provider attached to the call is not accepted")
	}
	return nil
}

// input is a call's arguments as a value. History that no model can read again is
// refused by name, not sent on (S-07).
func (e *bodyEncoder) input(c *weir.ToolCall, at string) ([]byte, error) {
	if c.Type == weir.ToolCustom {
		return []byte(codec.WrapCustom(c.Arguments)), nil
	}
	object, ok := codec.RepairArguments(c.Arguments)
	if !ok && e.same && jsonx.Valid([]byte(c.Arguments)) == nil {
		object, ok = c.Arguments, true // the client's own, which need not be an object
	}
	if !ok {
		err := weir.Invalid(at, "%s: the arguments of the tool call %q are not a JSON object", at, c.ID)
		err.Hint = "send the arguments as the model wrote them, or leave out the call and its result"
		return nil, err
	}
	return []byte(object), nil
}

// callID is a call's id in the form that the target takes. Calls and results of
// one request are changed alike, so no map is needed.
func (e *bodyEncoder) callID(id string) string {
	if e.same {
		return id
	}
	return codec.ShortenID(id, e.q.ToolIDMax)
}

func (e *bodyEncoder) opaque(b *weir.Block, at string) {
	if o := b.Opaque; o != nil && o.Protocol == protocol {
		e.buf.Raw(o.Raw)
		return
	}
	e.losses.Drop(at, "only its own protocol understands it")
}
