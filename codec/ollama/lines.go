package ollama

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// lines cuts a stream into lines. It belongs to one goroutine.
type lines struct {
	src   io.Reader
	limit int // of a line, in bytes
	buf   []byte
	start int // of what was not handed out
	seen  int // bytes from start on that hold no line end
	end   int
	err   error
	slot  *[]byte
}

const (
	firstBuffer = 4 << 10
	maxPooled   = 64 << 10 // larger buffers are not pooled
	emptyReads  = 100      // reads of nothing before the source is given up
)

var buffers = sync.Pool{New: func() any { b := make([]byte, firstBuffer); return &b }}

var errLineTooLong = errors.New("a line of the answer is longer than the limit")

func newLines(src io.Reader, limit int) *lines {
	slot, _ := buffers.Get().(*[]byte)
	return &lines{src: src, limit: limit, buf: *slot, slot: slot}
}

// next is the next line with its end, valid until the next call. What the source
// ends with without a line end is a line too; then comes the error, io.EOF for a
// plain end.
func (l *lines) next() ([]byte, error) {
	for {
		if n := bytes.IndexByte(l.buf[l.start+l.seen:l.end], '\n'); n >= 0 && l.seen+n <= l.limit {
			return l.take(l.start + l.seen + n + 1), nil
		}
		l.seen = l.end - l.start
		switch {
		case l.seen > l.limit:
			return nil, errLineTooLong
		case l.err != nil && l.seen > 0:
			return l.take(l.end), nil
		case l.err != nil:
			return nil, l.err
		}
		l.fill()
	}
}

func (l *lines) take(stop int) []byte {
	line := l.buf[l.start:stop:stop]
	l.start, l.seen = stop, 0
	return line
}

// more reports whether another line is there already.
func (l *lines) more() bool { return bytes.IndexByte(l.buf[l.start:l.end], '\n') >= 0 }

// rest is line, which was the latest, and everything behind it; long tells that
// it is more than limit bytes.
func (l *lines) rest(line []byte, limit int) (body []byte, long bool, err error) {
	body = append(bytes.Clone(line), l.buf[l.start:l.end]...)
	l.start, l.seen = l.end, 0
	for l.err == nil && len(body) <= limit {
		l.fill()
		body = append(body, l.buf[l.start:l.end]...)
		l.start = l.end
	}
	if errors.Is(l.err, io.EOF) {
		return body, len(body) > limit, nil
	}
	return body, len(body) > limit, l.err
}

// fill makes room and reads until there is something.
func (l *lines) fill() {
	if l.start > 0 {
		copy(l.buf, l.buf[l.start:l.end])
		l.end -= l.start
		l.start = 0
	}
	if l.end == len(l.buf) {
		bigger := make([]byte, 2*len(l.buf))
		copy(bigger, l.buf)
		l.buf = bigger
	}
	for range emptyReads {
		n, err := l.src.Read(l.buf[l.end:])
		l.end, l.err = l.end+n, err
		if n > 0 || err != nil {
			return
		}
	}
	l.err = io.ErrNoProgress
}

// release gives the buffer back. No line may be used afterwards.
func (l *lines) release() {
	if len(l.buf) <= maxPooled {
		*l.slot = l.buf
	}
	buffers.Put(l.slot)
	l.buf, l.start, l.end, l.err = nil, 0, 0, io.EOF
}
