package jsonx

import (
	"encoding/binary"
	"unicode/utf8"
)

// Valid checks raw against the whole grammar of RFC 8259: numbers, literals,
// escapes, control characters, brackets, exactly one value. Beyond the grammar
// it refuses bytes that are not UTF-8 inside strings and nesting deeper than
// 512. The error is nil or a *SyntaxError.
func Valid(raw []byte) error {
	end, err := validValue(raw, skipSpace(raw, 0), 0)
	if err != nil {
		return err
	}
	return ended(raw, end)
}

// validValue returns the index past the value at b[i], which lies depth levels
// deep.
func validValue(b []byte, i, depth int) (int, *SyntaxError) {
	if i >= len(b) {
		return 0, fail(b, i, msgEnd)
	}
	switch b[i] {
	case '"':
		return validString(b, i)
	case '{':
		return validObject(b, i, depth+1)
	case '[':
		return validArray(b, i, depth+1)
	}
	return validScalar(b, i)
}

// validScalar checks a number or a literal.
func validScalar(b []byte, i int) (int, *SyntaxError) {
	var literal string
	switch kindOfByte[b[i]] {
	case KindNumber:
		if end := numberEnd(b, i); end >= 0 {
			return end, nil
		}
		return 0, &SyntaxError{Offset: i, Msg: msgNumber}
	case KindNull:
		literal = "null"
	case KindBool:
		if literal = "true"; b[i] == 'f' {
			literal = "false"
		}
	default:
		return 0, &SyntaxError{Offset: i, Msg: msgValue}
	}
	end := i + len(literal)
	if end > len(b) || string(b[i:end]) != literal {
		return 0, &SyntaxError{Offset: i, Msg: msgLiteral}
	}
	return end, nil
}

func validArray(b []byte, i, depth int) (int, *SyntaxError) {
	if depth > maxDepth {
		return 0, &SyntaxError{Offset: i, Msg: msgDepth}
	}
	if i = skipSpace(b, i+1); i < len(b) && b[i] == ']' {
		return i + 1, nil
	}
	for {
		end, err := validValue(b, i, depth)
		if err != nil {
			return 0, err
		}
		i = skipSpace(b, end)
		switch {
		case i >= len(b):
			return 0, fail(b, i, msgEnd)
		case b[i] == ']':
			return i + 1, nil
		case b[i] != ',':
			return 0, fail(b, i, msgElement)
		}
		i = skipSpace(b, i+1)
	}
}

func validObject(b []byte, i, depth int) (int, *SyntaxError) {
	if depth > maxDepth {
		return 0, &SyntaxError{Offset: i, Msg: msgDepth}
	}
	if i = skipSpace(b, i+1); i < len(b) && b[i] == '}' {
		return i + 1, nil
	}
	for {
		end, err := validMember(b, i, depth)
		if err != nil {
			return 0, err
		}
		i = skipSpace(b, end)
		switch {
		case i >= len(b):
			return 0, fail(b, i, msgEnd)
		case b[i] == '}':
			return i + 1, nil
		case b[i] != ',':
			return 0, fail(b, i, msgMember)
		}
		i = skipSpace(b, i+1)
	}
}

// validMember checks a name, a colon and a value.
func validMember(b []byte, i, depth int) (int, *SyntaxError) {
	if i >= len(b) || b[i] != '"' {
		return 0, fail(b, i, msgName)
	}
	i, err := validString(b, i)
	if err != nil {
		return 0, err
	}
	if i = skipSpace(b, i); i >= len(b) || b[i] != ':' {
		return 0, fail(b, i, msgColon)
	}
	return validValue(b, skipSpace(b, i+1), depth)
}

// validString checks the string at b[i]. Whether it is UTF-8 is asked once, at
// its end, and only when it has bytes outside ASCII: escapes are ASCII, so they
// do not disturb the answer.
func validString(b []byte, i int) (int, *SyntaxError) {
	start := i
	seen := uint64(0) // or of everything, for the high bits
	for i++; i < len(b); {
		if i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			if special(w)&^w&highBits == 0 {
				seen |= w
				i += 8
				continue
			}
		}
		c := b[i]
		seen |= uint64(c)
		switch {
		case c == '"':
			return i + 1, checkUTF8(b[:i], start, seen)
		case c == '\\':
			n := escapeLen(b[i:])
			if n == 0 {
				return 0, &SyntaxError{Offset: i, Msg: msgEscape}
			}
			i += n
			continue
		case c < 0x20:
			return 0, &SyntaxError{Offset: i, Msg: msgControl}
		}
		i++
	}
	return 0, &SyntaxError{Offset: start, Msg: msgOpenString}
}

// checkUTF8 checks the string from start to the end of b.
func checkUTF8(b []byte, start int, seen uint64) *SyntaxError {
	if seen&highBits == 0 || utf8.Valid(b[start:]) {
		return nil
	}
	for start < len(b) {
		r, n := utf8.DecodeRune(b[start:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		start += n
	}
	return &SyntaxError{Offset: start, Msg: msgUTF8}
}

// escapeLen is the length of the escape at the start of s, 0 when it is none.
func escapeLen(s []byte) int {
	if len(s) >= 2 && escapeOf[s[1]] != 0 {
		return 2
	}
	if hex4(s) >= 0 {
		return 6
	}
	return 0
}
