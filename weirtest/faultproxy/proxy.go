package faultproxy

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Proxy stands in front of one server. It is safe for concurrent use. When
// its test ends it closes everything, and waits until that is done.
type Proxy struct {
	tb     testing.TB
	target string // host:port
	addr   string

	running sync.WaitGroup

	mu       sync.Mutex // guards what follows
	fault    Fault
	listener net.Listener // nil while connections are refused
	conns    map[*conn]struct{}
	closed   bool
}

// New starts a proxy on a port of its own, without a fault. The target is a
// server's http URL, or its host:port.
func New(tb testing.TB, target string) *Proxy {
	tb.Helper()
	target = strings.TrimPrefix(target, "http://")
	target, _, _ = strings.Cut(target, "/")
	p := &Proxy{tb: tb, target: target, addr: "127.0.0.1:0", conns: map[*conn]struct{}{}}
	if err := p.listen(); err != nil {
		tb.Fatal(err)
	}
	p.addr = p.listener.Addr().String()
	tb.Cleanup(p.close)
	return p
}

// URL is where the proxy listens, "http://127.0.0.1:…". It stays the same.
func (p *Proxy) URL() string { return "http://" + p.addr }

// Conns is how many connections of clients stand.
func (p *Proxy) Conns() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns)
}

// Set changes the fault: for requests that come from now on, on new connections
// and on those that stand. What has begun goes on as it was, except that Refuse
// closes every connection. When Set returns, the port is closed or open.
func (p *Proxy) Set(f Fault) {
	p.tb.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.fault = f
	if f.Do == Refuse {
		p.hangUp()
		return
	}
	// A port that was closed may for a moment serve an outgoing connection.
	for end := time.Now().Add(5 * time.Second); p.listener == nil; time.Sleep(time.Millisecond) {
		if err := p.listen(); err != nil && time.Now().After(end) {
			p.tb.Fatal(err)
		}
	}
}

func (p *Proxy) current() Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault
}

// listen opens the port. Callers that are not alone hold mu.
func (p *Proxy) listen() error {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", p.addr)
	if err != nil {
		return err
	}
	p.listener = l
	p.running.Go(func() { p.accept(l) })
	return nil
}

func (p *Proxy) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		p.serve(l, c.(*net.TCPConn))
	}
}

// serve takes a connection over, unless the port was closed meanwhile.
func (p *Proxy) serve(l net.Listener, client *net.TCPConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != l {
		_ = client.Close()
		return
	}
	c := &conn{proxy: p, client: client, done: make(chan struct{})}
	p.conns[c] = struct{}{}
	p.running.Go(c.up)
}

// hangUp closes the port and all connections; mu is held.
func (p *Proxy) hangUp() {
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	for c := range p.conns {
		c.end()
	}
}

func (p *Proxy) forget(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.hangUp()
	p.mu.Unlock()
	p.running.Wait()
}
