package openairesponses

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

const unknown = -1

// counts are the numbers of a usage object.
type counts struct {
	u             *weir.Usage
	input, cached int64
	extras        bool
}

// readUsage makes canonical usage of the protocol's (protocols.md §11): what was
// cached is part of the input, reasoning is part of the output. A number that
// cannot be one is unknown and not zero (U-03, U-08). Without extras, the members
// that have no word are left out: they are of no use where the bytes are relayed.
func readUsage(raw []byte, extras bool) *weir.Usage {
	c := counts{u: &weir.Usage{From: protocol}, input: unknown, cached: unknown, extras: extras}
	_ = jsonx.EachMember(raw, func(key, value []byte) error {
		c.member(key, value)
		return nil
	})
	if c.input >= 0 && c.cached > c.input {
		c.input += c.cached // then the upstream counts them apart
	}
	c.u.Set(weir.UsageInput, c.input)
	c.u.Set(weir.UsageCacheRead, c.cached)
	return c.u
}

func (c *counts) member(key, value []byte) {
	switch string(key) {
	case "input_tokens":
		c.input = count(value)
	case "output_tokens":
		c.u.Set(weir.UsageOutput, count(value))
	case "total_tokens":
	case inputDetails:
		c.details(key, value, c.inputDetail)
	case outputDetails:
		c.details(key, value, c.outputDetail)
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

func (c *counts) inputDetail(key []byte, n int64) bool {
	switch string(key) {
	case "cached_tokens":
		c.cached = n
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
		c.u.Set(weir.UsageReasoning, n)
	case "audio_tokens":
		c.u.Set(weir.UsageAudioOutput, n)
	default:
		return false
	}
	return true
}

// writeUsage writes usage as this protocol counts it, with what the upstream
// added in the same protocol. The details are required here: of another
// protocol's usage, what is not known of them is 0 once anything is known.
func writeUsage(b *jsonx.Buffer, u *weir.Usage) {
	extra, required := u.Extra, u.From != protocol
	if required {
		extra = nil
	}
	count := func(key string, f weir.UsageField, n int64, required bool) {
		if required || u.Has(f) {
			b.IntField(key, n)
		}
	}
	b.BeginObject()
	count("input_tokens", weir.UsageInput, u.InputTokens, required)
	if raw := extra.Value(inputDetails); required || raw != nil || u.Known&(weir.UsageCacheRead|weir.UsageCacheCreation|weir.UsageAudioInput) != 0 {
		b.Key(inputDetails)
		b.BeginObject()
		count("cached_tokens", weir.UsageCacheRead, u.CacheReadTokens, required)
		count("cache_write_tokens", weir.UsageCacheCreation, u.CacheCreationTokens, false)
		count("audio_tokens", weir.UsageAudioInput, u.AudioInputTokens, false)
		others(b, raw, "cached_tokens", "cache_write_tokens", "audio_tokens")
		b.EndObject()
	}
	count("output_tokens", weir.UsageOutput, u.OutputTokens, required)
	if raw := extra.Value(outputDetails); required || raw != nil || u.Known&(weir.UsageReasoning|weir.UsageAudioOutput) != 0 {
		b.Key(outputDetails)
		b.BeginObject()
		count("reasoning_tokens", weir.UsageReasoning, u.ReasoningTokens, required)
		count("audio_tokens", weir.UsageAudioOutput, u.AudioOutputTokens, false)
		others(b, raw, "reasoning_tokens", "audio_tokens")
		b.EndObject()
	}
	count("total_tokens", weir.UsageInput|weir.UsageOutput, u.Total(), required)
	for _, f := range extra {
		if f.Name != inputDetails && f.Name != outputDetails {
			b.RawField(f.Name, f.Value)
		}
	}
	b.EndObject()
}

const (
	inputDetails  = "input_tokens_details"
	outputDetails = "output_tokens_details"
)
