package openaichat

import "bytes"

// sights are the members of a chunk that make it more than content.
type sights uint8

const (
	sawFinish sights = 1 << iota // finish_reason that is not null
	sawUsage                     // usage that is not null, anywhere
	sawError                     // error that is not null, anywhere
	sawCalls                     // tool_calls or function_call
)

func (s sights) has(f sights) bool { return s&f != 0 }

// look finds the members that matter by the bytes alone, at the cost of a jump
// from colon to colon. A quote inside a string is escaped, so that no name is
// found in text; a name that is found in another place than it should be only
// costs a closer look.
func look(data []byte) sights {
	var s sights
	for at := 0; ; at++ {
		n := bytes.IndexByte(data[at:], ':')
		if n < 0 {
			return s
		}
		at += n
		end := at // of the name with its quotes
		for end > 0 && isSpace(data[end-1]) {
			end--
		}
		if end < 8 || data[end-1] != '"' {
			continue
		}
		if f := named(data[:end-1]); f != 0 && !isNull(data[at+1:]) {
			s |= f
		}
	}
}

// named tells which of the members the name at the end of b is, without its
// closing quote.
func named(b []byte) sights {
	switch b[len(b)-1] {
	case 'n':
		if bytes.HasSuffix(b, []byte(`"finish_reason`)) {
			return sawFinish
		}
	case 'e':
		if bytes.HasSuffix(b, []byte(`"usage`)) {
			return sawUsage
		}
	case 'r':
		if bytes.HasSuffix(b, []byte(`"error`)) {
			return sawError
		}
	case 's':
		if bytes.HasSuffix(b, []byte(`"tool_calls`)) {
			return sawCalls
		}
	case 'l':
		if bytes.HasSuffix(b, []byte(`"function_call`)) {
			return sawCalls
		}
	}
	return 0
}

func isNull(b []byte) bool {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	return bytes.HasPrefix(b, []byte("null"))
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// plain reports whether a frame is content and nothing else. Until a tool call
// was seen, every frame that may hold one is looked at closer (S-05).
func (d *decoder) plain(data []byte) bool {
	s := d.seen
	if data[0] != '{' || s.has(sawFinish|sawUsage|sawError) {
		return false
	}
	if !s.has(sawCalls) {
		return true
	}
	for _, c := range d.choices {
		if c.hasCalls {
			return true
		}
	}
	return false
}
