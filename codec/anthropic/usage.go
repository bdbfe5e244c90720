package anthropic

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// usageState merges the usage of message_start and message_delta: counts are
// cumulative, the last explicit value of a member wins, nothing is summed over
// frames (U-02). The zero value is ready.
type usageState struct {
	input, output, read, created count
	created5m, created1h         count
	thinking                     count
	extra                        weir.Fields
}

// A count is a number of tokens, or unknown. What is malformed, negative or
// absurd makes it unknown (U-08).
type count struct {
	n     int64
	known bool
}

func (c *count) set(v []byte) {
	if v == nil || jsonx.IsNull(v) {
		return
	}
	n, ok := jsonx.Int64(v)
	ok = ok && n >= 0 && n < 1<<53
	if !ok {
		n = 0
	}
	*c = count{n, ok}
}

// merge takes over the member usage and reports whether there was one.
func (u *usageState) merge(raw []byte) bool {
	if jsonx.KindOf(raw) != jsonx.KindObject {
		return false
	}
	_ = jsonx.EachMember(raw, func(k, v []byte) error {
		switch string(k) {
		case "input_tokens":
			u.input.set(v)
		case "output_tokens":
			u.output.set(v)
		case "cache_read_input_tokens":
			u.read.set(v)
		case "cache_creation_input_tokens":
			u.created.set(v)
		case "cache_creation":
			u.creation(v)
		case "output_tokens_details":
			u.details(v)
		default:
			if !jsonx.IsNull(v) {
				u.extra = keep(u.extra, string(k), v)
			}
		}
		return nil
	})
	return true
}

func (u *usageState) creation(raw []byte) {
	u.created5m.set(jsonx.Get(raw, "ephemeral_5m_input_tokens"))
	u.created1h.set(jsonx.Get(raw, "ephemeral_1h_input_tokens"))
}

func (u *usageState) details(raw []byte) {
	if v := jsonx.Get(raw, "thinking_tokens"); v != nil {
		u.thinking.set(v)
		return
	}
	if !jsonx.IsNull(raw) {
		u.extra = keep(u.extra, "output_tokens_details", raw)
	}
}

// snapshot is all that is known so far, in Weir's meaning: here the three kinds
// of input tokens are disjoint, there they are parts of one total.
func (u *usageState) snapshot() *weir.Usage {
	out := &weir.Usage{From: protocol, Extra: u.extra}
	created := u.created
	if !created.known && u.created5m.known && u.created1h.known {
		created = count{u.created5m.n + u.created1h.n, true}
	}
	if u.input.known {
		out.Set(weir.UsageInput, u.input.n+created.n+u.read.n)
	}
	put := func(f weir.UsageField, c count) {
		if c.known {
			out.Set(f, c.n)
		}
	}
	put(weir.UsageOutput, u.output)
	put(weir.UsageCacheRead, u.read)
	put(weir.UsageCacheCreation, created)
	put(weir.UsageCacheCreation1h, u.created1h)
	put(weir.UsageReasoning, u.thinking)
	return out
}

// appendUsage writes u in the protocol's arithmetic: input_tokens excludes what
// the cache read and wrote. Counts that are unknown are left out, but for those
// in required, which the official SDKs cannot do without: they are 0.
func appendUsage(dst *jsonx.Buffer, u *weir.Usage, required weir.UsageField) {
	if u == nil {
		u = &weir.Usage{}
	}
	dst.BeginObject()
	if (u.Known|required)&weir.UsageInput != 0 {
		dst.IntField("input_tokens", max(0, u.InputTokens-u.CacheReadTokens-u.CacheCreationTokens))
	}
	if u.Has(weir.UsageCacheCreation) {
		dst.IntField("cache_creation_input_tokens", u.CacheCreationTokens)
	}
	if u.Has(weir.UsageCacheRead) {
		dst.IntField("cache_read_input_tokens", u.CacheReadTokens)
	}
	if u.Has(weir.UsageCacheCreation1h) {
		dst.Key("cache_creation")
		dst.BeginObject()
		dst.IntField("ephemeral_5m_input_tokens", max(0, u.CacheCreationTokens-u.CacheCreation1h))
		dst.IntField("ephemeral_1h_input_tokens", u.CacheCreation1h)
		dst.EndObject()
	}
	if (u.Known|required)&weir.UsageOutput != 0 {
		dst.IntField("output_tokens", u.OutputTokens)
	}
	if u.Has(weir.UsageReasoning) {
		dst.Key("output_tokens_details")
		dst.BeginObject()
		dst.IntField("thinking_tokens", u.ReasoningTokens)
		dst.EndObject()
	}
	if u.From == protocol {
		appendFields(dst, u.Extra)
	}
	dst.EndObject()
}
