package gemini

import (
	"errors"
	"io"
	"strconv"
)

// arraySource cuts a JSON array that grows into its elements (protocols.md §1.1).
// What stands in front of an element belongs to its frame. Nothing is read while a
// whole element is there.
type arraySource struct {
	src   io.Reader
	limit int
	buf   []byte // buf[start:end] is read and not delivered yet
	start int    // of the current frame
	pos   int    // how far it has been looked at
	end   int

	element int // where the current element begins, below 0 between them
	depth   int
	text    bool // inside a string
	escape  bool // behind a backslash in it
	begun   bool // "[" was read
	ended   bool // "]" was read
	srcErr  error
	failed  error
}

// errNotArray ends a body that is no array of objects.
var errNotArray = errors.New("malformed answer: it is no list of JSON objects")

// frameTooLong is the error of a frame over the limit, in bytes.
type frameTooLong int

func (e frameTooLong) Error() string {
	return "an element of the answer is longer than " + strconv.Itoa(int(e)) + " bytes"
}

// defaultMax bounds a frame and a whole answer where the Answer does not, in bytes.
const defaultMax = 64 << 20

func newArraySource(src io.Reader, limit int) *arraySource {
	if limit <= 0 {
		limit = defaultMax
	}
	return &arraySource{src: src, limit: limit, element: -1}
}

func (a *arraySource) more() bool { return false }
func (a *arraySource) release()   { a.buf = nil }

func (a *arraySource) next() (wireFrame, error) {
	if a.failed != nil {
		return wireFrame{}, a.failed
	}
	for {
		if f, ok := a.scan(); ok || a.failed != nil {
			return f, a.failed
		}
		if a.end-a.start > a.limit {
			a.failed = frameTooLong(a.limit)
			return wireFrame{}, a.failed
		}
		if a.srcErr != nil {
			return a.rest()
		}
		a.fill()
	}
}

// fill reads once from the source.
func (a *arraySource) fill() {
	if a.start > 0 {
		n := copy(a.buf, a.buf[a.start:a.end])
		a.pos -= a.start
		if a.element >= 0 {
			a.element -= a.start
		}
		a.start, a.end = 0, n
	}
	if a.end == len(a.buf) {
		grown := make([]byte, max(2*len(a.buf), 4<<10))
		copy(grown, a.buf[:a.end])
		a.buf = grown
	}
	n, err := a.src.Read(a.buf[a.end:])
	a.end, a.srcErr = a.end+n, err
}

// scan looks at what is buffered up to the end of a frame.
func (a *arraySource) scan() (wireFrame, bool) {
	for ; a.pos < a.end; a.pos++ {
		c := a.buf[a.pos]
		switch {
		case a.element >= 0:
			if a.inside(c) {
				return a.cut(frameData), true
			}
		case c == ' ' || c == '\n' || c == '\r' || c == '\t':
		case c == 0xef || c == 0xbb || c == 0xbf: // a byte order mark
			a.wrong(a.begun)
		case c == '[' && !a.begun:
			a.begun = true
		case c == ',' && a.begun && !a.ended:
		case c == ']' && a.begun && !a.ended:
			a.ended = true
			return a.cut(frameTail), true
		case c == '{' && a.begun && !a.ended:
			a.element, a.depth = a.pos, 1
		default:
			a.wrong(true)
		}
		if a.failed != nil {
			return wireFrame{}, false
		}
	}
	return wireFrame{}, false
}

func (a *arraySource) wrong(is bool) {
	if is {
		a.failed = errNotArray
	}
}

// inside takes a byte of an element and reports whether it was the last one.
func (a *arraySource) inside(c byte) bool {
	switch {
	case a.escape:
		a.escape = false
	case a.text:
		a.escape = c == '\\'
		a.text = c != '"'
	case c == '"':
		a.text = true
	case c == '{' || c == '[':
		a.depth++
	case c == '}' || c == ']':
		a.depth--
	}
	return a.depth == 0
}

// cut hands out the frame that ends with the current byte.
func (a *arraySource) cut(kind frameKind) wireFrame {
	a.pos++
	f := wireFrame{raw: a.buf[a.start:a.pos:a.pos], kind: kind}
	if kind == frameData {
		f.data = a.buf[a.element:a.pos:a.pos]
	}
	a.start, a.element = a.pos, -1
	return f
}

// rest hands out what the source left, then its error.
func (a *arraySource) rest() (wireFrame, error) {
	a.failed = a.srcErr
	if a.start == a.end {
		return wireFrame{}, a.failed
	}
	f := wireFrame{raw: a.buf[a.start:a.end:a.end], kind: frameQuiet}
	if a.element >= 0 {
		f.kind, f.truncated, f.data = frameData, true, a.buf[a.element:a.end:a.end]
	}
	a.start = a.end
	return f, nil
}
