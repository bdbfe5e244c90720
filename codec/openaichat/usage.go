package openaichat

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// usage reads usage from wherever the chunk has it: at the top, in Groq's own
// member, in a choice as Kimi sends it. Totals are cumulative: the last counts.
func (d *decoder) usage() {
	c := &d.chunk
	raw := c.usage
	if !hasElements(raw) {
		raw = c.usageInChoice
	}
	if !hasElements(raw) && c.groq != nil {
		raw = jsonx.Get(c.groq, "usage")
	}
	if jsonx.KindOf(raw) != jsonx.KindObject || saysNothing(raw) || d.relay && jsonx.Valid(raw) != nil {
		return
	}
	if !d.started {
		d.begin()
	}
	d.emit(weir.Event{Type: weir.EventUsage, Usage: readUsage(raw, d.q.ReasoningOnTop, !d.relay)})
}

// counts are the numbers of a usage object that need arithmetic.
type counts struct {
	u                               *weir.Usage
	prompt, completion, cached, hit int64
	reasoning                       int64
	extras                          bool
}

const unknown = -1

// readUsage makes canonical usage of a vendor's (protocols.md §11): cached
// tokens are part of the prompt, reasoning is part of the completion, unless
// onTop says that the vendor counts it beside. A number that cannot be one is
// unknown and not zero (U-03, U-08).
//
// Without extras, the members that have no word are left out: they are of no use
// where the bytes are relayed.
func readUsage(raw []byte, onTop, extras bool) *weir.Usage {
	c := counts{u: &weir.Usage{From: protocol}, extras: extras, prompt: unknown, completion: unknown, cached: unknown, hit: unknown, reasoning: unknown}
	_ = jsonx.EachMember(raw, func(key, value []byte) error {
		c.member(key, value)
		return nil
	})
	if c.cached == unknown {
		c.cached = c.hit
	}
	if c.prompt >= 0 && c.cached > c.prompt {
		c.prompt += c.cached // then the vendor counts them apart (seen at xAI)
	}
	if onTop && c.reasoning > 0 && c.completion >= 0 {
		c.completion += c.reasoning
	}
	c.u.Set(weir.UsageInput, c.prompt)
	c.u.Set(weir.UsageOutput, c.completion)
	c.u.Set(weir.UsageCacheRead, c.cached)
	c.u.Set(weir.UsageReasoning, c.reasoning)
	return c.u
}

func (c *counts) member(key, value []byte) {
	switch string(key) {
	case "prompt_tokens":
		c.prompt = count(value)
	case "completion_tokens":
		c.completion = count(value)
	case "total_tokens":
	case "prompt_tokens_details", "prompt_token_details": // the latter is Mistral's
		c.details(key, value, c.promptDetail)
	case "completion_tokens_details":
		c.details(key, value, c.completionDetail)
	case "prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens", "cache_read_input_tokens":
		c.hit = max(c.hit, count(value))
		c.keep(key, value)
	case "cache_creation_input_tokens":
		c.u.Set(weir.UsageCacheCreation, count(value))
		c.keep(key, value)
	case "reasoning_tokens": // Perplexity
		if c.reasoning == unknown {
			c.reasoning = count(value)
		}
		c.keep(key, value)
	default:
		c.keep(key, value)
	}
}

func (c *counts) keep(key, value []byte) {
	if c.extras {
		keep(&c.u.Extra, string(key), value)
	}
}

// count is a number of tokens, unknown when it is none.
func count(raw []byte) int64 {
	n, ok := jsonx.Int64(raw)
	if !ok || n < 0 || n >= 1<<53 {
		return unknown
	}
	return n
}

// details reads an object of parts and remembers it whole, for the parts that
// have no word.
func (c *counts) details(key, raw []byte, member func(key []byte, n int64) bool) {
	if !says(raw) {
		return
	}
	known := true
	_ = jsonx.EachMember(raw, func(name, value []byte) error {
		known = member(name, count(value)) && known
		return nil
	})
	if !known {
		c.keep(key, raw)
	}
}

func (c *counts) promptDetail(key []byte, n int64) bool {
	switch string(key) {
	case "cached_tokens":
		c.cached = max(c.cached, n)
	case "cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens":
		c.u.Set(weir.UsageCacheCreation, n)
		return string(key) == "cache_write_tokens"
	case "audio_tokens":
		c.u.Set(weir.UsageAudioInput, n)
	default:
		return false
	}
	return true
}

func (c *counts) completionDetail(key []byte, n int64) bool {
	switch string(key) {
	case "reasoning_tokens":
		c.reasoning = n
	case "audio_tokens":
		c.u.Set(weir.UsageAudioOutput, n)
	default:
		return false
	}
	return true
}
