package openairesponses

import (
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// format is text.format as the target takes it, nil for none. A schema that the
// target does not take becomes an instruction beside json_object (P-08,
// protocols.md §12.2).
func (w *writer) format() []byte {
	f := w.in.Format
	if f == nil {
		return nil
	}
	accepts := func(t weir.FormatType) bool {
		return len(w.q.Formats) == 0 || slices.Contains(w.q.Formats, string(t))
	}
	if accepts(f.Type) {
		return w.formatObject(f)
	}
	switch f.Type {
	case weir.FormatText:
		return nil
	case weir.FormatJSONSchema:
		w.instruction = "Answer with one JSON object and nothing else. It must match this JSON Schema:\n" + string(f.Schema)
	default:
		w.instruction = "Answer with one JSON object and nothing else."
	}
	w.losses.Approximate("text.format", "the target does not take this format; it became an instruction")
	if f.Type == weir.FormatJSONSchema && accepts(weir.FormatJSONObject) {
		return []byte(`{"type":"json_object"}`)
	}
	return nil
}

// formatObject writes the format, flat.
func (w *writer) formatObject(f *weir.Format) []byte {
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("type", string(f.Type))
	if f.Type == weir.FormatJSONSchema {
		name := f.Name
		if name == "" && !w.native() {
			name = "answer" // required here, unknown to others
		}
		if name != "" {
			b.StringField("name", name)
		}
		if f.Description != "" {
			b.StringField("description", f.Description)
		}
		if f.Schema != nil {
			b.RawField("schema", f.Schema)
		}
		switch {
		case w.native() && f.Strict != nil && !*f.Strict && f.Extra.Value("strict") != nil: // as it was
		case f.Strict != nil:
			b.BoolField("strict", *f.Strict)
		case !w.native():
			b.BoolField("strict", w.from != weir.OpenAIChat) // not by default in Chat, always elsewhere
		}
	}
	if w.native() {
		for _, x := range f.Extra {
			if x.Name != "strict" || jsonx.IsNull(x.Value) && (f.Strict == nil || !*f.Strict) {
				b.RawField(x.Name, x.Value)
			}
		}
	} else {
		w.losses.DropExtra("text.format", f.Extra)
	}
	b.EndObject()
	return b.B
}

// text writes the member text: format, verbosity and what else was in it.
func (w *writer) text(format []byte) {
	var raw []byte
	if w.native() {
		raw = w.in.Extra.Value("text")
	}
	if format == nil && w.in.Verbosity == "" && raw == nil {
		return
	}
	if jsonx.IsNull(raw) && format == nil && w.in.Verbosity == "" {
		w.RawField("text", raw)
		return
	}
	w.Key("text")
	w.BeginObject()
	if format != nil {
		w.RawField("format", format)
	}
	w.word("verbosity", w.in.Verbosity)
	_ = jsonx.EachMember(raw, func(key, value []byte) error {
		switch name := string(key); {
		case name == "format" && (format != nil || !jsonx.IsNull(value)):
		case name == "verbosity" && (w.in.Verbosity != "" || !jsonx.IsNull(value) && string(value) != `""`):
		default:
			w.RawField(name, value)
		}
		return nil
	})
	w.EndObject()
}

// reasoning writes how much to think: what the client of this protocol wrote, or
// the nearest effort.
func (w *writer) reasoning() {
	c := w.in.Reasoning
	if c == nil {
		return
	}
	var b jsonx.Buffer
	b.BeginObject()
	if effort := w.effort(c); effort != "" {
		b.StringField("effort", effort)
	}
	if w.native() {
		for _, x := range c.Extra {
			if (x.Name == "summary" || x.Name == "generate_summary") && !jsonx.IsNull(x.Value) && c.Display != displayed {
				continue
			}
			b.RawField(x.Name, x.Value)
		}
	}
	asked := c.Display == displayed && c.Extra.Value("summary") == nil && c.Extra.Value("generate_summary") == nil
	if asked || !w.native() && c.Display == displayed {
		b.StringField("summary", "auto")
	}
	b.EndObject()
	if !w.native() {
		w.losses.DropExtra("reasoning", c.Extra)
	}
	if len(b.B) > len("{}") {
		w.RawField("reasoning", b.B)
	}
}

// effort is what a wish of another protocol comes nearest to (protocols.md §10).
func (w *writer) effort(c *weir.ReasoningConfig) string {
	off := c.Mode == "disabled" || c.Effort == "none" || c.Budget != nil && *c.Budget == 0
	switch {
	case w.native():
		return c.Effort
	case off:
		return "none"
	case c.Effort != "":
		if c.Budget != nil {
			w.losses.Approximate("thinking_budget", "the target takes an effort in its place")
		}
		return c.Effort
	case c.Budget != nil:
		w.losses.Approximate("thinking_budget", "it became the nearest effort")
		return codec.EffortOfBudget(*c.Budget)
	case c.Mode == "enabled":
		return codec.EffortWhenOn
	case c.Mode != "":
		w.losses.Approximate("thinking", "the target decides how much it thinks")
	case c.Display == "" && len(c.Extra) == 0:
		w.losses.Drop("thinking", "it is said in words that the target does not know")
	}
	return ""
}
