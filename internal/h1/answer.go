package h1

import (
	"errors"
	"io"
	"syscall"
	"time"
)

// Read implements io.Reader. It waits for the first byte only: what is there is
// returned at once.
func (a *answer) Read(p []byte) (int, error) {
	if a.err != nil {
		return 0, a.err
	}
	if a.closed.Load() {
		return 0, errBodyClosed
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := a.read(p)
	if err == nil {
		return n, nil
	}
	a.fail(err)
	if n > 0 {
		return n, nil // the error comes next
	}
	return 0, a.err
}

// fail remembers how the answer ended, and lets go of the connection.
func (a *answer) fail(err error) {
	a.err = err
	if errors.Is(err, io.EOF) {
		a.finish()
		return
	}
	if a.closed.Load() {
		a.err = errBodyClosed
	}
	if a.ctx.Err() != nil {
		a.err = a.ctx.Err()
	}
	a.abort()
}

func (a *answer) read(p []byte) (int, error) {
	switch a.mode {
	case framedLength:
		return a.readLength(p)
	case framedChunked:
		return a.readChunked(p)
	}
	return a.fetch(p)
}

// readLength reads of a body of known length.
func (a *answer) readLength(p []byte) (int, error) {
	n, err := a.fetch(p[:min(int64(len(p)), a.left)])
	a.left -= int64(n)
	if a.left == 0 {
		return n, io.EOF
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// fetch reads what is buffered, or else once from the connection: into the
// buffer, or past it where p is as large.
func (a *answer) fetch(p []byte) (int, error) {
	in := &a.conn.in
	if in.r == in.w {
		if len(p) >= bufferSize {
			return in.src.Read(p)
		}
		if err := in.fill(bufferSize); err != nil {
			return 0, err
		}
	}
	n := copy(p, in.buffered())
	in.r += n
	return n, nil
}

// finish gives the connection back after a complete answer, or closes it where
// it is of no more use: something unread is behind the answer, the request is
// still being written, or the context has ended meanwhile.
func (a *answer) finish() {
	if !a.closed.CompareAndSwap(false, true) {
		return
	}
	c := a.conn
	watched := a.stop == nil || a.stop()
	if a.keep && watched && len(c.in.buffered()) == 0 && a.written() {
		c.host.put(c)
		return
	}
	c.shut()
	a.wait()
	c.in.release()
	c.host.gone()
}

// abort closes the connection in the middle of an answer. The buffer is not
// given back, since a Read may be at work.
func (a *answer) abort() {
	if !a.closed.CompareAndSwap(false, true) {
		return
	}
	if a.stop != nil {
		a.stop()
	}
	a.conn.shut()
	a.wait()
	a.conn.host.gone()
}

// Close implements io.Closer. Before the end of the answer it closes the
// connection; a Read in another goroutine then fails.
func (a *answer) Close() error {
	a.abort()
	return nil
}

// stillWriting is how long a request's last bytes may take after the answer is
// complete: mostly they are written, and only the word of it is late.
const stillWriting = 5 * time.Millisecond

// written reports whether the request has been written in full.
func (a *answer) written() bool {
	if a.writer == nil {
		return true
	}
	late := time.NewTimer(stillWriting)
	defer late.Stop()
	select {
	case all := <-a.writer:
		a.writer = nil
		return all
	case <-late.C:
		return false
	}
}

// wait waits until nobody reads the request's body any more. The connection
// is closed, so that is soon; but for a body of the caller's own making, which
// may block for any time and which nobody borrowed: that one is closed.
func (a *answer) wait() {
	if a.writer == nil {
		return
	}
	if _, lent := a.request.body.(*bodyReader); !lent {
		_ = a.request.body.Close()
		return
	}
	<-a.writer
	a.writer = nil
}

// isReset reports whether the other side has closed the connection.
func isReset(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}
