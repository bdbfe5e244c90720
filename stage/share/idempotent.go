package share

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"net/http"
	"time"

	"github.com/weir-gateway/weir"
)

// IdempotencyOptions set up the Idempotency-Key
// (draft-ietf-httpapi-idempotency-key-header-06, 2025-02-24).
type IdempotencyOptions struct {
	// Key is the key that a request came with, together with whose it is: keys
	// of different tenants must never be the same. Empty: the request has none.
	// Nil: none has.
	Key func(req *weir.Request) string
	// Fingerprint says what is asked, so that a key which is used again for
	// something else is noticed. Nil is Digest; empty is not compared.
	Fingerprint func(req *weir.Request) string
	// Store keeps answers. Nil is a Memory with the default bounds.
	Store Store
	// TTL is how long an answer is kept. 0 is an hour.
	TTL time.Duration
	// Lock is how long a call that is running protects its key in the Store, if
	// its process dies in the middle. 0 is 15 minutes.
	Lock time.Duration
	// MaxAnswer is the largest answer that is remembered, in bytes as Options.
	// Buffer counts them. A larger one is given once only. 0 is 4 MiB.
	MaxAnswer int64
	// Linger is how long a call goes on when its client has left, in case it
	// comes back for the answer. 0 cancels it at once.
	Linger time.Duration
	// Orphaned is told, as Options.Orphaned is.
	Orphaned func(*Orphan)
}

// An Idempotency answers requests that are sent again with the same key from
// the call that the first one made: from the beginning, and on with it where it
// is still running. Errors are kept only where another try would end the same;
// after any other the key is free again. Safe for concurrent use.
//
// A key that comes with another request than before is refused with a
// KindInvalid error of status 422; one whose call is running at another gateway,
// or has become too large to be given again, with KindConflict.
//
// The content of such calls is decoded, whatever Request.Relay says, so that an
// answer fits whoever comes for it.
type Idempotency struct {
	options IdempotencyOptions
	flights flights[string]
}

// NewIdempotency makes an Idempotency.
func NewIdempotency(o IdempotencyOptions) *Idempotency {
	if o.Fingerprint == nil {
		o.Fingerprint = Digest
	}
	if o.Store == nil {
		o.Store = NewMemory(MemoryOptions{})
	}
	if o.TTL <= 0 {
		o.TTL = time.Hour
	}
	if o.Lock <= 0 {
		o.Lock = 15 * time.Minute
	}
	if o.MaxAnswer <= 0 {
		o.MaxAnswer = 4 << 20
	}
	return &Idempotency{options: o}
}

// Middleware is the stage. It belongs where requests have been admitted, outside
// of a Group.
func (s *Idempotency) Middleware() weir.Middleware {
	return func(next weir.Handler) weir.Handler {
		if s.options.Key == nil {
			return next
		}
		return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
			if req.Op == weir.Realtime || req.Uplink != nil {
				return next.Handle(ctx, req)
			}
			return func(yield func(weir.Event, error) bool) { s.handle(ctx, req, next, yield) }
		})
	}
}

func (s *Idempotency) handle(ctx context.Context, req *weir.Request, next weir.Handler, yield func(weir.Event, error) bool) {
	name := s.options.Key(req)
	if name == "" {
		next.Handle(ctx, req)(yield)
		return
	}
	if req.Relay {
		req = req.Clone()
		req.Relay = false
	}
	sum := sha256.Sum256([]byte(name))
	key := hex.EncodeToString(sum[:])
	mark := sha256.Sum256([]byte(s.options.Fingerprint(req)))
	c := &claim{Idempotency: s, key: key, mark: mark}
	refused := (*weir.Error)(nil)
	f, r, leads := s.flights.enter(key, func(f *flight) *reader {
		if f.mark != mark {
			refused = otherRequest()
		} else if r := f.join(); r != nil {
			return r
		} else {
			refused = stillRunning()
		}
		return &reader{} // of nothing, so that no call is begun
	}, func() (*flight, *reader) {
		f, r := fly(ctx, req, s.options.MaxAnswer, s.options.Linger, func(ctx context.Context) iter.Seq2[weir.Event, error] {
			return func(yield func(weir.Event, error) bool) { c.call(ctx, req, next, yield) }
		})
		f.mark = mark
		return f, r
	})
	switch {
	case refused != nil:
		yield(weir.Event{}, refused)
	case leads:
		defer s.flights.remove(key, f)
		defer c.settle(ctx, f)
		f.lead(ctx, r, s.options.Orphaned, yield)
	case f.follow(ctx, r, yield):
		yield(weir.Event{}, stillRunning())
	}
}

// A claim is a key's in the Store while its call runs.
type claim struct {
	*Idempotency
	key   string
	mark  digest
	value []byte // what was claimed; nil when nothing was
}

// call answers from the Store, or makes the call.
func (c *claim) call(ctx context.Context, req *weir.Request, next weir.Handler, yield func(weir.Event, error) bool) {
	value := claimOf(c.mark, rand.Text())
	there, err := c.claim(ctx, value)
	switch {
	case err != nil: // the store is down: this process looks after its own
	case there == nil:
		c.value = value
	case len(there) > len(c.mark) && digest(there[1:1+len(c.mark)]) != c.mark:
		yield(weir.Event{}, otherRequest())
		return
	case there[0] == stateClaimed:
		yield(weir.Event{}, stillRunning())
		return
	default:
		if rec, err := decode(there); err == nil {
			rec.replay(yield)
			return
		}
		c.value = there // of another version: it is replaced
	}
	next.Handle(ctx, req)(yield)
}

func (c *claim) claim(ctx context.Context, value []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	return c.options.Store.Claim(ctx, c.key, value, c.options.Lock)
}

// settle keeps the answer, or lets go of the key. It runs when the call is over,
// before anybody can begin another one with the key.
func (c *claim) settle(ctx context.Context, f *flight) {
	if c.value == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWait)
	defer cancel()
	if f.lasts() {
		if value, err := f.encode(); err == nil && c.options.Store.Put(ctx, c.key, value, c.options.TTL) == nil {
			return
		}
	}
	// What cannot be released expires.
	_ = c.options.Store.Release(ctx, c.key, c.value)
}

// lasts reports whether the answer can be given again: it is all there, and it
// is a success or an error that does not pass with time.
func (f *flight) lasts() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.over || f.closed {
		return false
	}
	if f.err == nil {
		return true
	}
	switch f.err.Kind {
	case weir.KindInvalid, weir.KindUnsupported, weir.KindContextLength, weir.KindContentFilter, weir.KindTooLarge:
		return true
	}
	return false
}

// otherRequest is the answer to a key that was used for something else (section
// 2.7 of the draft).
func otherRequest() *weir.Error {
	e := weir.Invalid("Idempotency-Key", "the Idempotency-Key was used before for another request")
	e.Status, e.Code, e.Hint = http.StatusUnprocessableEntity, "idempotency_key_reused", "use a new key for each request"
	return e
}

// stillRunning is the answer to a key whose call is under way where it cannot be
// joined (section 2.7 of the draft).
func stillRunning() *weir.Error {
	e := weir.Errorf(weir.KindConflict, "a request with this Idempotency-Key is still being answered")
	e.Param, e.Code, e.RetryAfter = "Idempotency-Key", "idempotency_key_in_use", time.Second
	return e
}
