package anthropic

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// decodeBlock reads one content block, of a request or of a whole answer
// (protocols.md §6.3). What has no word in the canonical form (hosted tools and
// their results, search results, compaction, types of tomorrow) is kept by value.
func decodeBlock(at *path, v []byte) (weir.Block, error) {
	typ := at.Key("type")
	name, err := objectMember(at, &typ, v)
	if err != nil {
		return weir.Block{}, err
	}
	switch name {
	case "text":
		return decodeText(at, v)
	case "image", "document":
		return decodeMedia(name, at, v)
	case "tool_use":
		return decodeToolUse(at, v)
	case "tool_result":
		return decodeToolResult(at, v)
	case "thinking", "redacted_thinking":
		return decodeReasoning(at, v)
	}
	return opaqueBlock(name, v), nil
}

func opaqueBlock(typ string, v []byte) weir.Block {
	return weir.Block{Type: weir.BlockOpaque, Opaque: &weir.Opaque{Protocol: protocol, Type: typ, Raw: bytes.Clone(v)}}
}

func decodeText(at *path, v []byte) (weir.Block, error) {
	b := weir.Block{Type: weir.BlockText}
	err := at.EachSaid(v, &b.Extra, func(key string, at *path, v []byte) (err error) {
		switch key {
		case "type":
		case "text":
			b.Text, err = at.Str(v)
		case "citations":
			if b.Citations, err = decodeCitations(at, v); len(b.Citations) == 0 {
				spell(&b.Extra, key, v)
			}
		default:
			err = common(&b, key, at, v)
		}
		return err
	})
	return b, err
}

// common reads the members that every block may have.
func common(b *weir.Block, key string, at *path, v []byte) (err error) {
	if key == "cache_control" {
		b.Cache, err = decodeCache(at, v)
		return err
	}
	b.Extra.Add(key, v)
	return nil
}

func decodeCitations(at *path, v []byte) ([]weir.Citation, error) {
	if jsonx.KindOf(v) == jsonx.KindObject { // {"enabled":true} of a search result
		return nil, nil
	}
	var out []weir.Citation
	err := at.List(v, func(_ int, _ *path, v []byte) error {
		out = append(out, decodeCitation(v))
		return nil
	})
	return out, err
}

// decodeCitation reads what all kinds of citation have in common. A citation
// supports the whole block that carries it, so there is no place in the text.
func decodeCitation(v []byte) weir.Citation {
	c := weir.Citation{
		Type:  jsonx.StringOr(jsonx.Get(v, "type"), ""),
		URL:   jsonx.StringOr(jsonx.Get(v, "url"), ""),
		Title: jsonx.StringOr(jsonx.Get(v, "title"), ""),
		Cited: jsonx.StringOr(jsonx.Get(v, "cited_text"), ""),
		Raw:   bytes.Clone(v),
		From:  protocol,
	}
	if c.URL != "" {
		c.Type = "url"
	}
	if c.Title == "" {
		c.Title = jsonx.StringOr(jsonx.Get(v, "document_title"), "")
	}
	return c
}

func decodeToolUse(at *path, v []byte) (weir.Block, error) {
	c := &weir.ToolCall{Arguments: "{}"}
	b := weir.Block{Type: weir.BlockToolCall, Call: c}
	err := at.EachSaid(v, &c.Extra, func(key string, at *path, v []byte) (err error) {
		switch key {
		case "type":
		case "id":
			c.ID, err = at.Need(v)
		case "name":
			c.Name, err = at.Need(v)
		case "input":
			if jsonx.KindOf(v) != jsonx.KindObject {
				return at.Wrong("an object", v)
			}
			c.Arguments = string(v)
		case "cache_control":
			b.Cache, err = decodeCache(at, v)
		default:
			c.Extra.Add(key, v)
		}
		return err
	})
	if err == nil {
		err = present(at, "id", c.ID, "name", c.Name)
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

func decodeToolResult(at *path, v []byte) (weir.Block, error) {
	r := &weir.ToolResult{}
	b := weir.Block{Type: weir.BlockToolResult, Result: r}
	err := at.EachSaid(v, &r.Extra, func(key string, at *path, v []byte) (err error) {
		switch key {
		case "type":
		case "tool_use_id":
			r.CallID, err = at.Need(v)
		case "content":
			var m weir.Message
			err = decodeContent(&m, at, v, nil)
			r.Content, r.Plain = m.Blocks, m.Plain
		case "is_error":
			is, wrong := at.Boolean(v)
			if r.IsError = is != nil && *is; !r.IsError {
				spell(&r.Extra, key, v)
			}
			err = wrong
		case "cache_control":
			b.Cache, err = decodeCache(at, v)
		default:
			r.Extra.Add(key, v)
		}
		return err
	})
	if err == nil {
		err = present(at, "tool_use_id", r.CallID)
	}
	return b, err
}

func decodeReasoning(at *path, v []byte) (weir.Block, error) {
	r := &weir.Reasoning{Format: reasoningFormat}
	b := weir.Block{Type: weir.BlockReasoning, Reasoning: r}
	err := at.EachSaid(v, &r.Extra, func(key string, at *path, v []byte) (err error) {
		switch key {
		case "type":
		case "thinking":
			b.Text, err = at.Str(v)
		case "signature":
			r.Signature, err = at.Str(v)
		case "data":
			r.Encrypted, err = at.Str(v)
		default:
			r.Extra.Add(key, v)
		}
		return err
	})
	return b, err
}
