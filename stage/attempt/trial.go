package attempt

import (
	"iter"
	"time"

	"github.com/weir-gateway/weir"
)

// A trial is one attempt on its way through a Gate.
type trial struct {
	note  weir.Attempt
	used  *weir.Allowance
	base  int // of used when it began; still so at the end, nobody has counted it
	start time.Time
	yield func(weir.Event, error) bool
	gate  Gate
	err   *weir.Error // why it failed uncommitted
	told  bool        // the commit has been told in a note
	lost  bool        // the race is another's
	won   bool        // the race, but the other attempt has not yet said what it cost
	seen  func(*weir.Attempt)
	inner *weir.Attempt // the latest that an inner stage has told; it counts them then
	race  *race         // nil when nobody runs beside it, or is heard of any more
}

// run ranges over the attempt. It reports whether the call is over: answered,
// failed after commit, or left by the consumer. Otherwise t.err says why the
// attempt failed.
func (t *trial) run(events iter.Seq2[weir.Event, error]) (over bool) {
	for ev, err := range events {
		if err != nil {
			return t.failed(err)
		}
		if t.gate.Open() {
			if t.won && !t.race.tellLate(false) || !t.yield(ev, nil) {
				return true
			}
		} else if !t.pass(ev) {
			return true
		}
	}
	if t.won && !t.race.tellLate(true) {
		return true
	}
	if !t.gate.Committed() && t.wins() && t.commit() {
		t.gate.Flush(t.yield)
	}
	return true
}

// failed takes the error that ended the attempt.
func (t *trial) failed(err error) (over bool) {
	if t.gate.Committed() {
		if !t.won || t.race.tellLate(true) {
			t.yield(weir.Event{}, err)
		}
		return true
	}
	t.err = t.name(weir.AsError(err))
	return false
}

// name puts the deployment into an error that does not know it yet.
func (t *trial) name(err *weir.Error) *weir.Error {
	if err.Deployment != "" || t.note.Deployment == "" {
		return err
	}
	named := *err
	named.Deployment = t.note.Deployment
	return &named
}

// commits reports whether the gate opens with ev.
func (t *trial) commits(ev *weir.Event) bool {
	if ev.Type == weir.EventNote {
		return opens(ev.Note)
	}
	return t.gate.commits(ev)
}

// keepsUp reports whether a racing attempt may go on with ev: it has not lost,
// and wins when ev commits it.
func (t *trial) keepsUp(ev *weir.Event) bool {
	if t.commits(ev) {
		return t.wins()
	}
	t.lost = t.race.settled(raceSecond)
	return !t.lost
}

// wins claims the race, where there is one, and tells what became of the other.
// It is false when the race is lost or the consumer has left.
func (t *trial) wins() bool {
	r := t.race
	if r == nil {
		return true
	}
	if !r.claim() {
		t.lost = true
		return false
	}
	return r.tellSecond()
}

// windDown takes what a canceled attempt has still to say: what it cost.
// Whatever else it says is dropped.
func (t *trial) windDown(ev *weir.Event) bool {
	if !t.lost || ev.Type != weir.EventNote {
		return false
	}
	spent, ok := ev.Note.(*Spent)
	return !ok || t.yield(weir.NoteEvent(spent), nil)
}

// pass takes an event while the gate is not wide open.
func (t *trial) pass(ev weir.Event) bool {
	if !t.gate.Committed() {
		if t.race != nil && !t.keepsUp(&ev) {
			return t.windDown(&ev)
		}
		if ev.Type == weir.EventNote {
			t.look(ev.Note)
		} else if t.gate.commits(&ev) && !t.commit() {
			return false
		}
	}
	return t.gate.Pass(ev, t.yield)
}

// look learns from an inner stage's notes.
func (t *trial) look(n weir.Note) {
	a, ok := n.(*weir.Attempt)
	if !ok {
		return
	}
	t.inner = a
	t.told = t.told || a.Err == nil
	if t.seen != nil {
		t.seen(a)
	}
}

// commit tells, once, that this attempt answers.
func (t *trial) commit() bool {
	if t.told {
		return true
	}
	t.told = true
	t.over()
	return t.yield(weir.NoteEvent(&t.note), nil)
}

// over counts the attempt if no stage inside has, and completes the note. The
// number is taken last: a provider that turned to another of its keys has
// counted that too.
func (t *trial) over() {
	if t.used.Used() == t.base {
		t.used.Take()
	}
	t.note.Number, t.note.Duration = t.used.Used(), time.Since(t.start)
}

// fail tells that the attempt failed and what it cost, and reports whether the
// consumer wants to go on.
func (t *trial) fail(wait time.Duration) bool {
	if !t.spend() {
		return false
	}
	if t.inner != nil {
		return true
	}
	t.over()
	return t.tell(wait)
}

// spend tells the usage of an attempt that is thrown away.
func (t *trial) spend() bool {
	u := t.gate.Spent()
	if u == nil {
		return true
	}
	spent := &Spent{Usage: u, Deployment: t.note.Deployment, Provider: t.note.Provider, Model: t.note.Model}
	return t.yield(weir.NoteEvent(spent), nil)
}

// lose tells that the attempt was called off, or had failed by then.
func (t *trial) lose(number int) bool {
	if !t.spend() {
		return false
	}
	if t.inner != nil && t.err != nil && t.inner.Err == t.err {
		return true // it had failed before, and that has been told
	}
	if t.err == nil || t.err.Kind == weir.KindCanceled {
		t.err = t.name(outrun())
	}
	t.note.Number, t.note.Duration = number, time.Since(t.start)
	return t.tell(0)
}

func (t *trial) tell(wait time.Duration) bool {
	t.note.Err, t.note.Wait = t.err, wait
	if t.seen != nil {
		t.seen(&t.note)
	}
	return t.yield(weir.NoteEvent(&t.note), nil)
}
