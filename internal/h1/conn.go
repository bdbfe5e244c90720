package h1

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"sync"
	"time"
)

// bufferSize is that of the read buffer: an event of a stream is shorter, and a
// thousand streams take 4 MiB.
const bufferSize = 4 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}

// A conn is one connection. It is used by one exchange at a time.
type conn struct {
	host *host
	net  net.Conn // TLS where it is used
	raw  net.Conn // below TLS; closing it interrupts everything at once
	peek *peeker  // nil where the platform has none
	tls  *tls.ConnectionState

	in      input
	out     []byte      // the head of a request, kept for the next
	vector  net.Buffers // the pieces of a request, kept for the next
	sending net.Buffers // what of vector is still to be written
	reused  bool
	since   time.Time // when it began to wait
}

// freshFor is how long a connection that waits is trusted without a look. What
// a server sends unasked, such as a 408 before it closes, comes after seconds of
// waiting; a look costs a system call, and under load connections wait for
// microseconds.
const freshFor = 250 * time.Millisecond

// usable reports whether a connection that waited can take a request. One that
// waited long is looked at: what a server has sent unasked would else be taken
// for the answer to the next request.
func (c *conn) usable() bool {
	waited := time.Since(c.since)
	if waited >= c.host.options.IdleTimeout {
		return false
	}
	return waited < freshFor || c.peek == nil || c.peek.quiet()
}

// rest makes c ready to wait: it keeps no buffer.
func (c *conn) rest() {
	c.in.release()
	c.reused = true
	c.since = time.Now()
	if cap(c.out) > bufferSize {
		c.out = nil
	}
}

// shut closes the connection. A TLS farewell is not waited for: answers carry
// their own end.
func (c *conn) shut() { _ = c.raw.Close() }

// discard closes c and gives its place to another.
func (c *conn) discard() {
	c.shut()
	c.host.gone()
}

func (h *host) dial(ctx context.Context) (*conn, error) {
	limited, cancel := context.WithTimeout(ctx, h.options.ConnectTimeout)
	defer cancel()
	raw, err := h.options.Dial(limited, "tcp", h.address)
	if err != nil {
		return nil, dialError(ctx, err)
	}
	c := &conn{host: h, net: raw, raw: raw, peek: newPeeker(raw)}
	if h.key.tls {
		secure, err := h.handshake(ctx, raw)
		if err != nil {
			_ = raw.Close()
			return nil, dialError(ctx, err)
		}
		state := secure.ConnectionState()
		c.net, c.tls = secure, &state
	}
	c.in.src = c.net
	return c, nil
}

// handshake has a limit of its own, so that a slow look-up takes nothing from it.
func (h *host) handshake(ctx context.Context, raw net.Conn) (*tls.Conn, error) {
	config := h.options.TLS.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.ServerName == "" {
		config.ServerName = h.server
	}
	config.NextProtos = []string{"http/1.1"}
	limited, cancel := context.WithTimeout(ctx, h.options.ConnectTimeout)
	defer cancel()
	c := tls.Client(raw, config)
	if err := c.HandshakeContext(limited); err != nil {
		return nil, err
	}
	return c, nil
}

// dialError tells the caller's own end from the limit of connecting.
func dialError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() {
		return &net.OpError{Op: "dial", Net: "tcp", Err: errConnectTimeout{}}
	}
	return err
}

type errConnectTimeout struct{}

// Error implements error.
func (errConnectTimeout) Error() string { return "connecting took too long" }

// Timeout implements net.Error.
func (errConnectTimeout) Timeout() bool { return true }

// Temporary implements net.Error.
func (errConnectTimeout) Temporary() bool { return true }

// address is where to connect to.
func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
		if u.Scheme == "https" {
			port = "443"
		}
	}
	return net.JoinHostPort(u.Hostname(), port)
}
