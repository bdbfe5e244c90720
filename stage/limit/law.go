package limit

import (
	"math"
	"time"
)

// What the law of the limit is made of.
const (
	backOff   = 0.7  // of the limit is left after a rate limit or an overload
	leastLeft = 0.25 // of the limit is left after a latency, however long
	under     = 0.8  // of what it held when it was quick is left then: it may not have been at its quickest
	fewest    = 8    // samples that make a round
	most      = 64
	caution   = 10 // rounds for the step to where it last complained, in place of one
)

// A law says how many calls may be in flight: as many more as succeed while all
// places are taken, and fewer by a factor when the deployment complains or
// becomes slow. It is not safe for concurrent use.
//
// Latencies are kept as logarithms of nanoseconds, and their means are so
// geometric ones: a single slow answer does not outweigh a round of quick ones.
type law struct {
	least, greatest float64
	tolerance       float64 // logarithm of the factor that is far above

	limit float64
	eager bool   // one more for every success, until the first complaint
	cuts  uint64 // numbers the times that the limit was lowered
	wall  int    // how many places it last complained about; 0 when it did not, or has since taken them

	sum     float64 // of the round's latencies
	samples int     // of the round
	size    int     // samples that end the round
	peak    int     // most calls in flight in the round

	base    float64 // latency while it is not our load that makes it; 0 not known
	latency float64 // of the last round; 0 not known
}

func newLaw(least, start, greatest int, tolerance float64) law {
	l := law{eager: true, limit: float64(start)}
	l.bound(least, greatest, tolerance)
	l.begin(0)
	return l
}

// bound changes what the limit stays between.
func (l *law) bound(least, greatest int, tolerance float64) {
	l.least, l.greatest, l.tolerance = float64(least), float64(greatest), math.Log(tolerance)
	l.set(l.limit)
}

func (l *law) set(limit float64) { l.limit = min(max(limit, l.least), l.greatest) }

// places is how many calls may be in flight.
func (l *law) places() int { return int(l.limit) }

// grow enters a success while all places were taken: one place more for every
// round of them. The step to where the deployment last complained is taken
// slowly, so that it need not complain all the time.
func (l *law) grow() {
	if l.eager {
		l.set(l.limit + 1)
		return
	}
	step := 1 / l.limit
	if l.wall > 0 && int(l.limit+1) >= l.wall {
		step /= caution
	}
	l.set(l.limit + step)
	if l.places() >= l.wall {
		l.wall = 0
	}
}

// complain enters that the deployment is asked too much.
func (l *law) complain() {
	l.wall = l.places()
	l.cut(backOff)
}

// cut leaves a part of the limit. What was in flight by then says nothing of
// the lower one, so the round begins anew.
func (l *law) cut(left float64) {
	l.eager = false
	l.cuts++
	l.set(l.limit * left)
	l.begin(0)
}

// begin begins a round with so many calls in flight.
func (l *law) begin(inFlight int) {
	l.sum, l.samples, l.peak = 0, 0, inFlight
	l.size = min(max(l.places(), fewest), most)
}

// sample enters a time to first content, and reports whether the limit was
// lowered for it.
func (l *law) sample(d time.Duration, inFlight int) bool {
	l.sum += math.Log(float64(max(d, time.Microsecond)))
	l.samples++
	if l.samples < l.size {
		return false
	}
	mean, busy := l.sum/float64(l.samples), 2*max(l.peak, inFlight) >= l.places()
	l.begin(inFlight)
	return l.round(mean, busy)
}

// round judges the mean latency of a round. busy tells that at least half of the
// places were taken in it; else it is not our calls that made it.
func (l *law) round(mean float64, busy bool) bool {
	l.latency = mean
	excess := mean - l.base
	switch {
	case l.base == 0:
		l.base = mean
	case excess <= 0:
		l.base += excess / 4
	case !busy:
		l.base += excess / 8
	case excess <= l.tolerance:
		l.eager = l.eager && excess <= l.tolerance/2
	case l.limit <= l.least: // it is slow without us: prompts have become longer, or others call it
		l.base, l.eager = mean, true
	default: // somewhat fewer than it held when it was quick
		l.cut(max(under*math.Exp(-excess), leastLeft))
		return true
	}
	return false
}

// duration is a latency of a law in time; 0 when it is not known.
func duration(log float64) time.Duration {
	if log == 0 {
		return 0
	}
	return time.Duration(math.Exp(log))
}
