package price

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Money is an amount of one currency, exactly.
type Money struct {
	// Nano is in billionths of the currency unit. It is never negative where
	// this package made it.
	Nano int64
	// Currency is the ISO 4217 code, "USD" or "CNY". Amounts of different
	// currencies are never added up.
	Currency string
}

// Add is the sum; false when the currencies differ or the sum overflows, and
// the result is then of no use. The zero Money can be added to any.
func (m Money) Add(o Money) (Money, bool) {
	if m == (Money{}) {
		return o, true
	}
	if o == (Money{}) {
		return m, true
	}
	sum := m.Nano + o.Nano
	overflow := m.Nano > 0 && o.Nano > 0 && sum < 0 || m.Nano < 0 && o.Nano < 0 && sum >= 0
	if m.Currency != o.Currency || overflow {
		return Money{}, false
	}
	return Money{sum, m.Currency}, true
}

// String is the amount with its currency, without trailing zeros beyond two
// decimals: "0.00174 USD".
func (m Money) String() string {
	whole, frac := m.Nano/1_000_000_000, m.Nano%1_000_000_000
	sign := ""
	if m.Nano < 0 {
		sign, whole, frac = "-", -whole, -frac
	}
	digits := strconv.FormatInt(1_000_000_000+frac, 10)[1:]
	digits = digits[:2] + strings.TrimRight(digits[2:], "0")
	return strings.TrimRight(sign+strconv.FormatInt(whole, 10)+"."+digits+" "+m.Currency, " ")
}

// total adds up tokens times rates in pico units, in 128 bits. bad tells that
// a count or rate was negative or the sum too large.
type total struct {
	hi, lo uint64
	bad    bool
}

func (t *total) add(tokens, pico int64) {
	if tokens < 0 || pico < 0 {
		t.bad = true
		return
	}
	hi, lo := bits.Mul64(uint64(tokens), uint64(pico))
	var carry uint64
	t.lo, carry = bits.Add64(t.lo, lo, 0)
	t.hi, carry = bits.Add64(t.hi, hi, carry)
	t.bad = t.bad || carry != 0
}

// nano is the sum in billionths, half a billionth rounded up; false when it is
// not valid or too large.
func (t *total) nano() (int64, bool) {
	lo, carry := bits.Add64(t.lo, 500, 0)
	hi := t.hi + carry
	if t.bad || hi >= 1000 {
		return 0, false
	}
	n, _ := bits.Div64(hi, lo, 1000)
	if n > math.MaxInt64 {
		return 0, false
	}
	return int64(n), true
}
