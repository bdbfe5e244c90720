package attempt

import (
	"sync"
	"sync/atomic"
	"time"
)

// BudgetOptions say how many extra attempts (retries, or hedges) are made in
// proportion to calls. They are taken as they are: the zero value allows none.
type BudgetOptions struct {
	// Ratio is how many extra attempts each call brings: 0.2 is one for every
	// five calls.
	Ratio float64
	// Floor is how many there may be in a Window however few calls there are.
	Floor int
	// Window is the time that Floor is for. 0 is 10 s.
	Window time.Duration
	// Burst is how many may be saved up. 0 is Floor, and at least 1.
	Burst int
}

// RetryBudget is a good budget for the retries at one deployment: a fifth of
// the calls, and 5 in 10 s.
func RetryBudget() BudgetOptions {
	return BudgetOptions{Ratio: 0.2, Floor: 5, Window: 10 * time.Second}
}

// HedgeBudget is a good budget for hedging: a twentieth of the calls, of which
// ten may be saved up.
func HedgeBudget() BudgetOptions { return BudgetOptions{Ratio: 0.05, Burst: 10} }

// A Budget is a bucket of tokens. Each call puts Ratio tokens into it, time
// puts in Floor tokens a Window, and each extra attempt takes one out. It holds
// Burst at most, and begins with Floor. Over any time of n Windows in which
// there were c calls, there are thus at most Burst + n·Floor + c·Ratio extra
// attempts.
//
// A Budget belongs to one deployment and lives as long as that, beyond a
// change of the configuration. Nil is a Budget without bounds. Safe for
// concurrent use.
type Budget struct {
	perCall, full int64 // in millionths of a token, as is tokens
	perSecond     float64

	tokens         atomic.Int64
	taken, refused atomic.Int64

	mu   sync.Mutex // guards last
	last time.Time  // when time last put tokens in
}

const token = 1_000_000

// NewBudget makes a Budget.
func NewBudget(o BudgetOptions) *Budget {
	window := orDuration(o.Window, 10*time.Second)
	floor := max(o.Floor, 0)
	burst := max(orInt(o.Burst, floor), 1)
	b := &Budget{
		perCall:   int64(max(o.Ratio, 0) * token),
		full:      int64(burst) * token,
		perSecond: float64(floor) * token / window.Seconds(),
		last:      time.Now(),
	}
	b.tokens.Store(int64(min(floor, burst)) * token)
	return b
}

// Call counts one call. While nothing is being taken it only looks.
func (b *Budget) Call() {
	if b != nil {
		b.put(b.perCall)
	}
}

// Take takes one extra attempt and reports whether there was one left.
func (b *Budget) Take() bool {
	if b == nil {
		return true
	}
	b.refill()
	for {
		now := b.tokens.Load()
		if now < token {
			b.refused.Add(1)
			return false
		}
		if b.tokens.CompareAndSwap(now, now-token) {
			b.taken.Add(1)
			return true
		}
	}
}

// BudgetStats count what became of extra attempts since the Budget was made.
type BudgetStats struct{ Taken, Refused int64 }

// Stats are the counts so far.
func (b *Budget) Stats() BudgetStats {
	if b == nil {
		return BudgetStats{}
	}
	return BudgetStats{Taken: b.taken.Load(), Refused: b.refused.Load()}
}

func (b *Budget) refill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if due := now.Sub(b.last).Seconds() * b.perSecond; due >= 1 { // what is less is due later
		b.last = now
		b.put(int64(min(due, float64(b.full))))
	}
}

func (b *Budget) put(n int64) {
	for {
		now := b.tokens.Load()
		if now >= b.full || n <= 0 {
			return
		}
		if b.tokens.CompareAndSwap(now, min(now+n, b.full)) {
			return
		}
	}
}

// Withheld is a note: an extra attempt would have been made, had the Budget of
// the deployment not been used up.
type Withheld struct {
	What       string // "retry" or "hedge"
	Deployment string
	Provider   string
	Model      string // the provider's own name of the model
}

// NoteKind implements weir.Note.
func (*Withheld) NoteKind() string { return "withheld" }
