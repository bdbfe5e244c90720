package attempt

import (
	"context"
	"iter"

	"github.com/weir-gateway/weir"
)

// begin is the second attempt of a race, on the goroutine of the timer.
func (r *race) begin(ctx context.Context) {
	defer close(r.done)
	defer func() { r.panic = recover() }()
	if !r.mayBegin() || !r.enter() {
		return
	}
	f := r.fallback
	next, stop := iter.Pull2(f.req.Deployments[r.index].Handler.Handle(ctx, f.at(r.index)))
	for {
		ev, err, ok := next()
		more, won := r.take(ev, err, ok, next, stop)
		if won {
			return // the range statement goes on, and stops it
		}
		if !more {
			stop()
			return
		}
	}
}

// mayBegin asks whether a second attempt is allowed. It takes from the budget.
func (r *race) mayBegin() bool {
	f := r.fallback
	if f.req.Allowance.Left() <= 0 || !f.Hedge.Hedgeable(f.req) {
		return false
	}
	if f.Hedge.Budget.Take() {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.withheld = r.state == raceOpen
	return false
}

// enter makes the trial of the second attempt.
func (r *race) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != raceOpen {
		return false
	}
	f := r.fallback
	if used := f.req.Allowance; used.Used() == r.first.base {
		used.Take() // for the first one, which no stage inside has counted
	}
	r.before = f.req.Allowance.Used()
	r.second = f.begin(&f.req.Deployments[r.index])
	r.second.seen = nil
	r.second.yield = func(ev weir.Event, _ error) bool { // the gate lets nothing else through
		r.notes = append(r.notes, ev)
		return true
	}
	return true
}

// take takes what the second attempt says. more asks for the next; won tells
// that the range statement takes over. An attempt that has lost is canceled, and
// is heard to its end for what it cost.
func (r *race) take(ev weir.Event, err error, ok bool, next func() (weir.Event, error, bool), stop func()) (more, won bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.state != raceOpen:
		if spent, is := ev.Note.(*Spent); is {
			r.spent = append(r.spent, spent)
		}
		return ok && err == nil && ev.Type == weir.EventNote, false
	case err != nil:
		r.second.failed(err)
		return false, false
	case ok && !r.second.commits(&ev):
		r.second.pass(ev)
		return true, false
	}
	r.state, r.next, r.stop = raceSecond, next, stop
	if ok {
		r.pending = ev
	}
	r.endFirst()
	return false, true
}
