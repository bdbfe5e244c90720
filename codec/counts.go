package codec

import (
	"bytes"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

const uncounted = -1

// counts are the numbers of a usage object that need arithmetic.
type counts struct {
	u                                           *weir.Usage
	input, output, total, cached, hit, thinking int64
}

// ReadOpenAIUsage makes usage of an object in the words of OpenAI's protocols,
// which call the same thing prompt or input, completion or output
// (protocols.md §11; OpenAPI 2.3.0, 2026-08-21). Cached tokens are part of the
// input. Where there is a total only, as embeddings and reranking have it,
// everything was input. A number that cannot be one is unknown and not zero (U-03,
// U-08); what has no word is kept in Extra, which belongs to from. onTop tells that
// the vendor counts reasoning beside the output.
func ReadOpenAIUsage(raw []byte, from weir.Protocol, onTop bool) *weir.Usage {
	c := counts{u: &weir.Usage{From: from}, input: uncounted, output: uncounted, total: uncounted,
		cached: uncounted, hit: uncounted, thinking: uncounted}
	_ = jsonx.EachMember(raw, func(key, value []byte) error {
		c.member(key, value)
		return nil
	})
	if c.cached == uncounted {
		c.cached = c.hit
	}
	if c.input == uncounted && c.output == uncounted {
		c.input = c.total
	}
	if c.input >= 0 && c.cached > c.input {
		c.input += c.cached // then the vendor counts them apart
	}
	if onTop && c.thinking > 0 && c.output >= 0 {
		c.output += c.thinking
	}
	c.u.Set(weir.UsageInput, c.input)
	c.u.Set(weir.UsageOutput, c.output)
	c.u.Set(weir.UsageCacheRead, c.cached)
	c.u.Set(weir.UsageReasoning, c.thinking)
	return c.u
}

func (c *counts) member(key, value []byte) {
	switch string(key) {
	case "prompt_tokens", "input_tokens":
		c.input = tokenCount(value)
	case "completion_tokens", "output_tokens":
		c.output = tokenCount(value)
	case "total_tokens":
		c.total = tokenCount(value)
	case "prompt_tokens_details", "prompt_token_details", "input_tokens_details", "input_token_details":
		c.details(key, value, c.inputDetail)
	case "completion_tokens_details", "output_tokens_details", "output_token_details":
		c.details(key, value, c.outputDetail)
	case "prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens":
		c.hit = max(c.hit, tokenCount(value))
		c.keep(key, value)
	default:
		c.keep(key, value)
	}
}

// tokenCount is a number of tokens, uncounted when it is none.
func tokenCount(raw []byte) int64 {
	n, ok := jsonx.Int64(raw)
	if !ok || n < 0 || n >= 1<<53 {
		return uncounted
	}
	return n
}

func (c *counts) keep(key, value []byte) {
	if jsonx.Valid(value) == nil && !jsonx.IsNull(value) {
		c.u.Extra = append(c.u.Extra, weir.Field{Name: string(key), Value: bytes.Clone(value)})
	}
}

// details reads an object of parts, and keeps it whole for the parts that have no
// word.
func (c *counts) details(key, raw []byte, member func(key []byte, n int64) bool) {
	known := true
	_ = jsonx.EachMember(raw, func(name, value []byte) error {
		known = member(name, tokenCount(value)) && known
		return nil
	})
	if !known {
		c.keep(key, raw)
	}
}

func (c *counts) inputDetail(key []byte, n int64) bool {
	switch string(key) {
	case "cached_tokens":
		c.cached = max(c.cached, n)
	case "cache_write_tokens":
		c.u.Set(weir.UsageCacheCreation, n)
	case "audio_tokens":
		c.u.Set(weir.UsageAudioInput, n)
	default:
		return false
	}
	return true
}

func (c *counts) outputDetail(key []byte, n int64) bool {
	switch string(key) {
	case "reasoning_tokens":
		c.thinking = n
	case "audio_tokens":
		c.u.Set(weir.UsageAudioOutput, n)
	default:
		return false
	}
	return true
}

// WriteOpenAIUsage writes usage with the words prompt and completion, and with what
// an upstream of the protocol p added. What is not known is absent and not zero
// (U-03).
func WriteOpenAIUsage(b *jsonx.Buffer, u *weir.Usage, p weir.Protocol) {
	b.BeginObject()
	writeCount(b, u, "prompt_tokens", weir.UsageInput, u.InputTokens)
	writeCount(b, u, "completion_tokens", weir.UsageOutput, u.OutputTokens)
	writeCount(b, u, "total_tokens", weir.UsageInput|weir.UsageOutput, u.Total())
	extra := u.Extra
	if u.From != p {
		extra = nil
	}
	if raw := extra.Value("prompt_tokens_details"); u.Known&(weir.UsageCacheRead|weir.UsageCacheCreation|weir.UsageAudioInput) != 0 || raw != nil {
		b.Key("prompt_tokens_details")
		b.BeginObject()
		writeCount(b, u, "cached_tokens", weir.UsageCacheRead, u.CacheReadTokens)
		writeCount(b, u, "cache_write_tokens", weir.UsageCacheCreation, u.CacheCreationTokens)
		writeCount(b, u, "audio_tokens", weir.UsageAudioInput, u.AudioInputTokens)
		writeOthers(b, raw, "cached_tokens", "cache_write_tokens", "audio_tokens")
		b.EndObject()
	}
	if raw := extra.Value("completion_tokens_details"); u.Known&(weir.UsageReasoning|weir.UsageAudioOutput) != 0 || raw != nil {
		b.Key("completion_tokens_details")
		b.BeginObject()
		writeCount(b, u, "reasoning_tokens", weir.UsageReasoning, u.ReasoningTokens)
		writeCount(b, u, "audio_tokens", weir.UsageAudioOutput, u.AudioOutputTokens)
		writeOthers(b, raw, "reasoning_tokens", "audio_tokens")
		b.EndObject()
	}
	for _, f := range extra {
		if f.Name != "prompt_tokens_details" && f.Name != "completion_tokens_details" {
			b.RawField(f.Name, f.Value)
		}
	}
	b.EndObject()
}

func writeCount(b *jsonx.Buffer, u *weir.Usage, key string, f weir.UsageField, n int64) {
	if u.Has(f) {
		b.IntField(key, n)
	}
}

// writeOthers writes the members of an object that are not among those written.
func writeOthers(b *jsonx.Buffer, raw []byte, written ...string) {
	_ = jsonx.EachMember(raw, func(key, value []byte) error {
		if !slices.Contains(written, string(key)) {
			b.RawField(string(key), value)
		}
		return nil
	})
}
