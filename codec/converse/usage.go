package converse

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// metadataField is the name under which Usage.Extra keeps what stands beside the
// usage (metrics, trace, performanceConfig, serviceTier): in a stream all of it
// comes together, in the last event.
const metadataField = "metadata"

// readUsage reads the member usage; rest is an object of what stands beside it, or
// nil. Nil when there is neither. The counts of input and of the cache are disjoint
// here (recorded totals; protocols.md §11) and parts of one total there. What is
// malformed, negative or absurd is unknown (U-08).
func readUsage(raw, rest []byte) *weir.Usage {
	if jsonx.KindOf(raw) != jsonx.KindObject && rest == nil {
		return nil
	}
	u := &weir.Usage{From: protocol}
	input := int64(-1)
	_ = jsonx.EachMember(raw, func(k, v []byte) error {
		n, ok := jsonx.Int64(v)
		if !ok {
			n = -1
		}
		switch key := string(k); key {
		case "inputTokens":
			input = n
		case "outputTokens":
			u.Set(weir.UsageOutput, n)
		case "cacheReadInputTokens":
			u.Set(weir.UsageCacheRead, n)
		case "cacheWriteInputTokens":
			u.Set(weir.UsageCacheCreation, n)
		case "cacheDetails":
			readCacheDetails(u, v)
		case "totalTokens", "cacheReadInputTokenCount", "cacheWriteInputTokenCount":
			// sums and other spellings of the above
		default:
			if !jsonx.IsNull(v) {
				u.Extra = keep(u.Extra, key, v)
			}
		}
		return nil
	})
	if input >= 0 {
		u.Set(weir.UsageInput, input+u.CacheReadTokens+u.CacheCreationTokens)
	}
	if rest != nil {
		u.Extra.Add(metadataField, rest)
	}
	return u
}

// readCacheDetails reads [{"ttl":"1h","inputTokens":…}]: what of the tokens written
// to the cache is kept for how long.
func readCacheDetails(u *weir.Usage, v []byte) {
	if jsonx.KindOf(v) != jsonx.KindArray {
		return
	}
	var hour int64
	_ = jsonx.EachElement(v, func(_ int, item []byte) error {
		n, ok := jsonx.Int64(jsonx.Get(item, "inputTokens"))
		if !ok || n < 0 || n >= 1<<53 {
			hour = -1 << 60 // malformed: stays unknown
		} else if jsonx.StringOr(jsonx.Get(item, "ttl"), "") == "1h" {
			hour += n
		}
		return nil
	})
	u.Set(weir.UsageCacheCreation1h, hour)
}

// appendUsage writes the member usage in the protocol's arithmetic. Counts that are
// unknown are left out: unknown is not zero (U-03).
func appendUsage(b *jsonx.Buffer, u *weir.Usage) {
	put := func(f weir.UsageField, key string, n int64) {
		if u.Has(f) {
			b.IntField(key, n)
		}
	}
	b.BeginObject()
	put(weir.UsageInput, "inputTokens", max(0, u.InputTokens-u.CacheReadTokens-u.CacheCreationTokens))
	put(weir.UsageOutput, "outputTokens", u.OutputTokens)
	put(weir.UsageInput|weir.UsageOutput, "totalTokens", u.Total())
	put(weir.UsageCacheRead, "cacheReadInputTokens", u.CacheReadTokens)
	put(weir.UsageCacheCreation, "cacheWriteInputTokens", u.CacheCreationTokens)
	if u.Has(weir.UsageCacheCreation1h) {
		appendCacheDetails(b, u)
	}
	if u.From == protocol {
		for _, f := range u.Extra {
			if f.Name != metadataField && !f.Spelling {
				b.RawField(f.Name, f.Value)
			}
		}
	}
	b.EndObject()
}

func appendCacheDetails(b *jsonx.Buffer, u *weir.Usage) {
	b.Key("cacheDetails")
	b.BeginArray()
	for _, part := range []struct {
		ttl string
		n   int64
	}{{"5m", u.CacheCreationTokens - u.CacheCreation1h}, {"1h", u.CacheCreation1h}} {
		if part.n > 0 {
			b.BeginObject()
			b.IntField("inputTokens", part.n)
			b.StringField("ttl", part.ttl)
			b.EndObject()
		}
	}
	b.EndArray()
}

// loseUsage reports the counts that have no member.
func loseUsage(losses *codec.Losses, u *weir.Usage) {
	if u == nil {
		return
	}
	for _, c := range []struct {
		n    int64
		name string
	}{{u.ReasoningTokens, "reasoning"}, {u.AudioInputTokens, "audio_input"}, {u.AudioOutputTokens, "audio_output"}} {
		if c.n > 0 {
			dropOnce(losses, "usage."+c.name, "the client's protocol has no such count")
		}
	}
}

// hasCounts reports whether there is a usage to write.
func hasCounts(u *weir.Usage) bool {
	return u != nil && (u.Known != 0 || u.From == protocol && len(u.Extra) > 0)
}

// appendBeside writes what stood beside the usage.
func appendBeside(b *jsonx.Buffer, u *weir.Usage) {
	if u == nil || u.From != protocol {
		return
	}
	_ = jsonx.EachMember(u.Extra.Value(metadataField), func(k, v []byte) error {
		b.RawField(string(k), v)
		return nil
	})
}
