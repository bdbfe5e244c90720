package limit

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/weir-gateway/weir"
)

// A call holds a place. It is taken from a pool, since a function that is bound
// to it would else be made for every call.
type call struct {
	adaptive *Adaptive
	ctx      context.Context // of the call, asked whether the caller is there
	yield    func(weir.Event, error) bool
	pass     pass
	began    int64 // when it got its place, where the pass is clocked
	timed    bool  // the time to its first content is entered
	judged   bool  // the success of the attempt has been entered
	told     bool  // the failure of the attempt has been entered, from its note
	ended    bool  // with an error, or left by the consumer

	take func(weir.Event, error) bool // c.event, bound once
}

var calls = sync.Pool{New: func() any {
	c := &call{}
	c.take = c.event
	return c
}}

func (a *Adaptive) wrap(next weir.Handler) weir.Handler {
	return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) { a.run(ctx, next, req, yield) }
	})
}

func (a *Adaptive) run(ctx context.Context, next weir.Handler, req *weir.Request, yield func(weir.Event, error) bool) {
	p, err := a.enter(ctx)
	if err != nil {
		yield(weir.Event{}, err)
		return
	}
	c := calls.Get().(*call)
	*c = call{
		adaptive: a, ctx: ctx, yield: yield, pass: p, take: c.take,
		timed: p.clocked && req.Op == weir.Generate && req.Stream,
	}
	if p.clocked {
		c.began = a.now()
	}
	defer c.leave()
	next.Handle(ctx, req)(c.take)
	if !c.ended && !c.judged {
		c.succeed(0)
	}
}

// leave gives the place back, on every path.
func (c *call) leave() {
	a := c.adaptive
	var d int64
	if c.pass.clocked {
		d = a.now() - c.began
	}
	a.mu.Lock()
	if c.pass.clocked {
		a.held(d)
	}
	a.free()
	a.mu.Unlock()
	c.adaptive, c.ctx, c.yield = nil, nil, nil
	calls.Put(c)
}

// event takes what the deployment answers.
func (c *call) event(ev weir.Event, err error) bool {
	switch {
	case err != nil:
		c.ended = true
		if !c.told {
			c.fail(weir.AsError(err), c.elapsed())
		}
		return c.yield(weir.Event{}, err)
	case ev.Type == weir.EventNote:
		if n, ok := ev.Note.(*weir.Attempt); ok {
			c.attempt(n)
		}
	case !c.judged && ev.IsContent():
		c.succeed(c.elapsed())
	}
	if !c.yield(ev, nil) {
		c.ended = true
		return false
	}
	return true
}

// elapsed is the time since the place was taken; 0 where it tells nothing: how
// long it takes to a whole answer depends on the answer.
func (c *call) elapsed() time.Duration {
	if !c.timed {
		return 0
	}
	return time.Duration(c.adaptive.now() - c.began)
}

// attempt takes what a stage inside tells of one of its attempts.
func (c *call) attempt(n *weir.Attempt) {
	if n.Err == nil {
		c.told = false
		c.succeed(n.Duration)
		return
	}
	c.fail(n.Err, n.Duration)
	c.told, c.judged = true, false
	a := c.adaptive
	a.mu.Lock()
	c.pass.cuts = a.law.cuts // what follows begins under the limit of now
	a.mu.Unlock()
}

// succeed enters that the deployment has taken the call, after d.
func (c *call) succeed(d time.Duration) {
	c.judged = true
	a := c.adaptive
	if !c.timed && a.full.Load() < c.pass.number { // nearly always
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if c.pass.cuts != a.law.cuts { // it began under another limit
		return
	}
	if c.timed && d > 0 && a.law.sample(d, a.inFlight) {
		a.prune()
		return
	}
	if a.full.Load() >= c.pass.number { // all places were taken while it had one
		a.law.grow()
		a.admit()
	}
}

// fail enters why an attempt failed, after d.
func (c *call) fail(err *weir.Error, d time.Duration) {
	slow := err.Kind == weir.KindTimeout && c.timed && !c.judged && d > 0 && c.ctx.Err() == nil
	if !slow && !complains(err) {
		return
	}
	a := c.adaptive
	a.mu.Lock()
	defer a.mu.Unlock()
	if c.pass.cuts != a.law.cuts {
		return
	}
	if slow { // it takes at least as long
		if !a.law.sample(d, a.inFlight) {
			return
		}
	} else {
		a.law.complain()
	}
	a.prune()
}

// complains reports whether err is the upstream's word that it is asked too
// much. An account without money is something else, as is what Weir refuses.
func complains(err *weir.Error) bool {
	return err.IsUpstream() && (err.Kind == weir.KindRateLimit || err.Kind == weir.KindOverloaded)
}
