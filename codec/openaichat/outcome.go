package openaichat

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// finishWord is a reason in Chat's words (protocols.md §12.3). native tells that
// the upstream's own word says more than that.
func finishWord(f *weir.Finish) (word string, native bool) {
	switch f.Reason {
	case weir.FinishStop:
		return "stop", false
	case weir.FinishLength:
		return "length", false
	case weir.FinishToolCalls:
		return "tool_calls", false
	case weir.FinishContentFilter:
		return "content_filter", f.From != protocol
	case weir.FinishStopSequence, weir.FinishPause:
		return "stop", true
	case weir.FinishContextWindow:
		return "length", true
	case weir.FinishRefusal:
		if f.From == protocol {
			return "stop", true
		}
		return "content_filter", true
	}
	if f.From == protocol && f.Native != "" {
		return f.Native, false
	}
	return "stop", true
}

// finishMembers writes finish_reason and what belongs to it. The upstream's own
// word is kept beside where it says more (P-11), as OpenRouter does.
func (w *chunkWriter) finishMembers(b *jsonx.Buffer, f *weir.Finish, c *outChoice) {
	word, native := finishWord(f)
	if f.Native == "function_call" && f.From == protocol && c.legacy() {
		word = "function_call"
	}
	b.StringField("finish_reason", word)
	if native && f.Native != "" && f.Extra.Value("native_finish_reason") == nil {
		b.StringField("native_finish_reason", f.Native)
	}
	if f.Reason == weir.FinishPause {
		w.losses = append(w.losses, weir.Loss{
			Field: "finish_reason", Action: weir.LossApproximated,
			Detail: "the upstream's own tool loop waits to be continued, which chat completions cannot say",
		})
	}
	if f.From != protocol {
		return
	}
	for _, x := range f.Extra {
		b.RawField(x.Name, x.Value)
	}
}

func (c *outChoice) legacy() bool {
	for i := range c.blocks {
		if c.blocks[i].legacy {
			return true
		}
	}
	return false
}

// refusalOf is why a model of another protocol declined, empty when it did not
// (protocols.md §13.16).
func refusalOf(f *weir.Finish) string {
	if f.Reason != weir.FinishRefusal || f.From == protocol {
		return ""
	}
	if text := jsonx.StringOr(jsonx.Get(f.Details, "explanation"), ""); text != "" {
		return text
	}
	return "The model declined to answer."
}

// writeUsage writes usage as Chat counts it, with what the upstream added in the
// same protocol. What is not known is absent and not zero (U-03).
func writeUsage(b *jsonx.Buffer, u *weir.Usage) {
	b.BeginObject()
	count := func(key string, f weir.UsageField, n int64) {
		if u.Has(f) {
			b.IntField(key, n)
		}
	}
	count("prompt_tokens", weir.UsageInput, u.InputTokens)
	count("completion_tokens", weir.UsageOutput, u.OutputTokens)
	count("total_tokens", weir.UsageInput|weir.UsageOutput, u.Total())
	extra := u.Extra
	if u.From != protocol {
		extra = nil
	}
	if raw := extra.Value("prompt_tokens_details"); u.Known&(weir.UsageCacheRead|weir.UsageCacheCreation|weir.UsageAudioInput) != 0 || raw != nil {
		b.Key("prompt_tokens_details")
		b.BeginObject()
		count("cached_tokens", weir.UsageCacheRead, u.CacheReadTokens)
		count("cache_write_tokens", weir.UsageCacheCreation, u.CacheCreationTokens)
		count("audio_tokens", weir.UsageAudioInput, u.AudioInputTokens)
		others(b, raw, "cached_tokens", "cache_write_tokens", "audio_tokens")
		b.EndObject()
	}
	if raw := extra.Value("completion_tokens_details"); u.Known&(weir.UsageReasoning|weir.UsageAudioOutput) != 0 || raw != nil {
		b.Key("completion_tokens_details")
		b.BeginObject()
		count("reasoning_tokens", weir.UsageReasoning, u.ReasoningTokens)
		count("audio_tokens", weir.UsageAudioOutput, u.AudioOutputTokens)
		others(b, raw, "reasoning_tokens", "audio_tokens")
		b.EndObject()
	}
	for _, f := range extra {
		if f.Name != "prompt_tokens_details" && f.Name != "completion_tokens_details" {
			b.RawField(f.Name, f.Value)
		}
	}
	b.EndObject()
}
