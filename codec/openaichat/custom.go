package openaichat

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// What follows is for targets that know functions only (Quirks.NoCustomTools,
// S-13): custom tools become functions of one text, in the declaration and in the
// calls that were made already.

// wraps reports whether a tool or call of a type becomes a function.
func (w *writer) wraps(t weir.ToolType) bool { return t == weir.ToolCustom && w.q.NoCustomTools }

// customTool writes the definition of a custom tool as that of a function.
func (w *writer) customTool(at string, t *weir.Tool) {
	as := *t
	as.Type, as.Schema = weir.ToolFunction, codec.CustomSchema()
	as.Description, as.Extra = w.losses.FunctionOf(t, at)
	w.BeginObject()
	w.StringField("type", "function")
	w.Key("function")
	w.definition(at, &as, nil)
	if t.Cache != nil {
		w.cache(at, t.Cache)
	}
	w.losses.DropExtra(at, as.Extra)
	w.EndObject()
}

// wrapped is a custom call as that of a function.
func (w *writer) wrapped(c *weir.ToolCall) *weir.ToolCall {
	as := *c
	as.Type, as.Arguments = weir.ToolFunction, codec.WrapCustom(c.Arguments)
	as.Extra = nil
	for _, f := range c.Extra {
		if f.Name != "custom" {
			as.Extra = append(as.Extra, f)
		}
	}
	return &as
}

// hasCustom reports whether a request declares or has called a custom tool.
func hasCustom(w *weir.Wire, top *jsonx.Top) bool {
	isCustom := func(_ int, item []byte) error {
		if string(jsonx.Get(item, "type")) == `"custom"` {
			return errFound
		}
		return nil
	}
	if tools := top.Get(w.Body, "tools"); tools != nil && jsonx.EachElement(tools, isCustom) != nil {
		return true
	}
	return jsonx.EachElement(top.Get(w.Body, "messages"), func(_ int, m []byte) error {
		if calls := jsonx.Get(m, "tool_calls"); says(calls) {
			return jsonx.EachElement(calls, isCustom)
		}
		return nil
	}) != nil
}
