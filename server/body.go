package server

import (
	"io"
	"math/bits"
	"sync"
)

// A body is a request's bytes in a buffer that is used again.
type body struct {
	bytes    []byte
	class    int    // of the pool, -1 when it is not to be pooled
	admitted func() // gives the admission of the bytes back
}

// Buffers are pooled by powers of two: a fresh megabyte costs more in page
// faults than everything else that is done with it.
const (
	minClass = 10 // 1 KiB
	maxClass = 24 // 16 MiB; larger ones are rare and would pin memory
)

var bodies [maxClass + 1]sync.Pool

func newBody(size int64) *body {
	class := max(bits.Len64(uint64(max(size, 1)-1)), minClass)
	if class > maxClass {
		return &body{bytes: make([]byte, 0, size), class: -1}
	}
	if b, ok := bodies[class].Get().(*body); ok {
		return b
	}
	return &body{bytes: make([]byte, 0, 1<<class), class: class}
}

// release gives the buffer and the admission back. Nothing of bytes may be used
// afterwards.
func (b *body) release() {
	if b.admitted != nil {
		b.admitted()
		b.admitted = nil
	}
	if b.class >= 0 {
		b.bytes = b.bytes[:0]
		bodies[b.class].Put(b)
	}
}

// readAll reads r to its end. length is how much is announced, -1 for unknown;
// memory grows with what arrives, so that an announcement alone costs nothing
// beyond a first step.
//
// slow is called once when the body does not come with the first read: what
// follows must be given a time limit.
func readAll(r io.Reader, length int64, slow func()) (*body, error) {
	r = &patient{r: r, slow: slow}
	if length >= 0 && length <= 1<<20 {
		b := newBody(length)
		return b, b.fill(r, length)
	}
	b := newBody(64 << 10)
	for {
		if len(b.bytes) == cap(b.bytes) {
			b = b.grow(length)
		}
		n, err := r.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// patient tells when a second read is needed.
type patient struct {
	r     io.Reader
	slow  func()
	reads int
}

func (p *patient) Read(b []byte) (int, error) {
	if p.reads++; p.reads == 2 {
		p.slow()
	}
	return p.r.Read(b)
}

func (b *body) fill(r io.Reader, length int64) error {
	b.bytes = b.bytes[:length]
	_, err := io.ReadFull(r, b.bytes)
	if err == io.EOF && length == 0 {
		err = nil
	}
	return err
}

// grow is a larger body with the same content; straight to the announced size
// once a quarter of it has arrived.
func (b *body) grow(length int64) *body {
	size := int64(cap(b.bytes)) * 2
	if length > 0 && int64(len(b.bytes)) >= length/4 {
		size = max(size, length)
	}
	bigger := newBody(size)
	bigger.bytes = append(bigger.bytes, b.bytes...)
	b.admitted = nil
	b.release()
	return bigger
}
