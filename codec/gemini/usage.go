package gemini

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// unknown is a count that was not reported, or that cannot be one (U-08).
const unknown = -1

// counts reads usageMetadata, which is cumulative and may stand in every chunk
// (protocols.md §11): prompt tokens include cached ones and not those of tools'
// results, answer tokens exclude thoughts.
type counts struct {
	prompt, cached, answer, thoughts, tools, total int64
	audioIn, audioOut                              int64
	onMember                                       func(key, value []byte) error
}

// read is the usage in raw, nil when it says nothing. Without extras the members
// that have no word are left out: they are of no use where the bytes are relayed.
func (c *counts) read(raw []byte, extras bool) *weir.Usage {
	if len(raw) <= len("{}") || jsonx.KindOf(raw) != jsonx.KindObject {
		return nil
	}
	member := c.onMember
	if member == nil {
		member = c.member
	}
	*c = counts{prompt: unknown, cached: unknown, answer: unknown, thoughts: unknown, tools: unknown, total: unknown,
		audioIn: unknown, audioOut: unknown, onMember: member}
	if jsonx.EachMember(raw, member) != nil {
		return nil
	}
	u := c.usage()
	if u.Known == 0 {
		return nil
	}
	if extras && jsonx.Valid(raw) == nil {
		u.Extra = otherCounts(raw)
	}
	return u
}

func (c *counts) member(key, value []byte) error {
	switch string(key) {
	case "promptTokenCount":
		c.prompt = count(value)
	case "cachedContentTokenCount":
		c.cached = count(value)
	case "candidatesTokenCount":
		c.answer = count(value)
	case "thoughtsTokenCount":
		c.thoughts = count(value)
	case "toolUsePromptTokenCount":
		c.tools = count(value)
	case "totalTokenCount":
		c.total = count(value)
	case "promptTokensDetails":
		c.audioIn = audioCount(value)
	case "candidatesTokensDetails":
		c.audioOut = audioCount(value)
	}
	return nil
}

// usage is what was read in Weir's meaning. A count that is 0 is left out on the
// wire: where the total is there, it says how many tokens the answer has.
func (c *counts) usage() *weir.Usage {
	u := &weir.Usage{From: protocol}
	thoughts, tools := max(c.thoughts, 0), max(c.tools, 0)
	if c.answer == unknown && c.total != unknown && c.prompt != unknown {
		c.answer = max(c.total-c.prompt-tools-thoughts, 0)
	}
	if c.prompt != unknown {
		u.Set(weir.UsageInput, c.prompt+tools)
	}
	if c.answer != unknown {
		u.Set(weir.UsageOutput, c.answer+thoughts)
	} else if c.thoughts != unknown {
		u.Set(weir.UsageOutput, thoughts)
	}
	u.Set(weir.UsageCacheRead, c.cached)
	u.Set(weir.UsageReasoning, c.thoughts)
	u.Set(weir.UsageAudioInput, c.audioIn)
	u.Set(weir.UsageAudioOutput, c.audioOut)
	return u
}

func count(raw []byte) int64 {
	n, ok := jsonx.Int64(unquoted(raw))
	if !ok || n < 0 || n >= 1<<53 {
		return unknown
	}
	return n
}

var audioWord = []byte("AUDIO")

// audioCount is the number of tokens of sound among counts by modality, which is
// number 4 where enums are numbers.
func audioCount(details []byte) int64 {
	n := int64(unknown)
	if !bytes.Contains(details, audioWord) && !bytes.Contains(details, []byte("4")) {
		return n
	}
	_ = jsonx.EachElement(details, func(_ int, item []byte) error {
		if m := jsonx.Get(item, "modality"); string(m) == `"AUDIO"` || string(m) == "4" {
			n = count(jsonx.Get(item, "tokenCount"))
		}
		return nil
	})
	return n
}

// otherCounts are the members of usageMetadata that have no word.
func otherCounts(raw []byte) weir.Fields {
	raw = bytes.Clone(raw)
	var out weir.Fields
	_ = jsonx.EachMember(raw, func(key, v []byte) error {
		switch string(key) {
		case "promptTokenCount", "cachedContentTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount":
		default:
			if !jsonx.IsNull(v) {
				out = append(out, weir.Field{Name: string(key), Value: v})
			}
		}
		return nil
	})
	return out
}

// appendUsage writes u in the protocol's arithmetic. Counts that are unknown are
// left out (U-03).
func appendUsage(b *jsonx.Buffer, u *weir.Usage) {
	var extra weir.Fields
	if u.From == protocol {
		extra = u.Extra
	}
	tools := max(count(extra.Value("toolUsePromptTokenCount")), 0)
	b.BeginObject()
	field := func(key string, f weir.UsageField, n int64) {
		if u.Has(f) {
			b.IntField(key, max(n, 0))
		}
	}
	field("promptTokenCount", weir.UsageInput, u.InputTokens-tools)
	field("cachedContentTokenCount", weir.UsageCacheRead, u.CacheReadTokens)
	answer := u.OutputTokens
	if u.Has(weir.UsageReasoning) {
		answer -= u.ReasoningTokens
	}
	if answer != 0 || u.From != protocol || !u.Has(weir.UsageInput) { // Google leaves 0 out: the total says it
		field("candidatesTokenCount", weir.UsageOutput, answer)
	}
	field("thoughtsTokenCount", weir.UsageReasoning, u.ReasoningTokens)
	field("totalTokenCount", weir.UsageInput|weir.UsageOutput, u.Total())
	for _, side := range []struct {
		name         string
		audio, whole weir.UsageField
		n, all       int64
	}{
		{"promptTokensDetails", weir.UsageAudioInput, weir.UsageInput, u.AudioInputTokens, u.InputTokens - tools},
		{"candidatesTokensDetails", weir.UsageAudioOutput, weir.UsageOutput, u.AudioOutputTokens, answer},
	} {
		if !u.Has(side.audio) || extra.Value(side.name) != nil {
			continue
		}
		b.Key(side.name)
		b.BeginArray()
		if rest := side.all - side.n; u.Has(side.whole) && rest > 0 {
			appendModality(b, "TEXT", rest)
		}
		appendModality(b, "AUDIO", side.n)
		b.EndArray()
	}
	for _, f := range extra {
		b.RawField(f.Name, f.Value)
	}
	b.EndObject()
}

func appendModality(b *jsonx.Buffer, modality string, n int64) {
	b.BeginObject()
	b.StringField("modality", modality)
	b.IntField("tokenCount", n)
	b.EndObject()
}
