package catalog

import (
	"errors"
	"strconv"
	"strings"
)

// A Rate is the price of one token, exactly: Pico is in 1e-12 of the currency
// unit, which is the same number as millionths of the unit per million tokens.
// The zero value is an unknown price; a price of nothing is Known with Pico 0.
//
// In JSON it is a decimal string per million tokens, as vendors print it:
// "0.14" is 140000 Pico.
type Rate struct {
	Pico  int64
	Known bool
}

// maxWhole keeps Pico far below overflow: a billion units per million tokens.
const maxWhole = 1_000_000_000

// ParseRate reads a decimal amount per million tokens with up to six decimals.
func ParseRate(s string) (Rate, error) {
	whole, frac, dotted := strings.Cut(s, ".")
	if !digits(whole) || dotted && !digits(frac) {
		return Rate{}, errors.New("a price is a decimal string per million tokens, such as \"0.14\"")
	}
	if len(frac) > 6 {
		return Rate{}, errors.New("more than six decimals: prices are per million tokens, not per token")
	}
	w, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || w > maxWhole {
		return Rate{}, errors.New("the price is too large: prices are in whole currency units per million tokens")
	}
	f, _ := strconv.ParseInt((frac + "000000")[:6], 10, 64)
	return Rate{Pico: w*1_000_000 + f, Known: true}, nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// String is the decimal amount per million tokens, empty when unknown.
func (r Rate) String() string {
	if !r.Known {
		return ""
	}
	s := strconv.FormatInt(r.Pico/1_000_000, 10)
	if f := r.Pico % 1_000_000; f != 0 {
		s += "." + strings.TrimRight(strconv.FormatInt(1_000_000+f, 10)[1:], "0")
	}
	return s
}

// IsZero reports whether the price is unknown, for encoding/json.
func (r Rate) IsZero() bool { return !r.Known }

// MarshalText writes the decimal string.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the decimal string.
func (r *Rate) UnmarshalText(text []byte) error {
	v, err := ParseRate(string(text))
	if err != nil {
		return err
	}
	*r = v
	return nil
}
