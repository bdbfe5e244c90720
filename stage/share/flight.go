package share

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/weir-gateway/weir"
)

// A flight is one call and what it has said so far, for all its readers.
//
// There is no goroutine of its own. A reader that has read everything takes the
// wheel, if nobody has it, and asks the sequence for the next event (iter.Pull2,
// whose next may be called from any goroutine, one at a time). The others wait
// for what it finds.
type flight struct {
	req    *weir.Request // of the leader, which began the call
	mark   digest        // what was asked, where the flight has a name of its own
	buffer int64         // how far a reader may be behind, and a newcomer
	linger time.Duration // how long the call goes on without a reader
	cancel context.CancelFunc
	next   func() (weir.Event, error, bool)
	stop   func()

	mu      sync.Mutex // guards what follows
	log     []weir.Event
	ends    []int64 // how much had been said at the end of each event of log
	first   int     // the number of log[0]
	said    int64   // bytes
	readers []*reader
	wake    chan struct{} // closed when something happens; nil when nobody waits
	driving bool          // somebody has the wheel
	closed  bool          // no newcomers: log no longer begins at the beginning, or soon will not
	dead    bool          // nobody is there, and nobody is waited for
	over    bool
	err     *weir.Error
	leader  *reader
	orphan  bool // it went on without its leader
	frames  weir.FrameCloner
	timer   *time.Timer // runs while the call goes on without a reader

	answered weir.Attempt // the attempt that answers
	source   *Reused      // what the call said of its answer, where it did not make that itself
	usage    *weir.Usage
}

// A reader is one request's place in a flight.
type reader struct {
	pos    int   // the number of the event that is next
	read   int64 // bytes
	gone   bool
	behind bool // it was too far behind, and gets nothing more
}

// fly makes the flight of a call, with its leader in it.
func fly(ctx context.Context, req *weir.Request, buffer int64, linger time.Duration, call func(context.Context) iter.Seq2[weir.Event, error]) (*flight, *reader) {
	f := &flight{req: req, buffer: buffer, linger: linger}
	ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	f.next, f.stop = iter.Pull2(call(ctx))
	f.leader = &reader{}
	f.readers = append(f.readers, f.leader)
	return f, f.leader
}

// join adds a reader; nil when it is too late for that.
func (f *flight) join() *reader {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.dead {
		return nil
	}
	r := &reader{}
	f.readers = append(f.readers, r)
	if f.timer != nil {
		f.timer.Stop()
		f.timer = nil
	}
	return r
}

// attend lets r leave when ctx ends, even while it waits for the upstream. The
// function that it returns lets r leave now.
func (f *flight) attend(ctx context.Context, r *reader) (leave func()) {
	forget := context.AfterFunc(ctx, func() { f.leave(r) })
	return func() {
		forget()
		f.leave(r)
	}
}

// leave takes r out. The last one to leave ends the call, at once or after a
// while.
func (f *flight) leave(r *reader) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.gone {
		return
	}
	r.gone = true
	f.readers = slices.DeleteFunc(f.readers, func(x *reader) bool { return x == r })
	f.trim()
	if len(f.readers) == 0 && !f.over {
		if f.linger > 0 {
			f.timer = time.AfterFunc(f.linger, f.abandon)
		} else {
			f.dead = true
			f.cancel()
		}
	}
	f.orphan = f.orphan || r == f.leader && !f.over && !f.dead
	f.broadcast()
}

// abandon ends a call that nobody has come back for.
func (f *flight) abandon() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.readers) == 0 && !f.over {
		f.dead = true
		f.cancel()
		f.broadcast()
	}
}

// read is the next event for r. It waits for it, and drives the call where
// nobody else does. ok is false at the end of the answer.
func (f *flight) read(ctx context.Context, r *reader) (ev weir.Event, ok bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case ctx.Err() != nil:
			return weir.Event{}, false, ctx.Err()
		case r.behind:
			return weir.Event{}, false, tooSlow()
		case r.pos < f.first+len(f.log):
			return f.hand(r), true, nil
		case f.over && f.err != nil:
			return weir.Event{}, false, f.err
		case f.over:
			return weir.Event{}, false, nil
		case !f.driving:
			f.drive()
		default:
			f.wait(ctx.Done())
		}
	}
}

// hand gives r the event that is next for it.
func (f *flight) hand(r *reader) weir.Event {
	i := r.pos - f.first
	ev := f.log[i]
	ev.More = ev.More || i+1 < len(f.log)
	r.pos++
	r.read = f.ends[i]
	f.trim()
	return ev
}

// wait waits until something happens, without the lock.
func (f *flight) wait(done <-chan struct{}) {
	if f.wake == nil {
		f.wake = make(chan struct{})
	}
	wake := f.wake
	f.mu.Unlock()
	defer f.mu.Lock()
	select {
	case <-wake:
	case <-done:
	}
}

func (f *flight) broadcast() {
	if f.wake != nil {
		close(f.wake)
		f.wake = nil
	}
}

// drive asks the upstream for the next event, without the lock.
func (f *flight) drive() {
	f.driving = true
	f.mu.Unlock()
	returned := false
	defer func() {
		if !returned { // a panic must not leave the others waiting
			f.mu.Lock()
			f.found(weir.Event{}, false, weir.Errorf(weir.KindInternal, "the call did not end in order"))
		}
	}()
	ev, err, ok := f.next()
	returned = true
	f.mu.Lock()
	f.found(ev, ok, err)
}

func (f *flight) found(ev weir.Event, ok bool, err error) {
	f.driving = false
	switch {
	case err != nil:
		f.over, f.err = true, weir.AsError(err)
	case !ok:
		f.over = true
	default:
		f.add(ev)
	}
	f.broadcast()
}

// add remembers an event. Who is too far behind then is left behind.
func (f *flight) add(ev weir.Event) {
	f.look(&ev)
	ev = f.keep(ev)
	f.said += size(&ev)
	f.log, f.ends = append(f.log, ev), append(f.ends, f.said)
	if f.said <= f.buffer {
		return
	}
	f.closed = true
	for _, r := range f.readers {
		r.behind = r.behind || f.said-r.read > f.buffer && r.pos < f.first+len(f.log)-1
	}
	f.trim()
}

// look learns who answers, and at what cost.
func (f *flight) look(ev *weir.Event) {
	switch {
	case ev.Usage != nil:
		if f.usage == nil {
			f.usage = new(weir.Usage)
		}
		f.usage.Merge(ev.Usage)
	case ev.Note != nil:
		switch n := ev.Note.(type) {
		case *weir.Attempt:
			if n.Err == nil {
				f.answered = *n
			}
		case *Reused:
			f.source = n
		}
	}
}

// trim forgets what everybody has read, once there are no newcomers.
func (f *flight) trim() {
	if !f.closed {
		return
	}
	least := f.first + len(f.log)
	for _, r := range f.readers {
		if !r.behind {
			least = min(least, r.pos)
		}
	}
	if n := least - f.first; n > 0 {
		f.log, f.ends = slices.Delete(f.log, 0, n), slices.Delete(f.ends, 0, n)
		f.first = least
	}
}

// land is the leader's last duty: to stay until the call is over, to drive it
// while nobody else is there, and to release it.
func (f *flight) land() {
	f.mu.Lock()
	for !f.over && (!f.dead || f.driving) {
		if !f.driving && len(f.readers) == 0 {
			f.drive()
		} else {
			f.wait(nil)
		}
	}
	if !f.over {
		f.over, f.err = true, weir.AsError(context.Canceled)
	}
	if f.timer != nil {
		f.timer.Stop()
	}
	f.broadcast()
	f.mu.Unlock()
	f.cancel()
	f.stop()
}

const codeSlow = "read_too_slowly"

func tooSlow() *weir.Error {
	e := weir.Errorf(weir.KindOverloaded, "the answer is shared with other requests, and this one was read too slowly")
	e.Code, e.Hint = codeSlow, "read the answer as it comes"
	return e
}
