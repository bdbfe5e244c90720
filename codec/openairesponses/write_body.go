package openairesponses

import (
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// writer writes a canonical body as a request. Members stand in a fixed order,
// so that equal bodies become equal bytes (C-03). Model, stream and what quirks
// change at the top level are the editor's.
type writer struct {
	jsonx.Buffer
	op     weir.Operation
	from   weir.Protocol
	in     *weir.Body
	q      *codec.Quirks
	target *codec.Target
	names  *codec.NameMap
	flat   bool // the target knows functions only
	paths  codec.Paths
	losses codec.Losses

	custom      map[string]bool // ids of the calls of custom tools
	instruction string          // to be added to the system text
}

func newWriter(body *weir.Body, target *codec.Target) *writer {
	w := &writer{from: body.From, in: body, q: target.Quirks, target: target, paths: codec.NewPaths(body), flat: target.Quirks.NoCustomTools}
	var names []string
	renames := !w.native() || w.q.ToolNameMax > 0 || w.flat
	if renames {
		for i := range body.Tools {
			if body.Tools[i].Type != weir.ToolHosted {
				names = append(names, body.Tools[i].Name)
			}
		}
	}
	for i := range body.Messages {
		for _, c := range body.Messages[i].ToolCalls() {
			if renames {
				names = append(names, c.Name)
			}
			if c.Type == weir.ToolCustom && !w.flat {
				if w.custom == nil {
					w.custom = map[string]bool{}
				}
				w.custom[c.ID] = true
			}
		}
	}
	w.names = codec.NewNameMap(w.q.ToolNameMax, names...)
	return w
}

// native reports whether the body belongs to this protocol.
func (w *writer) native() bool { return w.from == protocol }

// body writes everything.
func (w *writer) body() ([]byte, error) {
	format := w.format()
	w.BeginObject()
	w.StringField("model", w.target.Model)
	if err := w.input(); err != nil {
		return nil, err
	}
	if err := w.tools(); err != nil {
		return nil, err
	}
	w.toolChoice()
	w.bool("parallel_tool_calls", w.in.ParallelToolCalls)
	w.text(format)
	w.reasoning()
	w.thread()
	if w.op == weir.Generate || w.native() {
		w.sampling()
		w.settings()
	}
	if w.native() {
		w.extra(w.in.Extra)
	} else {
		w.foreignExtra(w.in.Extra)
	}
	w.EndObject()
	return w.B, nil
}

// extra puts members back that have no word in the canonical form, and spellings
// of those that are still not set.
func (w *writer) extra(f weir.Fields) {
	for i := range f {
		if written[f[i].Name] || f[i].Spelling && w.isSet(f[i].Name) {
			continue
		}
		w.RawField(f[i].Name, f[i].Value)
	}
}

// written are the members that their own writers put back.
var written = map[string]bool{"text": true, "include": true, "conversation": true}

// isSet reports whether the field has got a value since it was read as nothing.
func (w *writer) isSet(name string) bool {
	b := w.in
	switch name {
	case "instructions":
		return len(b.Messages) > 0 && isInstructions(&b.Messages[0])
	case "input":
		return len(b.Messages) > 1 || len(b.Messages) == 1 && !isInstructions(&b.Messages[0])
	case "tools":
		return b.Tools != nil
	case "tool_choice":
		return b.ToolChoice != nil
	case "reasoning":
		return b.Reasoning != nil
	case maxTokens:
		return b.MaxTokens != nil
	case "temperature":
		return b.Temperature != nil
	case "top_p":
		return b.TopP != nil
	case "top_logprobs":
		return b.TopLogprobs != nil
	case "parallel_tool_calls":
		return b.ParallelToolCalls != nil
	case "user":
		return b.User != ""
	case "service_tier":
		return b.ServiceTier != ""
	case "prompt_cache_key":
		return b.CacheKey != ""
	case "metadata":
		return b.Metadata != nil
	case "previous_response_id":
		return b.Thread != nil && b.Thread.Previous != ""
	case "store":
		return b.Thread != nil && b.Thread.Store != nil
	case "background":
		return b.Thread != nil && b.Thread.Background != nil
	}
	return false
}

// shared are the members of Chat that have no word in the canonical form and mean
// the same here (OpenAPI 2.3.0).
var shared = []string{"safety_identifier", "prompt_cache_retention", "prompt_cache_options", "moderation"}

// foreignExtra reports the members of another protocol; those that Chat shares
// with this one are carried over.
func (w *writer) foreignExtra(f weir.Fields) {
	var lost weir.Fields
	for i := range f {
		switch {
		case f[i].Spelling:
		case w.from == weir.OpenAIChat && slices.Contains(shared, f[i].Name) && w.op == weir.Generate:
			w.RawField(f[i].Name, f[i].Value)
		case w.from == weir.OpenAIChat && f[i].Name == "store": // see thread
		default:
			lost = append(lost, f[i])
		}
	}
	w.losses.DropExtra("", lost)
}

func (w *writer) bool(key string, v *bool) {
	if v != nil {
		w.BoolField(key, *v)
	}
}

func (w *writer) word(key, v string) {
	if v != "" {
		w.StringField(key, v)
	}
}

func (w *writer) float(key string, v *float64) {
	if v != nil {
		w.Key(key)
		w.Float(*v)
	}
}

// minTokens is the least cap that the API takes (protocols.md §13.9).
const minTokens = 16

// sampling writes the numbers. What the protocol has no word for is a loss.
func (w *writer) sampling() {
	b := w.in
	if n := b.MaxTokens; n != nil {
		limit := *n
		if !w.native() && limit < minTokens {
			limit = minTokens
			w.losses.Clamp(maxTokens, "the target's least cap is 16")
		}
		w.IntField(maxTokens, limit)
	}
	w.float("temperature", b.Temperature)
	w.float("top_p", b.TopP)
	if b.TopLogprobs != nil && (w.native() || *b.TopLogprobs > 0) {
		w.IntField("top_logprobs", *b.TopLogprobs)
	}
	nonzero := func(f *float64) bool { return f != nil && *f != 0 }
	for _, lost := range []struct {
		set  bool
		name string
	}{
		{b.TopK != nil, "top_k"},
		{nonzero(b.FrequencyPenalty), "frequency_penalty"},
		{nonzero(b.PresencePenalty), "presence_penalty"},
		{b.Seed != nil, "seed"},
		{b.N != nil && *b.N > 1, "n"},
		{len(b.Stop) > 0, "stop"},
		{b.Cache != nil, "cache_control"},
	} {
		if lost.set {
			w.losses.Drop(lost.name, "the target's protocol has no such setting")
		}
	}
}

// settings writes what is not about the model's work.
func (w *writer) settings() {
	b := w.in
	if len(b.Metadata) > 0 {
		w.Key("metadata")
		w.BeginObject()
		for _, p := range b.Metadata {
			w.StringField(p.Key, p.Value)
		}
		w.EndObject()
	}
	w.word("user", b.User)
	w.word("prompt_cache_key", b.CacheKey)
	switch tier := b.ServiceTier; {
	case tier == "":
	case w.native() || w.from == weir.OpenAIChat || tier == "auto":
		w.StringField("service_tier", tier)
	default: // other protocols' words mean something else here
		w.losses.Drop("service_tier", "the target has other tiers")
	}
	w.include()
}

// include asks for what is not sent unless asked for. A body of another protocol
// is the whole conversation: nothing is to be stored, and the reasoning is to
// come along, so that the client can send it back (protocols.md §4.7).
func (w *writer) include() {
	var names []string
	raw := w.in.Extra.Value("include")
	if w.native() {
		_ = jsonx.EachElement(raw, func(_ int, v []byte) error {
			names = append(names, jsonx.StringOr(v, ""))
			return nil
		})
	} else {
		names, raw = []string{includeEncrypted}, nil
	}
	asked := w.in.Logprobs != nil && *w.in.Logprobs
	switch has := slices.Contains(names, includeLogprobs); {
	case asked && !has:
		names, raw = append(names, includeLogprobs), nil
	case !asked && has:
		names, raw = slices.DeleteFunc(names, func(s string) bool { return s == includeLogprobs }), nil
	}
	switch {
	case raw != nil:
		w.RawField("include", raw)
	case len(names) > 0:
		w.Key("include")
		w.BeginArray()
		for _, name := range names {
			w.String(name)
		}
		w.EndArray()
	}
}

// thread writes what the request refers to, and whether the answer is stored.
func (w *writer) thread() {
	t := w.in.Thread
	if t == nil {
		t = &weir.Thread{}
	}
	if !w.native() {
		if w.op == weir.Generate {
			store := t.Store != nil && *t.Store
			if said, ok := jsonx.Bool(w.in.Extra.Value("store")); ok && w.from == weir.OpenAIChat {
				store = said
			}
			w.BoolField("store", store)
		}
		return
	}
	w.word("previous_response_id", t.Previous)
	raw := w.in.Extra.Value("conversation")
	switch {
	case jsonx.IsNull(raw) && t.Conversation == "":
		w.RawField("conversation", raw)
	case t.Conversation == "":
	case jsonx.StringOr(jsonx.Get(raw, "id"), "") == t.Conversation:
		w.RawField("conversation", raw)
	default:
		w.StringField("conversation", t.Conversation)
	}
	w.bool("store", t.Store)
	w.bool("background", t.Background)
}
