package weirtest

import "github.com/weir-gateway/weir"

// namedCount is one counter of a usage.
type namedCount struct {
	name  string
	field weir.UsageField
	n     int64
}

// usageCounts are the counters of u, known or not.
func usageCounts(u *weir.Usage) []namedCount {
	return []namedCount{
		{"input", weir.UsageInput, u.InputTokens},
		{"output", weir.UsageOutput, u.OutputTokens},
		{"cache_read", weir.UsageCacheRead, u.CacheReadTokens},
		{"cache_creation", weir.UsageCacheCreation, u.CacheCreationTokens},
		{"cache_creation_1h", weir.UsageCacheCreation1h, u.CacheCreation1h},
		{"reasoning", weir.UsageReasoning, u.ReasoningTokens},
		{"audio_input", weir.UsageAudioInput, u.AudioInputTokens},
		{"audio_output", weir.UsageAudioOutput, u.AudioOutputTokens},
	}
}

func usageCount(u *weir.Usage, f weir.UsageField) int64 {
	for _, c := range usageCounts(u) {
		if c.field == f {
			return c.n
		}
	}
	return 0
}
