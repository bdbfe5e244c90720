package sse

// Frame is one piece of a stream: an event up to and including the blank line
// that closes it, or one line outside of an event (a comment, a blank line).
// It belongs to its Reader and is overwritten by the next call of Next.
type Frame struct {
	Raw   []byte // every byte of the frame, terminator included
	Event []byte // value of the last event field; nil when there was none
	Data  []byte // the data lines joined with \n; nil when there was none

	HasData   bool // there was a data line, maybe an empty one
	Truncated bool // the stream ended before the blank line that would close it
}

// IsLiveness reports whether the frame says no more than that the peer is still
// there: a comment, a blank line, or only id, retry and unknown fields.
func (f *Frame) IsLiveness() bool { return !f.HasData && f.Event == nil }
