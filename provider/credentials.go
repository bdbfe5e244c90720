package provider

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weir-gateway/weir"
)

// How long a key is benched where CredentialsOptions say nothing.
const (
	DefaultBenchAuth  = 10 * time.Minute
	DefaultBenchQuota = 5 * time.Minute
)

// CredentialsOptions are the keys of one account and how refused ones are
// treated.
type CredentialsOptions struct {
	// Keys are used in turn. Blanks around them, empty ones and repetitions
	// are dropped.
	Keys []string
	// BenchAuth is how long a key rests that the provider refused, BenchQuota
	// one that ran out of quota. 0 is the default, negative not at all.
	BenchAuth, BenchQuota time.Duration
}

// Credentials is a pool of keys for one provider account. A key that is
// refused, or out of quota, is benched alone and for a time; the others go on.
// When all are benched, the one that was benched longest ago is used: a wrong
// verdict must not outlive its cause.
//
// It is safe for concurrent use and may be shared by many deployments. Nil is a
// pool without keys. However it is printed, it shows fingerprints, never keys.
type Credentials struct {
	benchAuth, benchQuota time.Duration
	source                Source // of the one nameless credential; nil: there are keys

	mu   sync.Mutex // guards next and what keys say about the bench
	keys []*key     // the slice itself does not change
	next int
}

// A key is one secret of the pool. The secret is behind a function, since that
// is the one thing that fmt and reflection cannot look into.
type key struct {
	secret  func(context.Context) (string, error)
	sum     [sha256.Size]byte
	benched time.Time // when; zero: it never was, or has worked since
	until   time.Time
}

// reveal is the secret, empty for no key. Errors are those of Source.Secret.
func (k *key) reveal(ctx context.Context) (string, error) {
	if k == nil {
		return "", nil
	}
	return k.secret(ctx)
}

// NewCredentials makes a pool.
func NewCredentials(o CredentialsOptions) *Credentials {
	c := &Credentials{
		benchAuth:  orDefault(o.BenchAuth, DefaultBenchAuth),
		benchQuota: orDefault(o.BenchQuota, DefaultBenchQuota),
	}
	for _, s := range o.Keys {
		s = strings.TrimSpace(s)
		sum := sha256.Sum256([]byte(s))
		if s != "" && !slices.ContainsFunc(c.keys, func(k *key) bool { return k.sum == sum }) {
			c.keys = append(c.keys, &key{secret: fixed(s), sum: sum})
		}
	}
	return c
}

// Keys makes a pool with the default times.
func Keys(keys ...string) *Credentials {
	return NewCredentials(CredentialsOptions{Keys: keys})
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return max(d, 0)
}

// Len is the number of keys.
func (c *Credentials) Len() int {
	if c == nil {
		return 0
	}
	return len(c.keys)
}

// Benched is how many keys rest at the moment.
func (c *Credentials) Benched() int {
	if c == nil {
		return 0
	}
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, k := range c.keys {
		if k.until.After(now) {
			n++
		}
	}
	return n
}

// A turn is one call's way through the pool.
type turn struct {
	pool  *Credentials
	tried []*key
	// renewed tells that the credential of a Source was made anew.
	renewed bool
}

func (c *Credentials) begin() turn { return turn{pool: c} }

// next is the key to use, nil in a pool without keys.
func (t *turn) next() *key {
	c := t.pool
	if c.Len() == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.rested(t.tried)
	if k == nil {
		k = slices.MinFunc(c.keys, func(a, b *key) int { return a.benched.Compare(b.benched) })
	}
	return k
}

// rested is the next key that is not on the bench and not in tried, or nil.
// The caller holds mu.
func (c *Credentials) rested(tried []*key) *key {
	var now time.Time
	for i := range c.keys {
		at := (c.next + i) % len(c.keys)
		k := c.keys[at]
		if !k.until.IsZero() {
			if now.IsZero() {
				now = time.Now()
			}
			if k.until.After(now) {
				continue
			}
		}
		if !slices.Contains(tried, k) {
			c.next = (at + 1) % len(c.keys)
			return k
		}
	}
	return nil
}

// accepted ends a key's bench: it has worked.
func (t *turn) accepted(k *key) {
	if k == nil {
		return
	}
	c := t.pool
	c.mu.Lock()
	k.benched, k.until = time.Time{}, time.Time{}
	c.mu.Unlock()
}

// refused benches the key if err is about it, and reports whether a sibling
// that is not benched is left to try. What a Source made, secret, is made anew
// once before that.
func (t *turn) refused(k *key, secret string, err error) bool {
	if k == nil {
		return false
	}
	c := t.pool
	var rest time.Duration
	switch {
	case errors.Is(err, weir.KindUpstreamAuth):
		if t.renew(secret) {
			return true
		}
		rest = c.benchAuth
	case errors.Is(err, weir.KindQuota):
		rest = c.benchQuota
	default:
		return false
	}
	t.tried = append(t.tried, k)
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	k.benched, k.until = now, now.Add(rest)
	return slices.ContainsFunc(c.keys, func(s *key) bool {
		return !s.until.After(now) && !slices.Contains(t.tried, s)
	})
}

// renew makes a Source forget a secret that was refused, once in a call.
func (t *turn) renew(secret string) bool {
	if t.pool.source == nil || t.renewed || secret == "" {
		return false
	}
	t.renewed = true
	return t.pool.source.Renew(secret)
}
