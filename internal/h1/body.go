package h1

import (
	"errors"
	"io"
	"sync"
)

// A Body is the body of a request in pieces that are borrowed, to be read any
// number of times, by whom it may concern, until Release. Safe for concurrent
// use.
type Body struct {
	size int64

	mu     sync.Mutex // guards pieces; held while bytes are copied out
	pieces [][]byte
}

// NewBody makes a Body of pieces, which must not be modified until Release.
func NewBody(pieces [][]byte) *Body {
	b := &Body{pieces: pieces}
	for _, p := range pieces {
		b.size += int64(len(p))
	}
	return b
}

// Len is the number of bytes.
func (b *Body) Len() int64 { return b.size }

// Release ends the loan: once it has returned, no reader looks at the pieces
// any more, whatever goroutine http.Transport left behind. With a Transport of
// this package the answer's body has to be closed, or read to its end, first.
func (b *Body) Release() {
	b.mu.Lock()
	b.pieces = nil
	b.mu.Unlock()
}

// Reader reads the Body from its beginning. It is for http.Request.Body.
func (b *Body) Reader() io.ReadCloser { return &bodyReader{body: b} }

var errReleased = errors.New("the request body is no longer there")

type bodyReader struct {
	body  *Body
	piece int // the one that is being read
	at    int // where in it
	done  int64
}

// Read implements io.Reader.
func (r *bodyReader) Read(p []byte) (int, error) {
	if r.done == r.body.size {
		return 0, io.EOF
	}
	r.body.mu.Lock()
	defer r.body.mu.Unlock()
	if r.body.pieces == nil {
		return 0, errReleased
	}
	n := 0
	for n < len(p) && r.piece < len(r.body.pieces) {
		from := r.body.pieces[r.piece][r.at:]
		m := copy(p[n:], from)
		n += m
		r.at += m
		if m == len(from) {
			r.piece, r.at = r.piece+1, 0
		}
	}
	r.done += int64(n)
	return n, nil
}

// Close implements io.Closer. There is nothing to close.
func (r *bodyReader) Close() error { return nil }

// take is all pieces at once, for a writer that needs no copy. They may be
// looked at until the exchange that took them is over, which whoever calls
// Release has to wait for.
func (r *bodyReader) take() ([][]byte, error) {
	r.body.mu.Lock()
	defer r.body.mu.Unlock()
	if r.body.pieces == nil && r.body.size > 0 {
		return nil, errReleased
	}
	r.done = r.body.size
	return r.body.pieces, nil
}
