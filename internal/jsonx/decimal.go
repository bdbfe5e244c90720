package jsonx

import (
	"bytes"
	"math"
)

// decimal is a JSON number taken apart without loss: whole and frac are the
// digits before and after the point, exp the power of ten they are scaled by.
type decimal struct {
	negative    bool
	whole, frac []byte // slices of the number's text
	exp         int64
}

// maxExp is where exponents stop counting: far past every number whose digits
// fit into memory, far from overflow.
const maxExp = 1 << 50

// parseDecimal takes apart a number; false when raw is not exactly one.
func parseDecimal(raw []byte) (d decimal, ok bool) {
	if len(raw) == 0 || numberEnd(raw, 0) != len(raw) {
		return d, false
	}
	if raw[0] == '-' {
		d.negative, raw = true, raw[1:]
	}
	if e := bytes.IndexAny(raw, "eE"); e >= 0 {
		d.exp, raw = parseExp(raw[e+1:]), raw[:e]
	}
	d.whole = raw
	if p := bytes.IndexByte(raw, '.'); p >= 0 {
		d.whole, d.frac = raw[:p], raw[p+1:]
	}
	d.normalize()
	return d, true
}

// parseExp reads an exponent with its optional sign, held within ±maxExp.
func parseExp(s []byte) int64 {
	negative := s[0] == '-'
	if negative || s[0] == '+' {
		s = s[1:]
	}
	var n int64
	for _, c := range s {
		if n = n*10 + int64(c-'0'); n > maxExp {
			n = maxExp
		}
	}
	if negative {
		return -n
	}
	return n
}

// normalize strips the zeros that do not count, so that equal numbers have
// equal digits and equal exponents. Zero ends up with no digits at all.
func (d *decimal) normalize() {
	d.exp -= int64(len(d.frac))
	d.frac, d.exp = trimZeros(d.frac, d.exp)
	if len(d.frac) == 0 {
		d.whole, d.exp = trimZeros(d.whole, d.exp)
	}
	d.whole = bytes.TrimLeft(d.whole, "0")
	if len(d.whole) == 0 {
		d.frac = bytes.TrimLeft(d.frac, "0")
	}
	if len(d.whole)+len(d.frac) == 0 {
		*d = decimal{}
	}
}

// trimZeros cuts zeros from the right and counts them into the exponent.
func trimZeros(digits []byte, exp int64) ([]byte, int64) {
	kept := bytes.TrimRight(digits, "0")
	return kept, exp + int64(len(digits)-len(kept))
}

// int64 is the value when it is whole and in range.
func (d *decimal) int64() (int64, bool) {
	const most = 19 // digits of the largest int64
	n := len(d.whole) + len(d.frac)
	if d.exp < 0 || int64(n)+d.exp > most {
		return 0, false
	}
	var v uint64
	for _, part := range [2][]byte{d.whole, d.frac} {
		for _, c := range part {
			v = v*10 + uint64(c-'0')
		}
	}
	for range d.exp {
		v *= 10
	}
	switch {
	case !d.negative && v <= math.MaxInt64:
		return int64(v), true
	case d.negative && v <= math.MaxInt64+1:
		return -int64(v), true
	}
	return 0, false
}

// equal reports whether two normalized decimals are the same number.
func (d *decimal) equal(o *decimal) bool {
	return d.negative == o.negative && d.exp == o.exp && sameDigits(d, o)
}

// sameDigits compares the digits wherever the points were.
func sameDigits(a, b *decimal) bool {
	n := len(a.whole) + len(a.frac)
	if n != len(b.whole)+len(b.frac) {
		return false
	}
	for i := range n {
		if a.digit(i) != b.digit(i) {
			return false
		}
	}
	return true
}

func (d *decimal) digit(i int) byte {
	if i < len(d.whole) {
		return d.whole[i]
	}
	return d.frac[i-len(d.whole)]
}
