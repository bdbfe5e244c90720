package attempt

import (
	"context"
	"iter"
	"time"

	"github.com/weir-gateway/weir"
)

// RetryOptions say how one deployment is tried again. The zero value is usable.
type RetryOptions struct {
	// Deployment, Provider and Model name the deployment in notes.
	Deployment, Provider, Model string
	// Policies say for each class of errors whether, how often and after how
	// long the deployment is tried again. Nil: the numbers below, for all alike.
	Policies *Policies
	// Budget bounds the retries of all calls at the deployment together, so
	// that they cannot become the storm that keeps it down. Nil: nothing does.
	Budget *Budget
	// PerDeployment is how often the deployment is tried in one call at most,
	// the first time included. 0 is 2, or what Policies say; 1 never tries again.
	PerDeployment int
	// Base and Cap bound the waits between attempts: before the n-th retry a
	// random time below min(Cap, Base·2ⁿ⁻¹). 0 is 500 ms and 30 s. With
	// Policies they mean nothing.
	Base, Cap time.Duration
	// RateBase and RateCap are the same after a rate limit. 0 is 1 s and 32 s.
	RateBase, RateCap time.Duration
	// MaxWait is the longest Retry-After of an upstream that is waited for.
	// After a longer one the error is returned at once, since to come back
	// earlier would be in vain. 0 is 60 s.
	MaxWait time.Duration
	// Patience is the longest wait while another deployment is left to be
	// tried instead. 0 is 1 s.
	Patience time.Duration
}

func (o RetryOptions) withDefaults() RetryOptions {
	o.MaxWait = orDuration(o.MaxWait, time.Minute)
	o.Patience = orDuration(o.Patience, time.Second)
	if o.Policies != nil {
		return o
	}
	o.PerDeployment = orInt(o.PerDeployment, 2)
	o.Base, o.Cap = orDuration(o.Base, 500*time.Millisecond), orDuration(o.Cap, 30*time.Second)
	o.RateBase, o.RateCap = orDuration(o.RateBase, time.Second), orDuration(o.RateCap, 32*time.Second)
	return o
}

// policies is the table that the options stand for.
func (o *RetryOptions) policies() Policies {
	if o.Policies == nil {
		return uniform(o)
	}
	return o.Policies.withDefaults()
}

// allowed is how many attempts a call without an Allowance may make.
func (o *RetryOptions) allowed(p *Policies) int {
	if o.PerDeployment > 0 {
		return o.PerDeployment
	}
	return max(p.RateLimit.Tries, p.BadGateway.Tries, p.Unavailable.Tries, p.Timeout.Tries,
		p.Connection.Tries, p.Server.Tries, p.Conflict.Tries)
}

func orDuration(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

func orInt(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// Retry tries one deployment again when an attempt fails before it is
// committed, with an error that another attempt may mend (Kind.Retryable), as
// long as the caller waits, the Request's Allowance lasts and every deployment
// that is still to be tried keeps one attempt.
//
// How often and after how long is the error's Policy. What the upstream asked
// for in Retry-After is honoured instead; when that is longer than MaxWait, or
// the caller's deadline comes first, the error is returned at once. A refused
// credential is not tried again: a provider with several keys has turned to the
// others within the attempt, on the same Allowance.
//
// After a time-out the limits of the next attempt may be longer: Retry says so
// in Request.Stretch, which Timeout obeys.
//
// Every attempt is told in a weir.Attempt note, on failure with its error and
// on commit without, usage of an attempt that was thrown away in a Spent note,
// and a retry that the Budget forbade in a Withheld note.
func Retry(o RetryOptions) weir.Middleware {
	r := &retry{RetryOptions: o.withDefaults()}
	r.table = r.policies()
	return func(next weir.Handler) weir.Handler {
		return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
			return func(yield func(weir.Event, error) bool) { r.run(ctx, next, req, yield) }
		})
	}
}

type retry struct {
	RetryOptions
	table Policies
}

// A plan is what is done after a failed attempt.
type plan struct {
	again    bool
	wait     time.Duration // 0 when not again
	stretch  float64       // of the next attempt
	withheld bool          // the budget forbade it
}

func (r *retry) run(ctx context.Context, next weir.Handler, req *weir.Request, yield func(weir.Event, error) bool) {
	if req.Allowance == nil {
		req = req.Clone()
		req.Allowance = weir.NewAllowance(r.allowed(&r.table))
	}
	r.Budget.Call()
	for try := 1; ; try++ {
		if !req.Allowance.Take() {
			yield(weir.Event{}, exhausted(r.Deployment))
			return
		}
		t := r.begin(req, yield)
		if t.run(next.Handle(ctx, req)) {
			return
		}
		p := r.plan(ctx, req, t.err, try)
		if !t.fail(p.wait) || p.withheld && !yield(weir.NoteEvent(r.withheld()), nil) {
			return
		}
		if !p.again || !sleep(ctx, p.wait) {
			yield(weir.Event{}, finalError(ctx, t.err))
			return
		}
		if p.stretch != req.Stretch {
			req = req.Clone()
			req.Stretch = p.stretch
		}
	}
}

func (r *retry) begin(req *weir.Request, yield func(weir.Event, error) bool) *trial {
	return &trial{
		note:  weir.Attempt{Deployment: r.Deployment, Provider: r.Provider, Model: r.Model},
		used:  req.Allowance,
		base:  req.Allowance.Used() - 1,
		start: time.Now(),
		yield: yield,
	}
}

func (r *retry) withheld() *Withheld {
	return &Withheld{What: "retry", Deployment: r.Deployment, Provider: r.Provider, Model: r.Model}
}

// plan says whether to try again, and how.
func (r *retry) plan(ctx context.Context, req *weir.Request, err *weir.Error, try int) plan {
	others := max(len(req.Deployments)-1, 0)
	if ctx.Err() != nil || r.PerDeployment > 0 && try >= r.PerDeployment || req.Allowance.Left() <= others {
		return plan{}
	}
	policy := r.table.of(err)
	if err.Code == codeOpen || policy == nil || try >= policy.Tries || policy.Elsewhere && others > 0 || err.RetryAfter > r.MaxWait {
		return plan{}
	}
	wait := policy.wait(try)
	if err.RetryAfter > 0 {
		wait = err.RetryAfter
	}
	if others > 0 && wait > r.Patience {
		return plan{}
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
		return plan{}
	}
	if !r.Budget.Take() {
		return plan{withheld: true}
	}
	p := plan{again: true, wait: wait, stretch: req.Stretch}
	if policy == &r.table.Timeout {
		p.stretch = r.table.stretched(req.Stretch)
	}
	return p
}

// codeOpen is the Code of a refusal by a breaker (stage/breaker): the deployment is
// left alone, and asking it again would be refused again.
const codeOpen = "circuit_open"

func exhausted(deployment string) *weir.Error {
	err := weir.Errorf(weir.KindUnavailable, "the attempts allowed for this request are used up")
	err.Deployment = deployment
	return err
}
