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
	own   bool        // an inner stage tells and counts its attempts itself
	seen  func(*weir.Attempt)
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
			if !t.yield(ev, nil) {
				return true
			}
		} else if !t.pass(ev) {
			return true
		}
	}
	if !t.gate.Committed() && t.commit() {
		t.gate.Flush(t.yield)
	}
	return true
}

// failed takes the error that ended the attempt.
func (t *trial) failed(err error) (over bool) {
	if t.gate.Committed() {
		t.yield(weir.Event{}, err)
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

// pass takes an event while the gate is not wide open.
func (t *trial) pass(ev weir.Event) bool {
	if !t.gate.Committed() {
		if ev.Type == weir.EventNote {
			t.look(ev.Note)
		} else if ev.IsContent() && !t.commit() {
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
	t.own = true
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
	if u := t.gate.Spent(); u != nil {
		spent := &Spent{Usage: u, Deployment: t.note.Deployment, Provider: t.note.Provider, Model: t.note.Model}
		if !t.yield(weir.NoteEvent(spent), nil) {
			return false
		}
	}
	if t.own {
		return true
	}
	t.over()
	t.note.Err, t.note.Wait = t.err, wait
	if t.seen != nil {
		t.seen(&t.note)
	}
	return t.yield(weir.NoteEvent(&t.note), nil)
}
