package openaichat

import (
	"reflect"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// writer writes a canonical body as a Chat request. Members stand in a fixed
// order, so that equal bodies become equal bytes (C-03). Model, stream and what
// quirks change at the top level are the editor's.
type writer struct {
	jsonx.Buffer
	from   weir.Protocol
	in     *weir.Body
	q      *codec.Quirks
	target *codec.Target
	names  *codec.NameMap
	paths  codec.Paths
	losses codec.Losses

	prefilled   bool   // the last message is an assistant's and marked so
	instruction string // to be added to the system text
}

func newWriter(body *weir.Body, target *codec.Target) *writer {
	w := &writer{from: body.From, in: body, q: target.Quirks, target: target, paths: codec.NewPaths(body)}
	var names []string
	for i := range body.Tools {
		if body.Tools[i].Type != weir.ToolHosted {
			names = append(names, body.Tools[i].Name)
		}
	}
	for i := range body.Messages {
		for _, c := range body.Messages[i].ToolCalls() {
			names = append(names, c.Name)
		}
	}
	w.names = codec.NewNameMap(w.q.ToolNameMax, names...)
	return w
}

// native reports whether the body belongs to this protocol.
func (w *writer) native() bool { return w.from == protocol }

// body writes everything.
func (w *writer) body() ([]byte, error) {
	b := w.in
	format := w.format()
	w.BeginObject()
	w.StringField("model", w.target.Model)
	if err := w.messages(); err != nil {
		return nil, err
	}
	if err := w.tools(); err != nil {
		return nil, err
	}
	w.toolChoice()
	w.sampling()
	if format != nil {
		w.RawField("response_format", format)
	}
	w.reasoning()
	w.settings()
	if w.native() {
		w.extra(b.Extra)
	} else {
		w.losses.DropExtra("", b.Extra)
	}
	w.EndObject()
	return w.B, nil
}

// written are the top-level members that are written from canonical fields; of
// those, spellings are not put back by extra but by their own writers.
var written = []string{
	"stop", "max_tokens", "max_completion_tokens", "stream_options", "functions", "function_call",
	"reasoning_effort", "thinking", "enable_thinking", "thinking_budget", "reasoning",
}

// extra puts members back that have no word in the canonical form, and nulls
// whose field is still not set.
func (w *writer) extra(f weir.Fields) {
	for i := range f {
		if f[i].Spelling && (slices.Contains(written, f[i].Name) && !jsonx.IsNull(f[i].Value) || w.isSet(f[i].Name)) {
			continue
		}
		w.RawField(f[i].Name, f[i].Value)
	}
}

// isSet reports whether the field has got a value since it was read as null.
func (w *writer) isSet(name string) bool {
	b := w.in
	switch name {
	case "temperature":
		return b.Temperature != nil
	case "top_p":
		return b.TopP != nil
	case "top_k":
		return b.TopK != nil
	case "max_tokens", "max_completion_tokens":
		return b.MaxTokens != nil
	case "stop":
		return b.Stop != nil
	case "tools", "functions":
		return b.Tools != nil
	case "tool_choice", "function_call":
		return b.ToolChoice != nil
	case "response_format":
		return b.Format != nil
	case "stream_options":
		return b.StreamUsage != nil
	case "reasoning_effort", "thinking", "enable_thinking", "thinking_budget", "reasoning":
		return b.Reasoning != nil
	case "frequency_penalty":
		return b.FrequencyPenalty != nil
	case "presence_penalty":
		return b.PresencePenalty != nil
	case "seed":
		return b.Seed != nil
	case "n":
		return b.N != nil
	case "logprobs":
		return b.Logprobs != nil
	case "top_logprobs":
		return b.TopLogprobs != nil
	case "parallel_tool_calls":
		return b.ParallelToolCalls != nil
	case "user":
		return b.User != ""
	case "verbosity":
		return b.Verbosity != ""
	case "service_tier":
		return b.ServiceTier != ""
	case "prompt_cache_key":
		return b.CacheKey != ""
	case "metadata":
		return b.Metadata != nil
	}
	return false
}

func (w *writer) sampling() {
	b := w.in
	w.tokenCap()
	w.float("temperature", b.Temperature)
	w.float("top_p", b.TopP)
	w.int("top_k", b.TopK)
	w.float("frequency_penalty", b.FrequencyPenalty)
	w.float("presence_penalty", b.PresencePenalty)
	w.int("seed", b.Seed)
	w.int("n", b.N)
	w.stop()
	w.bool("logprobs", b.Logprobs)
	w.int("top_logprobs", b.TopLogprobs)
}

func (w *writer) float(key string, v *float64) {
	if v != nil {
		w.Key(key)
		w.Float(*v)
	}
}

func (w *writer) int(key string, v *int64) {
	if v != nil {
		w.IntField(key, *v)
	}
}

func (w *writer) bool(key string, v *bool) {
	if v != nil {
		w.BoolField(key, *v)
	}
}

func (w *writer) text(key, v string) {
	if v != "" {
		w.StringField(key, v)
	}
}

// tokenCap writes the cap under the name that the client used.
func (w *writer) tokenCap() {
	if w.in.MaxTokens == nil {
		return
	}
	name := maxTokens
	if spelled(w.in.Extra, w.from, maxCompletionTokens) != nil {
		name = maxCompletionTokens
		if older := spelled(w.in.Extra, w.from, maxTokens); older != nil && !jsonx.IsNull(older) {
			w.RawField(maxTokens, older)
		}
	}
	w.IntField(name, *w.in.MaxTokens)
}

func (w *writer) stop() {
	stop := w.in.Stop
	if stop == nil {
		return
	}
	w.Key("stop")
	if len(stop) == 1 && spelled(w.in.Extra, w.from, "stop") != nil {
		w.String(stop[0])
		return
	}
	w.BeginArray()
	for _, s := range stop {
		w.String(s)
	}
	w.EndArray()
}

// reasoning writes what the client wrote while it still means the same, and else
// the target's own words.
func (w *writer) reasoning() {
	c := w.in.Reasoning
	if c == nil {
		return
	}
	var words reasoningWords
	for _, key := range reasoningKeys {
		if raw := spelled(w.in.Extra, w.from, key); raw != nil && !jsonx.IsNull(raw) {
			words.take(key, raw)
		}
	}
	if said, err := words.config(); err == nil && reflect.DeepEqual(said, c) {
		for _, key := range reasoningKeys {
			if raw := *words.at(key); raw != nil {
				w.RawField(key, raw)
			}
		}
		return
	}
	var limit int64
	if w.in.MaxTokens != nil {
		limit = *w.in.MaxTokens
	}
	members, lost := thinkingMembers(c, w.q, limit)
	note(&w.losses, "thinking", lost.mode)
	note(&w.losses, "reasoning_effort", lost.effort)
	note(&w.losses, "thinking_budget", lost.budget)
	for i := range members {
		w.RawField(members[i].Name, members[i].Value)
	}
	if !w.native() && c.Display != "" && w.q.Thinking != "reasoning" {
		w.losses.Drop("thinking.display", "the target does not choose how its thinking is shown")
	}
	w.losses.DropExtra("thinking", c.Extra)
}

// settings writes what is not about the model's work.
func (w *writer) settings() {
	b := w.in
	w.bool("parallel_tool_calls", b.ParallelToolCalls)
	w.text("verbosity", b.Verbosity)
	w.text("user", b.User)
	if len(b.Metadata) > 0 {
		w.Key("metadata")
		w.BeginObject()
		for _, p := range b.Metadata {
			w.StringField(p.Key, p.Value)
		}
		w.EndObject()
	}
	w.tier()
	w.text("prompt_cache_key", b.CacheKey)
	if b.Cache != nil {
		w.losses.Drop("cache_control", noCache)
	}
	w.streamOptions()
}

// tier writes service_tier; other protocols' words beside auto mean something
// else here.
func (w *writer) tier() {
	switch tier := w.in.ServiceTier; {
	case tier == "":
	case w.native() || tier == "auto":
		w.StringField("service_tier", tier)
	default:
		w.losses.Drop("service_tier", "the target has other tiers")
	}
}

func (w *writer) streamOptions() {
	raw := spelled(w.in.Extra, w.from, "stream_options")
	usage := w.in.StreamUsage
	switch {
	case raw != nil && !jsonx.IsNull(raw):
		if usage != nil {
			var top jsonx.Top
			if top.Scan(raw) == nil {
				on := []byte("false")
				if *usage {
					on = []byte("true")
				}
				raw = join(top.Splice(nil, raw, []jsonx.Edit{{Key: "include_usage", Value: on}}))
			}
		}
		w.RawField("stream_options", raw)
	case usage != nil && w.native():
		w.Key("stream_options")
		w.BeginObject()
		w.BoolField("include_usage", *usage)
		w.EndObject()
	}
}
