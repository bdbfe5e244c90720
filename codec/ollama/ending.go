package ollama

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// ending writes the members of the last line behind the message: the end, why, and
// what it took. Counts and durations that are not known are absent, as Ollama's own
// clients expect them (api.Metrics, 2026-08).
func (w *writer) ending(b *jsonx.Buffer) {
	f := w.finish
	if f == nil {
		f = &weir.Finish{Reason: weir.FinishStop}
	}
	said, lost := word(f)
	if lost {
		w.lose("done_reason", "the client's protocol says stop and length only")
	}
	b.BoolField("done", true)
	b.StringField("done_reason", said)
	if f.From == protocol {
		appendFields(b, f.Extra)
	}
	if w.usage.Has(weir.UsageInput) {
		b.IntField("prompt_eval_count", w.usage.InputTokens)
	}
	if w.usage.Has(weir.UsageOutput) {
		b.IntField("eval_count", w.usage.OutputTokens)
	}
	w.loseCounts()
}

// loseCounts reports the counts that the protocol has no member for (U-07).
func (w *writer) loseCounts() {
	u := &w.usage
	for _, c := range [...]struct {
		n    int64
		name string
	}{
		{u.CacheReadTokens, "cache_read"}, {u.CacheCreationTokens, "cache_creation"}, {u.ReasoningTokens, "reasoning"},
		{u.AudioInputTokens, "audio_input"}, {u.AudioOutputTokens, "audio_output"},
	} {
		if c.n > 0 {
			w.lose("usage."+c.name, "the client's protocol counts input and output only")
		}
	}
}
