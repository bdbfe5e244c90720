package h1

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Options are how connections are made and kept.
type Options struct {
	// Dial makes a TCP connection; nil is a net.Dialer with keep-alive. It is
	// called with a context that ConnectTimeout bounds.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// TLS is for https; nil is the system's defaults. Only http/1.1 is offered.
	TLS *tls.Config
	// ConnectTimeout bounds the connection and the handshake, each; 0 is 10 s.
	ConnectTimeout time.Duration
	// MaxConnsPerHost bounds the connections to one host; 0 is no bound.
	MaxConnsPerHost int
	// MaxIdlePerHost is how many unused connections to a host are kept; 0 is
	// 512. IdleTimeout is how long; 0 is 90 s.
	MaxIdlePerHost int
	IdleTimeout    time.Duration
	// MaxHeaderBytes bounds the head of an answer; 0 is 1 MiB.
	MaxHeaderBytes int
}

func (o *Options) defaults() {
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = 10 * time.Second
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
	}
	if o.MaxIdlePerHost <= 0 {
		o.MaxIdlePerHost = 512
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = 90 * time.Second
	}
	if o.MaxHeaderBytes <= 0 {
		o.MaxHeaderBytes = 1 << 20
	}
}

// A Transport is an http.RoundTripper for HTTP/1.1. It is safe for concurrent
// use. The Body of an answer may be closed while another goroutine reads it;
// closing it before its end closes the connection.
type Transport struct {
	options Options

	mu    sync.RWMutex // guards hosts
	hosts map[hostKey]*host
}

// New makes a Transport.
func New(o Options) *Transport {
	o.defaults()
	return &Transport{options: o, hosts: map[hostKey]*host{}}
}

// Handles reports whether u is an address that a Transport can call.
func Handles(u *url.URL) bool {
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return false
	}
	for i := range len(u.Host) {
		if c := u.Host[i]; c <= ' ' || c >= 0x7f {
			return false // a name to be encoded first
		}
	}
	return true
}

// RoundTrip implements http.RoundTripper.
//
// A request that meets a connection which the server has closed meanwhile is
// sent once more on a fresh one, if not a byte of an answer came and its body
// can be read again. The context's error is returned as it is.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	x, err := newExchange(req)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	ctx, h := req.Context(), t.host(req.URL)
	c, err := h.get(ctx, true)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	reused := c.reused
	res, err := x.run(ctx, c)
	if err == nil || !reused || !errors.Is(err, errNoAnswer) || ctx.Err() != nil || !x.rewind() {
		return res, unwrapped(ctx, err)
	}
	if c, err = h.get(ctx, false); err != nil {
		if x.body != nil {
			_ = x.body.Close()
		}
		return nil, err
	}
	res, err = x.run(ctx, c)
	return res, unwrapped(ctx, err)
}

// CloseIdleConnections closes all connections that are not in use.
func (t *Transport) CloseIdleConnections() {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, h := range t.hosts {
		h.closeIdle()
	}
}

func (t *Transport) host(u *url.URL) *host {
	key := hostKey{tls: u.Scheme == "https", name: u.Host}
	t.mu.RLock()
	h := t.hosts[key]
	t.mu.RUnlock()
	if h != nil {
		return h
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if h = t.hosts[key]; h == nil {
		h = newHost(&t.options, key, u)
		t.hosts[key] = h
	}
	return h
}

// unwrapped is the error that a caller sees.
func unwrapped(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if n, ok := errors.AsType[*noAnswerError](err); ok {
		return n.cause
	}
	return err
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
