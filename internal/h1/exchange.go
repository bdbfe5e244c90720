package h1

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// An exchange is one request, made ready to be written on any connection.
type exchange struct {
	req    *http.Request
	target string        // as in the request line
	body   io.ReadCloser // what is still to be written, nil for none
	length int64         // of body, -1 when not known
	closes bool          // the connection is to be closed afterwards
}

// inBackground is how long a body must be to be written by a goroutine of its
// own. A server that refuses a request reads this much before it closes, or
// has room for it in the sockets' buffers; beyond, its refusal would be missed.
const inBackground = 256 << 10

var (
	errNoAnswer   = errors.New("the connection ended before an answer")
	errBodyClosed = errors.New("the body of the answer is closed")
)

// A noAnswerError tells that not a byte of an answer came.
type noAnswerError struct{ cause error }

// Error implements error.
func (e *noAnswerError) Error() string { return e.cause.Error() }

// Is makes it recognisable as errNoAnswer.
func (e *noAnswerError) Is(target error) bool { return target == errNoAnswer }

// Unwrap is the cause.
func (e *noAnswerError) Unwrap() error { return e.cause }

// run makes the exchange on c, which belongs to the answer from here on. With
// an error c is closed. The request's body is closed in any case.
func (x *exchange) run(ctx context.Context, c *conn) (*http.Response, error) {
	a := &answer{ctx: ctx, conn: c, request: x}
	if ctx.Done() != nil {
		a.stop = context.AfterFunc(ctx, c.shut)
	}
	c.in.silent = true
	var unsent error
	if x.body != nil && (x.length < 0 || x.length > inBackground) {
		a.writer = x.writeBehind(c)
	} else if unsent = x.write(c); unsent != nil && !isReset(unsent) {
		a.abort()
		return nil, &noAnswerError{unsent}
	}
	// After a reset there may still be an answer to read: a server may refuse
	// a request and close before it has read it.
	h, err := c.readHead()
	if err == nil {
		err = a.frame(x, h)
	}
	if err != nil {
		a.abort()
		return nil, c.in.headError(err)
	}
	a.keep = a.keep && unsent == nil
	return a.response(x, h), nil
}

// headError tells no answer at all from one that was cut.
func (in *input) headError(err error) error {
	switch {
	case in.silent:
		return &noAnswerError{err}
	case errors.Is(err, errTooLong):
		return malformed("its head is longer than is allowed")
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	}
	return err
}

// rewind makes the body readable from its beginning, and reports whether that
// is possible.
func (x *exchange) rewind() bool {
	if x.body == nil {
		return true
	}
	if x.req.GetBody == nil {
		return false
	}
	body, err := x.req.GetBody()
	if err != nil {
		return false
	}
	x.body = body
	return true
}

// answer is the body of an answer, and what has to be done when it ends.
type answer struct {
	ctx     context.Context // of the request, which this is a part of
	conn    *conn
	request *exchange
	stop    func() bool // ends the watch over the context; nil without one
	writer  chan bool   // of a request body that is written behind; nil without one
	closed  atomic.Bool // the connection has been given back or closed
	mode    framing
	left    int64 // of the length, or of the chunk
	chunks  chunkState
	keep    bool // the connection may be used again
	err     error
}

// frame takes over from the head how the body ends.
func (a *answer) frame(x *exchange, h *head) (err error) {
	a.mode, a.left, err = h.frame(x.req.Method)
	a.keep = !x.closes && h.persists() && a.mode != framedClose
	return err
}

func (a *answer) response(x *exchange, h *head) *http.Response {
	res := &http.Response{
		Status: h.status, StatusCode: h.code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: h.minor,
		Header: h.header, ContentLength: a.left, Request: x.req, Close: !a.keep, Body: a,
		TLS: a.conn.tls,
	}
	switch {
	case h.minor == 0:
		res.Proto = "HTTP/1.0"
	case a.mode == framedChunked:
		res.TransferEncoding = []string{"chunked"}
	}
	if a.mode == framedChunked {
		a.left = 0
	}
	if a.mode == framedNone || a.mode == framedLength && a.left == 0 {
		a.err = io.EOF
		a.finish()
		res.Body = http.NoBody
	}
	return res
}
