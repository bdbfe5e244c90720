package limit

import (
	"container/list"
	"context"
	"errors"
	"math"
	"time"

	"github.com/weir-gateway/weir"
)

// CodeFull is the weir.Error Code of a call that an [Adaptive] refused, which
// is KindOverloaded and has a RetryAfter. Nothing was called.
const CodeFull = "concurrency_limit"

// What a refused caller is told to wait, at least and at most.
const (
	shortestRetry = time.Second
	longestRetry  = time.Minute
)

// A turn is a call that waits for a place.
type turn struct {
	until int64 // when it gives up
	// ready is closed when the turn has come, or err is set; pass and err are
	// set by then.
	ready chan struct{}
	pass  pass
	err   *weir.Error
}

// A pass is a place that is held.
type pass struct {
	number uint64 // of the call
	cuts   uint64 // times that the limit had been lowered
	// clocked tells that it is entered how long the call takes. While few
	// places are taken every eighth will do: to read a clock costs more than
	// all else.
	clocked bool
}

// enter takes a place, waiting for one where that makes sense. It passes nobody:
// who waits does so because no place is free, and gets the next one that is.
func (a *Adaptive) enter(ctx context.Context) (pass, error) {
	a.mu.Lock()
	if a.inFlight < a.places() {
		p := a.take()
		a.mu.Unlock()
		return p, nil
	}
	e, err := a.join(ctx)
	a.mu.Unlock()
	if err != nil {
		return pass{}, err
	}
	return a.wait(ctx, e)
}

// places is how many calls may be in flight. Call with mu held, as all below
// that do not lock it.
func (a *Adaptive) places() int {
	if a.options.Max == 0 {
		return math.MaxInt
	}
	return a.law.places()
}

// take takes a place that is free.
func (a *Adaptive) take() pass {
	a.begun++
	a.inFlight++
	places := a.places()
	if a.inFlight >= places {
		a.full.Store(a.begun)
	}
	a.law.peak = max(a.law.peak, a.inFlight)
	return pass{a.begun, a.law.cuts, a.begun%8 == 1 || a.inFlight > places/2}
}

// join goes to the end of the queue, or is refused.
func (a *Adaptive) join(ctx context.Context) (*list.Element, error) {
	if left := canceled(ctx); left != nil {
		return nil, left
	}
	now := a.now()
	patience := a.options.MaxWait
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline))
	}
	ahead := a.waiting.Len()
	if ahead >= a.options.Queue || a.expect(ahead) > patience {
		return nil, a.refuse(ahead)
	}
	return a.waiting.PushBack(&turn{until: now + int64(patience), ready: make(chan struct{})}), nil
}

// wait waits for the turn, until it comes, is refused, its time is over or the
// caller leaves.
func (a *Adaptive) wait(ctx context.Context, e *list.Element) (pass, error) {
	t := e.Value.(*turn)
	timer := time.NewTimer(time.Duration(t.until - a.now()))
	defer timer.Stop()
	select {
	case <-t.ready:
		return t.pass, t.result()
	case <-timer.C:
	case <-ctx.Done():
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	left := canceled(ctx)
	select {
	case <-t.ready: // in the same moment
		if left == nil || t.err != nil {
			return t.pass, t.result()
		}
		a.free()
	default:
		a.waiting.Remove(e)
	}
	if left != nil {
		return pass{}, left
	}
	return pass{}, a.refuse(a.waiting.Len())
}

// canceled is the error of a caller that has left. One whose deadline has come
// is none: that there was no place until then is what is to be said.
func canceled(ctx context.Context) error {
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return weir.AsError(err)
	}
	return nil
}

func (t *turn) result() error {
	if t.err == nil {
		return nil
	}
	return t.err
}

// free gives a place back.
func (a *Adaptive) free() {
	a.inFlight--
	a.admit()
}

// admit lets in those for whom there are places, in order.
func (a *Adaptive) admit() {
	for e := a.waiting.Front(); e != nil && a.inFlight < a.places(); e = a.waiting.Front() {
		t := a.waiting.Remove(e).(*turn)
		t.pass = a.take()
		close(t.ready)
	}
}

// prune refuses those whose turn will not come in time, or for whom the queue
// has become too short: it is called when there are fewer places than there were.
func (a *Adaptive) prune() {
	now := a.now()
	ahead := 0
	for e := a.waiting.Front(); e != nil; {
		next := e.Next()
		t := e.Value.(*turn)
		if ahead >= a.options.Queue || a.expect(ahead) > time.Duration(t.until-now) {
			a.waiting.Remove(e)
			t.err = a.refuse(ahead)
			close(t.ready)
		} else {
			ahead++
		}
		e = next
	}
}

// expect is how long it takes until the turn comes for a call that has so many
// waiting ahead of it: at the rate at which places become free. It is 0 while
// that is not known.
func (a *Adaptive) expect(ahead int) time.Duration {
	needed := ahead + 1 + max(a.inFlight-a.places(), 0)
	wait := a.hold * float64(needed) / float64(max(a.inFlight, 1))
	return time.Duration(min(wait, float64(math.MaxInt64/2)))
}

// held enters for how long a place was taken. A call that is much longer than
// the others counts as a part of its length: one conversation of hours does not
// close the queue.
func (a *Adaptive) held(d int64) {
	sample := float64(d)
	if a.hold == 0 {
		a.hold = sample
		return
	}
	sample = min(sample, max(4*a.hold, float64(time.Second)))
	a.hold += (sample - a.hold) / 16
}

// refuse is the error of a call for which there will be no place in time.
func (a *Adaptive) refuse(ahead int) *weir.Error {
	a.refused++
	err := weir.Errorf(weir.KindOverloaded, "%d calls are in progress at this deployment, which takes no more at a time, and %d wait", a.inFlight, a.waiting.Len())
	err.Code, err.Deployment = CodeFull, a.options.Name
	err.RetryAfter = min(max(a.expect(ahead), shortestRetry), longestRetry)
	return err
}
