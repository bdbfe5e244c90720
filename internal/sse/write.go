package sse

import (
	"bytes"
	"strings"
)

// AppendEvent appends an event: an event line unless event is empty, the data
// lines, a blank line. Each line of data, however it ends, becomes a data line,
// and empty data one that is empty. Line ends in event, which would break the
// framing, become spaces.
func AppendEvent(dst []byte, event string, data []byte) []byte {
	if event != "" {
		dst = append(dst, "event: "...)
		dst = appendOneLine(dst, event)
		dst = append(dst, '\n')
	}
	for {
		var line []byte
		line, data = cutLine(data)
		dst = append(dst, "data: "...)
		dst = append(dst, line...)
		dst = append(dst, '\n')
		if data == nil {
			return append(dst, '\n')
		}
	}
}

// AppendComment appends a comment line, or several when text has several lines.
// No blank line follows: some clients take a blank line after a comment for an
// empty event. So it may stand between events only, where it is complete.
func AppendComment(dst []byte, text string) []byte {
	rest := []byte(text)
	for {
		var line []byte
		line, rest = cutLine(rest)
		dst = append(dst, ": "...)
		dst = append(dst, line...)
		dst = append(dst, '\n')
		if rest == nil {
			return dst
		}
	}
}

// cutLine splits b behind its first line; rest is nil when there is no other.
func cutLine(b []byte) (line, rest []byte) {
	n := lineEnd(b)
	if n < 0 {
		return b, nil
	}
	line, rest = b[:n], b[n+1:]
	if b[n] == '\r' {
		rest = bytes.TrimPrefix(rest, []byte{'\n'})
	}
	return line, rest
}

// appendOneLine appends s with its line ends made spaces.
func appendOneLine(dst []byte, s string) []byte {
	if strings.ContainsAny(s, "\r\n") {
		s = strings.NewReplacer("\r", " ", "\n", " ").Replace(s)
	}
	return append(dst, s...)
}
