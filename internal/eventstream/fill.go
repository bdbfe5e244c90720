package eventstream

import (
	"errors"
	"io"
	"sync"
)

const (
	firstBuffer = 4 << 10  // what a Reader begins with
	keepBuffer  = 64 << 10 // larger buffers are not pooled
	holdBuffer  = 1 << 20  // larger ones are given up as soon as they are empty
	minRead     = 512      // less room than this is not worth a Read
	emptyReads  = 100      // Reads of nothing before the source is given up
)

var buffers = sync.Pool{New: func() any {
	b := make([]byte, firstBuffer)
	return &b
}}

var errReleased = errors.New("event stream reader was released")

// fill makes room and reads from the source once (again only if a Read gave
// neither bytes nor an error). size is the length of the current frame, 0 when
// it is not known yet.
func (r *Reader) fill(size int) {
	r.makeRoom(size)
	for range emptyReads {
		n, err := r.src.Read(r.buf[r.end:])
		r.end += n
		r.srcErr = err
		if n > 0 || err != nil {
			return
		}
	}
	r.srcErr = io.ErrNoProgress
}

// makeRoom leaves room behind end. A frame is moved at most once, to the start
// of the buffer, before the buffer grows for it; so the work stays linear.
func (r *Reader) makeRoom(size int) {
	if r.start == r.end {
		r.start, r.end = 0, 0
		if len(r.buf) > holdBuffer {
			r.buf = make([]byte, firstBuffer)
		}
		return
	}
	if len(r.buf)-r.end >= minRead {
		return
	}
	if r.start > 0 {
		copy(r.buf, r.buf[r.start:r.end])
		r.end -= r.start
		r.start = 0
	}
	if len(r.buf)-r.end < minRead {
		r.grow(size)
	}
}

// grow doubles the buffer. It does not take a frame's word for its length at
// once: a peer has to send what it wants to be kept.
func (r *Reader) grow(size int) {
	bigger := make([]byte, max(2*len(r.buf), min(size, 2*firstBuffer)))
	copy(bigger, r.buf[:r.end])
	r.buf = bigger
}

// Release gives the buffer back to the pool. No slice of a Frame may be used
// afterwards, and Next gives errors only. Calling it again does nothing.
func (r *Reader) Release() {
	if r.pooled == nil {
		return
	}
	if len(r.buf) <= keepBuffer {
		*r.pooled = r.buf
	}
	buffers.Put(r.pooled)
	*r = Reader{failed: errReleased}
}
