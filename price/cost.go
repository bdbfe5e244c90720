package price

import (
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
)

// Cost is what a call with usage u of model m cost, by the standard price sheet
// of the time at (that of the request). It is false, and the amount of no use,
// when the price is not known, when input or output were not reported, or when
// the counts contradict each other or overflow: billing fails closed. m and u
// may be nil.
//
// A token is priced once. InputTokens includes cache reads and creations,
// CacheCreationTokens the 1-hour ones, OutputTokens reasoning: see weir.Usage.
func Cost(u *weir.Usage, m *catalog.Model, at time.Time) (Money, bool) {
	return CostAs(u, m, at, "")
}

// CostAs is Cost for a class of service ("batch", "flex", "priority"). A class
// without a price sheet of its own is not priced by the standard one: it is
// unknown.
func CostAs(u *weir.Usage, m *catalog.Model, at time.Time, service string) (Money, bool) {
	sheet := m.Sheet(at, service)
	if sheet == nil {
		return Money{}, false
	}
	return OfSheet(u, sheet, at)
}

// OfSheet is Cost by a given price sheet, for prices that come from elsewhere,
// such as the one of an estimate's upper bound.
func OfSheet(u *weir.Usage, sheet *catalog.PriceSheet, at time.Time) (Money, bool) {
	if sheet == nil || !u.Has(weir.UsageInput) {
		return Money{}, false
	}
	rates := sheet.RatesAt(at, u.InputTokens)
	if !rates.Output.Known && u.OutputTokens == 0 {
		rates.Output = catalog.Rate{Known: true} // embeddings have no output
	} else if !u.Has(weir.UsageOutput) {
		return Money{}, false
	}
	var t total
	if !priceInput(&t, u, &rates) || !priceOutput(&t, u, &rates) {
		return Money{}, false
	}
	nano, ok := t.nano()
	if !ok {
		return Money{}, false
	}
	return Money{Nano: nano, Currency: sheet.Currency}, true
}

// priceInput adds every input token once. What was read from or written into a
// cache has the cache's price, sound included.
func priceInput(t *total, u *weir.Usage, r *catalog.Rates) bool {
	read, write, write1h := u.CacheReadTokens, u.CacheCreationTokens, u.CacheCreation1h
	rest := u.InputTokens - read - write
	if u.InputTokens < 0 || read < 0 || write1h < 0 || write < write1h || rest < 0 {
		return false
	}
	audio := min(u.AudioInputTokens, rest)
	writeRate := first(r.CacheWrite, r.Input)
	return charge(t, read, first(r.CacheRead, r.Input)) &&
		charge(t, write-write1h, writeRate) &&
		charge(t, write1h, first(r.CacheWrite1h, writeRate)) &&
		charge(t, audio, r.AudioIn) &&
		charge(t, rest-audio, r.Input)
}

// priceOutput adds every output token once.
func priceOutput(t *total, u *weir.Usage, r *catalog.Rates) bool {
	reasoning, audio := u.ReasoningTokens, u.AudioOutputTokens
	rest := u.OutputTokens - reasoning - audio
	if u.OutputTokens < 0 || reasoning < 0 || rest < 0 {
		return false
	}
	return charge(t, reasoning, first(r.Reasoning, r.Output)) &&
		charge(t, audio, r.AudioOut) &&
		charge(t, rest, r.Output)
}

// charge fails when there is something to pay and the price is not known.
func charge(t *total, tokens int64, rate catalog.Rate) bool {
	if tokens < 0 || tokens > 0 && !rate.Known {
		return false
	}
	t.add(tokens, rate.Pico)
	return true
}

func first(a, b catalog.Rate) catalog.Rate {
	if a.Known {
		return a
	}
	return b
}
