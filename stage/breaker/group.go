package breaker

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Group is the deployments among which a strategy chooses: those of one model,
// which may be expected to be equally quick. Deployments in an order of
// preference are no group. Safe for concurrent use.
type Group struct {
	name    string
	members []*Member

	mu sync.Mutex // held while a member is ejected or comes back
}

// A Member is a deployment in a Group: its Health, and whether it is ejected.
type Member struct {
	*Health
	group   *Group
	ejected atomic.Bool
	probeAt atomic.Int64 // when the next probe is due
}

// NewGroup makes a Group of deployments, each named once. Nobody is ejected
// from it before it is installed.
func (b *Board) NewGroup(name string, deployments ...string) *Group {
	g := &Group{name: name}
	for _, d := range deployments {
		g.members = append(g.members, &Member{Health: b.Health(d), group: g})
	}
	return g
}

// Member is the member of that name, nil when there is none.
func (g *Group) Member(deployment string) *Member {
	for _, m := range g.members {
		if m.name == deployment {
			return m
		}
	}
	return nil
}

// Install makes these the groups by which deployments are judged, in place of
// those before, to be called when the configuration that has them goes live. A
// deployment that was ejected from the earlier group of the same name stays so.
func (b *Board) Install(groups ...*Group) {
	b.mu.Lock()
	defer b.mu.Unlock()
	lists := map[*Health][]*Member{}
	for _, old := range b.installed {
		for _, m := range old.members {
			lists[m.Health] = nil
		}
	}
	for _, g := range groups {
		if i := slices.IndexFunc(b.installed, func(old *Group) bool { return old.name == g.name }); i >= 0 && b.installed[i] != g {
			g.inherit(b.installed[i], b.options.Load())
		}
		for _, m := range g.members {
			lists[m.Health] = append(lists[m.Health], m)
		}
	}
	b.installed = slices.Clone(groups)
	for h, list := range lists {
		h.groups.Store(&list)
	}
}

// inherit takes over who was ejected, as far as the group is large enough.
func (g *Group) inherit(from *Group, o *Options) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.members {
		if old := from.Member(m.name); old != nil && old.ejected.Load() && !o.Eject.Off && g.mayEject() {
			m.probeAt.Store(old.probeAt.Load())
			m.ejected.Store(true)
		}
	}
}

// mayEject reports whether one more may go: half of the group must stay.
func (g *Group) mayEject() bool { return 2*(countEjected(g.members)+1) <= len(g.members) }

func countEjected(members []*Member) (n int) {
	for _, m := range members {
		if m.ejected.Load() {
			n++
		}
	}
	return n
}

// Standing is that of the deployment, or Slow where it would be Ready but is
// ejected from the group.
func (m *Member) Standing() Standing {
	s := m.Health.Standing()
	if s == Ready && m.ejected.Load() {
		return Slow
	}
	return s
}

// Probe reports whether the next call is to go to this ejected deployment, to
// see whether it is back. It is true once in EjectOptions.ProbeEvery, for one
// caller, who must make that call.
func (m *Member) Probe() bool {
	if !m.ejected.Load() {
		return false
	}
	due, now := m.probeAt.Load(), m.board.now()
	return now >= due && m.probeAt.CompareAndSwap(due, now+int64(m.board.options.Load().Eject.ProbeEvery))
}

// review judges the member by its latest time to first token.
func (m *Member) review(now int64, o *Options) *Change {
	mean, samples := m.streamed.average()
	if !m.ejected.Load() && (o.Eject.Off || mean <= o.Eject.Floor || samples < int64(o.Eject.MinSamples)) {
		return nil // nearly always
	}
	m.group.mu.Lock()
	defer m.group.mu.Unlock()
	peers, known := m.peers(o)
	bound := max(time.Duration(o.Eject.Factor*float64(peers)), o.Eject.Floor)
	switch out := m.ejected.Load(); {
	case out && (mean <= bound || o.Eject.Off):
		return m.turn(false, mean, peers)
	case !out && known && mean > bound && m.group.mayEject():
		m.probeAt.Store(now + int64(o.Eject.ProbeEvery))
		return m.turn(true, mean, peers)
	}
	return nil
}

// peers is the median of the mean times to first token of those members that
// work, are not ejected and have answered often enough. False when there are
// none: the last one is never ejected.
func (m *Member) peers(o *Options) (time.Duration, bool) {
	var buf [16]time.Duration
	means := buf[:0]
	for _, other := range m.group.members {
		if other == m || other.ejected.Load() || other.mode() != Closed {
			continue
		}
		if mean, n := other.streamed.average(); n >= int64(o.Eject.MinSamples) {
			means = append(means, mean)
		}
	}
	if len(means) == 0 {
		return 0, false
	}
	slices.Sort(means)
	mid := len(means) / 2
	if len(means)%2 == 1 {
		return means[mid], true
	}
	return (means[mid-1] + means[mid]) / 2, true
}

// turn ejects the member or takes it back. The group's lock is held.
func (m *Member) turn(out bool, mean, peers time.Duration) *Change {
	c := &Change{Deployment: m.name, Group: m.group.name, From: Closed, To: Ejected, At: time.Now()}
	c.Reason = "mean time to first token " + round(mean) + ", that of its peers " + round(peers)
	if !out {
		c.From, c.To = Ejected, Closed
	}
	m.ejected.Store(out)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.outbox = append(m.outbox, c)
	return c
}

func round(d time.Duration) string { return d.Round(time.Millisecond).String() }
