package breaker

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Board remembers the health of deployments by their names. It outlives the
// chains that use it. Safe for concurrent use.
//
// Locks are taken in this order: Board, Group, Health. None is held while a
// call is made or OnChange runs.
type Board struct {
	options atomic.Pointer[Options]
	epoch   time.Time // all times inside are nanoseconds since then

	mu        sync.Mutex // guards what follows
	byName    map[string]*Health
	installed []*Group
}

// NewBoard makes an empty Board.
func NewBoard(o Options) *Board {
	b := &Board{epoch: time.Now(), byName: map[string]*Health{}}
	b.Configure(o)
	return b
}

// Configure changes the options of all deployments from now on. What is known
// of them stays, but for the window when its length changes.
func (b *Board) Configure(o Options) { b.options.Store(o.withDefaults()) }

// now is the time since the epoch, which costs less than the time of day.
func (b *Board) now() int64 { return int64(time.Since(b.epoch)) }

// Health is that of a deployment, the same for every caller of that name. When
// all that the Board may remember is in use, it is one that nobody else gets.
func (b *Board) Health(deployment string) *Health {
	b.mu.Lock()
	defer b.mu.Unlock()
	if h := b.byName[deployment]; h != nil {
		return h
	}
	h := newHealth(b, deployment)
	if limit := b.options.Load().MaxDeployments; len(b.byName) < limit || b.forget(limit) {
		b.byName[deployment] = h
	}
	return h
}

// forget drops an eighth of the deployments, those that were not used for
// longest, and reports whether there is room now. What is in use, is not
// closed or belongs to a group stays.
func (b *Board) forget(limit int) bool {
	var idle []*Health
	for _, h := range b.byName {
		if h.inFlight.Load() == 0 && h.mode() == Closed && len(h.memberships()) == 0 {
			idle = append(idle, h)
		}
	}
	slices.SortFunc(idle, func(x, y *Health) int { return cmp.Compare(x.used.Load(), y.used.Load()) })
	for _, h := range idle[:min(len(idle), limit/8+1)] {
		delete(b.byName, h.name)
	}
	return len(b.byName) < limit
}

// Retain forgets the deployments whose names keep does not know, to be called
// when a configuration without them has gone live. Calls in progress are not
// disturbed.
func (b *Board) Retain(keep func(deployment string) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name := range b.byName {
		if !keep(name) {
			delete(b.byName, name)
		}
	}
}

// List is the state of every deployment by name, for an admin page.
func (b *Board) List() []Status {
	b.mu.Lock()
	all := make([]*Health, 0, len(b.byName))
	for _, h := range b.byName {
		all = append(all, h)
	}
	b.mu.Unlock()
	out := make([]Status, len(all))
	for i, h := range all {
		out[i] = h.Status()
	}
	slices.SortFunc(out, func(x, y Status) int { return cmp.Compare(x.Deployment, y.Deployment) })
	return out
}
