package weirtest

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
)

// A Memory is a fake upstream without sockets: client and server speak HTTP/1.1
// over net.Pipe. Made and closed inside one testing/synctest bubble, it lets
// the bubble's clock run. It remembers the requests that it was sent.
type Memory struct {
	captured
	// Transport reaches the server, whatever host is asked for.
	Transport *http.Transport

	server   *http.Server
	listener *pipeListener
	done     chan struct{} // closed when the server has ended
}

// NewMemory starts a Memory that answers with h. It is closed with the test; in
// a bubble, call Close before the bubble ends.
func NewMemory(tb testing.TB, h http.Handler) *Memory {
	tb.Helper()
	m := &Memory{listener: newPipeListener(), done: make(chan struct{})}
	m.Transport = &http.Transport{DialContext: m.listener.dial, DisableCompression: true}
	m.server = &http.Server{Handler: m.capture(h)}
	go func() {
		defer close(m.done)
		_ = m.server.Serve(m.listener) // always http.ErrServerClosed
	}()
	tb.Cleanup(m.Close)
	return m
}

// Client is a client of the Memory; any http:// address reaches it.
func (m *Memory) Client() *http.Client { return &http.Client{Transport: m.Transport} }

// URL is an address to use with Client.
func (m *Memory) URL() string { return "http://memory.test" }

// Close ends the server, its connections and its goroutines. Calling it again
// does nothing.
func (m *Memory) Close() {
	m.Transport.CloseIdleConnections()
	_ = m.server.Close()
	<-m.done
}

// pipeListener hands the other ends of dialled pipes to a server.
type pipeListener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr implements net.Listener.
func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "memory" }
