package structured

import "github.com/weir-gateway/weir"

// A total is the usage of several asks. A whole one costs what all cost, so
// that they are added up: what the provider counts, it bills.
type total struct {
	sum  *weir.Usage // nil: nothing was reported
	asks int
	// gaps tells that an ask did not report its tokens: the sum is too small,
	// and is marked as an estimate.
	gaps bool
}

var usageFields = [...]weir.UsageField{
	weir.UsageInput, weir.UsageOutput, weir.UsageCacheRead, weir.UsageCacheCreation,
	weir.UsageCacheCreation1h, weir.UsageReasoning, weir.UsageAudioInput, weir.UsageAudioOutput,
}

// add is the total with one more ask, whose usage is nil when it reported none.
// The usage of a single ask is its own; what has no name here belongs to one ask
// only and is left out of a sum.
func (t total) add(u *weir.Usage) total {
	t.asks++
	t.gaps = t.gaps || !u.Has(weir.UsageInput|weir.UsageOutput)
	switch {
	case u == nil:
	case t.asks == 1:
		t.sum = u
		return t
	default:
		sum := weir.Usage{Estimated: u.Estimated}
		if t.sum != nil {
			sum = *t.sum
			sum.Estimated = sum.Estimated || u.Estimated
		}
		for _, f := range usageFields {
			if u.Has(f) {
				sum.Set(f, count(&sum, f)+count(u, f))
			}
		}
		sum.Extra, sum.From = nil, ""
		t.sum = &sum
	}
	return t
}

// usage is the sum, nil when nothing was reported.
func (t total) usage() *weir.Usage {
	if t.sum == nil || t.asks < 2 || !t.gaps {
		return t.sum
	}
	u := *t.sum
	u.Estimated = true
	return &u
}

func count(u *weir.Usage, f weir.UsageField) int64 {
	switch f {
	case weir.UsageInput:
		return u.InputTokens
	case weir.UsageOutput:
		return u.OutputTokens
	case weir.UsageCacheRead:
		return u.CacheReadTokens
	case weir.UsageCacheCreation:
		return u.CacheCreationTokens
	case weir.UsageCacheCreation1h:
		return u.CacheCreation1h
	case weir.UsageReasoning:
		return u.ReasoningTokens
	case weir.UsageAudioInput:
		return u.AudioInputTokens
	}
	return u.AudioOutputTokens
}
