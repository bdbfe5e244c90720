package provider

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/weir-gateway/weir"
)

const (
	// exchangeTimeout bounds one exchange for a credential.
	exchangeTimeout = 30 * time.Second
	// earliest is how long before its end a credential is renewed at most; a
	// random part of as much again comes on top, so that replicas that started
	// together do not ask together.
	earliest = 5 * time.Minute
	// lastMoment is how long before its end a credential is no longer sent:
	// clocks differ, and a request takes its time.
	lastMoment = 10 * time.Second
	// pause is how long a failure is remembered.
	pause = 5 * time.Second
)

// A credential is a secret that ends. The secret is behind a function like a
// key's: see there.
type credential struct {
	secret  func() string
	expires time.Time // zero: it does not
}

// renewing is a Source of credentials that end. One exchange is made at a time,
// in the background as long as the credential at hand is good.
type renewing struct {
	fetch func(context.Context) (credential, error)

	mu      sync.Mutex // guards what follows; never held during an exchange
	current credential
	renewAt time.Time
	flight  *flight // the exchange in progress
	failed  error   // of the last exchange
	retryAt time.Time
}

// A flight is one exchange and those who wait for it.
type flight struct {
	done chan struct{} // closed when the rest is there
	got  credential
	err  error
}

// Secret implements Source.
func (r *renewing) Secret(ctx context.Context) (string, error) {
	now := time.Now()
	r.mu.Lock()
	have := r.current
	good := have.secret != nil && (have.expires.IsZero() || now.Add(lastMoment).Before(have.expires))
	if good && (have.expires.IsZero() || now.Before(r.renewAt)) {
		r.mu.Unlock()
		return have.secret(), nil
	}
	f, failed := r.begin(now), r.failed //nolint:contextcheck // an exchange is for all who wait, and outlives each
	r.mu.Unlock()
	switch {
	case good:
		return have.secret(), nil
	case f == nil:
		return "", failed
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if f.err != nil {
		return "", f.err
	}
	return f.got.secret(), nil
}

// begin joins the exchange in progress or begins one, nil so soon after a
// failure. The caller holds mu.
func (r *renewing) begin(now time.Time) *flight {
	if r.flight != nil {
		return r.flight
	}
	if now.Before(r.retryAt) {
		return nil
	}
	f := &flight{done: make(chan struct{})}
	r.flight = f
	go r.fly(f)
	return f
}

// fly makes one exchange. It is bounded by its own time limit, and not by the
// call that happened to come first.
func (r *renewing) fly(f *flight) {
	ctx, cancel := context.WithTimeout(context.Background(), exchangeTimeout)
	defer cancel()
	f.got, f.err = r.fetch(ctx)
	if f.err != nil && ctx.Err() != nil {
		f.err = weir.Errorf(weir.KindTimeout, "getting a credential for the provider took too long")
	}
	now := time.Now()
	r.mu.Lock()
	r.flight = nil
	if f.err != nil {
		r.failed, r.retryAt = f.err, now.Add(pause)
	} else {
		r.current, r.retryAt = f.got, time.Time{}
		r.renewAt = renewal(now, f.got.expires)
	}
	r.mu.Unlock()
	close(f.done)
}

// renewal is when a credential is to be renewed.
func renewal(now, expires time.Time) time.Time {
	early := min(earliest, expires.Sub(now)/5)
	if early <= 0 {
		return now
	}
	return expires.Add(-early - rand.N(early))
}

// Renew implements Source.
func (r *renewing) Renew(refused string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current.secret != nil && r.current.secret() == refused {
		r.current, r.retryAt = credential{}, time.Time{}
	}
	return true
}

// A static Source has one secret for ever.
type static func() string

// Secret implements Source.
func (s static) Secret(context.Context) (string, error) { return s(), nil }

// Renew implements Source.
func (s static) Renew(string) bool { return false }
