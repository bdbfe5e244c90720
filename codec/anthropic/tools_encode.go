package anthropic

import (
	"fmt"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// emptySchema is that of a tool without parameters.
var emptySchema = []byte(`{"type":"object","properties":{}}`)

// toolNames gives every tool of the request a name that the target accepts
// (S-09). A client of this protocol has its own kept.
func (e *bodyEncoder) toolNames(turns []turn) *codec.NameMap {
	if e.same {
		return codec.NewNameMap(0)
	}
	var names []string
	for i := range e.body.Tools {
		names = append(names, e.body.Tools[i].Name)
	}
	for i := range turns {
		for _, p := range turns[i].parts {
			if p.block.Call != nil {
				names = append(names, p.block.Call.Name)
			}
		}
	}
	return codec.NewNameMap(e.q.ToolNameMax, names...)
}

func (e *bodyEncoder) tools() error {
	allowed := e.allowed()
	if !slices.Contains(allowed, true) && (!e.same || e.body.Tools == nil) {
		return nil
	}
	e.buf.Key("tools")
	e.buf.BeginArray()
	for i := range e.body.Tools {
		if !allowed[i] {
			continue
		}
		if err := e.tool(&e.body.Tools[i], fmt.Sprintf("tools[%d]", i)); err != nil {
			return err
		}
	}
	e.buf.EndArray()
	return nil
}

// allowed tells which tools the model may see: where the choice names a subset,
// which the protocol cannot say, the others are left out.
func (e *bodyEncoder) allowed() []bool {
	out := make([]bool, len(e.body.Tools))
	subset := map[string]bool{}
	c := e.body.ToolChoice
	if c != nil && c.Mode != weir.ToolModeNamed {
		for _, name := range c.Names {
			subset[name] = true
		}
	}
	for i := range out {
		out[i] = len(subset) == 0 || subset[e.body.Tools[i].Name]
	}
	if slices.Contains(out, false) {
		e.losses.Approximate("tool_choice", "the tools that are not allowed were left out")
	}
	for i := range out {
		if !out[i] {
			e.losses.Drop(fmt.Sprintf("tools[%d]", i), "left out, since it may not be called")
		}
	}
	return out
}

func (e *bodyEncoder) tool(t *weir.Tool, at string) error {
	if t.Type == weir.ToolHosted {
		if e.same && t.Raw != nil {
			e.buf.Raw(t.Raw)
			return nil
		}
		err := weir.Errorf(weir.KindUnsupported, "%s: the tool %q is run by another provider and not by this one", at, t.Name)
		err.Param, err.Hint = at, "leave the tool out, or ask for a model of the provider that runs it"
		return err
	}
	schema, description, extra := t.Schema, t.Description, t.Extra
	switch {
	case t.Type == weir.ToolCustom: // S-13
		schema = codec.CustomSchema()
		description, extra = e.losses.FunctionOf(t, at)
	case schema == nil && !e.same:
		schema = emptySchema
	}
	start := e.begin()
	e.buf.StringField("name", e.toolName(t.Name, at))
	if description != "" {
		e.buf.StringField("description", description)
	}
	if schema != nil {
		e.buf.RawField("input_schema", schema)
	}
	if t.Strict != nil && (*t.Strict || e.same) {
		e.buf.BoolField("strict", *t.Strict)
	}
	e.cache(t.Cache, at)
	e.extra(start, extra, at)
	e.buf.EndObject()
	return nil
}

func (e *bodyEncoder) toolName(name, at string) string {
	sent := e.names.Sent(name)
	if sent != name {
		e.losses.Rename(at+".name", "the target takes shorter names of letters, digits, _ and -; answers have the client's")
	}
	return sent
}

func (e *bodyEncoder) toolChoice() {
	c, parallel := e.plan.choice, e.body.ParallelToolCalls
	if len(e.body.Tools) == 0 && !e.same {
		return
	}
	if c == nil {
		if parallel == nil || *parallel {
			return
		}
		c = &weir.ToolChoice{Mode: weir.ToolModeAuto}
	}
	e.buf.Key("tool_choice")
	start := e.begin()
	switch c.Mode {
	case weir.ToolModeNone:
		e.buf.StringField("type", "none")
	case weir.ToolModeRequired:
		e.buf.StringField("type", "any")
	case weir.ToolModeNamed:
		e.buf.StringField("type", "tool")
		if len(c.Names) > 0 {
			e.buf.StringField("name", e.names.Sent(c.Names[0]))
		}
	default:
		e.buf.StringField("type", "auto")
	}
	if parallel != nil && (e.same || !*parallel && c.Mode != weir.ToolModeNone) {
		e.buf.BoolField("disable_parallel_tool_use", !*parallel)
	}
	e.extra(start, c.Extra, "tool_choice")
	e.buf.EndObject()
}
