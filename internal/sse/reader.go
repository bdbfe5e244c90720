package sse

import (
	"io"
	"strconv"
)

// DefaultMaxFrame is the longest frame of a Reader that was given no limit.
const DefaultMaxFrame = 64 << 20

// TooLongError is returned by Next for a frame longer than the Reader's limit.
type TooLongError struct{ Limit int } // in bytes

// Error gives the limit.
func (e *TooLongError) Error() string {
	return "event stream frame is longer than " + strconv.Itoa(e.Limit) + " bytes"
}

// Reader cuts a stream into frames. It belongs to one goroutine at a time.
type Reader struct {
	src   io.Reader
	limit int
	buf   []byte // buf[start:end] is read and not delivered yet
	start int    // of the current frame
	line  int    // start of the current line
	seen  int    // bytes of the current line known to hold no line end
	end   int

	pooled *[]byte // where buf goes back to; nil after Release

	skipLF bool  // the last line ended in \r: a \n that comes next belongs to it
	began  bool  // the first line, which may have a byte order mark, is over
	srcErr error // what ended the source; delivered when the buffer is empty
	failed error // what Next returns from now on

	fields fields
	frame  Frame
}

// NewReader returns a Reader of src. maxFrameBytes limits the length of one
// frame and thereby the memory the Reader takes; 0 or less means
// DefaultMaxFrame. Its buffer comes from a pool: call Release when done.
func NewReader(src io.Reader, maxFrameBytes int) *Reader {
	if maxFrameBytes <= 0 {
		maxFrameBytes = DefaultMaxFrame
	}
	pooled := buffers.Get().(*[]byte)
	return &Reader{src: src, limit: maxFrameBytes, buf: *pooled, pooled: pooled}
}

// Next returns the next frame. The Frame and its slices are valid until the
// next call of Next or Release.
//
// An event is delivered as soon as its blank line is there, a comment or blank
// line outside of an event as soon as its line is; Next never reads while a
// complete frame is buffered, and reads once at a time. Lines end with \n, \r\n
// or \r. A \r that is the last byte so far ends its line at once; should a \n
// follow, it begins the Raw of the next frame.
//
// When the source ends or fails, a rest that was not closed is delivered first,
// with Truncated set; then comes the error, io.EOF for a plain end. A frame over
// the limit gives a *TooLongError. Errors last: later calls repeat them.
func (r *Reader) Next() (*Frame, error) {
	if r.failed != nil {
		return nil, r.failed
	}
	r.fields.clear()
	for {
		closed := r.scan()
		if r.length() > r.limit {
			return nil, r.fail(&TooLongError{Limit: r.limit})
		}
		if closed {
			return r.deliver(false), nil
		}
		if r.srcErr != nil {
			return r.rest()
		}
		r.fill()
	}
}

// scan reads the buffered lines up to the one that closes the current frame and
// reports whether there is one.
func (r *Reader) scan() (closed bool) {
	for r.line < r.end {
		if r.skipLF {
			r.skipLF = false
			if r.buf[r.line] == '\n' {
				r.line++
				continue
			}
		}
		n := lineEnd(r.buf[r.line+r.seen : r.end])
		if n < 0 {
			r.seen = r.end - r.line
			return false
		}
		if r.endLine(r.line + r.seen + n) {
			return true
		}
	}
	return false
}

// endLine takes the current line, whose line end is at buf[stop], and goes to
// the next one.
func (r *Reader) endLine(stop int) (closed bool) {
	next := stop + 1
	if r.buf[stop] == '\r' {
		if r.skipLF = next == r.end; !r.skipLF && r.buf[next] == '\n' {
			next++
		}
	}
	closed = r.take(stop)
	r.line, r.seen = next, 0
	return closed
}

// take reads the current line, which goes up to stop.
func (r *Reader) take(stop int) (closed bool) {
	from := r.line
	if !r.began {
		r.began = true
		from = afterBOM(r.buf, from, stop)
	}
	return r.fields.take(r.buf, from, stop)
}

// length is how long the current frame is so far: up to the current line once
// it is closed, otherwise everything that is buffered.
func (r *Reader) length() int { return r.line + r.seen - r.start }

// deliver hands out the current frame, which ends where the next line begins.
func (r *Reader) deliver(truncated bool) *Frame {
	r.fields.store(&r.frame, r.buf)
	r.frame.Raw = r.buf[r.start:r.line:r.line]
	r.frame.Truncated = truncated
	r.start = r.line
	return &r.frame
}

// rest hands out what the source left without closing it, then its error.
func (r *Reader) rest() (*Frame, error) {
	if r.start == r.end {
		return nil, r.fail(r.srcErr)
	}
	cut := r.fields.any || r.line < r.end
	if r.line < r.end {
		r.take(r.end)
		r.line, r.seen = r.end, 0
	}
	return r.deliver(cut), nil
}

// fail makes err what Next returns from now on.
func (r *Reader) fail(err error) error {
	r.failed = err
	return err
}
