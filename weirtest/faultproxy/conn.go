package faultproxy

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A conn is a client's connection and the one to the server behind it. Requests
// are carried by up, answers by down.
type conn struct {
	proxy  *Proxy
	client *net.TCPConn
	once   sync.Once
	done   chan struct{} // closed with the connections

	mu     sync.Mutex
	server *net.TCPConn // nil until a request is passed on
	ended  bool

	exchange atomic.Pointer[exchange]
}

// end closes both connections, and wakes whoever waits. It may be called often
// and by anybody.
func (c *conn) end() {
	c.once.Do(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ended = true
		close(c.done)
		_ = c.client.Close()
		if c.server != nil {
			_ = c.server.Close()
		}
	})
}

// up carries requests until either side is gone.
func (c *conn) up() {
	defer c.proxy.forget(c)
	defer c.end()
	buf := make([]byte, 32<<10)
	for {
		n, err := c.client.Read(buf)
		if n > 0 && !c.request(buf[:n]) {
			return
		}
		if err != nil {
			return
		}
	}
}

// request passes on a piece of a request.
func (c *conn) request(b []byte) bool {
	x := c.exchange.Load()
	if x == nil || x.begun.Load() { // the answer to the one before has been seen
		x = &exchange{fault: c.proxy.current()}
		c.exchange.Store(x)
	}
	if x.fault.Do == BlackHole {
		return true
	}
	if c.server == nil && !c.dial() {
		return false
	}
	_, err := c.server.Write(b)
	return err == nil
}

func (c *conn) dial() bool {
	s, err := new(net.Dialer).DialContext(context.Background(), "tcp", c.proxy.target)
	if err != nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		_ = s.Close()
		return false
	}
	c.server = s.(*net.TCPConn)
	c.proxy.running.Go(func() { c.down(s) })
	return true
}

// down carries answers until either side is gone, or a fault has it end.
func (c *conn) down(server net.Conn) {
	defer c.end()
	buf := make([]byte, 32<<10)
	for {
		n, err := server.Read(buf)
		if n > 0 && !c.answer(c.exchange.Load(), buf[:n]) {
			return
		}
		if err != nil {
			return
		}
	}
}

// answer passes on a piece of an answer, as far as the fault lets it, and
// reports whether there is to be more.
func (c *conn) answer(x *exchange, b []byte) bool {
	if !x.begun.Load() && !c.sleep(x.fault.Latency) {
		return false
	}
	for {
		if x.due() && !c.act(x) {
			return false
		}
		if len(b) == 0 {
			return true
		}
		n := x.span(b)
		piece := b[:n]
		x.advance(piece)
		if x.mangled {
			x.fault.Do.mangle(piece)
		}
		if !c.write(piece, x.fault.Rate) {
			return false
		}
		b = b[n:]
	}
}

// act plays the fault, and reports whether the answer goes on.
func (c *conn) act(x *exchange) bool {
	switch x.fault.Do {
	case Garble, Spoil:
		x.mangled = true
		return true
	case Reset:
		_ = c.client.SetLinger(0)
	case HalfClose:
		_ = c.client.CloseWrite()
		<-c.done
	case Stall:
		<-c.done
	}
	return false // which closes what is still open
}

// write sends b to the client, at rate bytes a second.
func (c *conn) write(b []byte, rate int) bool {
	const steps = 100 // in a second
	size := len(b)
	if rate > 0 {
		size = max(rate/steps, 1)
	}
	for len(b) > 0 {
		n := min(size, len(b))
		if _, err := c.client.Write(b[:n]); err != nil {
			return false
		}
		if b = b[n:]; rate > 0 && !c.sleep(time.Duration(n)*time.Second/time.Duration(rate)) {
			return false
		}
	}
	return true
}

// sleep reports whether the connection still stands after d.
func (c *conn) sleep(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.done:
		return false
	}
}
