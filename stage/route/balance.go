package route

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/weir-gateway/weir"
)

// A Target is what is known about a deployment beside its name.
type Target struct {
	// Weight is its share among the others. 0 is 1; below 0 it is called only
	// when the others cannot serve.
	Weight int
	// Zone is where it is; empty is everywhere.
	Zone string
	// Health is nil for a deployment that is always ready and never busy.
	Health Health
}

// BalanceOptions set up a Balance. The zero value keeps the listed order.
type BalanceOptions struct {
	Method Method
	// Target is what is known about a deployment. Nil: nothing.
	Target func(d *weir.Deployment) Target
	// Zones are in order of nearness, the local one first. A zone that is not
	// named comes after them. Empty: zones do not matter.
	Zones []string
	// Busy is how many calls in progress make a deployment busy: one that is not
	// is preferred, in a further zone too. 0 is no bound.
	Busy int
	// Key is what Sticky goes by, a session or the beginning of a prompt. A
	// request without a key, and every request when it is nil, goes by weight.
	Key func(*weir.Request) string
	// Price is what a request would cost at a deployment, in any one unit; false
	// when that is not known. Cheapest needs it.
	Price func(req *weir.Request, d *weir.Deployment) (cost float64, known bool)
	// Rand is a random number below n, for Latency. Nil is that of math/rand/v2.
	Rand func(n int) int
}

// A Balance is a Strategy over fixed lists of deployments. It chooses among
// those that the name itself stands for (own); its fallbacks keep their order.
//
// Whatever the first choice, all others follow it, in this order: what is
// ready, what is slower than its peers, what the fallbacks offer, what asked
// for patience, what would be refused, and at the end what cannot
// serve the request. Within that, what is not busy goes before what is,
// a nearer zone before a further one, and then the method decides. Nothing is
// left out, so that a request is lost only when all have failed.
//
// A Slow deployment is put first when its Probe is due.
type Balance struct {
	options BalanceOptions
	all     []weir.Deployment // own, then fallbacks
	own     int
	targets []target // as all
	rounds  atomic.Uint64

	mu      sync.Mutex // guards current
	current []int64    // of smooth weighted round robin, as own
}

type target struct {
	Target
	weight int64  // at least 1
	zone   int    // its place in Zones
	hash   uint64 // of its name
}

// NewBalance makes a Balance. The lists are not modified; a name must not be
// in them twice.
func NewBalance(o BalanceOptions, own, fallbacks []weir.Deployment) *Balance {
	if o.Rand == nil {
		o.Rand = rand.IntN
	}
	b := &Balance{options: o, all: slices.Concat(own, fallbacks), own: len(own), current: make([]int64, len(own))}
	for i := range b.all {
		t := target{hash: hash(b.all[i].Name)}
		if o.Target != nil {
			t.Target = o.Target(&b.all[i])
		}
		t.weight = max(int64(t.Weight), 1)
		t.zone = zonePlace(o.Zones, t.Zone)
		b.targets = append(b.targets, t)
	}
	return b
}

// String implements Strategy.
func (b *Balance) String() string { return b.options.Method.String() }

// An entry is a deployment on its way into an order.
type entry struct {
	index int
	rank  rank
	score float64 // lower goes first, within a rank
}

// usual is how many deployments need no memory of their own while they are
// put in order.
const usual = 16

// Order implements Strategy.
func (b *Balance) Order(req *weir.Request) []weir.Deployment {
	if len(b.all) < 2 {
		return b.all
	}
	var buf [usual]entry
	entries := b.rank(req, buf[:0])
	best := slices.MinFunc(entries, func(x, y entry) int { return cmp.Compare(x.rank, y.rank) }).rank
	if best.own() {
		b.score(req, entries, best)
	}
	slices.SortFunc(entries, before)
	return b.listed(entries)
}

func before(x, y entry) int {
	if x.rank != y.rank {
		return cmp.Compare(x.rank, y.rank)
	}
	if x.score != y.score {
		return cmp.Compare(x.score, y.score)
	}
	return x.index - y.index
}

// rank judges every deployment for the request.
func (b *Balance) rank(req *weir.Request, entries []entry) []entry {
	probing := false
	for i := range b.all {
		r := b.rankOf(i, req)
		if !probing && r.slow() && b.targets[i].Health.Probe() {
			probing, r = true, probeRank
		}
		entries = append(entries, entry{index: i, rank: r})
	}
	return entries
}

// listed is the deployments in that order. Those that were found fit are not
// asked again by whoever reads the list.
func (b *Balance) listed(entries []entry) []weir.Deployment {
	same := true
	for i, e := range entries {
		same = same && e.index == i && b.all[i].Unfit == nil
	}
	if same {
		return b.all
	}
	out := make([]weir.Deployment, len(entries))
	for i, e := range entries {
		out[i] = b.all[e.index]
		if !e.rank.unfit() {
			out[i].Unfit = nil
		}
	}
	return out
}
