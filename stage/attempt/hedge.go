package attempt

import (
	"time"

	"github.com/weir-gateway/weir"
)

// Hedge says when the next deployment is called beside one that is slow. It
// costs tokens to gain time, so it is bounded: one second call for a request at
// most, and those of all requests within Budget.
//
// Once no content came for Delay, the next deployment that can serve the
// request is called too. The first of the two to commit answers. The other one
// is canceled; the usage that it had reported is told in a Spent note, and that
// it was called off in a weir.Attempt note, both before anything of the answer.
// A Hedged note says how it went.
type Hedge struct {
	// Delay is how long a deployment is given for its first content: usually
	// the time that 95 of 100 of its answers take to their first token. False,
	// or a time of 0: not known, and nothing is hedged. Nil never knows.
	Delay func(d *weir.Deployment) (time.Duration, bool)
	// Budget bounds hedges in proportion to calls. Nil is one of HedgeBudget,
	// which lives as long as the stage.
	Budget *Budget
	// Hedgeable reports whether a request may be made twice. It is asked, on a
	// goroutine of its own, when a second call would be made. Nil is Repeatable.
	// Whatever it says, no other operation than Generate, Embed and CountTokens
	// is made twice.
	Hedgeable func(req *weir.Request) bool
}

func (h *Hedge) withDefaults() *Hedge {
	out := *h
	if out.Budget == nil {
		out.Budget = NewBudget(HedgeBudget())
	}
	if out.Hedgeable == nil {
		out.Hedgeable = Repeatable
	}
	return &out
}

// hedges reports whether an operation can be hedged at all.
func hedges(op weir.Operation) bool {
	return op == weir.Generate || op == weir.Embed || op == weir.CountTokens
}

// arm makes the race for the attempt at deployment i; nil when there is to be
// none, whatever time it takes.
func (f *fallback) arm(t *trial, i int, unfit []*weir.Error) *race {
	if f.Hedge == nil || f.Hedge.Delay == nil || f.race != nil || !hedges(f.req.Op) {
		return nil
	}
	if i == 0 {
		f.Hedge.Budget.Call()
	}
	j := f.after(i, unfit)
	if j < 0 {
		return nil
	}
	delay, known := f.Hedge.Delay(&f.req.Deployments[i])
	if !known || delay <= 0 {
		return nil
	}
	r := &race{fallback: f, first: t, index: j, delay: delay, done: make(chan struct{})}
	t.race = r
	return r
}

// after is the next deployment behind i that can be tried, -1 when there is none.
func (f *fallback) after(i int, unfit []*weir.Error) int {
	all := f.req.Deployments
	for j := i + 1; j < len(all); j++ {
		if all[j].Handler != nil && !visited(all[:j], all[j].Name) && (unfit == nil || unfit[j] == nil) {
			return j
		}
	}
	return -1
}

// outrun is why the slower one of two attempts ended.
func outrun() *weir.Error {
	return weir.Errorf(weir.KindCanceled, "called off: another deployment answered first")
}

// Hedged is a note: a second deployment was called beside a slow one. It is
// sent once one of them has committed.
type Hedged struct {
	Deployment string        // the second one
	Beside     string        // the one that was slow
	After      time.Duration // how long that one was given
	Won        bool          // the second one answered first
}

// NoteKind implements weir.Note.
func (*Hedged) NoteKind() string { return "hedged" }
