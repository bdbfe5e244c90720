package attempt

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/weir-gateway/weir"
)

// A race is two attempts at two deployments, of which the first one to commit
// answers.
//
// The first attempt runs on the goroutine of the range statement, as any
// attempt does. The second one begins on the goroutine of a timer, up to what
// would commit it. If it wins it is suspended there (iter.Pull), the first one
// is canceled, and the range statement goes on with it: every event reaches the
// consumer on the consumer's own goroutine, as soon as it is there and without
// a copy.
type race struct {
	fallback  *fallback
	first     *trial
	index     int // of the second deployment
	delay     time.Duration
	timer     *time.Timer
	halted    bool
	endFirst  context.CancelFunc
	endSecond context.CancelFunc
	done      chan struct{} // closed when the timer will not run, or its goroutine has ended

	mu       sync.Mutex // guards what follows
	state    raceState
	second   *trial // nil until the second attempt is made
	before   int    // attempts made by then
	withheld bool   // the budget forbade it
	notes    []weir.Event
	spent    []*Spent // told by the second attempt after it had lost
	// What is left of a second attempt that has won. pending is what commits
	// it, EventNone when it ended without content.
	pending weir.Event
	next    func() (weir.Event, error, bool)
	stop    func()
	panic   any // guarded by done
}

type raceState uint8

const (
	raceOpen   raceState = iota
	raceFirst            // the first attempt has committed
	raceSecond           // the second one has
	raceOff              // nobody waits for the second one any more
)

// tried reports whether deployment i was called as a second one.
func (r *race) tried(i int) bool { return r != nil && r.index == i }

// run is the race, on the goroutine of the range statement.
func (r *race) run(ctx context.Context, h weir.Handler, req *weir.Request) step {
	firstCtx, endFirst := context.WithCancel(ctx)
	secondCtx, endSecond := context.WithCancel(ctx)
	r.endFirst, r.endSecond = endFirst, endSecond
	defer endFirst()
	r.timer = time.AfterFunc(r.delay, func() { r.begin(secondCtx) })
	defer r.end()
	over := r.first.run(h.Handle(firstCtx, req))
	switch {
	case over && !r.first.lost:
		return stepOver
	case r.settled(raceSecond):
		return r.secondWon(true)
	}
	return r.firstFailed()
}

// halt keeps the second attempt from beginning, or ends it.
func (r *race) halt() {
	if r.halted {
		return
	}
	r.halted = true
	r.endSecond()
	if r.timer.Stop() {
		close(r.done)
	}
}

// end releases the second attempt, on every path.
func (r *race) end() {
	r.halt()
	<-r.done
	if r.stop != nil {
		r.stop()
	}
	if r.panic != nil {
		panic(r.panic) // where somebody can answer for the call
	}
}

// settled reports whether the race has come to s.
func (r *race) settled(s raceState) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state == s
}

// close ends an open race and reports whether it was open.
func (r *race) close(s raceState) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != raceOpen {
		return false
	}
	r.state = s
	return true
}

// claim commits the first attempt and reports whether it was first.
func (r *race) claim() bool {
	if !r.close(raceFirst) {
		return false
	}
	r.halt()
	return true
}

// firstFailed goes on with the second attempt, where there is one.
func (r *race) firstFailed() step {
	next := r.fallback.fails(r.first)
	switch {
	case next == stepOver:
		return next
	case next == stepFail:
		if r.close(raceOff) {
			r.halt()
			<-r.done
		}
		if !r.tellSecond() || r.first.won && !r.tellLate(true) {
			return stepOver
		}
		return next
	case r.timer.Stop():
		r.halted = true
		r.endSecond()
		close(r.done)
		return next
	}
	<-r.done
	switch {
	case r.panic != nil:
		return stepOver // end has the last word
	case r.settled(raceSecond):
		return r.secondWon(false)
	case r.second == nil:
		if !r.tellWithheld() {
			return stepOver
		}
		return next
	}
	r.fallback.race = r
	if !r.takeOver(true) || !r.tell(false) {
		return stepOver
	}
	return r.fallback.fails(r.second)
}

// secondWon goes on with the second attempt, which has committed. running tells
// that the first one was canceled for it.
func (r *race) secondWon(running bool) step {
	r.fallback.race = r
	if running && !r.first.lose(r.before) || !r.tell(true) || !r.takeOver(true) {
		return stepOver
	}
	r.second.run(r.rest())
	return stepOver
}

// rest is what the second attempt still has to say.
func (r *race) rest() iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		if r.pending.Type == weir.EventNone || !yield(r.pending, nil) {
			return
		}
		for {
			ev, err, ok := r.next()
			if !ok || !yield(ev, err) || err != nil {
				return
			}
		}
	}
}

// takeOver makes the second attempt one of the range statement's and tells what
// it has said so far: all of it, or only what became of its failures.
func (r *race) takeOver(all bool) bool {
	f := r.fallback
	r.second.yield, r.second.seen = f.yield, f.see
	for _, ev := range r.notes {
		if a, ok := ev.Note.(*weir.Attempt); ok {
			f.see(a)
		}
		if (all || aftermath(ev.Note)) && !f.yield(ev, nil) {
			return false
		}
	}
	r.notes = nil
	return true
}

// aftermath reports whether n is about an attempt that failed.
func aftermath(n weir.Note) bool {
	if a, ok := n.(*weir.Attempt); ok {
		return a.Err != nil
	}
	_, ok := n.(*Spent)
	return ok
}

// tellSecond tells what became of a second attempt that is not waited for. What
// it cost may be known only when it has wound down: see tellLate.
func (r *race) tellSecond() bool {
	r.mu.Lock()
	second := r.second
	r.mu.Unlock()
	if second == nil {
		r.first.race = nil
		return r.tellWithheld()
	}
	r.fallback.race = r
	r.first.won = true
	return r.takeOver(false) && second.lose(second.used.Used()) && r.tell(false)
}

// tellLate tells what the second attempt cost, once it has wound down. With wait
// it waits for that, which does not take long: the attempt is canceled.
func (r *race) tellLate(wait bool) bool {
	if wait {
		<-r.done
	}
	select {
	case <-r.done:
	default:
		return true
	}
	r.first.won, r.first.race = false, nil
	for _, n := range r.spent {
		if !r.fallback.yield(weir.NoteEvent(n), nil) {
			return false
		}
	}
	return true
}

func (r *race) tellWithheld() bool {
	if !r.withheld {
		return true
	}
	d := &r.fallback.req.Deployments[r.index]
	return r.fallback.yield(weir.NoteEvent(&Withheld{What: "hedge", Deployment: d.Name, Provider: d.Provider, Model: d.Model}), nil)
}

func (r *race) tell(won bool) bool {
	n := &Hedged{Deployment: r.second.note.Deployment, Beside: r.first.note.Deployment, After: r.delay, Won: won}
	return r.fallback.yield(weir.NoteEvent(n), nil)
}
