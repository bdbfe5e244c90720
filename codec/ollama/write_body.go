package ollama

import (
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// bodyWriter writes a canonical body as a request. Members stand in a fixed
// order, so that equal bodies become equal bytes (C-03). Model and stream are the
// editor's to correct.
type bodyWriter struct {
	jsonx.Buffer
	req    *weir.Request
	in     *weir.Body
	q      *codec.Quirks
	names  *codec.NameMap // nil where names are sent as they are
	paths  codec.Paths
	losses codec.Losses
	called map[string]string // the tools' names by the ids of their calls

	instruction string // to be added to the system text
}

func newBodyWriter(req *weir.Request, body *weir.Body, target *codec.Target) *bodyWriter {
	w := &bodyWriter{req: req, in: body, q: target.Quirks, paths: codec.NewPaths(body), called: map[string]string{}}
	var names []string
	for i := range body.Tools {
		names = append(names, body.Tools[i].Name)
	}
	for i := range body.Messages {
		for _, c := range body.Messages[i].ToolCalls() {
			names = append(names, c.Name)
			w.called[c.ID] = c.Name
		}
	}
	if w.q.ToolNameMax > 0 {
		w.names = codec.NewNameMap(w.q.ToolNameMax, names...)
	}
	return w
}

// native reports whether the body belongs to this protocol.
func (w *bodyWriter) native() bool { return w.in.From == protocol }

// sent is the name under which the target knows a tool.
func (w *bodyWriter) sent(name string) string {
	if w.names == nil {
		return name
	}
	return w.names.Sent(name)
}

func (w *bodyWriter) back() map[string]string {
	if w.names == nil {
		return nil
	}
	return w.names.Back()
}

// spelled is how a top-level member was written, nil when it is not remembered.
func (w *bodyWriter) spelled(name string) []byte {
	if !w.native() {
		return nil
	}
	for i := range w.in.Extra {
		if f := &w.in.Extra[i]; f.Spelling && f.Name == name {
			return f.Value
		}
	}
	return nil
}

// chat writes a request of /api/chat.
func (w *bodyWriter) chat() error {
	if err := w.refuse(); err != nil {
		return err
	}
	tools := w.choose()
	w.BeginObject()
	w.StringField("model", w.req.Model)
	if err := w.messages(); err != nil {
		return err
	}
	if err := w.tools(tools); err != nil {
		return err
	}
	w.settings(formChat)
	w.EndObject()
	return nil
}

// refuse answers what must not be left out.
func (w *bodyWriter) refuse() error {
	if n := w.in.N; n != nil && *n > 1 {
		e := weir.Errorf(weir.KindUnsupported, "n: the model's protocol gives one choice a call")
		e.Param, e.Hint = codec.ClientWord(w.in.From, "n"), "send several requests"
		return e
	}
	return nil
}

// settings writes what /api/chat and /api/generate share.
func (w *bodyWriter) settings(f form) {
	b := w.in
	if raw := w.spelled("stream"); raw != nil && !jsonx.IsNull(raw) || !w.native() || !w.req.Stream {
		w.BoolField("stream", w.req.Stream)
	}
	w.format()
	w.options()
	w.think()
	if b.Logprobs != nil {
		w.BoolField("logprobs", *b.Logprobs)
	}
	if b.TopLogprobs != nil {
		w.IntField("top_logprobs", *b.TopLogprobs)
	}
	w.unsupported()
	w.extra(f)
}

// format writes "json" or a schema.
func (w *bodyWriter) format() {
	f := w.in.Format
	switch {
	case f == nil || f.Type == weir.FormatText:
		return
	case f.Type == weir.FormatJSONSchema && f.Schema != nil:
		w.RawField("format", f.Schema)
	default:
		w.StringField("format", "json")
	}
	if !w.native() {
		w.losses.DropExtra("response_format", f.Extra)
	}
}

// think writes how much to think, for which there are a switch and four levels
// (T-11, protocols.md §10).
func (w *bodyWriter) think() {
	c := w.in.Reasoning
	if c == nil {
		return
	}
	effort := c.Effort
	if effort == "" && c.Budget != nil && c.Mode != "disabled" {
		effort = codec.EffortOfBudget(*c.Budget)
		w.losses.Approximate("thinking_budget", "the target has levels of thinking and no budget")
	}
	switch {
	case c.Mode == "disabled" || effort == "none":
		w.BoolField("think", false)
	case effort == "":
		w.BoolField("think", true)
		if c.Mode == "adaptive" {
			w.losses.Approximate("enable_thinking", "the target thinks or does not; it was turned on")
		}
	default:
		w.level(effort, c.Effort != "")
	}
	if c.Display != "" && c.Mode != "disabled" {
		w.losses.Drop("reasoning", "the target does not choose how its thinking is shown")
	}
	if !w.native() {
		w.losses.DropExtra("reasoning", c.Extra)
	}
}

// level writes the level nearest to an effort; said tells that the client named it.
func (w *bodyWriter) level(effort string, said bool) {
	accepted := w.q.Efforts
	if len(accepted) == 0 {
		accepted = levels
	}
	if effort == "xhigh" && slices.Contains(accepted, "max") {
		effort = "max"
	}
	level, changed := codec.ClampEffort(effort, accepted)
	if said && (changed || level != w.in.Reasoning.Effort) {
		w.losses.Clamp("reasoning_effort", "the nearest level that the target takes is "+level)
	}
	w.StringField("think", level)
}

// unsupported reports the settings that there is no member for.
func (w *bodyWriter) unsupported() {
	b := w.in
	lost := []struct {
		set  bool
		name string
	}{
		{b.ParallelToolCalls != nil && !*b.ParallelToolCalls, "parallel_tool_calls"},
		{b.Verbosity != "", "verbosity"},
		{b.User != "", "user"},
		{len(b.Metadata) > 0, "metadata"},
		{b.ServiceTier != "", "service_tier"},
		{b.CacheKey != "", "prompt_cache_key"},
		{b.Cache != nil, "cache_control"},
	}
	for _, l := range lost {
		if l.set {
			w.losses.Drop(l.name, "the target's protocol has no such setting")
		}
	}
}
