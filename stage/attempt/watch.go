package attempt

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weir-gateway/weir"
)

// A watch cancels an attempt that runs into a limit. There is one timer a
// call, which looks at a counter every now and then: asking the clock for
// every event would cost more than the rest of the stage.
type watch struct {
	TimeoutOptions
	cancel context.CancelCauseFunc
	began  time.Time

	// word is what the ranging goroutine publishes: a count of its steps and
	// the bits below. mine is its own copy.
	word atomic.Uint64
	mine uint64

	mu    sync.Mutex // guards what follows
	timer *time.Timer
	over  bool
	hit   *weir.Error
	known uint64    // word as it was last seen
	since time.Time // when it was first seen so
}

const (
	bitLive    = 1 << iota // an event has arrived
	bitContent             // content has arrived
	bitAway                // the consumer has the event; the upstream is not waited for
	oneStep
)

func (w *watch) start() {
	w.began = time.Now()
	w.since = w.began
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(w.next(w.began), w.check)
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	w.timer.Stop()
}

// enter is called with an event before the consumer gets it, leave afterwards.
func (w *watch) enter(ev *weir.Event) {
	if w.mine&bitContent == 0 && content(ev) {
		w.mine |= bitContent
	}
	w.mine = w.mine + oneStep | bitLive
	w.word.Store(w.mine | bitAway)
}

func (w *watch) leave() { w.word.Store(w.mine) }

// check runs on the timer.
func (w *watch) check() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	now := time.Now()
	if word := w.word.Load(); word != w.known {
		w.known, w.since = word, now
	}
	if w.hit = w.limit(now); w.hit != nil {
		w.cancel(w.hit)
		return
	}
	w.timer.Reset(w.next(now))
}

// limit is the limit that has been reached, if any.
func (w *watch) limit(now time.Time) *weir.Error {
	elapsed := now.Sub(w.began)
	switch {
	case w.Total > 0 && elapsed >= w.Total:
		return weir.Errorf(weir.KindTimeout, "the attempt took longer than %s (total limit)", w.Total)
	case w.waitsForFirst() && elapsed >= w.FirstToken:
		return weir.Errorf(weir.KindTimeout, "no content for %s (first token limit)", w.FirstToken)
	case w.idles() && now.Sub(w.since) >= w.Idle:
		return weir.Errorf(weir.KindTimeout, "no event for %s (idle limit)", w.Idle)
	}
	return nil
}

func (w *watch) waitsForFirst() bool { return w.FirstToken > 0 && w.known&bitContent == 0 }

// idles reports whether the idle limit runs.
func (w *watch) idles() bool {
	if w.Idle <= 0 || w.known&bitAway != 0 {
		return false
	}
	return w.known&bitContent != 0 || w.FirstToken <= 0 && w.known&bitLive != 0
}

// next is how long to wait before looking again: until the nearest limit, and
// no longer than the step in which a change must be noticed.
func (w *watch) next(now time.Time) time.Duration {
	elapsed := now.Sub(w.began)
	d := time.Duration(1<<63 - 1)
	if w.Total > 0 {
		d = min(d, w.Total-elapsed)
	}
	if w.waitsForFirst() {
		d = min(d, w.FirstToken-elapsed)
	}
	if w.Idle > 0 {
		d = min(d, w.Idle/8)
		if w.idles() {
			d = min(d, w.Idle-now.Sub(w.since))
		}
	}
	return max(d, time.Millisecond)
}

// explain is err, or the limit that caused it.
func (w *watch) explain(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hit == nil {
		return err
	}
	return w.hit
}
