package route

import (
	"math"

	"github.com/weir-gateway/weir"
)

// score orders the own deployments by the method. Those of rank best are the
// ones among which it chooses; the others follow by the same measure.
func (b *Balance) score(req *weir.Request, entries []entry, best rank) {
	switch b.options.Method {
	case Weighted:
		b.turns(entries, best)
	case Latency:
		b.quickest(entries, best, req.Stream)
	case LeastBusy:
		b.leastBusy(entries)
	case Cheapest:
		if b.options.Price != nil {
			b.each(entries, func(i int) float64 { return b.price(i, req) })
		}
	case Sticky:
		b.sticky(req, entries, best)
	}
}

func (b *Balance) each(entries []entry, score func(i int) float64) {
	for n := range entries {
		if i := entries[n].index; i < b.own {
			entries[n].score = score(i)
		}
	}
}

// turns is smooth weighted round robin, as nginx does it: over as many choices
// as the weights add up to, each is chosen as often as its weight says, and
// never in a run where that can be helped. The others follow in the order in
// which their turn would come.
func (b *Balance) turns(entries []entry, best rank) {
	b.mu.Lock()
	defer b.mu.Unlock()
	total, next := int64(0), -1
	for n := range entries {
		i := entries[n].index
		if entries[n].rank == best {
			w := b.targets[i].weight
			total += w
			b.current[i] += w
			if next < 0 || b.current[i] > b.current[entries[next].index] {
				next = n
			}
		}
	}
	b.each(entries, func(i int) float64 { return -float64(b.current[i]) })
	b.current[entries[next].index] -= total
}

// unknownCost is above every cost that is known.
const unknownCost = 1e18

// cost is what a call at a deployment is expected to take, for Latency: its
// latency for each of the calls that will share it. One that has not answered
// yet is tried with a single call at a time.
func (b *Balance) cost(i int, streamed bool) float64 {
	h := b.targets[i].Health
	if h == nil {
		return 0
	}
	calls := float64(h.InFlight())
	latency := float64(h.Latency(streamed))
	if latency == 0 && calls > 0 {
		return unknownCost + calls*1e6
	}
	return latency * (calls + 1)
}

// quickest puts the better of two random ones among the best first and the
// other behind it. To take the best of all would send everybody to the same one
// at once, and asking for every latency costs more than the rest of an order:
// the others follow by their calls in progress.
func (b *Balance) quickest(entries []entry, best rank, streamed bool) {
	b.each(entries, b.calls)
	var buf [usual]int
	choice := buf[:0]
	for n := range entries {
		if entries[n].rank == best {
			choice = append(choice, n)
		}
	}
	if len(choice) < 2 {
		return
	}
	x, y := 0, 1
	if len(choice) > 2 {
		if x, y = b.options.Rand(len(choice)), b.options.Rand(len(choice)-1); y >= x {
			y++
		}
	}
	first, second := choice[min(x, y)], choice[max(x, y)]
	if b.cost(entries[second].index, streamed) < b.cost(entries[first].index, streamed) {
		first, second = second, first
	}
	entries[first].score, entries[second].score = -2, -1
}

// calls is how many are in progress at a deployment.
func (b *Balance) calls(i int) float64 {
	if h := b.targets[i].Health; h != nil {
		return float64(h.InFlight())
	}
	return 0
}

// leastBusy goes by the calls in progress for a weight; of equals each has its
// turn at the first place.
func (b *Balance) leastBusy(entries []entry) {
	round := int(b.rounds.Add(1) % uint64(b.own))
	for n := range entries {
		i := entries[n].index
		if i >= b.own {
			continue
		}
		turn := (i - round + b.own) % b.own
		entries[n].score = b.calls(i)/float64(b.targets[i].weight) + 1e-9*float64(turn)
	}
}

// price is what the request would cost; what is not known goes last.
func (b *Balance) price(i int, req *weir.Request) float64 {
	if cost, known := b.options.Price(req, &b.all[i]); known && !math.IsNaN(cost) {
		return cost
	}
	return math.Inf(1)
}
