package gateway

import (
	"context"
	"crypto/sha256"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
	"weak"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/config"
	"github.com/weir-gateway/weir/provider"
	"github.com/weir-gateway/weir/stage/breaker"
	"github.com/weir-gateway/weir/stage/limit"
	"github.com/weir-gateway/weir/stage/replay"
	"github.com/weir-gateway/weir/stage/share"
	"github.com/weir-gateway/weir/stage/thread"
)

// state is what outlives a reload: a key that was benched stays benched, a
// connection stays open, a limit keeps its count. Everything is found again by
// what it was made for, so that a changed setting gets a fresh one.
//
// What holds answers is large, and is found as long as something uses it: the
// snapshot that has it, a request that came before a reload, a response that
// runs in the background. Then it is gone with what was in it.
type state struct {
	mu          sync.Mutex // guards the maps; held for look-ups only
	credentials map[[32]byte]*provider.Credentials
	transports  map[transportKey]*provider.Transport
	limits      map[limitKey]weir.Middleware
	admissions  map[int64]*limit.Bytes
	keepers     map[config.Responses]weak.Pointer[thread.Keeper]
	runners     map[config.Responses]weak.Pointer[thread.Runner]
	memories    map[config.Reasoning]weak.Pointer[replay.Memory]
	board       *breaker.Board // how the deployments are
	group       *share.Group   // calls in flight that are shared
	answers     map[config.Idempotency]weak.Pointer[share.Idempotency]
}

type transportKey struct {
	provider string
	connect  time.Duration
	maxConns int
}

type limitKey struct {
	provider string
	n        int
}

func newState() *state {
	return &state{
		credentials: map[[32]byte]*provider.Credentials{},
		transports:  map[transportKey]*provider.Transport{},
		limits:      map[limitKey]weir.Middleware{},
		admissions:  map[int64]*limit.Bytes{},
		keepers:     map[config.Responses]weak.Pointer[thread.Keeper]{},
		runners:     map[config.Responses]weak.Pointer[thread.Runner]{},
		memories:    map[config.Reasoning]weak.Pointer[replay.Memory]{},
		board:       breaker.NewBoard(breaker.Options{}),
		answers:     map[config.Idempotency]weak.Pointer[share.Idempotency]{},
	}
}

// keys is the pool of an account's keys. It is found by a hash, so that the
// keys themselves are not kept twice.
func (s *state) keys(account string, keys []string) *provider.Credentials {
	if len(keys) == 0 {
		return nil
	}
	id := sha256.Sum256([]byte(account + "\x00" + strings.Join(keys, "\x00")))
	return remember(&s.mu, s.credentials, id, func() *provider.Credentials { return provider.Keys(keys...) })
}

func (s *state) transport(k transportKey) http.RoundTripper {
	return remember(&s.mu, s.transports, k, func() *provider.Transport {
		return provider.NewTransport(provider.TransportOptions{ConnectTimeout: k.connect, MaxConnsPerHost: k.maxConns})
	})
}

// concurrency bounds the calls to a provider, nil for no bound.
func (s *state) concurrency(provider string, n int) weir.Middleware {
	if n <= 0 {
		return nil
	}
	return remember(&s.mu, s.limits, limitKey{provider, n}, func() weir.Middleware { return limit.Concurrency(n) })
}

func (s *state) bytes(n int64) *limit.Bytes {
	return remember(&s.mu, s.admissions, n, func() *limit.Bytes { return limit.NewBytes(n) })
}

// threads keeps responses and conversations; nil when nothing is to be kept.
func (s *state) threads(cfg *config.Config) *thread.Keeper {
	o := cfg.State.Responses
	if !o.Keep {
		return nil
	}
	return recall(&s.mu, s.keepers, o, func() *thread.Keeper {
		return thread.NewKeeper(thread.KeeperOptions{Store: thread.NewMemory(thread.MemoryOptions{MaxBytes: int64(o.Max)}), TTL: o.TTL})
	})
}

// background runs responses that nobody waits for; nil when nothing is kept.
func (s *state) background(cfg *config.Config) *thread.Runner {
	k := s.threads(cfg)
	if k == nil {
		return nil
	}
	return recall(&s.mu, s.runners, cfg.State.Responses, func() *thread.Runner {
		return thread.NewRunner(thread.RunnerOptions{Keeper: k})
	})
}

// drain lets what runs in the background come to its end, until ctx is done.
func (s *state) drain(ctx context.Context) {
	s.mu.Lock()
	var runners []*thread.Runner // what nobody has any more runs nothing
	for _, w := range s.runners {
		if r := w.Value(); r != nil {
			runners = append(runners, r)
		}
	}
	s.mu.Unlock()
	for _, r := range runners {
		r.Shutdown(ctx)
	}
}

// reasoning keeps what clients cannot carry; nil when nothing is to be kept.
func (s *state) reasoning(cfg *config.Config) *replay.Memory {
	o := cfg.State.Reasoning
	if !o.Keep {
		return nil
	}
	return recall(&s.mu, s.memories, o, func() *replay.Memory {
		return replay.NewMemory(replay.MemoryOptions{TTL: o.TTL, MaxBytes: int64(o.Max)})
	})
}

// sharing are the calls in flight that are shared.
func (s *state) sharing(build func() *share.Group) *share.Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.group == nil {
		s.group = build()
	}
	return s.group
}

// repeated are the answers that are kept for who asks again.
func (s *state) repeated(o config.Idempotency, build func() *share.Idempotency) *share.Idempotency {
	return recall(&s.mu, s.answers, o, build)
}

func (s *state) closeIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.transports {
		t.CloseIdleConnections()
	}
}

func remember[K comparable, V any](mu *sync.Mutex, m map[K]V, key K, build func() V) V {
	mu.Lock()
	defer mu.Unlock()
	v, ok := m[key]
	if !ok {
		v = build()
		m[key] = v
	}
	return v
}

// recall is remember for what is gone when nothing but m knows it.
func recall[K comparable, V any](mu *sync.Mutex, m map[K]weak.Pointer[V], key K, build func() *V) *V {
	mu.Lock()
	defer mu.Unlock()
	if v := m[key].Value(); v != nil {
		return v
	}
	maps.DeleteFunc(m, func(_ K, w weak.Pointer[V]) bool { return w.Value() == nil })
	v := build()
	m[key] = weak.Make(v)
	return v
}
