package price_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/price"
)

func rate(s string) catalog.Rate {
	r, err := catalog.ParseRate(s)
	if err != nil {
		panic(err)
	}
	return r
}

var all = catalog.Rates{Input: rate("3"), Output: rate("15"), CacheRead: rate("0.3"), CacheWrite: rate("3.75"),
	CacheWrite1h: rate("6"), Reasoning: rate("20"), AudioIn: rate("40"), AudioOut: rate("80")}

func model(sheets ...catalog.PriceSheet) *catalog.Model {
	return &catalog.Model{ID: "m", Prices: sheets}
}

func sheet(r catalog.Rates) catalog.PriceSheet { return catalog.PriceSheet{Currency: "USD", Rates: r} }

func usage(set map[weir.UsageField]int64) *weir.Usage {
	u := new(weir.Usage)
	for f, n := range set {
		u.Set(f, n)
	}
	return u
}

type counts map[weir.UsageField]int64

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// U-05: each token is priced once, at the rate of its own kind.
func TestEachTokenIsPricedOnceAtItsOwnRate(t *testing.T) {
	plain := catalog.Rates{Input: rate("3"), Output: rate("15")}
	for _, c := range []struct {
		name  string
		rates catalog.Rates
		usage counts
		nano  int64
	}{
		{"plain tokens", all, counts{weir.UsageInput: 1000, weir.UsageOutput: 100}, 3_000_000 + 1_500_000},
		{"cache reads are taken out of the input", all,
			counts{weir.UsageInput: 1000, weir.UsageOutput: 0, weir.UsageCacheRead: 900}, 100*3000 + 900*300},
		{"cache writes too, by their life time", all,
			counts{weir.UsageInput: 1000, weir.UsageOutput: 0, weir.UsageCacheCreation: 500, weir.UsageCacheCreation1h: 200},
			500*3000 + 300*3750 + 200*6000},
		{"reasoning is taken out of the output", all,
			counts{weir.UsageInput: 0, weir.UsageOutput: 100, weir.UsageReasoning: 60}, 40*15000 + 60*20000},
		{"sound is taken out of both", all,
			counts{weir.UsageInput: 100, weir.UsageOutput: 100, weir.UsageAudioInput: 40, weir.UsageAudioOutput: 30},
			60*3000 + 40*40000 + 70*15000 + 30*80000},
		{"sound from a cache has the cache's price", all,
			counts{weir.UsageInput: 100, weir.UsageOutput: 0, weir.UsageCacheRead: 80, weir.UsageAudioInput: 50}, 80*300 + 20*40000},
		{"a cache without a price costs as much as input", plain,
			counts{weir.UsageInput: 100, weir.UsageOutput: 0, weir.UsageCacheRead: 50, weir.UsageCacheCreation: 50, weir.UsageCacheCreation1h: 20}, 100 * 3000},
		{"reasoning without a price costs as much as output", plain,
			counts{weir.UsageInput: 0, weir.UsageOutput: 10, weir.UsageReasoning: 10}, 10 * 15000},
		{"a known price of nothing is free", catalog.Rates{Input: rate("0"), Output: rate("0")},
			counts{weir.UsageInput: 10, weir.UsageOutput: 10}, 0},
		{"half a billionth is rounded up", catalog.Rates{Input: rate("0.0005"), Output: rate("1")},
			counts{weir.UsageInput: 1, weir.UsageOutput: 0}, 1},
		{"an embedding has no output", catalog.Rates{Input: rate("0.02")}, counts{weir.UsageInput: 1000}, 20_000},
	} {
		m, ok := price.Cost(usage(c.usage), model(sheet(c.rates)), noon)
		if !ok || m.Nano != c.nano || m.Currency != "USD" {
			t.Errorf("%s: %v %v, want %d nano", c.name, m, ok, c.nano)
		}
	}
}

// B-09, U-08: what cannot be priced is not free.
func TestWhatCannotBePricedIsUnknown(t *testing.T) {
	full := counts{weir.UsageInput: 10, weir.UsageOutput: 10}
	ended := sheet(all)
	ended.Until = "2026-01-01"
	for _, c := range []struct {
		name  string
		model *catalog.Model
		usage *weir.Usage
	}{
		{"an unknown model", nil, usage(full)},
		{"a model without prices", model(), usage(full)},
		{"prices of the past", model(ended), usage(full)},
		{"no usage", model(sheet(all)), nil},
		{"usage without input", model(sheet(all)), usage(counts{weir.UsageOutput: 1})},
		{"usage without output", model(sheet(all)), usage(counts{weir.UsageInput: 1})},
		{"sound without a price", model(sheet(catalog.Rates{Input: rate("1"), Output: rate("1")})),
			usage(counts{weir.UsageInput: 10, weir.UsageOutput: 1, weir.UsageAudioInput: 5})},
		{"output without a price", model(sheet(catalog.Rates{Input: rate("1")})), usage(full)},
		{"more cached than input", model(sheet(all)),
			usage(counts{weir.UsageInput: 10, weir.UsageOutput: 1, weir.UsageCacheRead: 11})},
		{"more 1-hour writes than writes", model(sheet(all)),
			usage(counts{weir.UsageInput: 10, weir.UsageOutput: 1, weir.UsageCacheCreation: 1, weir.UsageCacheCreation1h: 2})},
		{"more reasoning than output", model(sheet(all)),
			usage(counts{weir.UsageInput: 10, weir.UsageOutput: 1, weir.UsageReasoning: 2})},
		{"negative counts", model(sheet(all)), &weir.Usage{InputTokens: -5, OutputTokens: 1, Known: weir.UsageInput | weir.UsageOutput}},
		{"an overflow", model(sheet(all)), &weir.Usage{InputTokens: math.MaxInt64, Known: weir.UsageInput | weir.UsageOutput}},
		{"a negative rate", model(sheet(catalog.Rates{Input: catalog.Rate{Pico: -1, Known: true}, Output: rate("1")})), usage(full)},
	} {
		if m, ok := price.Cost(c.usage, c.model, noon); ok || m != (price.Money{}) {
			t.Errorf("%s: cost %v", c.name, m)
		}
	}
}

// B-10: dates, tiers by length, hours and services.
func TestTheSheetOfTheMomentIsUsed(t *testing.T) {
	promo, list := sheet(catalog.Rates{Input: rate("2"), Output: rate("10")}), sheet(catalog.Rates{Input: rate("4"), Output: rate("20")})
	promo.Until, list.From = "2026-12-01", "2026-12-01"
	batch := sheet(catalog.Rates{Input: rate("1"), Output: rate("5")})
	batch.Service = "batch"
	tiered := sheet(catalog.Rates{Input: rate("1"), Output: rate("2"), CacheRead: rate("0.1")})
	tiered.Tiers = []catalog.Tier{{AboveInput: 200_000, Rates: catalog.Rates{Input: rate("2")}}}
	one := counts{weir.UsageInput: 1, weir.UsageOutput: 0}
	for _, c := range []struct {
		name    string
		model   *catalog.Model
		at      time.Time
		service string
		usage   counts
		nano    int64
		ok      bool
	}{
		{"the promotion's last second", model(promo, list), time.Date(2026, 11, 30, 23, 59, 59, 0, time.UTC), "", one, 2000, true},
		{"the first second after it", model(promo, list), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), "", one, 4000, true},
		{"the date is that of UTC", model(promo, list), time.Date(2026, 12, 1, 7, 0, 0, 0, time.FixedZone("", 8*3600)), "", one, 2000, true},
		{"a class of service", model(promo, batch), noon, "batch", one, 1000, true},
		{"a class without prices", model(promo, batch), noon, "priority", one, 0, false},
		{"up to the tier", model(tiered), noon, "", counts{weir.UsageInput: 200_000, weir.UsageOutput: 0}, 200_000 * 1000, true},
		{"above the tier, all of it", model(tiered), noon, "", counts{weir.UsageInput: 200_001, weir.UsageOutput: 0}, 200_001 * 2000, true},
		{"a tier keeps the sheet's other rates", model(tiered), noon, "",
			counts{weir.UsageInput: 200_001, weir.UsageOutput: 1, weir.UsageCacheRead: 200_001}, 200_001*100 + 2000, true},
	} {
		m, ok := price.CostAs(usage(c.usage), c.model, c.at, c.service)
		if ok != c.ok || m.Nano != c.nano {
			t.Errorf("%s: %v %v, want %d nano", c.name, m, ok, c.nano)
		}
	}
}

// B-10: yuan stay yuan, and peak hours are those of Beijing.
func TestDeepSeekCostsYuanAndMoreAtPeakHours(t *testing.T) {
	m := catalog.Default().Provider("deepseek").Model("deepseek-v4-flash") // an old name
	u := usage(counts{weir.UsageInput: 1_000_000, weir.UsageOutput: 1_000_000, weir.UsageCacheRead: 500_000})
	for _, c := range []struct {
		name string
		at   time.Time // Beijing is 8 hours ahead
		want string
	}{
		{"Friday, 08:59", time.Date(2026, 11, 20, 0, 59, 0, 0, time.UTC), "4.51 CNY"},
		{"Friday, 09:00", time.Date(2026, 11, 20, 1, 0, 0, 0, time.UTC), "9.02 CNY"},
		{"Friday, 12:00", time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC), "4.51 CNY"},
		{"Friday, 17:59", time.Date(2026, 11, 20, 9, 59, 0, 0, time.UTC), "9.02 CNY"},
		{"Saturday, 10:00", time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC), "4.51 CNY"},
	} {
		if got, ok := price.Cost(u, m, c.at); !ok || got.String() != c.want {
			t.Errorf("%s: %v %v, want %s", c.name, got, ok, c.want)
		}
	}
}

func randomUsage(r *rand.Rand) *weir.Usage {
	part := func(of int64) int64 { return r.Int64N(of + 1) }
	in, out := r.Int64N(1<<40), r.Int64N(1<<40)
	read := part(in)
	write := part(in - read)
	audio := part(in - read - write)
	reasoning := part(out)
	return usage(counts{weir.UsageInput: in, weir.UsageOutput: out, weir.UsageCacheRead: read, weir.UsageCacheCreation: write,
		weir.UsageCacheCreation1h: part(write), weir.UsageAudioInput: audio, weir.UsageReasoning: reasoning,
		weir.UsageAudioOutput: part(out - reasoning)})
}

// The cost is the sum of its parts, is never negative and never shrinks when
// tokens are added.
func TestCostIsTheSumOfItsPartsAndMonotone(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	m := model(sheet(all))
	for range 2000 {
		u := randomUsage(r)
		got, ok := price.Cost(u, m, noon)
		rest := u.InputTokens - u.CacheReadTokens - u.CacheCreationTokens - u.AudioInputTokens
		want := rest*3000 + u.CacheReadTokens*300 + (u.CacheCreationTokens-u.CacheCreation1h)*3750 + u.CacheCreation1h*6000 +
			u.AudioInputTokens*40000 + (u.OutputTokens-u.ReasoningTokens-u.AudioOutputTokens)*15000 +
			u.ReasoningTokens*20000 + u.AudioOutputTokens*80000
		if !ok || got.Nano != want || got.Nano < 0 {
			t.Fatalf("%+v: %v %v, want %d", u, got, ok, want)
		}
		more := *u
		more.InputTokens += r.Int64N(1000)
		more.OutputTokens += r.Int64N(1000)
		if grown, ok := price.Cost(&more, m, noon); !ok || grown.Nano < got.Nano {
			t.Fatalf("%+v costs %v, with more tokens %v", u, got, grown)
		}
	}
}

// U-08: whatever the counts and rates are, nothing panics, wraps or is negative.
func FuzzCost(f *testing.F) {
	f.Add(int64(1), int64(2), int64(3), int64(4), int64(5), uint16(3), int64(7))
	f.Add(int64(math.MaxInt64), int64(math.MinInt64), int64(-1), int64(0), int64(1), uint16(0xffff), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, in, out, read, write, reasoning int64, known uint16, pico int64) {
		u := &weir.Usage{InputTokens: in, OutputTokens: out, CacheReadTokens: read, CacheCreationTokens: write,
			ReasoningTokens: reasoning, Known: weir.UsageField(known)}
		rate := catalog.Rate{Pico: pico, Known: true}
		m, ok := price.Cost(u, model(sheet(catalog.Rates{Input: rate, Output: rate})), noon)
		if m.Nano < 0 || !ok && m != (price.Money{}) {
			t.Fatalf("%v %v", m, ok)
		}
	})
}

func TestMoneyIsAddedWithinOneCurrency(t *testing.T) {
	usd := func(n int64) price.Money { return price.Money{Nano: n, Currency: "USD"} }
	cny := price.Money{Nano: 5, Currency: "CNY"}
	for _, c := range []struct {
		name string
		a, b price.Money
		want price.Money
		ok   bool
	}{
		{"one currency", usd(1), usd(2), usd(3), true},
		{"nothing yet", price.Money{}, cny, cny, true},
		{"nothing more", cny, price.Money{}, cny, true},
		{"two currencies", usd(1), cny, price.Money{}, false},
		{"too much", usd(math.MaxInt64), usd(1), price.Money{}, false},
		{"too little", usd(math.MinInt64), usd(-1), price.Money{}, false},
		{"a refund", usd(5), usd(-5), usd(0), true},
	} {
		if got, ok := c.a.Add(c.b); got != c.want || ok != c.ok {
			t.Errorf("%s: %v %v", c.name, got, ok)
		}
	}
}

func TestMoneyIsWrittenExactly(t *testing.T) {
	for want, m := range map[string]price.Money{
		"0.00 USD":                {Currency: "USD"},
		"0.00174 USD":             {Nano: 1_740_000, Currency: "USD"},
		"12.50 CNY":               {Nano: 12_500_000_000, Currency: "CNY"},
		"-0.000000001 USD":        {Nano: -1, Currency: "USD"},
		"-9223372036.854775808 X": {Nano: math.MinInt64, Currency: "X"},
		"0.00":                    {},
	} {
		if got := m.String(); got != want {
			t.Errorf("%d: %q, want %q", m.Nano, got, want)
		}
	}
}

func BenchmarkCost(b *testing.B) {
	m := catalog.Default().Provider("deepseek").Model("deepseek-flash")
	u := usage(counts{weir.UsageInput: 1000, weir.UsageOutput: 1000, weir.UsageCacheRead: 500})
	b.ReportAllocs()
	for b.Loop() {
		price.Cost(u, m, noon)
	}
}

func Example() {
	u := new(weir.Usage)
	u.Set(weir.UsageInput, 12_000)
	u.Set(weir.UsageCacheRead, 10_000)
	u.Set(weir.UsageOutput, 500)
	m := catalog.Default().Provider("anthropic").Model("claude-sonnet-5-5")
	cost, ok := price.Cost(u, m, time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC))
	fmt.Println(cost, ok)
	// Output: 0.011 USD true
}
