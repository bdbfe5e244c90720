package openairesponses

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// What follows are tools that a request declares in the middle of its input: in an
// item additional_tools, or as what a search has found (OpenAPI 2.3.0; some of
// OpenAI's models have all their tools there). Other protocols have one list of
// tools, and so they are tools of the body as all others. A client of this protocol
// has them where they were: the item goes back whole.

// laterField is the spelling that marks a tool which was declared in the input.
const laterField = "later"

// additionalField is the spelling that remembers an item additional_tools in the
// message that stands for it, which says nothing itself.
const additionalField = "additional_tools"

// laterTools adds tools that are declared in the input, but for those that are known
// already, and gives the names of all of them.
func (d *bodyReader) laterTools(at string, raw []byte) (names []string) {
	before := d.body.Tools
	if d.known == nil {
		d.known = map[string]bool{}
		for i := range before {
			d.known[before[i].Name] = true
		}
	}
	d.body.Tools = nil
	d.toolList(at, raw)
	added := d.body.Tools
	d.body.Tools = before
	for i := range added {
		t := &added[i]
		if t.Type != weir.ToolHosted {
			names = append(names, t.Name)
		}
		if d.known[t.Name] {
			continue
		}
		d.known[t.Name] = true
		for k := range t.Extra { // they are loaded now
			t.Extra[k].Spelling = t.Extra[k].Spelling || t.Extra[k].Name == "defer_loading"
		}
		spell(&t.Extra, laterField, []byte("true"))
		d.body.Tools = append(d.body.Tools, *t)
	}
	return names
}

// readAdditional reads the tools of all items additional_tools, ahead of the items:
// calls and choices may name their namespaces.
func (d *bodyReader) readAdditional(input []byte) {
	if jsonx.KindOf(input) != jsonx.KindArray || !bytes.Contains(input, []byte(`"`+additionalField+`"`)) {
		return
	}
	d.array("input", input, func(at string, item []byte) {
		if jsonx.KindOf(item) != jsonx.KindObject || jsonx.StringOr(jsonx.Get(item, "type"), "") != additionalField {
			return
		}
		if tools := jsonx.Get(item, "tools"); says(tools) {
			d.laterTools(at+".tools", tools)
		}
	})
}

// additionalItem keeps the place of an item additional_tools.
func (d *bodyReader) additionalItem(at string, raw []byte) {
	m := weir.Message{Role: weir.RoleSystem, At: at}
	spell(&m.Extra, additionalField, raw)
	d.alone(m)
}

// DeclaredTools are the tools that a message declares: one that OpenRequest has
// made of an item of the input. A body that has the message has them among its
// tools. Nil: none, or not in this protocol. The message is not changed.
func DeclaredTools(m *weir.Message) []weir.Tool {
	d := bodyReader{body: &weir.Body{}}
	if raw := m.Extra.Value(additionalField); raw != nil {
		d.laterTools("", jsonx.Get(raw, "tools"))
	}
	for i := range m.Blocks {
		r := m.Blocks[i].Result
		if r == nil {
			continue
		}
		if tools := jsonx.Get(r.Extra.Value(searchField), "tools"); says(tools) {
			d.laterTools("", tools)
		}
	}
	if d.err != nil {
		return nil // OpenRequest has refused it
	}
	return d.body.Tools
}

// isLater reports whether a tool was declared in the input.
func isLater(t *weir.Tool) bool { return t.Extra.Value(laterField) != nil }

// hoists reports whether tools that were declared in the input are written with all
// others: the target knows functions only, or its messages are put in another order.
func (w *writer) hoists() bool {
	return !w.native() || w.flat || w.q.SystemFirst || w.q.StrictAlternation
}

// topTools are the tools that are not written in an item.
func (w *writer) topTools() []weir.Tool {
	if w.hoists() {
		return w.in.Tools
	}
	var out []weir.Tool
	for i := range w.in.Tools {
		if !isLater(&w.in.Tools[i]) {
			out = append(out, w.in.Tools[i])
		}
	}
	return out
}

// additional writes an item additional_tools: as it was, while its tools are the
// same.
func (w *writer) additional(at string, raw []byte) error {
	d := bodyReader{body: &weir.Body{}}
	d.laterTools("", jsonx.Get(raw, "tools"))
	was := map[string]*weir.Tool{}
	for i := range d.body.Tools {
		was[d.body.Tools[i].Name] = &d.body.Tools[i]
	}
	same, n := d.err == nil && w.names.Back() == nil, 0
	var left []weir.Tool
	for i := range w.in.Tools {
		t := &w.in.Tools[i]
		if was[t.Name] == nil {
			continue
		}
		n++
		same = same && alike(was[t.Name], t)
		if isLater(t) {
			left = append(left, *t)
		}
	}
	if same && n == len(was) {
		w.Raw(raw)
		return nil
	}
	w.BeginObject()
	w.StringField("type", additionalField)
	others(&w.Buffer, raw, "type", "tools")
	w.Key("tools")
	if err := w.toolArray(at+".tools", left); err != nil {
		return err
	}
	w.EndObject()
	return nil
}

// alike reports whether two tools are the same to a model.
func alike(a, b *weir.Tool) bool {
	return a.Type == b.Type && a.Name == b.Name && a.Description == b.Description && bytes.Equal(a.Schema, b.Schema) &&
		equalPtr(a.Strict, b.Strict) && bytes.Equal(a.Raw, b.Raw)
}
