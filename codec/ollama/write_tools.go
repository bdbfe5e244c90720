package ollama

import (
	"slices"
	"strconv"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// emptySchema is that of a tool without parameters.
var emptySchema = []byte(`{"type":"object","properties":{}}`)

// choose tells which tools the model may see. The protocol has no tool_choice:
// tools that may not be called are left out, and a call that is demanded is asked
// for in words (S-11, protocols.md §12.5).
func (w *bodyWriter) choose() []bool {
	out := make([]bool, len(w.in.Tools))
	c := w.in.ToolChoice
	for i := range out {
		out[i] = c == nil || c.Mode != weir.ToolModeNone && (len(c.Names) == 0 || slices.Contains(c.Names, w.in.Tools[i].Name))
		if !out[i] {
			w.losses.Drop("tools["+strconv.Itoa(i)+"]", "the choice of tools leaves it out")
		}
	}
	if c == nil || c.Mode == weir.ToolModeAuto && len(c.Names) == 0 {
		return out
	}
	w.losses.Approximate("tool_choice", "the target has none: the tools were chosen, and a call is asked for in words")
	if !w.native() {
		w.losses.DropExtra("tool_choice", c.Extra)
	}
	if c.Mode != weir.ToolModeRequired && c.Mode != weir.ToolModeNamed || !slices.Contains(out, true) {
		return out
	}
	w.instruction = "Answer with a call of one of the tools, not with text."
	if c.Mode == weir.ToolModeNamed && len(c.Names) > 0 {
		w.instruction = "Answer with a call of the tool " + w.sent(c.Names[0]) + ", not with text."
	}
	return out
}

func (w *bodyWriter) tools(allowed []bool) error {
	if !slices.Contains(allowed, true) && (!w.native() || w.in.Tools == nil) {
		return nil
	}
	w.Key("tools")
	w.BeginArray()
	for i := range w.in.Tools {
		if allowed[i] {
			if err := w.tool("tools["+strconv.Itoa(i)+"]", &w.in.Tools[i]); err != nil {
				return err
			}
		}
	}
	w.EndArray()
	return nil
}

func (w *bodyWriter) tool(at string, t *weir.Tool) error {
	if t.Type == weir.ToolHosted {
		if w.native() {
			w.Raw(t.Raw)
			return nil
		}
		return unsupported(at, "the tool is run by the client's provider and not by this one", "leave the tool out, or ask for a model of the provider that runs it")
	}
	schema, description, extra := t.Schema, t.Description, t.Extra
	switch {
	case t.Type == weir.ToolCustom: // S-13
		schema = codec.CustomSchema()
		description, extra = w.losses.FunctionOf(t, at)
	case schema == nil && !w.native():
		schema = emptySchema
	}
	w.BeginObject()
	if typ := extra.Value("type"); typ == nil || string(typ) != `""` {
		w.StringField("type", "function")
	}
	w.Key("function")
	w.BeginObject()
	if w.sent(t.Name) != t.Name {
		w.losses.Rename(at+".name", "the target takes shorter names of letters, digits, _ and -; answers have the client's")
	}
	w.StringField("name", w.sent(t.Name))
	if description != "" {
		w.StringField("description", description)
	}
	if schema != nil {
		w.RawField("parameters", schema)
	}
	switch {
	case t.Strict == nil:
	case w.native():
		w.BoolField("strict", *t.Strict)
	case *t.Strict:
		w.losses.Drop(at+".strict", "the target does not enforce schemas of tools")
	}
	w.inner(extra)
	w.EndObject()
	w.outer(extra, "type")
	w.EndObject()
	if t.Cache != nil {
		w.losses.Drop(at+".cache_control", noCache)
	}
	if !w.native() {
		w.losses.DropExtra(at, extra)
	}
	return nil
}

const (
	functionPrefix = "function."
	noCache        = "the target caches without being asked"
)

// inner puts members of the object function back.
func (w *bodyWriter) inner(extra weir.Fields) {
	if !w.native() {
		return
	}
	for _, f := range extra {
		if name, ok := strings.CutPrefix(f.Name, functionPrefix); ok && name != "arguments" {
			w.RawField(name, f.Value)
		}
	}
}

// outer puts members of the object around it back.
func (w *bodyWriter) outer(extra weir.Fields, but ...string) {
	if !w.native() {
		return
	}
	for _, f := range extra {
		if f.Name != marker && !strings.HasPrefix(f.Name, functionPrefix) && !slices.Contains(but, f.Name) {
			w.RawField(f.Name, f.Value)
		}
	}
}

// calls writes the tool calls of an assistant message.
func (w *bodyWriter) calls(blocks []placed) error {
	if len(blocks) == 0 {
		return nil
	}
	w.Key("tool_calls")
	w.BeginArray()
	for _, b := range blocks {
		if err := w.call(b); err != nil {
			return err
		}
	}
	w.EndArray()
	return nil
}

func (w *bodyWriter) call(b placed) error {
	c, at := b.Call, w.paths.Block(b.at)
	arguments := c.Arguments
	if c.Type == weir.ToolCustom {
		arguments = codec.WrapCustom(arguments)
	}
	object, ok := codec.RepairArguments(arguments)
	if raw := c.Extra.Value(functionPrefix + "arguments"); w.native() && raw != nil && jsonx.StringOr(raw, "") == c.Arguments {
		object, ok = string(raw), true
	}
	if !ok { // S-07
		e := weir.Invalid(at, "%s: the arguments of the tool call %q are not a JSON object", at, c.ID)
		e.Hint = "send the arguments as the model wrote them, or leave out the call and its result"
		return e
	}
	w.BeginObject()
	if c.ID != "" && (!w.native() || !isMade(c.Extra)) {
		w.StringField("id", c.ID)
	}
	w.Key("function")
	w.BeginObject()
	w.StringField("name", w.sent(c.Name))
	w.RawField("arguments", []byte(object))
	w.inner(c.Extra)
	w.EndObject()
	w.outer(c.Extra)
	w.EndObject()
	if c.Signature != "" {
		w.losses.Drop(at, "the state that another provider attached to the call is not accepted")
	}
	w.drop(b)
	if !w.native() {
		w.losses.DropExtra(at, c.Extra)
	}
	return nil
}
