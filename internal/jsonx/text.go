package jsonx

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// String returns the text of a JSON string, copied. Lone surrogates and bytes
// that are not UTF-8 become U+FFFD, so the result is always valid UTF-8. It is
// a *SyntaxError when raw is not one string or has an unknown escape; control
// characters that should have been escaped are let through, because losing a
// sloppy peer's text helps nobody.
func String(raw []byte) (string, error) {
	s, err := inner(raw)
	if err != nil {
		return "", err
	}
	if bytes.IndexByte(s, '\\') < 0 && utf8.Valid(s) {
		return string(s), nil
	}
	out, serr := unescape(make([]byte, 0, len(s)), s)
	if serr != nil {
		return "", serr
	}
	// out is ours and nobody writes to it any more: no second copy.
	return unsafe.String(unsafe.SliceData(out), len(out)), nil //nolint:gosec // see above
}

// AppendUnquoted appends the text of a JSON string to dst under the rules of
// String. On an error it returns dst as it was given.
func AppendUnquoted(dst, raw []byte) ([]byte, error) {
	s, err := inner(raw)
	if err != nil {
		return dst, err
	}
	out, serr := unescape(dst, s)
	if serr != nil {
		return dst, serr
	}
	return out, nil
}

// StringOr is String with def for anything that has none: absent (nil), null,
// another kind, or malformed.
func StringOr(raw []byte, def string) string {
	if s, err := String(raw); err == nil {
		return s
	}
	return def
}

// inner returns what stands between the quotes of raw.
func inner(raw []byte) ([]byte, error) {
	s := trimSpace(raw)
	if len(s) == 0 || s[0] != '"' {
		return nil, fail(raw, skipSpace(raw, 0), msgString)
	}
	end := stringEnd(s, 0)
	if end < 0 {
		return nil, &SyntaxError{Offset: skipSpace(raw, 0), Msg: msgOpenString}
	}
	if end != len(s) {
		return nil, &SyntaxError{Offset: skipSpace(raw, 0) + end, Msg: msgTrailing}
	}
	return s[1 : end-1], nil
}

// unescape appends s, the inside of a string, with its escapes resolved and
// made valid UTF-8. Offsets in its error count from the start of s.
func unescape(dst, s []byte) ([]byte, *SyntaxError) {
	clean := utf8.Valid(s)
	for i := 0; ; {
		k := bytes.IndexByte(s[i:], '\\')
		if k < 0 {
			return appendRun(dst, s[i:], clean), nil
		}
		dst = appendRun(dst, s[i:i+k], clean)
		i += k
		if i+1 >= len(s) {
			return dst, &SyntaxError{Offset: i, Msg: msgEscape}
		}
		if c := escapeOf[s[i+1]]; c != 0 {
			dst = append(dst, c)
			i += 2
			continue
		}
		r, n := unicodeEscape(s[i:])
		if n == 0 {
			return dst, &SyntaxError{Offset: i, Msg: msgEscape}
		}
		dst = utf8.AppendRune(dst, r)
		i += n
	}
}

// appendRun appends a run without escapes; unless it is known to be clean,
// every byte that is not UTF-8 is replaced.
func appendRun(dst, run []byte, clean bool) []byte {
	if clean {
		return append(dst, run...)
	}
	for len(run) > 0 {
		r, n := utf8.DecodeRune(run)
		dst = utf8.AppendRune(dst, r)
		run = run[n:]
	}
	return dst
}

// escapeOf gives the meaning of the one-letter escapes; 0 for no such escape.
var escapeOf = [256]byte{
	'"': '"', '\\': '\\', '/': '/',
	'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// unicodeEscape reads the \uXXXX at the start of s, or the pair of them that
// makes one character, and tells how many bytes it took: 0 when malformed.
func unicodeEscape(s []byte) (r rune, n int) {
	r = hex4(s)
	if r < 0 {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if pair := utf16.DecodeRune(r, hex4(s[6:])); pair != utf8.RuneError {
		return pair, 12
	}
	return utf8.RuneError, 6
}

// hex4 is the code unit of the \uXXXX at the start of s, -1 when there is none.
func hex4(s []byte) rune {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range s[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}
