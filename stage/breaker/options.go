package breaker

import "time"

// Options set up a Board. The zero value is usable.
type Options struct {
	// Window is how far back failures count. 0 is 60 s.
	Window time.Duration
	// FailureRate is the part of the calls in the window that must have failed
	// for the circuit to open, above 0 and up to 1. 0 is 0.5.
	FailureRate float64
	// MinCalls is how many calls the window must hold before their rate says
	// anything. 0 is 10.
	MinCalls int
	// Open is how long the circuit stays open. Each time that a probe fails it
	// doubles, up to MaxOpen. 0 is 30 s and 5 min.
	Open, MaxOpen time.Duration
	// Probes is how many calls at a time a half-open circuit lets through, and
	// how many of them must succeed for it to close. 0 is 5.
	Probes int
	// Decay is the time constant of the peak-EWMA latencies: after it a peak
	// counts 1/e. 0 is 10 s.
	Decay time.Duration
	// Cooldown is how long a deployment is passed over after a rate limit that
	// does not say when to come back. 0 is 5 s. What the upstream says is heeded
	// up to MaxCooldown, 0 being 60 s.
	Cooldown, MaxCooldown time.Duration
	// Eject is about deployments that are slower than their peers.
	Eject EjectOptions
	// MaxDeployments bounds how many deployments are remembered. Beyond it those
	// that were not used for longest are forgotten. 0 is 4096.
	MaxDeployments int
	// OnChange is told every change of state, those of one deployment in order.
	// It is called on the goroutine of a call and must be quick; it may read the
	// Board. Nil: nobody is told.
	OnChange func(Change)
}

// EjectOptions say when a deployment is too slow. The zero value is usable.
type EjectOptions struct {
	// Off ejects nobody.
	Off bool
	// Factor is by how much a deployment's mean time to first token must exceed
	// the median of its peers'. 0 is 3.
	Factor float64
	// Floor is what that time must exceed as well: among quick ones a multiple
	// means nothing. 0 is 1 s.
	Floor time.Duration
	// MinSamples is how many answers must have been seen of a deployment. 0 is 20.
	MinSamples int
	// ProbeEvery is how often an ejected deployment is given a call. 0 is 10 s.
	ProbeEvery time.Duration
}

func (o Options) withDefaults() *Options {
	o.Window = or(o.Window, time.Minute)
	if o.FailureRate <= 0 || o.FailureRate > 1 {
		o.FailureRate = 0.5
	}
	o.MinCalls = or(o.MinCalls, 10)
	o.Open = or(o.Open, 30*time.Second)
	o.MaxOpen = max(or(o.MaxOpen, 5*time.Minute), o.Open)
	o.Probes = or(o.Probes, 5)
	o.Decay = or(o.Decay, 10*time.Second)
	o.Cooldown, o.MaxCooldown = or(o.Cooldown, 5*time.Second), or(o.MaxCooldown, time.Minute)
	o.Eject.Factor = or(o.Eject.Factor, 3)
	o.Eject.Floor = or(o.Eject.Floor, time.Second)
	o.Eject.MinSamples = or(o.Eject.MinSamples, 20)
	o.Eject.ProbeEvery = or(o.Eject.ProbeEvery, 10*time.Second)
	o.MaxDeployments = or(o.MaxDeployments, 4096)
	return &o
}

func or[T int | float64 | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}
