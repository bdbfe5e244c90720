package sse

import "bytes"

// window is how far one search for a line end looks. Without it, a stream that
// ends its lines with \r only would have all the buffer searched for \n again
// and again, once for each line.
const window = 1 << 10

// lineEnd returns the index of the first \n or \r in b, -1 when there is none.
func lineEnd(b []byte) int {
	for base := 0; base < len(b); base += window {
		part := b[base:min(base+window, len(b))]
		lf := bytes.IndexByte(part, '\n')
		if lf >= 0 {
			part = part[:lf]
		}
		if cr := bytes.IndexByte(part, '\r'); cr >= 0 {
			return base + cr
		}
		if lf >= 0 {
			return base + lf
		}
	}
	return -1
}
