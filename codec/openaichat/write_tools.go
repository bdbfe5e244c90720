package openaichat

import (
	"fmt"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func (w *writer) tools() error {
	if w.in.Tools == nil {
		return nil
	}
	if raw := spelled(w.in.Extra, w.from, "functions"); raw != nil && !jsonx.IsNull(raw) {
		w.legacyFunctions()
		return nil
	}
	if len(w.in.Tools) == 0 && !w.native() {
		return nil
	}
	w.Key("tools")
	w.BeginArray()
	for i := range w.in.Tools {
		if err := w.tool(fmt.Sprintf("tools[%d]", i), &w.in.Tools[i]); err != nil {
			return err
		}
	}
	w.EndArray()
	return nil
}

func (w *writer) tool(at string, t *weir.Tool) error {
	if t.Type == weir.ToolHosted {
		if w.native() {
			w.Raw(t.Raw)
			return nil
		}
		e := weir.Errorf(weir.KindUnsupported, "%s: the tool %q is run by the client's provider and has no counterpart here", at, t.Name)
		e.Param = at
		e.Hint = "route the request to a deployment of its own protocol, or leave the tool out"
		return e
	}
	if w.wraps(t.Type) {
		w.customTool(at, t)
		return nil
	}
	name := "function"
	if t.Type == weir.ToolCustom {
		name = "custom"
	}
	w.BeginObject()
	if spelled(t.Extra, w.from, "type") == nil {
		w.StringField("type", name)
	}
	w.Key(name)
	w.definition(at, t, spelledOrKept(t.Extra, w.from, name))
	if t.Cache != nil {
		w.cache(at, t.Cache)
	}
	for _, f := range t.Extra {
		if w.native() && f.Name != name && f.Name != "type" {
			w.RawField(f.Name, f.Value)
		}
	}
	if !w.native() {
		w.losses.DropExtra(at, t.Extra)
	}
	w.EndObject()
	return nil
}

func (w *writer) definition(at string, t *weir.Tool, raw []byte) {
	name := w.names.Sent(t.Name)
	if name != t.Name {
		w.losses.Rename(at+".name", "the target takes shorter or simpler names")
	}
	w.BeginObject()
	w.StringField("name", name)
	if t.Description != "" || string(jsonx.Get(raw, "description")) == `""` {
		w.StringField("description", t.Description)
	}
	if t.Type != weir.ToolCustom {
		switch {
		case t.Schema != nil:
			w.RawField("parameters", t.Schema)
		case !w.native():
			w.RawField("parameters", []byte(`{"type":"object","properties":{}}`))
		}
		w.bool("strict", t.Strict)
		others(&w.Buffer, raw, "name", "description", "parameters", "strict")
	} else {
		others(&w.Buffer, raw, "name", "description")
	}
	w.EndObject()
}

// legacyFunctions writes functions, for a client that still uses them.
func (w *writer) legacyFunctions() {
	w.Key("functions")
	w.BeginArray()
	for i := range w.in.Tools {
		t := &w.in.Tools[i]
		w.BeginObject()
		w.StringField("name", w.names.Sent(t.Name))
		w.text("description", t.Description)
		if t.Schema != nil {
			w.RawField("parameters", t.Schema)
		}
		for _, f := range t.Extra {
			w.RawField(f.Name, f.Value)
		}
		w.EndObject()
	}
	w.EndArray()
}

// toolChoice writes the choice; what the target makes of its mode is the
// editor's.
func (w *writer) toolChoice() {
	c := w.in.ToolChoice
	if c == nil {
		return
	}
	if raw := spelled(w.in.Extra, w.from, "function_call"); raw != nil && !jsonx.IsNull(raw) {
		w.RawField("function_call", raw)
		return
	}
	if w.native() {
		if raw := c.Extra.Value(""); raw != nil && w.names.Back() == nil && (!w.q.NoCustomTools || !w.hasCustomTools()) {
			w.RawField("tool_choice", raw)
			return
		}
	} else {
		w.losses.DropExtra("tool_choice", c.Extra)
	}
	w.Key("tool_choice")
	switch {
	case c.Mode == weir.ToolModeNamed && len(c.Names) > 0:
		w.toolReference(c.Names[0], c.Type)
	case len(c.Names) > 0:
		w.BeginObject()
		w.StringField("type", "allowed_tools")
		w.Key("allowed_tools")
		w.BeginObject()
		w.StringField("mode", string(c.Mode))
		w.Key("tools")
		w.BeginArray()
		for _, name := range c.Names {
			w.toolReference(name, "")
		}
		w.EndArray()
		w.EndObject()
		w.EndObject()
	default:
		w.String(string(c.Mode))
	}
}

// toolReference names a tool. typ is its type where the reference said it.
func (w *writer) toolReference(name string, typ weir.ToolType) {
	if typ == "" {
		typ = w.typeOf(name)
	}
	if w.wraps(typ) {
		typ = weir.ToolFunction
	}
	w.BeginObject()
	w.StringField("type", string(typ))
	w.Key(string(typ))
	w.BeginObject()
	w.StringField("name", w.names.Sent(name))
	w.EndObject()
	w.EndObject()
}

// typeOf is the type of the tool of that name, a function where there is none.
func (w *writer) typeOf(name string) weir.ToolType {
	for i := range w.in.Tools {
		if t := &w.in.Tools[i]; t.Name == name && t.Type == weir.ToolCustom {
			return weir.ToolCustom
		}
	}
	return weir.ToolFunction
}

func (w *writer) hasCustomTools() bool {
	return slices.ContainsFunc(w.in.Tools, func(t weir.Tool) bool { return t.Type == weir.ToolCustom })
}

// cache writes cache_control where the target takes it or the client of this
// protocol wrote it (C-02).
func (w *writer) cache(at string, c *weir.CacheControl) {
	if !w.native() && !w.q.CacheControl {
		w.losses.Drop(at+".cache_control", noCache)
		return
	}
	w.Key("cache_control")
	w.BeginObject()
	if c.Extra.Value("type") == nil {
		w.StringField("type", "ephemeral")
	}
	w.text("ttl", c.TTL)
	for _, f := range c.Extra {
		w.RawField(f.Name, f.Value)
	}
	w.EndObject()
}
