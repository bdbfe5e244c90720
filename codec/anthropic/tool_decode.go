package anthropic

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func decodeTools(at *path, v []byte) ([]weir.Tool, error) {
	if jsonx.IsNull(v) {
		return nil, nil
	}
	out := []weir.Tool{}
	err := at.List(v, func(_ int, at *path, v []byte) error {
		t, err := decodeTool(at, v)
		out = append(out, t)
		return err
	})
	return out, err
}

// decodeTool tells the client's own tools from those that Anthropic defines,
// whose type carries a date ("web_search_20260209"): only the upstream knows
// what those are.
func decodeTool(at *path, v []byte) (weir.Tool, error) {
	if jsonx.KindOf(v) != jsonx.KindObject {
		return weir.Tool{}, at.Wrong("an object", v)
	}
	if typ := jsonx.StringOr(jsonx.Get(v, "type"), "custom"); typ != "custom" {
		name := jsonx.StringOr(jsonx.Get(v, "name"), typ)
		return weir.Tool{Type: weir.ToolHosted, Name: name, Raw: bytes.Clone(v)}, nil
	}
	t := weir.Tool{Type: weir.ToolFunction}
	err := at.EachSaid(v, &t.Extra, func(key string, at *path, v []byte) (err error) {
		switch key {
		case "type":
			spell(&t.Extra, key, v)
		case "name":
			t.Name, err = at.Need(v)
		case "description":
			if t.Description, err = at.Str(v); t.Description == "" {
				spell(&t.Extra, key, v)
			}
		case "input_schema":
			if jsonx.KindOf(v) != jsonx.KindObject {
				return at.Wrong("a JSON Schema", v)
			}
			t.Schema = bytes.Clone(v)
		case "strict":
			t.Strict, err = at.Boolean(v)
		case "cache_control":
			t.Cache, err = decodeCache(at, v)
		default:
			t.Extra.Add(key, v)
		}
		return err
	})
	if err == nil && t.Name == "" {
		name := at.Key("name")
		err = name.Wrong("a string", nil)
	}
	return t, err
}

var toolModes = map[string]weir.ToolMode{
	"auto": weir.ToolModeAuto, "any": weir.ToolModeRequired,
	"tool": weir.ToolModeNamed, "none": weir.ToolModeNone,
}

func decodeToolChoice(b *weir.Body, at *path, v []byte) error {
	if jsonx.IsNull(v) {
		return nil
	}
	c := &weir.ToolChoice{}
	b.ToolChoice = c
	err := at.EachSaid(v, &c.Extra, func(key string, at *path, v []byte) error {
		switch key {
		case "type":
			s, err := at.Need(v)
			if c.Mode = toolModes[s]; c.Mode == "" && err == nil {
				err = weir.Invalid(at.String(), "%s: expected auto, any, tool or none", at)
			}
			return err
		case "name":
			s, err := at.Str(v)
			if s != "" {
				c.Names = []string{s}
			}
			return err
		case "disable_parallel_tool_use":
			off, err := at.Boolean(v)
			if off != nil {
				on := !*off
				b.ParallelToolCalls = &on
			}
			return err
		default:
			c.Extra.Add(key, v)
			return nil
		}
	})
	if err == nil && (c.Mode == "" || c.Mode == weir.ToolModeNamed && len(c.Names) == 0) {
		missing := at.Key("type")
		if c.Mode != "" {
			missing = at.Key("name")
		}
		err = missing.Wrong("a string", nil)
	}
	return err
}
