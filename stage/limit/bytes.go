package limit

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/weir-gateway/weir"
)

// maxWaiters bounds those that wait for bytes: each holds a connection.
const maxWaiters = 1024

// Bytes admits request bodies by weight, so that the bytes in flight stay
// below a bound. Who waits is served in order: a large body is not passed by
// small ones for ever. Safe for concurrent use. A nil *Bytes admits everything.
type Bytes struct {
	max int64

	mu      sync.Mutex // guards what follows
	used    int64
	waiters list.List // of *waiter
}

type waiter struct {
	n     int64
	ready chan struct{} // closed when admitted
}

// NewBytes bounds the bytes in flight to n; below 1 there is no bound.
func NewBytes(n int64) *Bytes {
	if n < 1 {
		return nil
	}
	return &Bytes{max: n}
}

// InUse is how many bytes are admitted now.
func (b *Bytes) InUse() int64 {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// Acquire admits n bytes, waiting for others to leave until ctx is done. The
// caller calls release when the body is no longer held; more than once does no
// harm. A body larger than the whole bound is KindTooLarge. When too many wait,
// or the deadline of ctx comes first, the error is KindOverloaded.
func (b *Bytes) Acquire(ctx context.Context, n int64) (release func(), err error) {
	if b == nil || n <= 0 {
		return func() {}, nil
	}
	if n > b.max {
		return nil, weir.Errorf(weir.KindTooLarge, "the body has %d bytes, and at most %d are held at once", n, b.max)
	}
	w, err := b.join(n)
	if err != nil {
		return nil, err
	}
	if w != nil {
		if err := b.wait(ctx, w); err != nil {
			return nil, err
		}
	}
	released := false
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if !released {
			released = true
			b.free(n)
		}
	}, nil
}

// join takes n bytes, or a place in the queue.
func (b *Bytes) join(n int64) (*list.Element, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiters.Len() == 0 && b.used+n <= b.max {
		b.used += n
		return nil, nil
	}
	if b.waiters.Len() >= maxWaiters {
		return nil, busy()
	}
	return b.waiters.PushBack(&waiter{n: n, ready: make(chan struct{})}), nil
}

func (b *Bytes) wait(ctx context.Context, e *list.Element) error {
	w := e.Value.(*waiter)
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-w.ready: // admitted in the same moment: give it back
		b.used -= w.n
	default:
		b.waiters.Remove(e)
	}
	b.admit()
	if ctx.Err() == context.Canceled {
		return weir.AsError(ctx.Err())
	}
	return busy()
}

// free gives n bytes back. Call with mu held.
func (b *Bytes) free(n int64) {
	b.used -= n
	b.admit()
}

// admit lets in who fits, in order. Call with mu held.
func (b *Bytes) admit() {
	for e := b.waiters.Front(); e != nil; e = b.waiters.Front() {
		w := e.Value.(*waiter)
		if b.used+w.n > b.max {
			return
		}
		b.used += w.n
		b.waiters.Remove(e)
		close(w.ready)
	}
}

func busy() error {
	err := weir.Errorf(weir.KindOverloaded, "too many bytes of requests are in flight")
	err.RetryAfter = time.Second
	return err
}
