package catalog

import (
	"slices"
	"strings"
	"time"
)

// A PriceSheet is what a model costs during a time, in one currency. Amounts
// are per million tokens.
type PriceSheet struct {
	// Currency is the vendor's own, ISO 4217: "USD", "CNY".
	Currency string `json:"currency"`
	// Service is the class of service that the sheet is for: "" is the
	// standard one, others are "batch", "flex", "priority", "fast".
	Service string `json:"service,omitempty"`
	// From is the first day (ISO date, UTC) and Until the first day after the
	// sheet's validity. Empty: no bound.
	From  string `json:"from,omitempty"`
	Until string `json:"until,omitempty"`
	Rates
	// Tiers are other rates for long prompts, ascending.
	Tiers []Tier `json:"tiers,omitempty"`
	// Peak has the rates of busy hours; nil when there are none.
	Peak *Peak `json:"peak,omitempty"`
}

// Rates are prices of tokens by their kind. A rate that is not Known falls
// back: the cache rates to Input, CacheWrite1h to CacheWrite, Reasoning to
// Output. Audio has no fallback: it often costs ten times as much as text.
type Rates struct {
	Input        Rate `json:"input,omitzero"`
	Output       Rate `json:"output,omitzero"`
	CacheRead    Rate `json:"cache_read,omitzero"`
	CacheWrite   Rate `json:"cache_write,omitzero"`
	CacheWrite1h Rate `json:"cache_write_1h,omitzero"`
	Reasoning    Rate `json:"reasoning,omitzero"`
	AudioIn      Rate `json:"audio_in,omitzero"`
	AudioOut     Rate `json:"audio_out,omitzero"`
}

// A Tier holds for a whole request whose input, cached tokens included, is
// longer than AboveInput tokens. Rates that it does not set are the sheet's.
type Tier struct {
	AboveInput int64 `json:"above_input"`
	Rates
}

// Peak is the time in which other rates hold, by a clock without summer time.
type Peak struct {
	// Zone is "Asia/Shanghai" or "UTC".
	Zone string `json:"zone"`
	// Days are "mon" to "sun"; empty: every day.
	Days []string `json:"days,omitempty"`
	// Hours are half-open spans, "09:00-12:00".
	Hours []string `json:"hours"`
	// Rates that it does not set are the sheet's.
	Rates
}

// zones are clocks that never change, so that no database of time zones is
// needed. China has had no summer time since 1991.
var zones = map[string]*time.Location{
	"UTC":           time.UTC,
	"Asia/Shanghai": time.FixedZone("CST", 8*60*60),
}

// RatesAt are the rates for a request of so many input tokens at a time.
func (s *PriceSheet) RatesAt(at time.Time, input int64) Rates {
	r := s.Rates
	for i := range s.Tiers {
		if input > s.Tiers[i].AboveInput {
			r = s.with(&s.Tiers[i].Rates)
		}
	}
	if s.Peak.includes(at) {
		r = r.with(&s.Peak.Rates)
	}
	return r
}

func (s *PriceSheet) holds(day string) bool {
	return s.From <= day && (s.Until == "" || day < s.Until)
}

// with is r with the known rates of o over it.
func (r Rates) with(o *Rates) Rates {
	src := o.all()
	for i, dst := range r.all() {
		if src[i].Known {
			*dst = *src[i]
		}
	}
	return r
}

func (r *Rates) all() [8]*Rate {
	return [8]*Rate{&r.Input, &r.Output, &r.CacheRead, &r.CacheWrite,
		&r.CacheWrite1h, &r.Reasoning, &r.AudioIn, &r.AudioOut}
}

// rateNames are the members of Rates in the order of all.
var rateNames = [8]string{"input", "output", "cache_read", "cache_write",
	"cache_write_1h", "reasoning", "audio_in", "audio_out"}

func (p *Peak) includes(at time.Time) bool {
	if p == nil {
		return false
	}
	at = at.In(zones[p.Zone])
	day := strings.ToLower(at.Weekday().String()[:3])
	if len(p.Days) > 0 && !slices.Contains(p.Days, day) {
		return false
	}
	clock := at.Format("15:04")
	return slices.ContainsFunc(p.Hours, func(span string) bool {
		from, to, _ := strings.Cut(span, "-")
		return from <= clock && clock < to
	})
}
