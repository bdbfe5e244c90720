package breaker

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/weir-gateway/weir"
)

// Wrap is the stage around one attempt at the deployment. It is a
// weir.Middleware.
//
// A call is in flight from the start of its range statement to its end. Its
// outcome is entered when it ends; that of a Realtime conversation, which may
// last for hours, when it is accepted. What the consumer left before the
// answer's finish says nothing about the deployment, nor does an error after
// the caller's context has ended.
//
// A refused call fails with a KindUnavailable error whose Code is CodeOpen and
// whose RetryAfter is the time left, without anything having been called. The
// state changes that a call brings about are told in *Change notes.
func (h *Health) Wrap(next weir.Handler) weir.Handler {
	return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) { h.run(ctx, next, req, yield) }
	})
}

// A call is one attempt. It is taken from a pool, since a function that is
// bound to it would else be made for every attempt.
type call struct {
	health *Health
	ctx    context.Context // of the attempt, asked whether the caller is there
	yield  func(weir.Event, error) bool
	op     weir.Operation
	stream bool
	began  int64

	content  bool // there was some
	finished bool // an EventFinish was seen
	left     bool // the consumer wants no more
	settled  bool // the outcome has been entered
	probe    bool // holds a place of a probe
	turn     uint32

	take func(weir.Event, error) bool // c.event, bound once
}

var calls = sync.Pool{New: func() any {
	c := &call{}
	c.take = c.event
	return c
}}

func (h *Health) run(ctx context.Context, next weir.Handler, req *weir.Request, yield func(weir.Event, error) bool) {
	c := calls.Get().(*call)
	*c = call{health: h, ctx: ctx, yield: yield, op: req.Op, stream: req.Stream, began: h.board.now(), take: c.take}
	h.used.Store(c.began)
	change, refusal := h.admit(c)
	if refusal != nil {
		c.settled = true
	} else {
		h.inFlight.Add(1)
	}
	defer c.end(refusal == nil)
	if !c.told(change) {
		return
	}
	if refusal != nil {
		yield(weir.Event{}, refusal)
		return
	}
	next.Handle(ctx, req)(c.take)
	c.succeed()
}

// end releases what the call holds, on every path.
func (c *call) end(inFlight bool) {
	h := c.health
	if !c.settled {
		out := neutral // left, or a panic is on its way
		if c.left && c.finished {
			out = good
		}
		if late, change := c.abandoned(), c.settle(out, nil); late != nil || change != nil {
			h.tell() // nobody is left who could be given a note
		}
	}
	if inFlight {
		h.inFlight.Add(-1)
	}
	c.health, c.ctx, c.yield = nil, nil, nil
	calls.Put(c)
}

// succeed is the end of a sequence without an error.
func (c *call) succeed() {
	if !c.settled && !c.left {
		c.told(c.settle(good, nil))
	}
}

// event takes what the deployment answers.
func (c *call) event(ev weir.Event, err error) bool {
	if err != nil {
		return c.fail(err)
	}
	if !c.content && ev.IsContent() && !c.first() {
		return false
	}
	if ev.Type == weir.EventFinish {
		c.finished = true
	}
	if !c.yield(ev, nil) {
		c.left = true
		return false
	}
	return true
}

// fail takes the error that ended the call.
func (c *call) fail(err error) bool {
	if c.ctx.Err() != nil { // the caller went away, or its time is over
		if !c.told(c.abandoned()) || !c.settled && !c.told(c.settle(neutral, nil)) {
			return false
		}
		return c.yield(weir.Event{}, err)
	}
	e := weir.AsError(err)
	if e.Kind == weir.KindTimeout && !c.content && !c.told(c.sample()) { // it takes at least as long
		return false
	}
	if !c.settled && !c.told(c.settle(judge(e), e)) {
		return false
	}
	return c.yield(weir.Event{}, err)
}

// first takes note of the first content.
func (c *call) first() bool {
	c.content = true
	if c.op == weir.Realtime {
		return c.told(c.settle(good, nil))
	}
	return c.told(c.sample())
}

// sample enters how long it took to the first content, where it tells anything
// about the next one: what relayed operations do differs too much.
func (c *call) sample() *Change {
	h := c.health
	switch {
	case c.op == weir.CountTokens || c.op.IsRelayed():
		return nil
	case c.op == weir.Generate && c.stream:
		return h.firstToken(c.began)
	}
	now := h.board.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.whole.add(time.Duration(now-c.began), now, h.board.options.Load().Decay, meanWeight)
	return nil
}

// abandoned enters how long a caller waited in vain, where that is longer than
// usual: else one whose slow calls are called off would look quick.
func (c *call) abandoned() *Change {
	p := &c.health.whole
	if c.stream {
		p = &c.health.streamed
	}
	mean, samples := p.average()
	if c.content || samples == 0 || time.Duration(c.health.board.now()-c.began) <= mean {
		return nil
	}
	return c.sample()
}

// firstToken enters a time to first token, and judges the deployment by it
// where it is a member of a group.
func (h *Health) firstToken(began int64) *Change {
	o := h.board.options.Load()
	now := h.board.now()
	d := time.Duration(now - began)
	members, weight := h.memberships(), meanWeight
	if countEjected(members) > 0 {
		weight = probeWeight
	}
	h.mu.Lock()
	h.streamed.add(d, now, o.Decay, weight)
	h.ttft.add(d, now, int64(o.Window))
	h.mu.Unlock()
	var change *Change
	for _, m := range members {
		if c := m.review(now, o); c != nil {
			change = c
		}
	}
	return change
}

func (c *call) settle(out outcome, err *weir.Error) *Change {
	c.settled = true
	return c.health.settle(c, out, err)
}

// told passes a change on, to OnChange and in a note. It reports whether the
// consumer wants to go on.
func (c *call) told(change *Change) bool {
	if change == nil {
		return true
	}
	c.health.tell()
	if c.left {
		return false
	}
	if !c.yield(weir.NoteEvent(change), nil) {
		c.left = true
		return false
	}
	return true
}
