package jsonx

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// asIs marks the ASCII bytes that may stand in a JSON string unescaped.
var asIs = func() (t [256]bool) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// AppendString appends s as a JSON string in quotes. Only what JSON demands is
// escaped: the quote, the backslash and control characters; <, > and & stay,
// and so does every character outside ASCII. Bytes that are not UTF-8 become
// \ufffd, so the result is always valid.
func AppendString[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	start := 0 // of the run that has not been copied yet
	for i := cleanEnd(s, 0); i < len(s); i = cleanEnd(s, i) {
		if s[i] >= utf8.RuneSelf {
			if i = foreignEnd(s, i); i == len(s) || asIs[s[i]] {
				continue
			}
		}
		dst = append(dst, s[start:i]...)
		if s[i] < utf8.RuneSelf {
			dst = appendEscape(dst, s[i])
		} else {
			dst = append(dst, `\ufffd`...)
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// foreignEnd returns the index of the first byte from i on that is ASCII or not
// UTF-8. It knows the lead bytes of the common characters; the rest is asked of
// the library.
func foreignEnd[T string | []byte](s T, i int) int {
	for i < len(s) && s[i] >= utf8.RuneSelf {
		if c := s[i]; c > 0xe0 && c < 0xed && i+2 < len(s) && s[i+1]&0xc0 == 0x80 && s[i+2]&0xc0 == 0x80 {
			i += 3
			continue
		}
		r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		if r == utf8.RuneError && n == 1 {
			break
		}
		i += n
	}
	return i
}

// cleanEnd returns the index of the first byte from i on that is not ASCII to
// be copied as it is. Eight bytes at a time are tried first.
func cleanEnd[T string | []byte](s T, i int) int {
	for ; i+8 <= len(s); i += 8 {
		w := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		if (special(w)|w)&highBits != 0 {
			break
		}
	}
	for i < len(s) && asIs[s[i]] {
		i++
	}
	return i
}

// appendEscape appends the escape of a quote, backslash or control character.
func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
