package converse

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// settings writes what stands around the conversation. What a client of this
// protocol wrote goes back as it was while it still says the same.
func (e *bodyEncoder) settings() {
	var was settings
	if e.same {
		was = settingsOf(e.body.Extra)
	}
	before := was.read()
	counted := e.req.Op == weir.CountTokens
	if !counted {
		e.inference(was.inference, before)
	}
	if e.same && sameModelSettings(before, e.body) {
		e.putBack("outputConfig", was.output, counted)
		e.putBack("additionalModelRequestFields", was.additional, false)
	} else {
		if !counted {
			e.object("outputConfig", e.output)
		}
		e.object("additionalModelRequestFields", e.additional)
	}
	if counted {
		return
	}
	if e.same && before.ServiceTier == e.body.ServiceTier {
		e.putBack("serviceTier", was.tier, false)
	} else {
		e.tier()
	}
	e.metadata()
	if !e.same {
		e.unsupported()
	}
}

func (e *bodyEncoder) putBack(key string, raw []byte, skip bool) {
	if raw != nil && !skip {
		e.buf.RawField(key, raw)
	}
}

// object writes a member whose object fill makes, unless nothing is in it.
func (e *bodyEncoder) object(key string, fill func(b *jsonx.Buffer)) {
	var b jsonx.Buffer
	b.BeginObject()
	fill(&b)
	e.below(&b, key)
	b.EndObject()
	if len(b.B) > len("{}") {
		e.buf.RawField(key, b.B)
	}
}

func (e *bodyEncoder) inference(raw []byte, before *weir.Body) {
	if e.same && sameInference(before, e.body) {
		e.putBack("inferenceConfig", raw, false)
		return
	}
	e.object("inferenceConfig", func(b *jsonx.Buffer) {
		if e.plan.maxTokens > 0 {
			b.IntField("maxTokens", e.plan.maxTokens)
		}
		if e.plan.sampling {
			e.ranged(b, "temperature", "temperature", e.body.Temperature)
			e.ranged(b, "topP", "top_p", e.body.TopP)
		}
		e.stop(b)
	})
}

// ranged writes a number from 0 to 1.
func (e *bodyEncoder) ranged(b *jsonx.Buffer, key, word string, v *float64) {
	if v == nil {
		return
	}
	f := *v
	if f > 1 && !e.same {
		f = 1
		e.losses.Clamp(word, "the target's range ends at 1")
	}
	b.Key(key)
	b.Float(f)
}

// stop leaves out sequences of white space, which are refused.
func (e *bodyEncoder) stop(b *jsonx.Buffer) {
	var list []string
	for _, s := range e.body.Stop {
		if e.same || hasInk(s) {
			list = append(list, s)
		} else {
			e.losses.Drop("stop", "a stop sequence of white space is not accepted")
		}
	}
	if list == nil {
		return
	}
	b.Key("stopSequences")
	b.BeginArray()
	for _, s := range list {
		b.String(s)
	}
	b.EndArray()
}

// output writes the members of outputConfig.
func (e *bodyEncoder) output(b *jsonx.Buffer) {
	if t := e.plan.thinking; t.effort != "" && isClaude(e.model) {
		b.StringField("effort", t.effort)
	}
	f := e.body.Format
	if f == nil || !e.plan.schema {
		return
	}
	b.Key("textFormat")
	b.BeginObject()
	b.StringField("type", string(f.Type))
	b.Key("structure")
	b.BeginObject()
	b.Key("jsonSchema")
	b.BeginObject()
	schema := f.Schema
	if schema == nil {
		schema = []byte(`{"type":"object"}`)
	}
	b.StringField("schema", string(jsonx.Compact(nil, schema)))
	if f.Name != "" {
		b.StringField("name", f.Name)
	}
	if f.Description != "" {
		b.StringField("description", f.Description)
	}
	e.below(b, "outputConfig.textFormat.structure.jsonSchema")
	b.EndObject()
	e.below(b, "outputConfig.textFormat.structure")
	b.EndObject()
	e.below(b, "outputConfig.textFormat")
	b.EndObject()
}

// additional writes the members of additionalModelRequestFields, in the words of
// the model's maker.
func (e *bodyEncoder) additional(b *jsonx.Buffer) {
	e.thinking(b)
	if k := e.body.TopK; k != nil && e.plan.sampling && e.req.Op == weir.Generate {
		switch {
		case isClaude(e.model) || e.vendor == vendorMistral || e.vendor == vendorQwen:
			b.IntField("top_k", *k)
		case e.vendor == vendorAmazon:
			b.Key("inferenceConfig")
			b.BeginObject()
			b.IntField("topK", *k)
			b.EndObject()
		default:
			e.losses.Drop("top_k", "the model has no such setting that is known")
		}
	}
	e.betas(b)
}

func (e *bodyEncoder) thinking(b *jsonx.Buffer) {
	t := e.plan.thinking
	switch {
	case isClaude(e.model) && t.mode != "":
		b.Key("thinking")
		b.BeginObject()
		b.StringField("type", t.mode)
		if t.mode == thinkEnabled && t.budget > 0 {
			b.IntField("budget_tokens", t.budget)
		}
		if t.display != "" && t.mode != thinkDisabled {
			b.StringField("display", t.display)
		}
		e.below(b, "additionalModelRequestFields.thinking")
		b.EndObject()
	case isClaude(e.model), t.mode == "" && t.effort == "":
	case e.vendor == vendorAmazon:
		b.Key("reasoningConfig")
		b.BeginObject()
		b.StringField("type", t.mode)
		if t.effort != "" {
			b.StringField("maxReasoningEffort", t.effort)
		}
		b.EndObject()
	case e.vendor == vendorQwen:
		b.StringField("reasoning_config", t.effort)
	case strings.Contains(e.model, "gpt-oss"):
		b.StringField("reasoning_effort", t.effort)
	default:
		b.Key("reasoning")
		b.BeginObject()
		b.StringField("effort", t.effort)
		b.EndObject()
	}
}

// betas carries the betas of a client of Messages over to Claude, those that the
// target lets pass (C-01).
func (e *bodyEncoder) betas(b *jsonx.Buffer) {
	if e.body.From != weir.AnthropicMessages || !isClaude(e.model) || len(e.q.BetaHeaders) == 0 {
		return
	}
	var list []string
	for _, line := range e.body.Header.Values("Anthropic-Beta") {
		for name := range strings.SplitSeq(line, ",") {
			name = strings.TrimSpace(name)
			if name != "" && (slices.Contains(e.q.BetaHeaders, "*") || slices.Contains(e.q.BetaHeaders, name)) && !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	if list == nil {
		return
	}
	b.Key("anthropic_beta")
	b.BeginArray()
	for _, name := range list {
		b.String(name)
	}
	b.EndArray()
}

// tiers are the service tiers of other protocols in this one's words.
var tiers = map[string]string{"default": "default", "standard": "default", "standard_only": "default", "priority": "priority", "flex": "flex"}

func (e *bodyEncoder) tier() {
	tier := e.body.ServiceTier
	if tier == "" || tier == "auto" && !e.same {
		return
	}
	name, known := tiers[tier]
	if e.same {
		name, known = tier, true
	}
	if !known {
		e.losses.Drop("service_tier", "the target has no such tier")
		return
	}
	e.object("serviceTier", func(b *jsonx.Buffer) { b.StringField("type", name) })
}

// What requestMetadata takes (RequestMetadata shapes, 2026-08-07).
const (
	maxPairs    = 16
	maxPairText = 256
)

func (e *bodyEncoder) metadata() {
	n := 0
	e.object("requestMetadata", func(b *jsonx.Buffer) {
		for _, p := range e.body.Metadata {
			if !e.same && (n >= maxPairs || p.Key == "" || !isPairText(p.Key) || !isPairText(p.Value)) {
				e.losses.Drop("metadata."+p.Key, fmt.Sprintf("the target takes %d entries of at most %d plain characters", maxPairs, maxPairText))
				continue
			}
			n++
			b.StringField(p.Key, p.Value)
		}
	})
}

func isPairText(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isUnreserved(c) && strings.IndexByte(" \t\n:_@$#=/+,", c) < 0 || c == '~' {
			return false
		}
	}
	return len(s) <= maxPairText
}

// unsupported reports the settings that the protocol has no member for.
func (e *bodyEncoder) unsupported() {
	b := e.body
	nonzero := func(f *float64) bool { return f != nil && *f != 0 }
	lost := []struct {
		set  bool
		name string
	}{
		{nonzero(b.FrequencyPenalty), "frequency_penalty"},
		{nonzero(b.PresencePenalty), "presence_penalty"},
		{b.Seed != nil, "seed"},
		{b.Logprobs != nil && *b.Logprobs, "logprobs"},
		{b.TopLogprobs != nil && *b.TopLogprobs > 0, "top_logprobs"},
		{b.Verbosity != "", "verbosity"},
		{b.User != "", "user"},
		{b.CacheKey != "", "prompt_cache_key"},
	}
	for _, l := range lost {
		if l.set {
			e.losses.Drop(l.name, "the target's protocol has no such setting")
		}
	}
}
