package openaicompletions

import (
	"slices"
	"strconv"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// writer writes a canonical body as a request of completions. Members stand in a
// fixed order, so that equal bodies become equal bytes (C-03).
type writer struct {
	jsonx.Buffer
	body   *weir.Body
	losses codec.Losses
}

// native reports whether the body belongs to this protocol.
func (w *writer) native() bool { return w.body.From == protocol }

// request writes everything. Stream and what quirks change are edited in later.
func (w *writer) request(model string) error {
	if err := w.check(); err != nil {
		return err
	}
	w.BeginObject()
	w.StringField("model", model)
	w.prompt()
	w.settings()
	w.stop()
	w.streamOptions()
	if w.native() {
		w.extra()
	} else {
		w.foreign()
	}
	w.EndObject()
	return nil
}

// check refuses what is no text to be continued. Of a body that was made in Go a
// single message is taken for one, since that is all it can mean here.
func (w *writer) check() error {
	b := w.body
	if b.From != "" && !w.native() {
		return refuse(conversation(b.From), "a conversation cannot be sent to a completions endpoint, which only continues a text")
	}
	if len(b.Tools) > 0 {
		return refuse("tools", "a completions endpoint knows no tools")
	}
	if !w.native() && len(b.Messages) != 1 {
		return refuse("messages", "a completions endpoint continues one text, and takes no conversation")
	}
	paths := codec.NewPaths(b)
	for i := range b.Messages {
		m := &b.Messages[i]
		if m.Role != weir.RoleUser {
			return refuse(paths.Message(i), "a completions endpoint takes the text of a user only")
		}
		for j := range m.Blocks {
			if m.Blocks[j].Type != weir.BlockText {
				return refuse(paths.Block(codec.Place{Message: i, Block: j}), "a completions endpoint takes text only")
			}
		}
	}
	return nil
}

// conversation is what a protocol calls its messages.
func conversation(p weir.Protocol) string {
	switch p {
	case weir.GeminiGenerate:
		return "contents"
	case weir.OpenAIResponses:
		return "input"
	}
	return "messages"
}

func refuse(param, text string) error {
	e := weir.Errorf(weir.KindUnsupported, "%s", text)
	e.Param = param
	e.Hint = "ask for a model that is served with a chat protocol"
	return e
}

// prompt writes the texts as they stood: one alone, or a list.
func (w *writer) prompt() {
	texts := w.body.Messages
	switch {
	case len(texts) == 0: // tokens, or nothing: both stand in Extra
		return
	case len(texts) == 1 && !strings.HasPrefix(texts[0].At, codec.PromptPath+"["):
		w.StringField(codec.PromptPath, texts[0].Text())
	default:
		w.Key(codec.PromptPath)
		w.BeginArray()
		for i := range texts {
			w.String(texts[i].Text())
		}
		w.EndArray()
	}
	if !w.native() {
		w.losses.Approximate(codec.NewPaths(w.body).Message(0), "the message became a text to be continued")
	}
}

func (w *writer) settings() {
	b := w.body
	w.int("max_tokens", b.MaxTokens)
	w.float("temperature", b.Temperature)
	w.float("top_p", b.TopP)
	w.int("top_k", b.TopK)
	w.float("frequency_penalty", b.FrequencyPenalty)
	w.float("presence_penalty", b.PresencePenalty)
	seed := "seed"
	if w.spelled("random_seed") != nil {
		seed = "random_seed"
	}
	w.int(seed, b.Seed)
	w.int("n", b.N)
	if b.User != "" {
		w.StringField("user", b.User)
	}
	if b.Logprobs == nil || !*b.Logprobs {
		return
	}
	if b.TopLogprobs == nil {
		w.IntField("logprobs", 0)
	} else {
		w.IntField("logprobs", *b.TopLogprobs)
	}
}

func (w *writer) int(key string, v *int64) {
	if v != nil {
		w.IntField(key, *v)
	}
}

func (w *writer) float(key string, v *float64) {
	if v != nil {
		w.Key(key)
		w.Float(*v)
	}
}

// stop writes one sequence as a string where it came so.
func (w *writer) stop() {
	stop := w.body.Stop
	if stop == nil {
		return
	}
	if len(stop) == 1 && jsonx.KindOf(w.spelled("stop")) == jsonx.KindString {
		w.StringField("stop", stop[0])
		return
	}
	w.Key("stop")
	w.BeginArray()
	for _, s := range stop {
		w.String(s)
	}
	w.EndArray()
}

// streamOptions writes what was there with include_usage as it is meant now.
func (w *writer) streamOptions() {
	usage := w.body.StreamUsage
	raw := w.spelled("stream_options")
	if usage == nil && jsonx.KindOf(raw) != jsonx.KindObject {
		return
	}
	w.Key("stream_options")
	w.BeginObject()
	if usage != nil {
		w.BoolField("include_usage", *usage)
	}
	_ = jsonx.EachMember(raw, func(key, value []byte) error {
		if string(key) != "include_usage" {
			w.RawField(string(key), value)
		}
		return nil
	})
	w.EndObject()
}

// spelled is how a member was written, nil when that is not remembered.
func (w *writer) spelled(name string) []byte {
	if !w.native() {
		return nil
	}
	for i := range w.body.Extra {
		if f := &w.body.Extra[i]; f.Spelling && f.Name == name {
			return f.Value
		}
	}
	return nil
}

// extra puts members back that have no word, and nulls whose field is still not
// set.
func (w *writer) extra() {
	have := map[string]bool{}
	_ = jsonx.EachMember(append(slices.Clip(w.B), '}'), func(key, _ []byte) error {
		have[string(key)] = true
		return nil
	})
	for _, f := range w.body.Extra {
		if !have[f.Name] && (!f.Spelling || !w.cleared(&f)) {
			w.RawField(f.Name, f.Value)
		}
	}
}

// cleared reports whether a remembered spelling is one of a field that has since
// been emptied.
func (w *writer) cleared(f *weir.Field) bool {
	switch f.Name {
	case "stop", "random_seed", "stream_options":
		return !jsonx.IsNull(f.Value)
	}
	return false
}

// foreign reports what of a body made in Go has no place here.
func (w *writer) foreign() {
	b := w.body
	drop := func(set bool, name string) {
		if set {
			w.losses.Drop(name, "completions has no such field")
		}
	}
	drop(b.ToolChoice != nil, "tool_choice")
	drop(b.ParallelToolCalls != nil, "parallel_tool_calls")
	drop(b.Format != nil && b.Format.Type != weir.FormatText, "response_format")
	drop(b.Reasoning != nil, "reasoning")
	drop(b.Verbosity != "", "verbosity")
	drop(b.ServiceTier != "", "service_tier")
	drop(b.CacheKey != "", "prompt_cache_key")
	drop(b.Cache != nil, "cache_control")
	drop(b.Thread.IsBound(), "previous_response_id")
	for i := range b.Metadata {
		drop(true, "metadata."+b.Metadata[i].Key)
	}
	w.losses.DropExtra("", b.Extra)
	for i := range b.Messages {
		m := &b.Messages[i]
		at := "messages[" + strconv.Itoa(i) + "]"
		drop(m.Name != "", at+".name")
		w.losses.DropExtra(at, m.Extra)
		for j := range m.Blocks {
			drop(m.Blocks[j].Cache != nil, at+".content["+strconv.Itoa(j)+"].cache_control")
		}
	}
}
