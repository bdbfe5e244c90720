package gemini

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// tools writes the list of tools: as the client of this protocol wrote it while it
// says the same, else all functions in one entry and each hosted tool in its own.
func (w *bodyWriter) tools() error {
	tools := w.body.Tools
	if w.same && w.asWritten("tools", func(b *weir.Body, at *path, raw []byte) bool {
		return readTools(b, at, raw) == nil && reflect.DeepEqual(b.Tools, tools)
	}) {
		return nil
	}
	allowed := w.allowed()
	if !slices.Contains(allowed, true) {
		return nil
	}
	w.buf.Key("tools")
	w.buf.BeginArray()
	begun := false
	for i := range tools {
		t := &tools[i]
		if !allowed[i] || t.Type == weir.ToolHosted {
			continue
		}
		if !begun {
			begun = true
			w.buf.BeginObject()
			w.buf.Key("functionDeclarations")
			w.buf.BeginArray()
		}
		w.function(t, i)
	}
	if begun {
		w.buf.EndArray()
		w.buf.EndObject()
	}
	for i := range tools {
		if tools[i].Type == weir.ToolHosted {
			if err := w.hosted(&tools[i], i); err != nil {
				return err
			}
		}
	}
	w.buf.EndArray()
	return nil
}

// asWritten puts a whole member back as it was written, if what it says is still
// so.
func (w *bodyWriter) asWritten(name string, says func(b *weir.Body, at *path, raw []byte) bool) bool {
	for i := range w.body.Extra {
		f := &w.body.Extra[i]
		if !f.Spelling || isMark(f) || camel(f.Name) != name || jsonx.IsNull(f.Value) {
			continue
		}
		root := root()
		at := root.Key(f.Name)
		if says(&weir.Body{}, &at, f.Value) {
			w.buf.RawField(f.Name, f.Value)
			return true
		}
	}
	return false
}

// allowed tells which tools the model may see: where the choice names a subset
// and leaves the model free, which only newer models can be told, the others are
// left out.
func (w *bodyWriter) allowed() []bool {
	out := make([]bool, len(w.body.Tools))
	c := w.body.ToolChoice
	subset := c != nil && c.Mode == weir.ToolModeAuto && len(c.Names) > 0 && !w.same
	for i := range out {
		out[i] = !subset || slices.Contains(c.Names, w.body.Tools[i].Name)
	}
	if slices.Contains(out, false) {
		w.losses.Approximate(codec.ClientWord(w.body.From, "tool_choice"), "the tools that are not allowed were left out")
	}
	return out
}

func (w *bodyWriter) hosted(t *weir.Tool, i int) error {
	if w.same && t.Raw != nil {
		w.buf.Raw(t.Raw)
		return nil
	}
	at := fmt.Sprintf("tools[%d]", i)
	return unsupported(at, fmt.Sprintf("the tool %q is run by another provider and not by this one", t.Name),
		"leave the tool out, or ask for a model of the provider that runs it")
}

// function writes a declaration.
func (w *bodyWriter) function(t *weir.Tool, i int) {
	at := fmt.Sprintf("tools[%d]", i)
	name := w.names.sent(t.Name)
	if name != t.Name {
		w.losses.Rename(at+".name", "the target takes names of letters, digits, _ and -; answers have the client's")
	}
	description, schema, extra := t.Description, t.Schema, t.Extra
	if t.Type == weir.ToolCustom {
		description, extra = w.losses.FunctionOf(t, at)
		schema = codec.CustomSchema()
	}
	start := w.begin()
	w.buf.StringField("name", name)
	if description != "" {
		w.buf.StringField("description", description)
	}
	w.parameters(t, schema, at)
	if t.Strict != nil && *t.Strict {
		w.losses.Drop(at+".strict", "the target checks the calls of all tools alike or of none")
	}
	if t.Cache != nil {
		w.losses.Drop(at+".cache_control", "the target caches without being asked")
	}
	w.extra(start, extra, at)
	w.buf.EndObject()
}

// parameters writes the schema of a function's arguments: as it was written while
// it means the same, else in the dialect of the target (P-07).
func (w *bodyWriter) parameters(t *weir.Tool, schema []byte, at string) {
	if schema == nil {
		return
	}
	if w.same {
		for i := range t.Extra {
			f := &t.Extra[i]
			if !f.Spelling || isMark(f) || jsonx.IsNull(f.Value) {
				continue
			}
			if name := camel(f.Name); name == "parameters" && bytes.Equal(jsonSchema(f.Value), schema) ||
				name == "parametersJsonSchema" && jsonx.Equal(f.Value, schema) {
				w.buf.RawField(f.Name, f.Value)
				return
			}
		}
	}
	if takesJSONSchema(w.model, w.q.SchemaDialect) {
		w.buf.RawField("parametersJsonSchema", schema)
		return
	}
	out, notes := openAPISchema(schema)
	w.schemaLosses(at+w.schemaMember(), notes)
	if hasProperties(out) {
		w.buf.RawField("parameters", out)
	}
}

// schemaMember is where the client's protocol has the schema of a tool.
func (w *bodyWriter) schemaMember() string {
	switch w.body.From {
	case weir.OpenAIChat, weir.OllamaChat:
		return ".function.parameters"
	case weir.AnthropicMessages:
		return ".input_schema"
	case weir.BedrockConverse:
		return ".toolSpec.inputSchema.json"
	}
	return ".parameters"
}

func (w *bodyWriter) schemaLosses(at string, notes []schemaNote) {
	for _, n := range notes {
		if n.changed {
			w.losses.Approximate(at+n.path, n.detail)
		} else {
			w.losses.Drop(at+n.path, n.detail)
		}
	}
}

// toolConfig writes how free the model is.
func (w *bodyWriter) toolConfig() error {
	c := w.body.ToolChoice
	if w.same && w.asWritten("toolConfig", func(b *weir.Body, at *path, raw []byte) bool {
		err := readToolConfig(b, at, raw)
		anyOfAll(b.ToolChoice, w.body.Tools)
		return err == nil && reflect.DeepEqual(b.ToolChoice, c) &&
			reflect.DeepEqual(inner(b.Extra, toolConfigPath), inner(w.body.Extra, toolConfigPath))
	}) {
		return nil
	}
	if p := w.body.ParallelToolCalls; p != nil && !*p && len(w.body.Tools) > 0 {
		w.losses.Drop(codec.ClientWord(w.body.From, "parallel_tool_calls"), "the target has no such setting")
	}
	rest := inner(w.body.Extra, toolConfigPath)
	if c != nil && !w.same {
		w.losses.DropExtra(codec.ClientWord(w.body.From, "tool_choice"), c.Extra)
		c = w.acceptedChoice(c)
	}
	if c == nil && (len(rest) == 0 || !w.same) {
		return nil
	}
	w.key("toolConfig", w.body.Extra)
	w.buf.BeginObject()
	if c != nil {
		w.calling(c)
	}
	if w.same {
		for _, f := range rest {
			w.buf.RawField(f.Name, f.Value)
		}
	}
	w.buf.EndObject()
	return nil
}

// acceptedChoice is the choice as the target takes it, nil for its default.
func (w *bodyWriter) acceptedChoice(c *weir.ToolChoice) *weir.ToolChoice {
	if len(w.body.Tools) == 0 {
		return nil
	}
	if c.Mode == weir.ToolModeAuto {
		return &weir.ToolChoice{Mode: c.Mode}
	}
	if len(w.q.ToolChoices) > 0 && !slices.Contains(w.q.ToolChoices, string(c.Mode)) {
		w.losses.Approximate(codec.ClientWord(w.body.From, "tool_choice"), "the target does not take this mode; it became auto")
		return &weir.ToolChoice{Mode: weir.ToolModeAuto}
	}
	return c
}

func (w *bodyWriter) calling(c *weir.ToolChoice) {
	mode := "AUTO"
	switch c.Mode {
	case weir.ToolModeNone:
		mode = "NONE"
	case weir.ToolModeRequired, weir.ToolModeNamed:
		mode = "ANY"
	}
	w.buf.Key("functionCallingConfig")
	start := w.begin()
	if w.same && c.Mode == weir.ToolModeAuto && jsonx.StringOr(c.Extra.Value("mode"), "") == modeValidated {
		mode = modeValidated
	}
	w.buf.StringField("mode", mode)
	if len(c.Names) > 0 && mode != "NONE" && mode != "AUTO" {
		w.buf.Key("allowedFunctionNames")
		w.buf.BeginArray()
		for _, name := range c.Names {
			w.buf.String(w.names.sent(name))
		}
		w.buf.EndArray()
	}
	if w.same {
		w.extra(start, c.Extra, "")
	}
	w.buf.EndObject()
}

// inner are the fields whose names begin with path, without it.
func inner(fields weir.Fields, path string) (out weir.Fields) {
	for _, f := range fields {
		if len(f.Name) > len(path) && f.Name[:len(path)] == path {
			f.Name = f.Name[len(path):]
			out = append(out, f)
		}
	}
	return out
}
