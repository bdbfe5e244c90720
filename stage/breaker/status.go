package breaker

import "time"

// Status is a deployment's health at one moment, for people. It holds no
// secrets and nothing of a prompt.
type Status struct {
	Deployment string
	State      State
	Since      time.Time // of State; not of an ejection
	// EjectedFrom are the groups that hold it to be too slow.
	EjectedFrom []string
	// Weight is the part of its configured weight that it has now: 0 while it
	// is open or ejected, else 1.
	Weight float64
	// Cooling is until when it is passed over after a rate limit, Until when an
	// open circuit lets a call through; zero when it is not so.
	Cooling, Until time.Time
	InFlight       int
	// Latency is the peak-EWMA time to first token, Mean the average of the
	// latest ones and P95 the 95th percentile, of streamed answers; Whole is the
	// peak-EWMA time of answers in one piece. 0 when there was none.
	Latency, Mean, P95, Whole time.Duration
	// Succeeded, Failed, Denied and Neutral count the calls of the window.
	// Denied is for a refused key, an empty account or an unknown model, Neutral
	// for what says nothing about the deployment.
	Succeeded, Failed, Denied, Neutral int
	// LastError is the kind of the latest error; empty when there was none.
	LastError   string
	LastErrorAt time.Time
}

// Status is the health of now.
func (h *Health) Status() Status {
	o := h.board.options.Load()
	s := Status{
		Deployment: h.name, Weight: 1, InFlight: h.InFlight(),
		Latency: h.Latency(true), Whole: h.Latency(false),
	}
	s.P95, _ = h.P95()
	s.Mean, _ = h.streamed.average()
	for _, m := range h.memberships() {
		if m.ejected.Load() {
			s.EjectedFrom = append(s.EjectedFrom, m.group.name)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.board.now()
	h.count(&s, now, o)
	s.State, s.Since = h.mode(), h.since
	if s.State == Closed && len(s.EjectedFrom) > 0 {
		s.State = Ejected
	}
	if until := h.openUntil.Load(); s.State == Open {
		s.Until = h.board.epoch.Add(time.Duration(until))
	}
	if cool := h.coolUntil.Load(); cool > now {
		s.Cooling = h.board.epoch.Add(time.Duration(cool))
	}
	if s.State == Open || len(s.EjectedFrom) > 0 {
		s.Weight = 0
	}
	return s
}

func (h *Health) count(s *Status, now int64, o *Options) {
	t := h.window.sum(now, int64(o.Window))
	s.Succeeded, s.Failed, s.Denied, s.Neutral = int(t.good), int(t.failed), int(t.denied), int(t.neutral)
	if !h.lastAt.IsZero() {
		s.LastError, s.LastErrorAt = h.lastErr.String(), h.lastAt
	}
}
