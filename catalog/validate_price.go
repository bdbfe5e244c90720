package catalog

import (
	"fmt"
	"slices"
	"strings"
)

// unitsPerDollar are the currencies that prices may be in, and roughly how
// many units make a US dollar (2026-11), to judge whether a price is plausible.
var unitsPerDollar = map[string]int64{
	"USD": 1, "EUR": 1, "GBP": 1, "CHF": 1, "CAD": 1, "AUD": 1, "SGD": 1,
	"CNY": 7, "HKD": 8, "TWD": 30, "INR": 85, "JPY": 150, "KRW": 1400,
}

// Prices per million tokens that were ever asked for lie between a tenth of a
// cent and 600 dollars (o1-pro's output, 2025). An amount per token or per
// thousand tokens is at most 0.6 dollars, but for ordinary models far below the
// first bound, and an amount multiplied once too often far above the second.
const (
	lowestPico      = 1_000         // $0.001 per million
	lowestCachePico = 100           // $0.0001
	highestPico     = 1_000_000_000 // $1,000
	// mostOutputs is the largest believable ratio of output to input prices,
	// and of input to output. A mixture of units exceeds it.
	mostOutputs = 200
)

func validateSheets(list []PriceSheet, path string, ps *problems) {
	for i := range list {
		s, at := &list[i], fmt.Sprintf("%s[%d]", path, i)
		s.validate(at, ps)
		for j := range i {
			if list[j].Service == s.Service && list[j].From == s.From {
				ps.at(at+".from", "another sheet begins on the same day")
			}
		}
	}
}

func (s *PriceSheet) validate(path string, ps *problems) {
	units, ok := unitsPerDollar[s.Currency]
	if !ok {
		ps.at(path+".currency", "%q is not known; known are %s", s.Currency,
			strings.Join(sortedKeys(unitsPerDollar), ", "))
		return
	}
	validateDate(s.From, path+".from", ps)
	validateDate(s.Until, path+".until", ps)
	if s.Until != "" && s.Until <= s.From {
		ps.at(path+".until", "is not after from")
	}
	if !s.Input.Known {
		ps.at(path+".input", "a price sheet needs the price of input")
	}
	s.Rates.validate(path, units, ps)
	last := int64(0)
	for i := range s.Tiers {
		t, at := &s.Tiers[i], fmt.Sprintf("%s.tiers[%d]", path, i)
		if t.AboveInput <= last {
			ps.at(at+".above_input", "tiers must ascend, and begin above 0")
		}
		last = t.AboveInput
		rates := s.with(&t.Rates)
		rates.validate(at, units, ps)
	}
	s.validatePeak(path+".peak", units, ps)
}

func (s *PriceSheet) validatePeak(path string, units int64, ps *problems) {
	p := s.Peak
	if p == nil {
		return
	}
	if len(s.Tiers) > 0 {
		ps.at(path, "cannot be combined with tiers")
	}
	if zones[p.Zone] == nil {
		ps.at(path+".zone", "%q is not known; known are %s", p.Zone, strings.Join(sortedKeys(zones), ", "))
	}
	for _, d := range p.Days {
		if !slices.Contains([]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}, d) {
			ps.at(path+".days", "%q is not a day: mon to sun", d)
		}
	}
	if len(p.Hours) == 0 {
		ps.at(path+".hours", "a peak needs hours, such as 09:00-12:00")
	}
	for _, h := range p.Hours {
		if !validSpan(h) {
			ps.at(path+".hours", "%q is not a span within one day, such as 09:00-12:00", h)
		}
	}
	rates := s.with(&p.Rates)
	rates.validate(path, units, ps)
}

func validSpan(s string) bool {
	from, to, ok := strings.Cut(s, "-")
	return ok && validClock(from) && (validClock(to) || to == "24:00") && from < to
}

func validClock(s string) bool {
	return len(s) == 5 && s[2] == ':' && digits(s[:2]) && digits(s[3:]) && s[:2] < "24" && s[3:] < "60"
}

// validate finds amounts that are per token, per thousand tokens or multiplied
// twice. B-11: such a slip makes a budget blind or a bill absurd.
func (r *Rates) validate(path string, units int64, ps *problems) {
	for i, rate := range r.all() {
		low := int64(lowestPico)
		if strings.HasPrefix(rateNames[i], "cache") {
			low = lowestCachePico
		}
		switch at := path + "." + rateNames[i]; {
		case !rate.Known || rate.Pico == 0:
		case rate.Pico < low*units:
			ps.at(at, "%s is too low for a million tokens: is it the price of one token, or of a thousand?", rate)
		case rate.Pico > highestPico*units:
			ps.at(at, "%s is too high for a million tokens: was it multiplied by a million already?", rate)
		}
	}
	in, out, read := r.Input, r.Output, r.CacheRead
	if in.Pico > 0 && out.Pico > 0 && (out.Pico/in.Pico > mostOutputs || in.Pico/out.Pico > mostOutputs) {
		ps.at(path, "input %s and output %s cannot both be per million tokens", in, out)
	}
	if read.Known && read.Pico > in.Pico {
		ps.at(path+".cache_read", "%s is more than uncached input, %s", read, in)
	}
	if w, w1 := r.CacheWrite, r.CacheWrite1h; w.Known && w1.Known && w1.Pico < w.Pico {
		ps.at(path+".cache_write_1h", "%s is less than the short-lived %s", w1, w)
	}
	if w := r.CacheWrite; w.Pico > 0 && in.Pico > 0 && w.Pico/in.Pico > 10 {
		ps.at(path+".cache_write", "%s is more than ten times uncached input", w)
	}
}
