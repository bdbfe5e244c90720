package converse

import (
	"fmt"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// emptySchema is that of a tool without parameters.
var emptySchema = []byte(`{"type":"object","properties":{}}`)

// toolNames gives every tool of the request a name that the target accepts (S-09).
// A client of this protocol has its own kept.
func (e *bodyEncoder) toolNames(turns []turn) *codec.NameMap {
	if e.same {
		return codec.NewNameMap(0)
	}
	var names []string
	for i := range e.body.Tools {
		names = append(names, e.body.Tools[i].Name)
	}
	return codec.NewNameMap(e.q.ToolNameMax, append(names, calledNames(turns)...)...)
}

// calledNames are the names of the tools that the conversation has called.
func calledNames(turns []turn) []string {
	var names []string
	for i := range turns {
		for _, p := range turns[i].parts {
			if c := p.block.Call; c != nil && !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	return names
}

// tools writes toolConfig. The API wants it wherever a conversation has calls.
func (e *bodyEncoder) tools(turns []turn) error {
	if e.same {
		return e.sameTools()
	}
	called := calledNames(turns)
	allowed := e.allowed(len(called) > 0)
	if !slices.Contains(allowed, true) && len(called) == 0 {
		return nil
	}
	e.buf.Key("toolConfig")
	e.buf.BeginObject()
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
	if !slices.Contains(allowed, true) {
		e.calledTools(called)
	}
	e.buf.EndArray()
	e.toolChoice()
	e.buf.EndObject()
	return nil
}

func (e *bodyEncoder) sameTools() error {
	if raw := e.body.Extra.Value("toolConfig"); raw != nil && e.body.Tools == nil {
		return nil // null
	}
	rest := slices.ContainsFunc(e.body.Extra, func(f weir.Field) bool { return isInside(f.Name, "toolConfig") })
	if e.body.Tools == nil && e.body.ToolChoice == nil && !rest {
		return nil
	}
	e.buf.Key("toolConfig")
	e.buf.BeginObject()
	if e.body.Tools != nil {
		e.buf.Key("tools")
		e.buf.BeginArray()
		for i := range e.body.Tools {
			if err := e.tool(&e.body.Tools[i], fmt.Sprintf("tools[%d]", i)); err != nil {
				return err
			}
		}
		e.buf.EndArray()
	}
	e.toolChoice()
	e.below(&e.buf, "toolConfig")
	e.buf.EndObject()
	return nil
}

// calledTools declares the tools that the conversation has called and the request
// does not define, since calls without a definition are refused.
func (e *bodyEncoder) calledTools(names []string) {
	e.losses.Approximate("tools", "the tools that were called are declared without their parameters")
	for _, name := range names {
		e.buf.BeginObject()
		e.buf.Key("toolSpec")
		e.buf.BeginObject()
		e.buf.StringField("name", e.names.Sent(name))
		e.inputSchema(emptySchema)
		e.buf.EndObject()
		e.buf.EndObject()
	}
}

func (e *bodyEncoder) inputSchema(schema []byte) {
	e.buf.Key("inputSchema")
	e.buf.BeginObject()
	e.buf.RawField("json", schema)
	e.buf.EndObject()
}

// allowed tells which tools the model may see: those of the subset that a choice
// names, and none where it may call none, for neither of which the protocol has a
// word. Where the conversation has calls, which need definitions, all are shown.
func (e *bodyEncoder) allowed(called bool) []bool {
	out := make([]bool, len(e.body.Tools))
	c := e.body.ToolChoice
	subset := c != nil && c.Mode != weir.ToolModeNamed && len(c.Names) > 0
	none := c != nil && c.Mode == weir.ToolModeNone && len(out) > 0
	for i := range out {
		out[i] = called && none || !none && (!subset || slices.Contains(c.Names, e.body.Tools[i].Name))
	}
	switch {
	case none && called:
		e.losses.Approximate("tool_choice", "the target cannot be told to call none of the tools that the conversation has called")
	case none:
		e.losses.Approximate("tool_choice", "the tools were left out, so that none is called")
		e.leftOut(out)
	case slices.Contains(out, false):
		e.losses.Approximate("tool_choice", "the tools that are not allowed were left out")
		e.leftOut(out)
	}
	return out
}

// leftOut reports the tools that the model is not shown.
func (e *bodyEncoder) leftOut(shown []bool) {
	for i := range shown {
		if shown[i] {
			continue
		}
		at := fmt.Sprintf("tools[%d]", i)
		e.losses.Approximate(at, "left out, since it may not be called")
		if s := e.body.Tools[i].Strict; s != nil && *s {
			e.losses.Drop(at+".strict", "the tool was left out")
		}
	}
}

func (e *bodyEncoder) tool(t *weir.Tool, at string) error {
	if t.Type == weir.ToolHosted {
		if e.same && t.Raw != nil {
			e.buf.Raw(t.Raw)
			e.cache(t.Cache, at)
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
	e.buf.BeginObject()
	e.buf.Key("toolSpec")
	inner := e.begin()
	e.buf.StringField("name", e.toolName(t.Name, at))
	if description != "" && (e.same || hasInk(description)) {
		e.buf.StringField("description", description)
	}
	if schema != nil {
		e.inputSchema(schema)
	}
	if t.Strict != nil && (*t.Strict || e.same) {
		e.buf.BoolField("strict", *t.Strict)
	}
	e.extra(inner, extra, at)
	e.buf.EndObject()
	e.buf.EndObject()
	e.cache(t.Cache, at)
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
	c := e.body.ToolChoice
	if p := e.body.ParallelToolCalls; p != nil && !*p {
		e.losses.Drop("parallel_tool_calls", "the target cannot be told to call one tool at a time")
	}
	if c == nil || c.Mode == weir.ToolModeNone || e.plan.freeChoice {
		return
	}
	e.buf.Key("toolChoice")
	start := e.begin()
	switch {
	case e.same && len(c.Extra) > 0 && c.Mode == weir.ToolModeAuto: // a choice of tomorrow
	case c.Mode == weir.ToolModeRequired:
		e.emptyObject("any")
	case c.Mode == weir.ToolModeNamed && len(c.Names) > 0:
		e.buf.Key("tool")
		e.buf.BeginObject()
		e.buf.StringField("name", e.names.Sent(c.Names[0]))
		e.buf.EndObject()
	default:
		e.emptyObject("auto")
	}
	e.extra(start, c.Extra, "tool_choice")
	e.buf.EndObject()
}

func (e *bodyEncoder) emptyObject(key string) {
	e.buf.Key(key)
	e.buf.BeginObject()
	e.buf.EndObject()
}
