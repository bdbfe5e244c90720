package weir

import "sync/atomic"

// An Allowance counts down the upstream attempts that one call may still make.
// Retry, fallback and hedge draw on the same one, so that N attempts allowed
// are N attempts, however many layers there are. Safe for concurrent use.
type Allowance struct {
	left  atomic.Int32
	total int32
}

// NewAllowance allows n attempts; n below 1 allows one.
func NewAllowance(n int) *Allowance {
	a := &Allowance{total: int32(max(n, 1))}
	a.left.Store(a.total)
	return a
}

// Take uses up one attempt and reports whether there was one left.
func (a *Allowance) Take() bool {
	for {
		n := a.left.Load()
		if n <= 0 {
			return false
		}
		if a.left.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

// Left is how many attempts may still be made.
func (a *Allowance) Left() int { return int(a.left.Load()) }

// Used is how many attempts have been taken: the number of the latest one.
func (a *Allowance) Used() int { return int(a.total - a.left.Load()) }
