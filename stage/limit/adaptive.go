package limit

import (
	"container/list"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weir-gateway/weir"
)

// AdaptiveOptions bound the calls in progress at one deployment by what it can
// take.
type AdaptiveOptions struct {
	// Name is the deployment's, for errors.
	Name string
	// Max is the highest limit; below 1 there is none, and nobody waits.
	Max int
	// Min is the lowest limit, which no complaint goes below. Below 1 is 1.
	Min int
	// Start is the limit at first. Below 1 is 8. It is brought between Min and Max.
	Start int
	// Queue is how many calls may wait for a place. 0 is as many as Max; below
	// 0 none waits.
	Queue int
	// MaxWait is the longest that one waits. 0 is 10 s.
	MaxWait time.Duration
	// Tolerance is by which factor the time to first content exceeds what is
	// usual before it is taken for a sign of overload. 1 or below is 3: the
	// length of prompts alone makes a difference.
	Tolerance float64
}

func (o AdaptiveOptions) withDefaults() AdaptiveOptions {
	o.Max = max(o.Max, 0)
	o.Min = min(max(o.Min, 1), max(o.Max, 1))
	if o.Start < 1 {
		o.Start = 8
	}
	if o.Queue == 0 {
		o.Queue = o.Max
	}
	if o.MaxWait <= 0 {
		o.MaxWait = 10 * time.Second
	}
	if !(o.Tolerance > 1) || math.IsInf(o.Tolerance, 1) { // so that NaN is none either
		o.Tolerance = 3
	}
	return o
}

// An Adaptive bounds the calls in flight at one deployment, by a limit that
// follows what the deployment can take.
//
// The limit grows while all places are taken and calls succeed: at first by one
// for every success, after the first complaint by one for every round of them.
// It shrinks when the deployment says that it is asked too much (429, 503, 529)
// and when the time to first content of streamed answers rises far above what
// is usual. Of the calls that were under way together only the first to
// complain lowers it.
//
// Who finds no place waits, first come, first served. Who cannot be served in
// time by the rate at which places become free is refused at once, so that
// another deployment can be asked while there is time; see [CodeFull].
//
// It outlives the chains that use it, so that what was learned survives a
// reload. Safe for concurrent use.
type Adaptive struct {
	epoch time.Time     // all times inside are nanoseconds since then
	full  atomic.Uint64 // number of the last call that took the last place; set with mu held

	mu       sync.Mutex // guards what follows
	options  AdaptiveOptions
	law      law
	inFlight int
	begun    uint64    // numbers the calls that were let in
	hold     float64   // mean nanoseconds for which a place is taken; 0 not known
	waiting  list.List // of *turn
	refused  uint64
}

// NewAdaptive makes an Adaptive with all places free.
func NewAdaptive(o AdaptiveOptions) *Adaptive {
	o = o.withDefaults()
	return &Adaptive{
		epoch:   time.Now(),
		options: o,
		law:     newLaw(o.Min, o.Start, max(o.Max, o.Min), o.Tolerance),
	}
}

// Configure changes the options from now on; Start no longer means anything.
// What has been learned and who holds a place or waits for one stays, but those
// who wait are served or refused by the new options. Calls that began while
// there was no limit are not counted.
func (a *Adaptive) Configure(o AdaptiveOptions) {
	o = o.withDefaults()
	a.mu.Lock()
	defer a.mu.Unlock()
	if o == a.options {
		return
	}
	a.options = o
	a.law.bound(o.Min, max(o.Max, o.Min), o.Tolerance)
	a.admit()
	a.prune()
}

// Middleware is the stage: a call holds a place from when it is let in to the
// end of its range statement. It belongs outside of the retries of the
// deployment, so that who is refused goes elsewhere at once; what became of the
// single attempts it learns from their notes. Without retries inside, it learns
// from the answer itself. While Max is 0 it is no stage at all.
func (a *Adaptive) Middleware() weir.Middleware {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.options.Max == 0 {
		return func(next weir.Handler) weir.Handler { return next }
	}
	return a.wrap
}

// AdaptiveStats is how an Adaptive stands.
type AdaptiveStats struct {
	Limit    int // calls that may be in flight now; 0 is no limit
	InFlight int
	Waiting  int
	Refused  uint64 // calls in all, those of which the caller left not among them
	Lowered  uint64 // times that the limit was lowered, or would have been but for Min
	// Base is the usual time to first content of streamed answers, and Latency
	// its mean over the last calls; 0 when not known.
	Base, Latency time.Duration
}

// Stats is how it stands now.
func (a *Adaptive) Stats() AdaptiveStats {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := AdaptiveStats{
		InFlight: a.inFlight, Waiting: a.waiting.Len(), Refused: a.refused, Lowered: a.law.cuts,
		Base: duration(a.law.base), Latency: duration(a.law.latency),
	}
	if a.options.Max > 0 {
		s.Limit = a.law.places()
	}
	return s
}

// now is the time since the epoch, which costs less than the time of day.
func (a *Adaptive) now() int64 { return int64(time.Since(a.epoch)) }
