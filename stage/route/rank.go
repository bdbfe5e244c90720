package route

import (
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/breaker"
)

// A rank is how able a deployment is to serve a request: a lower one goes
// first, whatever the method says. The bits are in the order in which they
// weigh; the lowest are the place of the zone.
type rank uint32

const (
	probeRank rank = 0

	rankBase    rank = 1 << (iota + 7) // above probeRank, and above the places of zones
	rankBusy                           // has as many calls as it should
	rankSlow                           // slower than its peers
	rankDrained                        // has no weight
	rankNext                           // is a fallback
	rankCooling                        // asked for patience
	rankDown                           // would be refused
	rankUnfit                          // cannot serve the request
)

const zoneMask = rankBase - 1

func (r rank) own() bool   { return r&rankNext == 0 }
func (r rank) unfit() bool { return r&rankUnfit != 0 }

// slow reports whether a rank is that of one of the own deployments that is
// fit and works, but is slower than its peers.
func (r rank) slow() bool {
	return r&rankSlow != 0 && r&(rankNext|rankCooling|rankDown|rankUnfit|rankDrained) == 0
}

// zonePlace is the place of a zone in the order of nearness. What is everywhere
// is here.
func zonePlace(zones []string, zone string) int {
	if zone == "" {
		return 0
	}
	i := slices.Index(zones, zone)
	if i < 0 {
		i = len(zones)
	}
	return min(i, int(zoneMask))
}

// rankOf judges deployment i for the request.
func (b *Balance) rankOf(i int, req *weir.Request) rank {
	t := &b.targets[i]
	r := rankBase | rank(t.zone)
	if i >= b.own {
		r = rankBase | rankNext
	}
	if t.Weight < 0 {
		r |= rankDrained
	}
	if h := t.Health; h != nil {
		switch h.Standing() {
		case breaker.Slow:
			r |= rankSlow
		case breaker.Cooling:
			r |= rankCooling
		case breaker.Down:
			r |= rankDown
		}
		if i < b.own && b.options.Busy > 0 && h.InFlight() >= b.options.Busy {
			r |= rankBusy
		}
	}
	if unfit := b.all[i].Unfit; unfit != nil && unfit(req) != "" {
		r |= rankUnfit
	}
	return r
}
