package converse

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// readToolConfig reads {"tools":[…],"toolChoice":{…}}.
func readToolConfig(b *weir.Body, at *path, v []byte) error {
	return at.Each(v, func(key string, at *path, v []byte) (err error) {
		switch key {
		case "tools":
			b.Tools, err = readTools(at, v)
		case "toolChoice":
			b.ToolChoice, err = readToolChoice(at, v)
		default:
			unknown(b, at, v)
		}
		return err
	})
}

// readTools reads the list of tools. A cache point in it is a mark on the tool
// before.
func readTools(at *path, v []byte) ([]weir.Tool, error) {
	if jsonx.IsNull(v) {
		return nil, nil
	}
	out := []weir.Tool{}
	err := at.List(v, func(_ int, at *path, v []byte) error {
		if jsonx.KindOf(v) != jsonx.KindObject {
			return at.Wrong("an object", v)
		}
		if n := len(out); n > 0 && out[n-1].Cache == nil {
			if out[n-1].Cache = readCache(v); out[n-1].Cache != nil {
				return nil
			}
		}
		t, err := readTool(at, v)
		out = append(out, t)
		return err
	})
	return out, err
}

// readTool reads a tool of the client's, toolSpec. Every other kind is run by
// Bedrock or of tomorrow, and only the upstream knows what it is.
func readTool(at *path, v []byte) (weir.Tool, error) {
	spec := jsonx.Get(v, "toolSpec")
	if spec == nil || jsonx.IsNull(spec) {
		kind, def := onlyMember(v, func(string) bool { return false }, nil)
		name := jsonx.StringOr(jsonx.Get(def, "name"), kind)
		return weir.Tool{Type: weir.ToolHosted, Name: name, Raw: bytes.Clone(v)}, nil
	}
	t := weir.Tool{Type: weir.ToolFunction}
	inner := at.Key("toolSpec")
	err := inner.EachSaid(spec, &t.Extra, func(key string, at *path, v []byte) (err error) {
		switch key {
		case "name":
			t.Name, err = at.Need(v)
		case "description":
			if t.Description, err = at.Str(v); t.Description == "" {
				spell(&t.Extra, key, v)
			}
		case "inputSchema":
			return readInputSchema(&t, at, v)
		case "strict":
			t.Strict, err = at.Boolean(v)
		default:
			t.Extra.Add(key, v)
		}
		return err
	})
	if err == nil && t.Name == "" {
		name := inner.Key("name")
		err = name.Wrong("a string", nil)
	}
	return t, err
}

// readInputSchema reads {"json":{…}}.
func readInputSchema(t *weir.Tool, at *path, v []byte) error {
	schema := jsonx.Get(v, "json")
	if schema == nil || jsonx.IsNull(schema) {
		t.Extra.Add("inputSchema", v)
		return nil
	}
	if jsonx.KindOf(schema) != jsonx.KindObject {
		inner := at.Key("json")
		return inner.Wrong("a JSON Schema", schema)
	}
	t.Schema = bytes.Clone(schema)
	return nil
}

var toolModes = map[string]weir.ToolMode{
	"auto": weir.ToolModeAuto, "any": weir.ToolModeRequired, "tool": weir.ToolModeNamed,
}

// readToolChoice reads {"auto":{}}, {"any":{}} or {"tool":{"name":…}}. A choice of
// tomorrow is kept by value.
func readToolChoice(at *path, v []byte) (*weir.ToolChoice, error) {
	if jsonx.IsNull(v) {
		return nil, nil
	}
	if jsonx.KindOf(v) != jsonx.KindObject {
		return nil, at.Wrong("an object", v)
	}
	c := &weir.ToolChoice{Mode: weir.ToolModeAuto}
	known := func(name string) bool { return toolModes[name] != "" }
	kind, value := onlyMember(v, known, func(name string, value []byte) {
		if !jsonx.IsNull(value) {
			c.Extra.Add(name, value)
		}
	})
	if !known(kind) {
		if kind != "" {
			c.Extra.Add(kind, value)
		}
		return c, nil
	}
	if c.Mode = toolModes[kind]; c.Mode != weir.ToolModeNamed {
		return c, nil
	}
	tool := at.Key("tool")
	nameAt := tool.Key("name")
	if jsonx.KindOf(value) != jsonx.KindObject {
		return nil, tool.Wrong("an object", value)
	}
	name, err := nameAt.Need(jsonx.Get(value, "name"))
	c.Names = []string{name}
	return c, err
}
