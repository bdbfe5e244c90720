package sim

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// A framing is how a stream is cut into pieces, as its content type tells.
type framing uint8

const (
	framingSSE    framing = iota // events that end in a blank line
	framingLines                 // a JSON value on each line
	framingBinary                // AWS event-stream messages, which begin with their length
	framingArray                 // elements of one JSON array
)

func framingOf(contentType string) framing {
	switch {
	case strings.Contains(contentType, "ndjson"):
		return framingLines
	case strings.Contains(contentType, "amazon.eventstream"):
		return framingBinary
	case strings.HasPrefix(contentType, "application/json"):
		return framingArray
	}
	return framingSSE
}

// next is the length of the frame that chunk begins with.
func (f framing) next(chunk []byte) int {
	n := 0
	switch f {
	case framingSSE:
		n = bytes.Index(chunk, []byte("\n\n")) + len("\n\n")
		if n == 1 {
			n = 0
		}
	case framingLines:
		n = bytes.IndexByte(chunk, '\n') + 1
	case framingBinary:
		if len(chunk) >= 4 {
			n = int(min(binary.BigEndian.Uint32(chunk), uint32(len(chunk))))
		}
	case framingArray:
	}
	if n == 0 {
		return len(chunk)
	}
	return n
}

// comment is a frame without meaning; nil where there is none.
func (f framing) comment() []byte {
	if f == framingSSE {
		return []byte(": keep-alive\n\n")
	}
	return nil
}

// malformed is a frame that cannot be read.
func (f framing) malformed() []byte {
	const broken = `{"id":"sim-malformed","choices":[{"delta":{"con`
	switch f {
	case framingSSE:
		return []byte("data: " + broken + "\n\n")
	case framingBinary:
		return []byte("\x00\x00\x00\x14\x00\x00\x00\x00\x00\x00\x00\x00{\"a\":\x00\x00\x00\x00")
	case framingLines, framingArray:
	}
	return []byte(broken + "\n")
}
