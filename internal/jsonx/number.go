package jsonx

import (
	"math"
	"strconv"
)

// Int64 gives the value of a JSON number that is a whole number in range,
// however it is spelled: 1, 1.0, 10e-1 and 1e3 all are. ok is false for
// anything else.
func Int64(raw []byte) (n int64, ok bool) {
	raw = trimSpace(raw)
	if n, ok := shortInt(raw); ok {
		return n, true
	}
	d, ok := parseDecimal(raw)
	if !ok {
		return 0, false
	}
	return d.int64()
}

// shortInt reads the usual spelling, up to 18 plain digits, which cannot
// overflow; false sends everything else the long way.
func shortInt(raw []byte) (n int64, ok bool) {
	if len(raw) == 0 || len(raw) > 18 || (raw[0] == '0' && len(raw) > 1) {
		return 0, false
	}
	for _, c := range raw {
		if c -= '0'; c > 9 {
			return 0, false
		}
		n = n*10 + int64(c)
	}
	return n, true
}

// Float64 gives the value of a JSON number; ok is false for anything else and
// for numbers too large for a float64.
func Float64(raw []byte) (f float64, ok bool) {
	raw = trimSpace(raw)
	if len(raw) == 0 || numberEnd(raw, 0) != len(raw) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	return f, err == nil
}

// AppendFloat appends the shortest spelling that reads back as f, in the format
// of encoding/json. JSON has no NaN and no infinities: they become null.
func AppendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	if a := math.Abs(f); a == 0 || (a >= 1e-6 && a < 1e21) {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	// strconv writes at least two digits of exponent: e-09 becomes e-9.
	if n := len(dst); dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

// numberEnd returns the index just past the number that begins at b[i], -1 when
// none does. What follows the number is not looked at.
func numberEnd(b []byte, i int) int {
	if i < len(b) && b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if i = digits(b, i); i < 0 {
		return -1
	}
	if i < len(b) && b[i] == '.' {
		if i = digits(b, i+1); i < 0 {
			return -1
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		i = digits(b, i)
	}
	return i
}

// digits returns the index past the digits at b[i], -1 when there is not one.
func digits(b []byte, i int) int {
	start := i
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	if i == start {
		return -1
	}
	return i
}
