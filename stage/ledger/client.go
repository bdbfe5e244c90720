package ledger

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weir-gateway/weir"
)

// A client is who the call is made for, and may leave before its end.
type client struct {
	// ctx is the client's own, kept for the length of the range statement to
	// tell why the call ended.
	ctx   context.Context
	drain time.Duration
	// flowing is set with the first content.
	flowing atomic.Bool
	cancel  context.CancelFunc
	forget  func() bool

	mu     sync.Mutex // guards what follows
	closed bool
	timer  *time.Timer
}

// attach makes the context for the inner call: with the values and the
// deadline of the client's, but canceled only when draining is over.
func (c *client) attach(ctx context.Context, drain time.Duration) context.Context {
	c.ctx, c.drain = ctx, drain
	inner := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		inner, c.cancel = context.WithDeadline(inner, deadline)
	} else {
		inner, c.cancel = context.WithCancel(inner)
	}
	c.forget = context.AfterFunc(ctx, c.done)
	return inner
}

// detach releases everything that attach made.
func (c *client) detach() {
	c.forget()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.timer != nil {
		c.timer.Stop()
	}
	c.cancel()
}

// done runs when the client's context ends. Who set a deadline is still there
// and waits for the error; there is nothing to drain for.
func (c *client) done() {
	if c.gone() {
		c.leave()
	} else {
		c.cancel()
	}
}

// gone reports whether the client's context was canceled: events have no
// reader any more.
func (c *client) gone() bool { return c.ctx.Err() == context.Canceled }

// leave is called when the client has left. It reports whether the upstream
// is read on for a while.
func (c *client) leave() bool {
	if c.drain <= 0 || !c.flowing.Load() {
		c.cancel()
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer == nil && !c.closed {
		c.timer = time.AfterFunc(c.drain, c.cancel)
	}
	return true
}

// cause is why the call ended: what happened to the client comes first, since
// the upstream's error is then only its consequence.
func (c *client) cause(err error) *weir.Error {
	if ctxErr := c.ctx.Err(); ctxErr != nil {
		return weir.AsError(ctxErr)
	}
	return weir.AsError(err)
}
