package weir

// Usage counts tokens. The meaning is OpenTelemetry's: InputTokens includes
// cache reads and creations, OutputTokens includes reasoning; the others are
// parts of those totals. A field whose bit is not in Known was not reported,
// which is not the same as zero. All counts are at least 0.
type Usage struct {
	InputTokens         int64
	OutputTokens        int64
	CacheReadTokens     int64 // part of InputTokens
	CacheCreationTokens int64 // part of InputTokens, 5-minute and 1-hour together
	CacheCreation1h     int64 // part of CacheCreationTokens
	ReasoningTokens     int64 // part of OutputTokens
	AudioInputTokens    int64 // part of InputTokens
	AudioOutputTokens   int64 // part of OutputTokens

	Known UsageField
	// Estimated tells that a count was made by Weir and not by the provider.
	Estimated bool
	// Extra are the upstream's other members, in its protocol From.
	Extra Fields
	From  Protocol
}

// UsageField is a set of Usage's fields.
type UsageField uint16

// Usage fields.
const (
	UsageInput UsageField = 1 << iota
	UsageOutput
	UsageCacheRead
	UsageCacheCreation
	UsageCacheCreation1h
	UsageReasoning
	UsageAudioInput
	UsageAudioOutput
)

// Has reports whether all of f were reported.
func (u *Usage) Has(f UsageField) bool { return u != nil && u.Known&f == f }

// Total is input and output together.
func (u *Usage) Total() int64 { return u.InputTokens + u.OutputTokens }

// Set sets the counter that f names and marks it as known. A negative or
// absurd count (2^53 or more) is refused and leaves the counter unknown:
// billing on a wrapped number is worse than on none.
func (u *Usage) Set(f UsageField, n int64) {
	p := u.counter(f)
	if p == nil || n < 0 || n >= 1<<53 {
		return
	}
	*p = n
	u.Known |= f
}

func (u *Usage) counter(f UsageField) *int64 {
	switch f {
	case UsageInput:
		return &u.InputTokens
	case UsageOutput:
		return &u.OutputTokens
	case UsageCacheRead:
		return &u.CacheReadTokens
	case UsageCacheCreation:
		return &u.CacheCreationTokens
	case UsageCacheCreation1h:
		return &u.CacheCreation1h
	case UsageReasoning:
		return &u.ReasoningTokens
	case UsageAudioInput:
		return &u.AudioInputTokens
	case UsageAudioOutput:
		return &u.AudioOutputTokens
	}
	return nil
}

// Minus is u without what v counts of the fields that both know; v nil is u. The
// counts do not fall below 0.
func (u *Usage) Minus(v *Usage) *Usage {
	rest := *u
	if v == nil {
		return &rest
	}
	for f := UsageInput; f <= UsageAudioOutput; f <<= 1 {
		if v.Has(f) && rest.Has(f) {
			n := rest.counter(f)
			*n = max(*n-*v.counter(f), 0)
		}
	}
	return &rest
}

// Merge takes over every field that v knows: the last explicit value wins,
// nothing is summed.
func (u *Usage) Merge(v *Usage) {
	if v == nil {
		return
	}
	for f := UsageInput; f <= UsageAudioOutput; f <<= 1 {
		if v.Has(f) {
			u.Set(f, *v.counter(f))
		}
	}
	u.Estimated = v.Estimated
	if v.Extra != nil || u.From == "" {
		u.Extra, u.From = v.Extra, v.From
	}
}
