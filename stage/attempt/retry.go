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
	// PerDeployment is how often the deployment is tried in one call, the
	// first time included. 0 is 2; 1 never tries again.
	PerDeployment int
	// Base and Cap bound the waits between attempts: before the n-th retry a
	// random time below min(Cap, Base·2ⁿ⁻¹). 0 is 500 ms and 30 s.
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
	o.PerDeployment = orInt(o.PerDeployment, 2)
	o.Base, o.Cap = orDuration(o.Base, 500*time.Millisecond), orDuration(o.Cap, 30*time.Second)
	o.RateBase, o.RateCap = orDuration(o.RateBase, time.Second), orDuration(o.RateCap, 32*time.Second)
	o.MaxWait = orDuration(o.MaxWait, time.Minute)
	o.Patience = orDuration(o.Patience, time.Second)
	return o
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
// The waits are random ("full jitter"). What the upstream asked for in
// Retry-After is honoured instead; when that is longer than MaxWait, or the
// caller's deadline comes first, the error is returned at once. A 502 is tried again once and at once: something
// on the way broke, and another connection may go another way. A refused
// credential is not tried again: a provider with several keys has turned to the
// others within the attempt, on the same Allowance.
//
// Every attempt is told in a weir.Attempt note, on failure with its error and
// on commit without, and usage of an attempt that was thrown away in a Spent
// note.
func Retry(o RetryOptions) weir.Middleware {
	r := &retry{RetryOptions: o.withDefaults()}
	return func(next weir.Handler) weir.Handler {
		return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
			return func(yield func(weir.Event, error) bool) { r.run(ctx, next, req, yield) }
		})
	}
}

type retry struct{ RetryOptions }

func (r *retry) run(ctx context.Context, next weir.Handler, req *weir.Request, yield func(weir.Event, error) bool) {
	if req.Allowance == nil {
		req = req.Clone()
		req.Allowance = weir.NewAllowance(r.PerDeployment)
	}
	for try := 1; ; try++ {
		if !req.Allowance.Take() {
			yield(weir.Event{}, exhausted(r.Deployment))
			return
		}
		t := r.begin(req, yield)
		if t.run(next.Handle(ctx, req)) {
			return
		}
		wait, again := r.plan(ctx, req, t.err, try)
		if !t.fail(wait) {
			return
		}
		if !again || !sleep(ctx, wait) {
			yield(weir.Event{}, finalError(ctx, t.err))
			return
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

// plan says whether to try again, and after how long. The wait is 0 when not.
func (r *retry) plan(ctx context.Context, req *weir.Request, err *weir.Error, try int) (time.Duration, bool) {
	others := max(len(req.Deployments)-1, 0)
	if ctx.Err() != nil || try >= r.PerDeployment || !err.Kind.Retryable() || req.Allowance.Left() <= others {
		return 0, false
	}
	switch {
	case err.Kind == weir.KindUpstreamAuth:
		return 0, false
	case err.Status == 502:
		return 0, try == 1
	case err.RetryAfter > r.MaxWait:
		return 0, false
	}
	wait := r.wait(err, try)
	if others > 0 && wait > r.Patience {
		return 0, false
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
		return 0, false
	}
	return wait, true
}

func (r *retry) wait(err *weir.Error, try int) time.Duration {
	switch {
	case err.RetryAfter > 0:
		return err.RetryAfter
	case err.Kind == weir.KindRateLimit:
		return jitter(r.RateBase, r.RateCap, try)
	}
	return jitter(r.Base, r.Cap, try)
}

func exhausted(deployment string) *weir.Error {
	err := weir.Errorf(weir.KindUnavailable, "the attempts allowed for this request are used up")
	err.Deployment = deployment
	return err
}
