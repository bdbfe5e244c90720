package share

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/weir-gateway/weir"
)

// Options set up the sharing of calls in flight.
type Options struct {
	// Key names what is asked and by whom: requests with the same one get the
	// same answer. It must tell tenants apart; Digest is one. Empty: the request
	// shares with nobody. Nil: none does.
	Key func(req *weir.Request) string
	// Buffer is how many bytes of an answer are remembered: who comes after that
	// gets a call of its own, and who is further behind gets an error, or a call
	// of its own where it has not been told anything yet. 0 is 1 MiB.
	Buffer int64
	// Linger is how long a call goes on when all who read it have left, in case
	// somebody comes for it. 0 cancels it at once.
	Linger time.Duration
	// Orphaned is told, on the goroutine of the request that began it, when a
	// call is over that went on after that request had ended. It must not block.
	// Nil: nobody is told.
	Orphaned func(*Orphan)
}

// A Group are the calls in flight that identical requests share. Safe for
// concurrent use.
type Group struct {
	options Options
	flights flights[groupKey]
}

// groupKey is what must be the same for an answer to serve two requests.
type groupKey struct {
	key                   string
	op                    weir.Operation
	protocol              weir.Protocol
	stream, relay, strict bool
}

// New makes a Group.
func New(o Options) *Group {
	if o.Buffer <= 0 {
		o.Buffer = 1 << 20
	}
	return &Group{options: o}
}

// Middleware is the stage. It belongs where requests have been admitted, and
// outside of whatever makes attempts.
func (g *Group) Middleware() weir.Middleware {
	return func(next weir.Handler) weir.Handler {
		if g.options.Key == nil {
			return next
		}
		return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
			if !shareable(req) {
				return next.Handle(ctx, req)
			}
			return func(yield func(weir.Event, error) bool) { g.handle(ctx, req, next, yield) }
		})
	}
}

// shareable reports whether a request can be one of several: it is no
// conversation in both directions, and changes nothing at the provider.
func shareable(req *weir.Request) bool {
	switch req.Op {
	case weir.Files, weir.Batches, weir.Realtime, weir.Other:
		return false
	}
	return req.Uplink == nil
}

func (g *Group) handle(ctx context.Context, req *weir.Request, next weir.Handler, yield func(weir.Event, error) bool) {
	name := g.options.Key(req)
	if name == "" {
		next.Handle(ctx, req)(yield)
		return
	}
	key := groupKey{key: name, op: req.Op, stream: req.Stream, relay: req.Relay, strict: req.Strict}
	if req.Wire != nil {
		key.protocol = req.Wire.Protocol
	}
	f, r, leads := g.flights.enter(key, func(f *flight) *reader { return f.joinRunning() }, func() (*flight, *reader) {
		return fly(ctx, req, g.options.Buffer, g.options.Linger, func(ctx context.Context) iter.Seq2[weir.Event, error] {
			return next.Handle(ctx, req)
		})
	})
	if !leads {
		if f.follow(ctx, r, yield) {
			next.Handle(ctx, req)(yield)
		}
		return
	}
	defer g.flights.remove(key, f)
	f.lead(ctx, r, g.options.Orphaned, yield)
}

// joinRunning joins a call that is not over: one that failed is no use to who
// comes after.
func (f *flight) joinRunning() *reader {
	f.mu.Lock()
	over := f.over
	f.mu.Unlock()
	if over {
		return nil
	}
	return f.join()
}

// flights are calls by what was asked. The zero value is ready to use.
type flights[K comparable] struct {
	mu sync.Mutex // guards all; held before a flight's own lock
	m  map[K]*flight
}

// enter joins the flight of key or, where there is none that can be joined,
// begins one.
func (s *flights[K]) enter(key K, join func(*flight) *reader, begin func() (*flight, *reader)) (f *flight, r *reader, leads bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f = s.m[key]; f != nil {
		if r = join(f); r != nil {
			return f, r, false
		}
	}
	f, r = begin()
	if s.m == nil {
		s.m = map[K]*flight{}
	}
	s.m[key] = f
	return f, r, true
}

// remove forgets f, unless another has taken its place.
func (s *flights[K]) remove(key K, f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m[key] == f {
		delete(s.m, key)
	}
}
