package sse

// More reports whether Next would return a frame without reading: another
// complete one is buffered, or the source has ended and left a rest. It changes
// nothing; the current Frame stays valid. It looks no further than the end of
// the next frame, and at nothing when the buffer is used up, which is when it
// matters to be quick.
func (r *Reader) More() bool {
	if r.start == r.end || r.failed != nil {
		return false
	}
	return r.srcErr != nil || r.complete(r.buf[r.start:r.end])
}

// complete reports whether b, which begins where a frame does, holds all of it.
func (r *Reader) complete(b []byte) bool {
	if r.skipLF && b[0] == '\n' {
		b = b[1:]
	}
	for first := true; ; first = false {
		n := lineEnd(b)
		if n < 0 {
			return false
		}
		if n == 0 || (first && r.alone(b[:n])) {
			return true
		}
		if b[n] == '\r' && n+1 < len(b) && b[n+1] == '\n' {
			n++
		}
		b = b[n+1:]
	}
}

// alone reports whether a frame's first line is a frame by itself.
func (r *Reader) alone(line []byte) bool {
	if !r.began {
		line = line[afterBOM(line, 0, len(line)):]
	}
	return len(line) == 0 || line[0] == ':'
}
