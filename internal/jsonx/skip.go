package jsonx

import "bytes"

// maxDepth is how deeply arrays and objects may be nested in one text.
const maxDepth = 512

// class sorts bytes by what they mean to a reader who only wants to find the
// end of a value.
type class byte

const (
	plain class = iota // part of a number, a literal, or nonsense
	space
	quote
	opens
	closes
	separator // comma and colon
)

var classOf = [256]class{
	' ': space, '\n': space, '\r': space, '\t': space,
	'"': quote, '{': opens, '[': opens, '}': closes, ']': closes,
	',': separator, ':': separator,
}

// skipValue returns the index just past the value that begins at b[i]. Scalars
// other than strings are taken as any run of plain bytes. Names of members that
// are passed over are noted in seen, which may be nil.
func skipValue(b []byte, i int, seen *names) (int, *SyntaxError) {
	if i >= len(b) {
		return 0, fail(b, i, msgEnd)
	}
	switch classOf[b[i]] {
	case quote:
		end := stringEnd(b, i)
		if end < 0 {
			return 0, &SyntaxError{Offset: i, Msg: msgOpenString}
		}
		return end, nil
	case opens:
		return skipContainer(b, i, seen)
	case plain:
		for i++; i < len(b) && classOf[b[i]] == plain; i++ {
		}
		return i, nil
	}
	return 0, fail(b, i, msgValue)
}

// stringEnd returns the index just past the closing quote of the string whose
// opening quote is b[i], or -1 when it is never closed.
//
// It jumps from quote to quote and looks back only over the backslashes in
// front of each, which no other quote shares, so it is linear on any text.
func stringEnd(b []byte, i int) int {
	for j := i + 1; ; j++ {
		k := bytes.IndexByte(b[j:], '"')
		if k < 0 {
			return -1
		}
		j += k
		if b[j-1] != '\\' || !escaped(b, i, j) {
			return j + 1
		}
	}
}

// escaped reports whether an odd number of backslashes stands before b[j] in
// the string that begins at b[i].
func escaped(b []byte, i, j int) bool {
	k := j
	for k-1 > i && b[k-1] == '\\' {
		k--
	}
	return (j-k)&1 == 1
}

// keyEnd is stringEnd for member names, which are short, so that a plain loop
// wins; it also tells whether the name has escapes.
func keyEnd(b []byte, i int) (end int, hasEscape bool) {
	for j := i + 1; j < len(b); j++ {
		switch b[j] {
		case '"':
			return j + 1, hasEscape
		case '\\':
			hasEscape = true
			j++
		}
	}
	return -1, hasEscape
}

// nesting remembers, one bit per level, whether a brace or a bracket is open.
type nesting [maxDepth / 64]uint64

func (n *nesting) set(depth int, brace bool) {
	bit := uint64(1) << (depth & 63)
	if brace {
		n[depth>>6] |= bit
	} else {
		n[depth>>6] &^= bit
	}
}

func (n *nesting) brace(depth int) bool {
	return n[depth>>6]>>(depth&63)&1 == 1
}

// skipContainer returns the index just past the object or array that opens at
// b[i]. It checks that brackets pair, that strings are closed and the depth,
// nothing else. b[i] is taken to lie one level deep already.
func skipContainer(b []byte, i int, seen *names) (int, *SyntaxError) {
	var open nesting
	depth := 0
	for i < len(b) {
		c := b[i]
		switch classOf[c] {
		case quote:
			end := stringEnd(b, i)
			if end < 0 {
				return 0, &SyntaxError{Offset: i, Msg: msgOpenString}
			}
			if seen != nil && end-i <= maxNoted+2 && end < len(b) && (b[end] == ':' || b[end] == ' ') {
				seen.add(b[i+1 : end-1])
			}
			i = end
			continue
		case opens:
			if depth++; depth >= maxDepth {
				return 0, &SyntaxError{Offset: i, Msg: msgDepth}
			}
			open.set(depth, c == '{')
		case closes:
			if open.brace(depth) != (c == '}') {
				return 0, &SyntaxError{Offset: i, Msg: msgPairing}
			}
			if depth--; depth == 0 {
				return i + 1, nil
			}
		}
		i++
	}
	return 0, fail(b, i, msgEnd)
}
