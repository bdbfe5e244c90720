package breaker

import (
	"fmt"
	"time"

	"github.com/weir-gateway/weir"
)

// CodeOpen is the weir.Error Code of a call that an open circuit refused.
// Nothing was called.
const CodeOpen = "circuit_open"

// unknownWait is what a caller is told to wait when the outcome of the probes
// is not known yet.
const unknownWait = time.Second

// admit lets a call pass or refuses it. A call that a half-open circuit lets
// pass is a probe. change is what it brought about, if anything.
func (h *Health) admit(c *call) (change *Change, refusal *weir.Error) {
	if h.mode() == Closed { // nearly always
		return nil, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.board.options.Load()
	now := h.board.now()
	switch h.mode() {
	case Closed:
		return nil, nil
	case Open:
		if left := h.openUntil.Load() - now; left > 0 {
			return nil, h.refuse(time.Duration(left))
		}
		if int(h.probing.Load()) < o.Probes { // those of an earlier turn may be in progress yet
			change = h.become(HalfOpen, "the time that it was open is over")
		}
	}
	if int(h.probing.Load()) >= o.Probes {
		return change, h.refuse(unknownWait)
	}
	h.probing.Add(1)
	c.probe, c.turn = true, h.turn
	return change, nil
}

func (h *Health) refuse(wait time.Duration) *weir.Error {
	err := weir.Errorf(weir.KindUnavailable, "the deployment is given a rest after failures")
	err.Code, err.Deployment, err.RetryAfter = CodeOpen, h.name, wait
	return err
}

// become enters another state. The lock is held.
func (h *Health) become(s State, reason string) *Change {
	c := &Change{Deployment: h.name, From: h.mode(), To: s, Reason: reason, At: time.Now()}
	h.turn++
	h.proved = 0
	h.since = c.At
	switch s {
	case Open:
		rest := h.rest()
		h.reopened++
		h.openUntil.Store(h.board.now() + int64(rest))
		c.Until = c.At.Add(rest)
	case Closed:
		h.reopened = 0
		h.window = window{} // what was is paid for
	}
	h.state.Store(uint32(s))
	h.outbox = append(h.outbox, c)
	return c
}

// rest is how long the circuit opens for: twice as long each time that a probe
// has failed.
func (h *Health) rest() time.Duration {
	o := h.board.options.Load()
	rest := o.Open
	for range h.reopened {
		if rest >= o.MaxOpen/2 {
			return o.MaxOpen
		}
		rest *= 2
	}
	return rest
}

// settle enters the end of a call. err is nil where there was no error. The
// place of a probe is free from here, whatever the outcome.
func (h *Health) settle(c *call, out outcome, err *weir.Error) *Change {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.board.options.Load()
	now := h.board.now()
	h.window.at(now, int64(o.Window)).add(out)
	if err != nil && err.Kind != weir.KindCanceled {
		h.lastErr, h.lastAt = err.Kind, time.Now()
		h.cool(err, now, o)
	}
	if c.probe {
		c.probe = false
		h.probing.Add(-1)
		if h.mode() == HalfOpen && c.turn == h.turn {
			return h.proof(out, o)
		}
		return nil
	}
	if h.mode() == Closed && (out == failed || out == denied) {
		return h.trip(now, o)
	}
	return nil
}

// proof is what the outcome of a probe brings about.
func (h *Health) proof(out outcome, o *Options) *Change {
	switch out {
	case good:
		if h.proved++; h.proved >= o.Probes {
			return h.become(Closed, fmt.Sprintf("%d probes succeeded", o.Probes))
		}
	case failed, denied:
		return h.become(Open, "a probe failed: "+h.lastErr.String())
	}
	return nil
}

// trip opens the circuit when too many calls of the window have failed.
func (h *Health) trip(now int64, o *Options) *Change {
	t := h.window.sum(now, int64(o.Window))
	bad, of := t.bad()
	if int(of) < o.MinCalls || float64(bad) < o.FailureRate*float64(of) {
		return nil
	}
	return h.become(Open, fmt.Sprintf("%d of %d calls failed within %s, the last one: %s", bad, of, o.Window, h.lastErr))
}

// cool has the deployment passed over for as long as its upstream asks,
// or for a while after a rate limit that does not say. A time that was
// set is never cut short.
func (h *Health) cool(err *weir.Error, now int64, o *Options) {
	wait := min(err.RetryAfter, o.MaxCooldown)
	if wait <= 0 && err.Kind == weir.KindRateLimit {
		wait = o.Cooldown
	}
	if wait > 0 {
		h.coolUntil.Store(max(h.coolUntil.Load(), now+int64(wait)))
	}
}
