package gemini

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// maxStop is how many stop sequences the protocol takes (generative_service.proto,
// 2026-08-22).
const maxStop = 5

// generationConfig writes the settings: as the client of this protocol wrote them
// while they say the same, else from the canonical form.
func (w *bodyWriter) generationConfig() {
	if w.same && w.asWritten("generationConfig", func(b *weir.Body, at *path, raw []byte) bool {
		return readSettings(b, at, raw) == nil && sameSettings(b, w.body)
	}) {
		return
	}
	mark := len(w.buf.B)
	w.key("generationConfig", w.body.Extra)
	w.buf.BeginObject()
	open := len(w.buf.B)
	w.sampling()
	w.writeFormat()
	w.thinking()
	if w.same {
		for _, f := range inner(w.body.Extra, configPath) {
			w.buf.RawField(f.Name, f.Value)
		}
	}
	if len(w.buf.B) == open {
		w.buf.B = w.buf.B[:mark]
		return
	}
	w.buf.EndObject()
}

// sameSettings reports whether two bodies have the same settings.
func sameSettings(a, b *weir.Body) bool {
	of := func(b *weir.Body) *weir.Body {
		return &weir.Body{
			MaxTokens: b.MaxTokens, Temperature: b.Temperature, TopP: b.TopP, TopK: b.TopK,
			FrequencyPenalty: b.FrequencyPenalty, PresencePenalty: b.PresencePenalty, Seed: b.Seed, N: b.N, Stop: b.Stop,
			Logprobs: b.Logprobs, TopLogprobs: b.TopLogprobs, Format: b.Format, Reasoning: b.Reasoning,
			Extra: inner(b.Extra, configPath),
		}
	}
	return reflect.DeepEqual(of(a), of(b))
}

func (w *bodyWriter) sampling() {
	b := w.body
	w.int("maxOutputTokens", b.MaxTokens)
	w.ranged("temperature", b.Temperature, 0, 2)
	w.ranged("topP", b.TopP, 0, 1)
	w.int("topK", b.TopK)
	w.ranged("frequencyPenalty", b.FrequencyPenalty, -2, belowTwo)
	w.ranged("presencePenalty", b.PresencePenalty, -2, belowTwo)
	w.seed(b.Seed)
	w.int("candidateCount", b.N)
	w.stop(b.Stop)
	if b.Logprobs != nil {
		w.buf.BoolField("responseLogprobs", *b.Logprobs)
	}
	w.int("logprobs", b.TopLogprobs)
}

// belowTwo is where the range of the penalties ends: 2 itself is refused.
const belowTwo = 1.99

func (w *bodyWriter) int(key string, v *int64) {
	if v != nil {
		w.buf.IntField(key, *v)
	}
}

// field is what the client calls a member of generationConfig.
func (w *bodyWriter) field(name string) string {
	s := sending{from: w.body.From}
	return s.field(name)
}

// ranged writes a number, brought into the range that the protocol has.
func (w *bodyWriter) ranged(key string, v *float64, low, high float64) {
	if v == nil {
		return
	}
	f := *v
	if !w.same {
		if f = min(max(f, low), high); f != *v {
			w.losses.Clamp(w.field(key), "brought into the target's range")
		}
	}
	w.buf.Key(key)
	w.buf.Float(f)
}

// seed is a number of 32 bits here (protocols.md §13.14).
func (w *bodyWriter) seed(v *int64) {
	if v == nil {
		return
	}
	n := *v
	if !w.same && (n < 0 || n >= 1<<31) {
		n &= 1<<31 - 1
		w.losses.Clamp(w.field("seed"), "the target takes numbers of 32 bits; equal seeds stay equal")
	}
	w.buf.IntField("seed", n)
}

func (w *bodyWriter) stop(stop []string) {
	limit := maxStop
	if w.q.MaxStop > 0 {
		limit = w.q.MaxStop
	}
	if !w.same {
		stop = slices.DeleteFunc(slices.Clone(stop), func(s string) bool { return s == "" })
		if len(stop) > limit {
			w.losses.Drop(w.field("stopSequences")+"["+strconv.Itoa(limit)+"]", fmt.Sprintf("the target takes %d", limit))
			stop = stop[:limit]
		}
	}
	if stop == nil || len(stop) == 0 && !w.same {
		return
	}
	w.buf.Key("stopSequences")
	w.buf.BeginArray()
	for _, s := range stop {
		w.buf.String(s)
	}
	w.buf.EndArray()
}

// format decides what becomes of the form of the answer; an instruction has to be
// known before the system text is written.
func (w *bodyWriter) format() {
	f := w.body.Format
	if f == nil || w.same || f.Type == weir.FormatText || w.accepts(f.Type) {
		return
	}
	w.instruction = "Answer with one JSON object and nothing else."
	if f.Type == weir.FormatJSONSchema {
		w.instruction = "Answer with one JSON object that conforms to this JSON Schema, and with nothing else:\n" +
			string(jsonx.Compact(nil, f.Schema))
	}
	w.losses.Approximate(codec.ClientWord(w.body.From, "response_format"), "it became an instruction")
}

func (w *bodyWriter) accepts(t weir.FormatType) bool {
	return len(w.q.Formats) == 0 || slices.Contains(w.q.Formats, string(t))
}

// writeFormat writes the media type and the schema of the answer (P-07).
func (w *bodyWriter) writeFormat() {
	f := w.body.Format
	if f == nil || f.Type != weir.FormatJSONObject && f.Type != weir.FormatJSONSchema || !w.same && !w.accepts(f.Type) {
		return
	}
	field := codec.ClientWord(w.body.From, "response_format")
	if !w.same {
		w.losses.DropExtra(field, f.Extra)
	}
	w.buf.StringField("responseMimeType", mimeJSON)
	switch {
	case f.Type == weir.FormatJSONObject || f.Schema == nil:
	case takesJSONSchema(w.model, w.q.SchemaDialect):
		w.buf.RawField("responseJsonSchema", f.Schema)
	default:
		out, notes := openAPISchema(f.Schema)
		w.schemaLosses(field, notes)
		w.buf.RawField("responseSchema", out)
	}
}

// settings writes what stands beside generationConfig, and notes what there is no
// member for.
func (w *bodyWriter) settings() {
	b := w.body
	if w.same {
		if t := b.Thread; t != nil && t.Previous != "" {
			w.key("cachedContent", b.Extra)
			w.buf.String(t.Previous)
		}
		if b.Metadata != nil {
			w.buf.Key("labels")
			w.buf.BeginObject()
			for _, p := range b.Metadata {
				w.buf.StringField(p.Key, p.Value)
			}
			w.buf.EndObject()
		}
		if b.ServiceTier != "" {
			w.key("serviceTier", b.Extra)
			w.buf.String(b.ServiceTier)
		}
		return
	}
	w.tier()
	for _, lost := range []struct {
		set  bool
		name string
	}{
		{b.Verbosity != "", "verbosity"},
		{b.User != "", "user"},
		{len(b.Metadata) > 0, "metadata"},
		{b.CacheKey != "", "prompt_cache_key"},
		{b.Cache != nil, "cache_control"},
	} {
		if lost.set {
			w.losses.Drop(codec.ClientWord(b.From, lost.name), "the target's protocol has no such setting")
		}
	}
}

// tiers are the service tiers that other protocols have a word for.
var tiers = map[string]string{
	"default": "standard", "standard": "standard", "standard_only": "standard",
	"flex": "flex", "priority": "priority", "fast": "priority",
}

func (w *bodyWriter) tier() {
	switch tier := w.body.ServiceTier; {
	case tier == "":
	case tiers[tier] != "":
		w.buf.StringField("serviceTier", tiers[tier])
	default:
		w.losses.Drop(codec.ClientWord(w.body.From, "service_tier"), "the target has no such tier")
	}
}
