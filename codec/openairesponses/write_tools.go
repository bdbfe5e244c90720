package openairesponses

import (
	"fmt"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

func (w *writer) tools() error {
	tools := w.topTools()
	if w.in.Tools == nil || len(tools) == 0 && (!w.native() || len(w.in.Tools) > 0) {
		return nil
	}
	w.Key("tools")
	return w.toolArray("tools", tools)
}

// toolArray writes tools as a list; at is its path.
func (w *writer) toolArray(at string, tools []weir.Tool) error {
	w.BeginArray()
	for i := 0; i < len(tools); {
		if n := w.namespace(tools[i:]); n > 0 {
			i += n
			continue
		}
		if err := w.tool(fmt.Sprintf("%s[%d]", at, i), &tools[i]); err != nil {
			return err
		}
		i++
	}
	w.EndArray()
	return nil
}

func (w *writer) tool(at string, t *weir.Tool) error {
	switch {
	case t.Type == weir.ToolHosted && w.native():
		w.Raw(t.Raw)
		return nil
	case t.Type == weir.ToolHosted:
		e := weir.Errorf(weir.KindUnsupported, "%s: the tool %q is run by the client's provider and has no counterpart here", at, t.Name)
		e.Param = at
		e.Hint = "route the request to a deployment of its own protocol, or leave the tool out"
		return e
	}
	if raw := t.Extra.Value(toolField); w.native() && w.names.Back() == nil && !w.becomesFunction(t) && sameTool(t, raw) {
		w.Raw(raw)
		return nil
	}
	sent := w.names.Sent(t.Name)
	if sent != t.Name && !w.native() {
		w.losses.Rename(at+".name", "the target takes shorter names of letters, digits, _ and -; answers have the client's")
	}
	if w.flat {
		w.flatTool(at, t)
		return nil
	}
	if w.native() && isSearch(t) {
		w.search(t)
		return nil
	}
	w.definition(t, sent)
	if w.native() {
		for _, f := range t.Extra {
			if f.Name != toolField && f.Name != namespaceField && f.Name != laterField {
				w.RawField(f.Name, f.Value)
			}
		}
	} else {
		w.foreignTool(at, t)
	}
	w.EndObject()
	return nil
}

// definition writes the members of a tool that have words, into an object that
// stays open. Strictness is always said to others than this protocol's clients:
// it is on where nothing is said (protocols.md §4.4).
func (w *writer) definition(t *weir.Tool, name string) {
	w.BeginObject()
	w.StringField("type", string(t.Type))
	w.StringField("name", name)
	w.word("description", t.Description)
	if t.Type != weir.ToolFunction {
		return
	}
	switch {
	case t.Schema != nil:
		w.RawField("parameters", t.Schema)
	case !w.native():
		w.RawField("parameters", []byte(`{"type":"object","properties":{}}`))
	}
	switch {
	case t.Strict != nil:
		w.BoolField("strict", *t.Strict)
	case !w.native():
		w.BoolField("strict", false)
	}
}

// foreignTool writes the form of a custom tool's input, which Chat has too, and
// tells what of a tool of another protocol is lost.
func (w *writer) foreignTool(at string, t *weir.Tool) {
	for _, f := range t.Extra {
		inner := jsonx.Get(f.Value, "format")
		switch {
		case t.Type == weir.ToolCustom && f.Name == "custom" && inner != nil:
			w.RawField("format", flatFormat(inner))
		case !f.Spelling:
			w.losses.DropExtra(at, weir.Fields{f})
		}
	}
	if t.Cache != nil {
		w.losses.Drop(at+".cache_control", noCache)
	}
}

// flatFormat is the form of a custom tool's input as this protocol writes it:
// unlike in Chat, a grammar stands in no object of its own.
func flatFormat(raw []byte) []byte {
	grammar := jsonx.Get(raw, "grammar")
	if jsonx.KindOf(grammar) != jsonx.KindObject {
		return raw
	}
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("type", "grammar")
	_ = jsonx.EachMember(grammar, func(key, value []byte) error {
		if string(key) != "type" {
			b.RawField(string(key), value)
		}
		return nil
	})
	b.EndObject()
	return b.B
}

// sameTool reports whether a tool is still what was remembered of it.
func sameTool(t *weir.Tool, raw []byte) bool {
	if raw == nil {
		return false
	}
	var d bodyReader
	if isSearch(t) {
		again := d.searchTool("", raw)
		return d.err == nil && alike(&again, t)
	}
	again := d.tool("", t.Type, raw)
	name := t.Name
	if len(again.Name) < len(name) && t.Extra.Value(namespaceField) != nil {
		name = name[len(name)-len(again.Name):]
	}
	return d.err == nil && again.Name == name && again.Description == t.Description &&
		string(again.Schema) == string(t.Schema) && equalPtr(again.Strict, t.Strict)
}

func equalPtr(a, b *bool) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }

// namespace writes the tools at the head of tools that came as one namespace, and
// tells how many they are; 0 for none.
func (w *writer) namespace(tools []weir.Tool) int {
	raw := tools[0].Extra.Value(namespaceField)
	if !w.native() || raw == nil || w.flat {
		return 0
	}
	name := jsonx.StringOr(raw, "")
	if jsonx.KindOf(raw) == jsonx.KindObject {
		name = jsonx.StringOr(jsonx.Get(raw, "name"), "")
	} else {
		raw = nil // its first tool was taken out
	}
	n := 1
	for n < len(tools) && jsonx.StringOr(tools[n].Extra.Value(namespaceField), "") == name {
		n++
	}
	if w.sameNamespace(tools[:n], raw) {
		w.Raw(raw)
		return n
	}
	w.BeginObject()
	w.StringField("type", "namespace")
	w.StringField("name", name)
	others(&w.Buffer, raw, "type", "name", "tools")
	w.Key("tools")
	w.BeginArray()
	for i := range tools[:n] {
		t := &tools[i]
		w.definition(t, w.names.Sent(withoutSpace(t.Name, jsonx.AppendString(nil, name))))
		for _, f := range t.Extra {
			if f.Name != toolField && f.Name != namespaceField && f.Name != laterField {
				w.RawField(f.Name, f.Value)
			}
		}
		w.EndObject()
	}
	w.EndArray()
	w.EndObject()
	return n
}

// sameNamespace reports whether tools are still those of the namespace raw.
func (w *writer) sameNamespace(tools []weir.Tool, raw []byte) bool {
	if raw == nil || w.names.Back() != nil {
		return false
	}
	d := bodyReader{body: &weir.Body{}}
	d.namespace("", raw)
	again := d.body.Tools
	if d.err != nil || len(again) != len(tools) {
		return false
	}
	for i := range again {
		a, b := &again[i], &tools[i]
		if a.Name != b.Name || a.Description != b.Description || string(a.Schema) != string(b.Schema) || !equalPtr(a.Strict, b.Strict) {
			return false
		}
	}
	return true
}

// toolChoice writes the choice: as the client of this protocol wrote it while no
// tool goes by another name.
func (w *writer) toolChoice() {
	c := w.in.ToolChoice
	if c == nil || len(w.in.Tools) == 0 && !w.native() {
		return
	}
	if w.native() {
		if raw := c.Extra.Value(""); raw != nil && w.names.Back() == nil && (!w.flat || len(c.Names) == 0) && w.sameChoice(c, raw) {
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
		w.StringField("mode", string(c.Mode))
		w.Key("tools")
		w.BeginArray()
		for _, name := range c.Names {
			w.toolReference(name, w.typeOf(name))
		}
		w.EndArray()
		w.EndObject()
	default:
		w.String(string(c.Mode))
	}
}

// sameChoice reports whether a choice is still what was remembered of it.
func (w *writer) sameChoice(c *weir.ToolChoice, raw []byte) bool {
	d := bodyReader{spaces: map[string]bool{}}
	for i := range w.in.Tools {
		if space := jsonx.Get(w.in.Tools[i].Extra.Value(namespaceField), "name"); space != nil {
			d.spaces[jsonx.StringOr(space, "")] = true
		}
	}
	again := d.toolChoice(raw)
	if d.err != nil || again.Mode != c.Mode || len(again.Names) != len(c.Names) {
		return false
	}
	for i := range c.Names {
		if c.Names[i] != again.Names[i] {
			return false
		}
	}
	return true
}

func (w *writer) typeOf(name string) weir.ToolType {
	for i := range w.in.Tools {
		if w.in.Tools[i].Name == name {
			return w.in.Tools[i].Type
		}
	}
	return weir.ToolFunction
}

func (w *writer) toolReference(name string, typ weir.ToolType) {
	if typ == "" || w.flat {
		typ = weir.ToolFunction
	}
	w.BeginObject()
	w.StringField("type", string(typ))
	w.StringField("name", w.names.Sent(name))
	w.EndObject()
}
