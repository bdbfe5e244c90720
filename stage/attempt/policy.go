package attempt

import (
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/weir-gateway/weir"
)

// A Shape is how the waits between the attempts at one deployment grow.
type Shape string

// Shapes. Each is bounded by Policy.Cap.
const (
	// ShapeNone tries again at once.
	ShapeNone Shape = "none"
	// ShapeLinear waits n·Base before the n-th retry, and up to a tenth more.
	ShapeLinear Shape = "linear"
	// ShapeExponential waits a random time below Base·2ⁿ⁻¹ ("full jitter").
	ShapeExponential Shape = "exponential"
	// ShapeRandom waits a random time from Base to Cap.
	ShapeRandom Shape = "random"
)

// Valid reports whether s is one of the shapes above.
func (s Shape) Valid() bool {
	switch s {
	case ShapeNone, ShapeLinear, ShapeExponential, ShapeRandom:
		return true
	}
	return false
}

// A Policy is what is done about one class of errors at one deployment.
type Policy struct {
	// Tries is how many attempts at the deployment one call may have made, the
	// first one included, when another one is to follow an error of the class.
	// 0 is the default of the class; 1 never tries again.
	Tries int
	// Base and Cap bound the waits as Shape says. 0 is the default of the class.
	Base, Cap time.Duration
	// Shape is how the waits grow; empty is the default of the class.
	Shape Shape
	// Elsewhere leaves the deployment at once while another one is left.
	Elsewhere bool
}

// Policies are the policies of all classes of errors that another attempt may
// mend. A class that is not here is never tried again at the same deployment:
// what is wrong with the request (every other 4xx), a refused credential, an
// exhausted account.
//
// A Policy that is the zero value is the default of its class. One that says
// anything is taken at its word, Elsewhere included; only its zero numbers and
// an empty Shape are the default's.
type Policies struct {
	// RateLimit is for 429. Default: 4 tries, exponential from 1 s to 32 s, or
	// at once elsewhere.
	RateLimit Policy
	// BadGateway is for 502: something on the way broke, and another connection
	// may go another way. Default: 3 tries, at once.
	BadGateway Policy
	// Unavailable is for 503, 529 and whatever else says that the provider is
	// busy. Default: 2 tries, a random 5 s to 15 s apart, or at once elsewhere.
	Unavailable Policy
	// Timeout is for 504, 408 and the limits of Timeout. Default: 2 tries, at
	// once, the second one with longer limits: see Stretch.
	Timeout Policy
	// Connection is for a connection that failed or broke, and an answer that
	// was cut or made no sense. Default: 3 tries, linear, 500 ms, up to 5 s.
	Connection Policy
	// Server is for 500 and every 5xx that has no class of its own. Default: 2
	// tries, exponential from 500 ms to 30 s.
	Server Policy
	// Conflict is for 409. Default: 1 try.
	Conflict Policy

	// Stretch makes the time limits of an attempt that many times longer after
	// each one of class Timeout, up to MaxStretch in all. 0 is 1.5 and 3; 1
	// leaves them as they are.
	Stretch, MaxStretch float64
}

// DefaultPolicies are the defaults, to be changed in part.
func DefaultPolicies() Policies {
	return Policies{
		RateLimit:   Policy{Tries: 4, Base: time.Second, Cap: 32 * time.Second, Shape: ShapeExponential, Elsewhere: true},
		BadGateway:  Policy{Tries: 3, Base: time.Second, Cap: 30 * time.Second, Shape: ShapeNone},
		Unavailable: Policy{Tries: 2, Base: 5 * time.Second, Cap: 15 * time.Second, Shape: ShapeRandom, Elsewhere: true},
		Timeout:     Policy{Tries: 2, Base: time.Second, Cap: 30 * time.Second, Shape: ShapeNone},
		Connection:  Policy{Tries: 3, Base: 500 * time.Millisecond, Cap: 5 * time.Second, Shape: ShapeLinear},
		Server:      Policy{Tries: 2, Base: 500 * time.Millisecond, Cap: 30 * time.Second, Shape: ShapeExponential},
		Conflict:    Policy{Tries: 1, Base: time.Second, Cap: 30 * time.Second, Shape: ShapeExponential},
		Stretch:     1.5, MaxStretch: 3,
	}
}

// withDefaults is p with nothing left open.
func (p Policies) withDefaults() Policies {
	d := DefaultPolicies()
	p.RateLimit = p.RateLimit.or(d.RateLimit)
	p.BadGateway = p.BadGateway.or(d.BadGateway)
	p.Unavailable = p.Unavailable.or(d.Unavailable)
	p.Timeout = p.Timeout.or(d.Timeout)
	p.Connection = p.Connection.or(d.Connection)
	p.Server = p.Server.or(d.Server)
	p.Conflict = p.Conflict.or(d.Conflict)
	if p.Stretch <= 0 {
		p.Stretch = d.Stretch
	}
	if p.MaxStretch <= 0 {
		p.MaxStretch = max(d.MaxStretch, p.Stretch)
	}
	return p
}

func (p Policy) or(otherwise Policy) Policy {
	if p == (Policy{}) {
		return otherwise
	}
	p.Tries = orInt(p.Tries, otherwise.Tries)
	p.Base, p.Cap = orDuration(p.Base, otherwise.Base), orDuration(p.Cap, otherwise.Cap)
	if p.Shape == "" {
		p.Shape = otherwise.Shape
	}
	return p
}

// uniform treats all classes alike, as the single numbers of RetryOptions say,
// but for rate limits, which have waits of their own, and 502.
func uniform(o *RetryOptions) Policies {
	usual := Policy{Tries: o.PerDeployment, Base: o.Base, Cap: o.Cap, Shape: ShapeExponential}
	limited := usual
	limited.Base, limited.Cap = o.RateBase, o.RateCap
	return Policies{
		RateLimit: limited, BadGateway: Policy{Tries: 2, Shape: ShapeNone},
		Unavailable: usual, Timeout: usual, Connection: usual, Server: usual, Conflict: usual,
		Stretch: 1, MaxStretch: 1,
	}
}

// of is the policy for an error; nil when nothing at this deployment can mend it.
func (p *Policies) of(err *weir.Error) *Policy {
	switch {
	case !err.Kind.Retryable(), err.Kind == weir.KindUpstreamAuth:
		return nil
	case err.Status == http.StatusBadGateway:
		return &p.BadGateway
	}
	switch err.Kind {
	case weir.KindRateLimit:
		return &p.RateLimit
	case weir.KindOverloaded, weir.KindUnavailable:
		return &p.Unavailable
	case weir.KindTimeout:
		return &p.Timeout
	case weir.KindConflict:
		return &p.Conflict
	}
	if err.Status < http.StatusInternalServerError { // 0, or the status of an answer that broke
		return &p.Connection
	}
	return &p.Server
}

// wait is how long to wait before the n-th retry.
func (p *Policy) wait(n int) time.Duration {
	switch p.Shape {
	case ShapeNone:
		return 0
	case ShapeLinear:
		d := min(time.Duration(n)*p.Base, p.Cap)
		return min(d+rand.N(d/10+1), p.Cap)
	case ShapeRandom:
		low := min(p.Base, p.Cap)
		return low + rand.N(p.Cap-low+1)
	}
	return jitter(p.Base, p.Cap, n)
}

// stretched is the factor for the next attempt after one that was too slow.
func (p *Policies) stretched(now float64) float64 {
	return max(min(max(now, 1)*p.Stretch, p.MaxStretch), 1)
}
