package h1

import (
	"context"
	"net/url"
	"slices"
	"sync"
	"time"
)

type hostKey struct {
	tls  bool
	name string // host or host:port, as in the URL
}

// A host is the pool of connections to one address.
type host struct {
	options *Options
	key     hostKey
	address string // host:port to connect to
	server  string // name for TLS

	mu      sync.Mutex // guards all below
	idle    []*conn    // the one used last at the end
	open    int        // connections that exist or are being made
	waiting []chan *conn
	sweeper *time.Timer
}

func newHost(o *Options, key hostKey, u *url.URL) *host {
	return &host{options: o, key: key, address: address(u), server: u.Hostname()}
}

// get is a connection for one exchange: one that waits, if idle may be used,
// or a new one. At the bound of connections it waits until one is given back.
func (h *host) get(ctx context.Context, idle bool) (*conn, error) {
	for idle {
		c := h.pop()
		if c == nil {
			break
		}
		if c.usable() {
			return c, nil
		}
		c.discard()
	}
	c, err := h.admit(ctx, idle)
	if c != nil || err != nil {
		return c, err
	}
	if c, err = h.dial(ctx); err != nil {
		h.gone()
		return nil, err
	}
	return c, nil
}

func (h *host) pop() *conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.idle) - 1
	if n < 0 {
		return nil
	}
	c := h.idle[n]
	h.idle[n] = nil
	h.idle = h.idle[:n]
	return c
}

// admit counts one connection more, which the caller has to make: then both
// results are nil. Or it is given one that became free while it waited.
func (h *host) admit(ctx context.Context, idle bool) (*conn, error) {
	limit := h.options.MaxConnsPerHost
	h.mu.Lock()
	if !idle && limit > 0 && h.open >= limit && len(h.idle) > 0 {
		// A fresh one is wanted: an idle one makes place for it.
		c := h.idle[0]
		h.idle = slices.Delete(h.idle, 0, 1)
		c.shut()
		h.open--
	}
	if limit <= 0 || h.open < limit {
		h.open++
		h.mu.Unlock()
		return nil, nil
	}
	turn := make(chan *conn, 1)
	h.waiting = append(h.waiting, turn)
	h.mu.Unlock()
	select {
	case c := <-turn:
		return c, nil
	case <-ctx.Done():
		h.leave(turn)
		return nil, ctx.Err()
	}
}

// leave ends a wait. What was handed over at the same moment is passed on.
func (h *host) leave(turn chan *conn) {
	h.mu.Lock()
	i := slices.Index(h.waiting, turn)
	if i >= 0 {
		h.waiting = slices.Delete(h.waiting, i, i+1)
	}
	h.mu.Unlock()
	if i >= 0 {
		return
	}
	if c := <-turn; c != nil {
		h.put(c)
	} else {
		h.gone()
	}
}

// put takes a connection back that can be used again.
func (h *host) put(c *conn) {
	c.rest()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.waiting) > 0 {
		turn := h.waiting[0]
		h.waiting = slices.Delete(h.waiting, 0, 1)
		turn <- c
		return
	}
	if len(h.idle) >= h.options.MaxIdlePerHost {
		c.shut()
		h.open--
		return
	}
	h.idle = append(h.idle, c)
	if h.sweeper == nil {
		h.sweeper = time.AfterFunc(h.options.IdleTimeout, h.sweep)
	}
}

// gone counts a connection off. Whoever waits first may make one instead.
func (h *host) gone() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.waiting) > 0 {
		turn := h.waiting[0]
		h.waiting = slices.Delete(h.waiting, 0, 1)
		turn <- nil
		return
	}
	h.open--
}

// sweep closes connections that have waited too long.
func (h *host) sweep() {
	h.mu.Lock()
	defer h.mu.Unlock()
	limit := time.Now().Add(-h.options.IdleTimeout)
	n := 0
	for n < len(h.idle) && !h.idle[n].since.After(limit) {
		h.idle[n].shut()
		n++
	}
	h.open -= n
	h.idle = slices.Delete(h.idle, 0, n)
	h.sweeper = nil
	if len(h.idle) > 0 {
		h.sweeper = time.AfterFunc(h.idle[0].since.Sub(limit), h.sweep)
	}
}

func (h *host) closeIdle() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.idle {
		c.shut()
	}
	h.open -= len(h.idle)
	h.idle = nil
	if h.sweeper != nil {
		h.sweeper.Stop()
		h.sweeper = nil
	}
}
