package h1

import (
	"bytes"
	"errors"
	"io"
)

// input is a read buffer over a connection, whose memory is pooled.
type input struct {
	src    io.Reader
	buf    *[]byte // from buffers, or grown for a long head
	r, w   int     // what is there: (*buf)[r:w]
	silent bool    // nothing came yet in this exchange
}

var errTooLong = errors.New("the head of the answer is too long")

func (in *input) buffered() []byte {
	if in.buf == nil {
		return nil
	}
	return (*in.buf)[in.r:in.w]
}

// fill reads once from the connection, behind what is there, growing the
// buffer up to limit bytes when it is full.
func (in *input) fill(limit int) error {
	in.prepare()
	if in.w == len(*in.buf) {
		if err := in.grow(limit); err != nil {
			return err
		}
	}
	n, err := in.src.Read((*in.buf)[in.w:])
	in.w += n
	if n > 0 {
		in.silent = false
		return nil // an error comes again
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

func (in *input) prepare() {
	if in.buf == nil {
		in.buf = buffers.Get().(*[]byte)
		in.r, in.w = 0, 0
	}
	if in.r == in.w {
		in.r, in.w = 0, 0
	}
}

// grow makes room: by moving what is there to the front, or by a larger buffer.
func (in *input) grow(limit int) error {
	old := *in.buf
	if in.r > 0 {
		in.w = copy(old, old[in.r:in.w])
		in.r = 0
		return nil
	}
	if len(old) >= limit {
		return errTooLong
	}
	bigger := make([]byte, min(2*len(old), max(limit, len(old)+1)))
	in.w = copy(bigger, old[:in.w])
	in.release()
	in.buf = &bigger
	return nil
}

// line is the next line with its end, at most limit bytes of it. It is valid
// until the next use of in.
func (in *input) line(limit int) ([]byte, error) {
	seen := 0
	for {
		b := in.buffered()
		if i := bytes.IndexByte(b[seen:], '\n'); i >= 0 {
			n := seen + i + 1
			if n > limit {
				return nil, errTooLong
			}
			in.r += n
			return b[:n], nil
		}
		if seen = len(b); seen >= limit {
			return nil, errTooLong
		}
		if err := in.fill(limit); err != nil {
			return nil, err
		}
	}
}

// release gives the buffer back. Nothing may be in it that is still wanted.
func (in *input) release() {
	if in.buf != nil && len(*in.buf) == bufferSize {
		buffers.Put(in.buf)
	}
	in.buf = nil
}
