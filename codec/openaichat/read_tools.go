package openaichat

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func (d *bodyReader) tools(raw []byte) {
	d.body.Tools = []weir.Tool{}
	d.array("tools", raw, func(at string, value []byte) {
		d.body.Tools = append(d.body.Tools, d.tool(at, value))
	})
}

// tool reads {type:"function",function:{…}} and {type:"custom",custom:{…}}; any
// other type is a tool that the upstream runs. Some clients leave the type of a
// function out (seen in recordings of Perplexity and Venice).
func (d *bodyReader) tool(at string, raw []byte) weir.Tool {
	var t weir.Tool
	var function, custom []byte
	d.object(at, raw, func(key string, value []byte) {
		switch key {
		case "type":
			t.Type = weir.ToolType(d.str(at+".type", value))
		case "function":
			function = value
		case "custom":
			custom = value
		case "cache_control":
			t.Cache = d.cache(at+".cache_control", value)
		default:
			keep(&t.Extra, key, value)
		}
	})
	switch {
	case function != nil && t.Type == "":
		spell(&t.Extra, "type", []byte("null"))
		t.Type = weir.ToolFunction
		d.define(&t, at, "function", function)
	case function != nil && t.Type == weir.ToolFunction:
		d.define(&t, at, "function", function)
	case custom != nil && t.Type == weir.ToolCustom:
		d.define(&t, at, "custom", custom)
	case t.Type == weir.ToolFunction || t.Type == weir.ToolCustom || t.Type == "":
		d.fail(weir.Invalid(at, "%s: a tool needs its definition in the member named by its type", at))
	default:
		return weir.Tool{Type: weir.ToolHosted, Name: string(t.Type), Raw: cloneBytes(raw)}
	}
	return t
}

// define reads the inside of a function or custom tool.
func (d *bodyReader) define(t *weir.Tool, at, name string, raw []byte) {
	at += "." + name
	var others weir.Fields
	d.object(at, raw, func(key string, value []byte) {
		switch {
		case jsonx.IsNull(value) && key != "parameters":
			spell(&others, key, value)
		case key == "name":
			t.Name = d.str(at+".name", value)
		case key == "description":
			t.Description = d.str(at+".description", value)
			if t.Description == "" {
				spell(&others, key, value)
			}
		case key == "parameters" && t.Type == weir.ToolFunction:
			t.Schema = cloneBytes(value)
		case key == "strict" && t.Type == weir.ToolFunction:
			t.Strict = d.boolean(at+".strict", value)
		default:
			keep(&others, key, value)
		}
	})
	if t.Name == "" && d.err == nil {
		d.fail(weir.Invalid(at+".name", "%s.name is required", at))
	}
	keepInside(&t.Extra, name, raw, others)
}

// legacyFunctions reads functions and function_call, which tools replaced.
func (d *bodyReader) legacyFunctions() {
	if d.functions != nil {
		spell(&d.body.Extra, "functions", d.functions)
		if d.body.Tools == nil {
			d.array("functions", d.functions, func(at string, value []byte) {
				t := weir.Tool{Type: weir.ToolFunction}
				d.defineLegacy(&t, at, value)
				d.body.Tools = append(d.body.Tools, t)
			})
		}
	}
	if d.functionCall != nil {
		spell(&d.body.Extra, "function_call", d.functionCall)
		if d.toolChoice == nil {
			d.body.ToolChoice = d.choice("function_call", d.functionCall)
		}
	}
}

func (d *bodyReader) defineLegacy(t *weir.Tool, at string, raw []byte) {
	d.object(at, raw, func(key string, value []byte) {
		switch {
		case jsonx.IsNull(value):
		case key == "name":
			t.Name = d.str(at+".name", value)
		case key == "description":
			t.Description = d.str(at+".description", value)
		case key == "parameters":
			t.Schema = cloneBytes(value)
		default:
			keep(&t.Extra, key, value)
		}
	})
}

// choice reads tool_choice, and function_call whose object is {name} alone.
func (d *bodyReader) choice(at string, raw []byte) *weir.ToolChoice {
	c := &weir.ToolChoice{}
	switch jsonx.KindOf(raw) {
	case jsonx.KindString:
		if c.Mode = weir.ToolMode(d.str(at, raw)); c.Mode == "any" { // Mistral's word
			c.Mode = weir.ToolModeRequired
			spell(&c.Extra, "", raw)
		}
	case jsonx.KindObject:
		d.choiceObject(c, at, raw)
		if len(c.Names) == 0 && c.Mode == "" {
			keep(&c.Extra, "", raw)
			c.Mode = weir.ToolModeAuto
			break
		}
		spell(&c.Extra, "", raw)
	default:
		d.wrong(at, "a string or an object", raw)
	}
	return c
}

func (d *bodyReader) choiceObject(c *weir.ToolChoice, at string, raw []byte) {
	named := func(value []byte) {
		if name, err := jsonx.String(jsonx.Get(value, "name")); err == nil {
			c.Mode, c.Names = weir.ToolModeNamed, []string{name}
		}
	}
	switch t := jsonx.StringOr(jsonx.Get(raw, "type"), ""); t {
	case "function", "":
		if f := jsonx.Get(raw, "function"); f != nil {
			named(f)
		} else {
			named(raw)
		}
	case "custom":
		c.Type = weir.ToolCustom
		named(jsonx.Get(raw, "custom"))
	case "allowed_tools":
		d.allowed(c, at+".allowed_tools", jsonx.Get(raw, "allowed_tools"))
	case "auto", "none", "required":
		c.Mode = weir.ToolMode(t)
	}
}

// allowed reads the subset of tools to choose from.
func (d *bodyReader) allowed(c *weir.ToolChoice, at string, raw []byte) {
	c.Mode = weir.ToolModeAuto
	d.object(at, raw, func(key string, value []byte) {
		switch key {
		case "mode":
			c.Mode = weir.ToolMode(d.str(at+".mode", value))
		case "tools":
			d.array(at+".tools", value, func(at string, tool []byte) {
				name := jsonx.Get(jsonx.Get(tool, "function"), "name")
				if name == nil {
					name = jsonx.Get(jsonx.Get(tool, "custom"), "name")
				}
				c.Names = append(c.Names, d.str(at+".function.name", name))
			})
		}
	})
}

// cache reads a cache_control of the Anthropic form, as OpenRouter, Qwen and
// others take it.
func (r *reader) cache(at string, raw []byte) *weir.CacheControl {
	if jsonx.IsNull(raw) {
		return nil
	}
	c := new(weir.CacheControl)
	r.object(at, raw, func(key string, value []byte) {
		switch {
		case key == "type" && jsonx.StringOr(value, "") == "ephemeral":
		case key == "ttl" && jsonx.KindOf(value) == jsonx.KindString:
			c.TTL = r.str(at+".ttl", value)
		default:
			keep(&c.Extra, key, value)
		}
	})
	return c
}
