package catalog

import (
	"bytes"
	"slices"
)

// duplicateMember is the first member that an object of raw has twice, and its
// line. encoding/json takes the last one in silence, so that a second price in
// a row would hide the first. raw is valid JSON.
func duplicateMember(raw []byte) (name string, line int) {
	var seen [][]byte // the members of all open objects, the innermost last
	var begin []int   // where those of each open object or list begin
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '{', '[':
			begin = append(begin, len(seen))
		case '}', ']':
			top := len(begin) - 1
			seen, begin = seen[:begin[top]], begin[:top]
		case '"':
			end := stringEnd(raw, i)
			text := raw[i+1 : end-1]
			i = end - 1
			if !isMember(raw[end:]) {
				continue
			}
			// encoding/json ignores the case of names.
			if slices.ContainsFunc(seen[begin[len(begin)-1]:], func(b []byte) bool { return bytes.EqualFold(b, text) }) {
				return string(text), 1 + bytes.Count(raw[:i], []byte("\n"))
			}
			seen = append(seen, text)
		}
	}
	return "", 0
}

// stringEnd is the index after the string that begins at i.
func stringEnd(raw []byte, i int) int {
	for i++; raw[i] != '"'; i++ {
		if raw[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// isMember reports whether a colon follows.
func isMember(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t\r\n")
	return len(rest) > 0 && rest[0] == ':'
}
