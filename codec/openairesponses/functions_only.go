package openairesponses

import (
	"errors"
	"maps"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// What follows is for upstreams that speak this protocol and know functions only
// (Quirks.NoCustomTools, S-13): custom tools become functions of one text, tools in
// namespaces and searches run by the client become plain functions, in the
// declaration and in the calls that were made already. The answer has them back.

// moreTools and moreItems are the types of what a request may declare or hold that
// such a target does not know.
var (
	moreTools = map[string]bool{"custom": true, "namespace": true, "tool_search": true}
	moreItems = map[string]bool{
		"custom_tool_call": true, "custom_tool_call_output": true, additionalField: true,
		"tool_search_call": true, "tool_search_output": true,
	}
)

// hasMore reports whether a request has more than functions.
func hasMore(w *weir.Wire, top *jsonx.Top) bool {
	among := func(types map[string]bool) func(int, []byte) error {
		return func(_ int, raw []byte) error {
			if types[jsonx.StringOr(jsonx.Get(raw, "type"), "")] {
				return errFound
			}
			return nil
		}
	}
	return errors.Is(jsonx.EachElement(top.Get(w.Body, "tools"), among(moreTools)), errFound) ||
		errors.Is(jsonx.EachElement(top.Get(w.Body, "input"), among(moreItems)), errFound)
}

// wraps reports whether a tool or call of a type becomes a function.
func (w *writer) wraps(t weir.ToolType) bool { return t == weir.ToolCustom && w.flat }

// becomesFunction reports whether a tool of a client of this protocol is a plain
// function for the target, and none for the client.
func (w *writer) becomesFunction(t *weir.Tool) bool {
	return w.flat && (t.Type == weir.ToolCustom || isSearch(t) || spaceOf(t) != "")
}

// customTool is a custom tool as a function.
func (w *writer) customTool(at string, t *weir.Tool) *weir.Tool {
	as := *t
	as.Type, as.Schema, as.Strict = weir.ToolFunction, codec.CustomSchema(), new(false)
	as.Description, as.Extra = w.losses.FunctionOf(t, at)
	return &as
}

// flatTool writes a tool for a target that knows functions only.
func (w *writer) flatTool(at string, t *weir.Tool) {
	if w.wraps(t.Type) {
		t = w.customTool(at, t)
	}
	w.definition(t, w.names.Sent(t.Name))
	for _, f := range t.Extra {
		switch {
		case f.Name == namespaceField && !f.Spelling:
			w.losses.Approximate(at+".namespace", "the target knows functions only; its tools became functions with longer names")
		case !f.Spelling && w.native():
			w.RawField(f.Name, f.Value)
		case !f.Spelling:
			w.losses.DropExtra(at, weir.Fields{f})
		}
	}
	if t.Cache != nil {
		w.losses.Drop(at+".cache_control", noCache)
	}
	w.EndObject()
}

// flatCall is a call for a target that knows functions only.
func (w *writer) flatCall(c *weir.ToolCall) *weir.ToolCall {
	as := *c
	as.Extra = nil
	for _, f := range c.Extra {
		switch f.Name {
		case "namespace", searchField:
		case "id": // begins as those of its kind do
			if c.Type != weir.ToolCustom {
				as.Extra = append(as.Extra, f)
			}
		default:
			as.Extra = append(as.Extra, f)
		}
	}
	if w.wraps(c.Type) {
		as.Type, as.Arguments = weir.ToolFunction, codec.WrapCustom(c.Arguments)
	}
	return &as
}

// back tells the reader of the answer what the client knows under other names and
// as custom tools. A name that is the same is among them where the client knows the
// tool in another form: then no frame may go to it as it is.
func (w *writer) back() (names map[string]string, custom map[string]bool) {
	names = w.names.Back()
	if !w.flat {
		return names, nil
	}
	names = maps.Clone(names)
	for i := range w.in.Tools {
		if t := &w.in.Tools[i]; spaceOf(t) != "" || isSearch(t) {
			if names == nil {
				names = map[string]string{}
			}
			names[w.names.Sent(t.Name)] = t.Name
		}
	}
	return names, codec.CustomTools(w.in, w.names.Sent)
}
