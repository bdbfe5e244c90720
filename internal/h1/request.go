package h1

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
)

// newExchange checks a request and makes it ready. Nothing in it may be taken
// for more than one request by the server.
func newExchange(req *http.Request) (*exchange, error) {
	if req.URL == nil || !Handles(req.URL) {
		return nil, errors.New("h1: not a URL that can be called")
	}
	if !validName(req.Method) && req.Method != "" || req.Method == http.MethodConnect {
		return nil, errors.New("h1: not a method that can be used")
	}
	for name, values := range req.Header {
		if !validName(name) {
			return nil, errors.New("h1: a header's name is not valid")
		}
		for _, v := range values {
			if !validValue(v) {
				return nil, errors.New("h1: the value of header " + name + " is not valid")
			}
		}
	}
	x := &exchange{req: req, target: req.URL.RequestURI(), closes: req.Close || asksToClose(req.Header)}
	if !validTarget(x.target) || !validTarget(req.Host) {
		return nil, errors.New("h1: the URL has a blank or a control character")
	}
	if req.Body != nil && req.Body != http.NoBody {
		x.body, x.length = req.Body, req.ContentLength
		if x.length == 0 {
			x.length = -1 // so net/http means it
		}
	}
	return x, nil
}

func asksToClose(h http.Header) bool {
	v := h["Connection"]
	return len(v) > 0 && v[0] == "close"
}

func validTarget(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// appendHead appends the request line and the header.
func (x *exchange) appendHead(dst []byte) []byte {
	req := x.req
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	host := req.Host
	if host == "" {
		host = req.URL.Host
	}
	dst = append(append(append(dst, method...), ' '), x.target...)
	dst = append(append(dst, " HTTP/1.1\r\nHost: "...), host...)
	for name, values := range req.Header {
		switch name {
		case "Host", "Content-Length", "Transfer-Encoding", "Trailer":
			continue // they are made here
		}
		for _, v := range values {
			dst = append(append(append(append(dst, "\r\n"...), name...), ": "...), v...)
		}
	}
	if req.Close && !asksToClose(req.Header) {
		dst = append(dst, "\r\nConnection: close"...)
	}
	switch {
	case x.body != nil && x.length < 0:
		dst = append(dst, "\r\nTransfer-Encoding: chunked"...)
	case x.body != nil, method == "POST", method == "PUT", method == "PATCH":
		dst = strconv.AppendInt(append(dst, "\r\nContent-Length: "...), x.length, 10)
	}
	return append(dst, "\r\n\r\n"...)
}

// write writes the request and closes its body.
func (x *exchange) write(c *conn) error {
	if x.body != nil {
		defer x.body.Close()
	}
	c.out = x.appendHead(c.out[:0])
	if x.body == nil {
		_, err := c.net.Write(c.out)
		return err
	}
	if r, ok := x.body.(*bodyReader); ok && x.length == r.body.size && r.done == 0 {
		return c.writePieces(r)
	}
	w := writers.Get().(*bufio.Writer)
	defer writers.Put(w)
	w.Reset(c.net)
	_, _ = w.Write(c.out)
	// The head does not wait for a body that may be slow to come.
	if err := w.Flush(); err != nil {
		return err
	}
	if x.length >= 0 {
		return copyLength(w, x.body, x.length)
	}
	return copyChunked(w, x.body)
}

// writeBehind writes the request in a goroutine that ends when the connection
// does, and then tells whether all was written.
func (x *exchange) writeBehind(c *conn) chan bool {
	done := make(chan bool, 1)
	go func() { done <- x.write(c) == nil }()
	return done
}

var writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 16<<10) }}

// writePieces writes the head and a body in pieces, without copying it where
// it is long and the kernel takes pieces.
func (c *conn) writePieces(r *bodyReader) error {
	pieces, err := r.take()
	if err != nil {
		return err
	}
	const short = 4 << 10 // cheaper copied than handed over in pieces
	if r.body.size <= short {
		for _, p := range pieces {
			c.out = append(c.out, p...)
		}
		_, err := c.net.Write(c.out)
		return err
	}
	if _, tcp := c.net.(*net.TCPConn); tcp {
		c.vector = append(append(c.vector[:0], c.out), pieces...)
		c.sending = c.vector
		_, err := c.sending.WriteTo(c.net)
		clear(c.vector)
		return err
	}
	w := writers.Get().(*bufio.Writer)
	defer writers.Put(w)
	w.Reset(c.net)
	_, _ = w.Write(c.out) // an error comes back from Flush
	for _, p := range pieces {
		_, _ = w.Write(p)
	}
	return w.Flush()
}

func copyLength(w *bufio.Writer, body io.Reader, length int64) error {
	n, err := io.CopyN(w, body, length)
	if n < length && errors.Is(err, io.EOF) {
		return errors.New("h1: the request body is shorter than its length")
	}
	if err != nil {
		return err
	}
	return w.Flush()
}

// copyChunked writes a body of unknown length as it comes.
func copyChunked(w *bufio.Writer, body io.Reader) error {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for {
		n, err := body.Read(*buf)
		if n > 0 {
			var size [18]byte
			_, _ = w.Write(append(strconv.AppendInt(size[:0], int64(n), 16), '\r', '\n'))
			_, _ = w.Write((*buf)[:n])
			_, _ = w.WriteString("\r\n")
			if err := w.Flush(); err != nil {
				return err
			}
		}
		if err == io.EOF {
			_, _ = w.WriteString("0\r\n\r\n")
			return w.Flush()
		}
		if err != nil {
			return err
		}
	}
}
