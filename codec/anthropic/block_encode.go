package anthropic

import (
	"strings"
	"unicode"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func hasInk(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsSpace(r) }) >= 0
}

func (e *bodyEncoder) blocks(parts []part, role weir.Role) error {
	e.buf.BeginArray()
	for _, p := range parts {
		if err := e.block(p.block, e.path(p), role); err != nil {
			return err
		}
	}
	e.buf.EndArray()
	return nil
}

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
		if role == weir.RoleAssistant && b.Media != nil && hasInk(b.Media.Transcript) {
			// What a model said aloud is history, and its words are enough.
			e.losses.Approximate(at, "spoken words became their transcript")
			e.text(&weir.Block{Type: weir.BlockText, Text: b.Media.Transcript, Cache: b.Cache}, at)
			return nil
		}
		return unsupported(at, "the target does not take audio")
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

func (e *bodyEncoder) text(b *weir.Block, at string) {
	start := e.begin()
	e.buf.StringField("type", "text")
	e.buf.StringField("text", b.Text)
	if len(b.Citations) > 0 {
		e.citations(b.Citations, at)
	}
	e.tail(start, b, at)
	e.buf.EndObject()
}

// tail writes what every block may have.
func (e *bodyEncoder) tail(start int, b *weir.Block, at string) {
	e.cache(b.Cache, at)
	e.extra(start, b.Extra, at)
}

// citations puts back those that came in this protocol. Others cannot be written:
// they need an index that only the provider knows (§13.15).
func (e *bodyEncoder) citations(list []weir.Citation, at string) {
	var out jsonx.Buffer
	lost := false
	out.BeginArray()
	for i := range list {
		if list[i].From == protocol && list[i].Raw != nil {
			out.Raw(list[i].Raw)
		} else {
			lost = true
		}
	}
	out.EndArray()
	if lost {
		e.losses.Drop(at+".citations", "citations of another provider cannot be written")
	}
	if len(out.B) > len("[]") {
		e.buf.RawField("citations", out.B)
	}
}

func (e *bodyEncoder) reasoning(b *weir.Block, at string) {
	r := b.Reasoning
	if r == nil {
		r = &weir.Reasoning{}
	}
	own := e.owns(r.Format)
	start := e.begin()
	if own && r.Encrypted != "" {
		e.buf.StringField("type", "redacted_thinking")
		e.buf.StringField("data", r.Encrypted)
	} else {
		e.buf.StringField("type", "thinking")
		e.buf.StringField("thinking", b.Text)
		if own {
			e.buf.StringField("signature", r.Signature)
		} else {
			// Upstreams that take unsigned thinking still want the member.
			e.buf.StringField("signature", "")
		}
	}
	if own {
		e.extra(start, r.Extra, at)
	}
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
	e.buf.StringField("type", "tool_use")
	e.buf.StringField("id", e.callID(c.ID))
	e.buf.StringField("name", e.names.Sent(c.Name))
	e.buf.RawField("input", input)
	e.cache(b.Cache, at)
	e.extra(start, c.Extra, at)
	e.extra(start, b.Extra, at)
	e.buf.EndObject()
	if c.Signature != "" {
		e.losses.Drop(at, "the state that another provider attached to the call is not accepted")
	}
	return nil
}

// input is a call's arguments as an object. History that no model can read again
// is refused by name, not sent on (S-07).
func (e *bodyEncoder) input(c *weir.ToolCall, at string) ([]byte, error) {
	if c.Type == weir.ToolCustom {
		return []byte(codec.WrapCustom(c.Arguments)), nil
	}
	object, ok := codec.RepairArguments(c.Arguments)
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

func (e *bodyEncoder) toolResult(b *weir.Block, at string) error {
	r := b.Result
	if r == nil {
		r = &weir.ToolResult{}
	}
	start := e.begin()
	e.buf.StringField("type", "tool_result")
	e.buf.StringField("tool_use_id", e.callID(r.CallID))
	if err := e.resultContent(r, at); err != nil {
		return err
	}
	if r.IsError {
		e.buf.BoolField("is_error", true)
	}
	e.cache(b.Cache, at)
	e.extra(start, r.Extra, at)
	e.extra(start, b.Extra, at)
	e.buf.EndObject()
	return nil
}

func (e *bodyEncoder) resultContent(r *weir.ToolResult, at string) error {
	content := r.Content
	if !e.same {
		content = nil
		for i := range r.Content {
			if b := r.Content[i]; b.Type != weir.BlockText || hasInk(b.Text) {
				content = append(content, b)
			}
		}
	}
	switch {
	case content == nil:
		return nil // no content is legal, an empty text is not (§13.7)
	case r.Plain && len(content) == 1 && bare(&content[0]):
		e.buf.StringField("content", content[0].Text)
		return nil
	}
	e.buf.Key("content")
	e.buf.BeginArray()
	for i := range content {
		if err := e.block(&content[i], at, weir.RoleUser); err != nil {
			return err
		}
	}
	e.buf.EndArray()
	return nil
}

func (e *bodyEncoder) opaque(b *weir.Block, at string) {
	if o := b.Opaque; o != nil && o.Protocol == protocol {
		e.buf.Raw(o.Raw)
		return
	}
	e.losses.Drop(at, "only its own protocol understands it")
}
