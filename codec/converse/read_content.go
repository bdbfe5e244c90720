package converse

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// isBlock reports whether a member names the kind of a block that has a word in
// the canonical form.
func isBlock(kind string) bool {
	switch kind {
	case "text", "image", "document", "video", "audio", "toolUse", "toolResult", "reasoningContent", "guardContent", "citationsContent":
		return true
	}
	return false
}

// block reads one content block, of a request or of a whole answer: an object of
// one member that says its kind. What has no word in the canonical form (a search
// result, a tool that Bedrock runs and its result, kinds of tomorrow) is kept by
// value.
func (d *bodyDecoder) block(role weir.Role, at *path, v []byte) (weir.Block, error) {
	if jsonx.KindOf(v) != jsonx.KindObject {
		return weir.Block{}, at.Wrong("a content block", v)
	}
	var extra weir.Fields
	kind, value := onlyMember(v, isBlock, func(name string, value []byte) {
		if jsonx.IsNull(value) || name == "type" && jsonx.KindOf(value) == jsonx.KindString {
			spell(&extra, name, value) // some clients and gateways name the kind again
			return
		}
		extra.Add(name, value)
	})
	inner := at.Key(kind)
	b, err := d.blockOf(role, kind, &inner, value)
	if b.Type == "" || b.Type == weir.BlockOpaque {
		return opaqueBlock(kind, v), err
	}
	b.Extra = append(b.Extra, extra...)
	return b, err
}

// blockOf reads the value of a block; a block without a type is to be kept by
// value.
func (d *bodyDecoder) blockOf(role weir.Role, kind string, at *path, v []byte) (weir.Block, error) {
	switch kind {
	case "text":
		text, err := at.Str(v)
		return weir.Block{Type: weir.BlockText, Text: text}, err
	case "image", "document", "video", "audio":
		return readMedia(kind, at, v)
	case "toolUse":
		return readToolUse(at, v)
	case "toolResult":
		if role == weir.RoleAssistant || jsonx.Get(v, "type") != nil {
			return weir.Block{}, nil // of a tool that Bedrock has run
		}
		return d.toolResult(at, v)
	case "reasoningContent":
		return readReasoning(d.format, at, v)
	case "guardContent":
		return readGuarded(at, v)
	case "citationsContent":
		return readCited(at, v)
	}
	return weir.Block{}, nil
}

func opaqueBlock(kind string, v []byte) weir.Block {
	return weir.Block{Type: weir.BlockOpaque, Opaque: &weir.Opaque{Protocol: protocol, Type: kind, Raw: bytes.Clone(v)}}
}

// serverTool is the type of calls of tools that Bedrock runs.
const serverTool = "server_tool_use"

func readToolUse(at *path, v []byte) (weir.Block, error) {
	if jsonx.StringOr(jsonx.Get(v, "type"), "") == serverTool {
		return weir.Block{}, nil
	}
	c := &weir.ToolCall{Arguments: "{}"}
	b := weir.Block{Type: weir.BlockToolCall, Call: c}
	err := at.EachSaid(v, &c.Extra, func(key string, at *path, v []byte) (err error) {
		switch key {
		case "toolUseId":
			c.ID, err = at.Need(v)
		case "name":
			c.Name, err = at.Need(v)
		case "input":
			c.Arguments = string(v) // any JSON: the API takes documents that are no objects too
		case "type":
			spell(&c.Extra, key, v)
		default:
			c.Extra.Add(key, v)
		}
		return err
	})
	if err == nil {
		err = present(at, "toolUseId", c.ID, "name", c.Name)
	}
	return b, err
}

// present checks members that must not be missing, given as name and value.
func present(at *path, pairs ...string) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			missing := at.Key(pairs[i])
			return missing.Wrong("a string", nil)
		}
	}
	return nil
}

func (d *bodyDecoder) toolResult(at *path, v []byte) (weir.Block, error) {
	r := &weir.ToolResult{}
	b := weir.Block{Type: weir.BlockToolResult, Result: r}
	err := at.EachSaid(v, &r.Extra, func(key string, at *path, v []byte) (err error) {
		switch key {
		case "toolUseId":
			r.CallID, err = at.Need(v)
		case "status":
			status, wrong := at.Str(v)
			if r.IsError = status == "error"; !r.IsError {
				spell(&r.Extra, key, v)
			}
			err = wrong
		case "content":
			err = at.List(v, func(_ int, at *path, v []byte) error {
				b, err := d.resultBlock(at, v)
				r.Content = append(r.Content, b)
				return err
			})
		default:
			r.Extra.Add(key, v)
		}
		return err
	})
	if err == nil {
		err = present(at, "toolUseId", r.CallID)
	}
	return b, err
}

// resultBlock reads a part of a tool result. JSON is a text for every other
// protocol.
func (d *bodyDecoder) resultBlock(at *path, v []byte) (weir.Block, error) {
	raw := jsonx.Get(v, "json")
	if raw == nil {
		return d.block(weir.RoleUser, at, v)
	}
	b := weir.Block{Type: weir.BlockText, Text: string(raw)}
	_ = jsonx.EachMember(v, func(k, v []byte) error {
		if string(k) == "json" {
			spell(&b.Extra, "json", v)
		} else {
			b.Extra.Add(string(k), v)
		}
		return nil
	})
	return b, nil
}

// readGuarded reads {"text":{"text":…,"qualifiers":[…]}}: text of the prompt that a
// guardrail is to look at. That mark is what another protocol loses, not the text.
func readGuarded(at *path, v []byte) (weir.Block, error) {
	text := jsonx.GetPath(v, "text", "text")
	if jsonx.KindOf(text) != jsonx.KindString {
		return readGuardedImage(at, v)
	}
	outer := at.Key("text")
	inner := outer.Key("text")
	s, err := inner.Str(text)
	b := weir.Block{Type: weir.BlockText, Text: s}
	b.Extra.Add("guardContent", v)
	return b, err
}

func readGuardedImage(at *path, v []byte) (weir.Block, error) {
	raw := jsonx.Get(v, "image")
	if raw == nil {
		return weir.Block{}, nil
	}
	inner := at.Key("image")
	b, err := readMedia("image", &inner, raw)
	if b.Type != "" {
		b.Extra = nil
		b.Extra.Add("guardContent", v)
	}
	return b, err
}
