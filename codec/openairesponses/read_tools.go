package openairesponses

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func (d *bodyReader) readTools(raw []byte) {
	d.body.Tools = []weir.Tool{}
	d.toolList("tools", raw)
}

// toolList adds the tools of a list.
func (d *bodyReader) toolList(at string, raw []byte) {
	d.array(at, raw, func(at string, value []byte) {
		if jsonx.KindOf(value) != jsonx.KindObject {
			d.wrong(at, "an object", value)
			return
		}
		switch typ := d.str(at+".type", jsonx.Get(value, "type")); typ {
		case "function", "custom":
			d.body.Tools = append(d.body.Tools, d.tool(at, weir.ToolType(typ), value))
		case "namespace":
			d.namespace(at, value)
		case "tool_search":
			if isClientRun(value) {
				d.body.Tools = append(d.body.Tools, d.searchTool(at, value))
				return
			}
			d.body.Tools = append(d.body.Tools, weir.Tool{Type: weir.ToolHosted, Name: typ, Raw: bytes.Clone(value)})
		default: // run by the upstream
			d.body.Tools = append(d.body.Tools, weir.Tool{Type: weir.ToolHosted, Name: typ, Raw: bytes.Clone(value)})
		}
	})
}

// toolField is the spelling that remembers a tool whole: its strictness was not
// said, or it was written in the manner of Chat.
const toolField = "tool"

// tool reads a function or custom tool. Some clients write the definition into a
// member of its own, as Chat has it.
func (d *bodyReader) tool(at string, typ weir.ToolType, raw []byte) weir.Tool {
	t := weir.Tool{Type: typ}
	if inner := jsonx.Get(raw, string(typ)); jsonx.KindOf(inner) == jsonx.KindObject {
		d.object(at, inner, func(key string, value []byte) { d.toolMember(&t, at+"."+string(typ), key, value) })
		spell(&t.Extra, toolField, raw)
	} else {
		d.object(at, raw, func(key string, value []byte) { d.toolMember(&t, at, key, value) })
		if typ == weir.ToolFunction && t.Strict == nil {
			spell(&t.Extra, toolField, raw)
			t.Schema, t.Strict = strictly(t.Schema)
		}
	}
	if t.Name == "" && d.err == nil {
		d.fail(weir.Invalid(at+".name", "%s.name is required", at))
	}
	return t
}

func (d *bodyReader) toolMember(t *weir.Tool, at, key string, value []byte) {
	function := t.Type == weir.ToolFunction
	switch {
	case key == "type":
	case jsonx.IsNull(value):
		spell(&t.Extra, key, value)
	case key == "name":
		t.Name = d.str(at+".name", value)
	case key == "description":
		if t.Description = d.str(at+".description", value); t.Description == "" {
			spell(&t.Extra, key, value)
		}
	case key == "parameters" && function:
		t.Schema = bytes.Clone(value)
	case key == "strict" && function:
		t.Strict = d.boolean(at+".strict", value)
	default:
		keep(&t.Extra, key, value)
	}
}

// namespaceField remembers a namespace in its first tool; the others have the
// name of the namespace alone.
const namespaceField = "namespace"

// namespace reads a group of tools. Each becomes a tool of its own whose name
// begins with that of the group, since no other protocol has groups.
func (d *bodyReader) namespace(at string, raw []byte) {
	name := d.str(at+".name", jsonx.Get(raw, "name"))
	if name == "" && d.err == nil {
		d.fail(weir.Invalid(at+".name", "%s.name is required", at))
		return
	}
	if d.spaces == nil {
		d.spaces = map[string]bool{}
	}
	d.spaces[name] = true
	first := true
	d.array(at+".tools", jsonx.Get(raw, "tools"), func(at string, value []byte) {
		typ := weir.ToolType(jsonx.StringOr(jsonx.Get(value, "type"), ""))
		if typ != weir.ToolCustom {
			typ = weir.ToolFunction
		}
		t := d.tool(at, typ, value)
		t.Name = name + spaceMark + t.Name
		if first {
			keep(&t.Extra, namespaceField, raw)
		} else {
			spell(&t.Extra, namespaceField, jsonx.AppendString(nil, name))
		}
		first = false
		d.body.Tools = append(d.body.Tools, t)
	})
}

// toolChoice reads which tools may or must be called. A choice that only this
// protocol knows (a hosted tool, one of an MCP server) is kept by value.
func (d *bodyReader) toolChoice(raw []byte) *weir.ToolChoice {
	c := &weir.ToolChoice{}
	switch jsonx.KindOf(raw) {
	case jsonx.KindString:
		c.Mode = weir.ToolMode(d.str("tool_choice", raw))
	case jsonx.KindObject:
		if d.choiceObject(c, raw); c.Mode == "" {
			keep(&c.Extra, "", raw)
			c.Mode = weir.ToolModeAuto
			break
		}
		spell(&c.Extra, "", raw)
	default:
		d.wrong("tool_choice", "a string or an object", raw)
	}
	return c
}

func (d *bodyReader) choiceObject(c *weir.ToolChoice, raw []byte) {
	switch typ := jsonx.StringOr(jsonx.Get(raw, "type"), ""); typ {
	case "function", "custom":
		if name := d.chosen(raw, typ); name != "" {
			c.Mode, c.Names, c.Type = weir.ToolModeNamed, []string{name}, weir.ToolType(typ)
		}
	case "allowed_tools":
		d.allowed(c, raw)
	case "", "auto", "none", "required":
		if typ != "" || says(jsonx.Get(raw, "tools")) {
			c.Mode = weir.ToolMode(typ)
			d.allowed(c, raw)
		}
	}
}

// chosen is the name of a tool in a choice, which some clients write as in Chat.
func (d *bodyReader) chosen(raw []byte, typ string) string {
	if inner := jsonx.Get(raw, typ); jsonx.KindOf(inner) == jsonx.KindObject {
		raw = inner
	}
	name := jsonx.StringOr(jsonx.Get(raw, "name"), "")
	if space := jsonx.StringOr(jsonx.Get(raw, "namespace"), ""); d.spaces[space] {
		name = space + spaceMark + name
	}
	return name
}

// allowed reads the subset of tools to choose from. Tools that are run by the
// upstream have no name and are left to it.
func (d *bodyReader) allowed(c *weir.ToolChoice, raw []byte) {
	if mode := jsonx.StringOr(jsonx.Get(raw, "mode"), ""); mode != "" {
		c.Mode = weir.ToolMode(mode)
	}
	if c.Mode == "" {
		c.Mode = weir.ToolModeAuto
	}
	list := jsonx.Get(raw, "tools")
	if list == nil {
		return
	}
	d.array("tool_choice.tools", list, func(at string, tool []byte) {
		typ := jsonx.StringOr(jsonx.Get(tool, "type"), "")
		switch name := d.chosen(tool, typ); {
		case typ != "function" && typ != "custom":
			keep(&c.Extra, at[len("tool_choice."):], tool)
		case name == "":
			d.fail(weir.Invalid(at+".name", "%s.name is required", at))
		default:
			c.Names = append(c.Names, name)
		}
	})
}
