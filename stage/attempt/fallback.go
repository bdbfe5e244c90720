package attempt

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/weir-gateway/weir"
)

// FallbackOptions say when the next deployment is tried. The zero value is usable.
type FallbackOptions struct {
	// Attempts is how many upstream calls one request may cause over all
	// deployments and retries, where the Request brings no Allowance. 0 is 4.
	Attempts int
	// ContextLength goes on when the prompt is too long for a deployment; a
	// later one may have a longer context.
	ContextLength bool
	// ContentFilter goes on when a provider refuses the content. Off by
	// default: going round a safety refusal must be somebody's decision.
	ContentFilter bool
	// Hedge calls the next deployment beside one that is slower than usual.
	// Nil never does.
	Hedge *Hedge
}

// Fallback is the innermost Handler of a shared chain: it ranges over the
// Request's Deployments in order until one of them commits to an answer.
// A deployment that stands in the list twice is tried once.
//
// The next deployment is tried after an error that says something about the
// deployment or its account (every retryable kind, an unknown model, a refused
// credential, an exhausted quota, a permission that the upstream denied,
// something the deployment cannot do) and never after one that says something
// about the request.
//
// With Hedge the next deployment is also called when one is slow, and the first
// of the two to commit answers; what the other one cost is told.
//
// When all fail, the error has the kind and status of the most telling one: a
// refusal of the content, else the first that may pass with time, else the
// first. It lists every attempt, and RetryAfter is the smallest that is known.
// With a single deployment its error is returned as it is.
func Fallback(o FallbackOptions) weir.Handler {
	o.Attempts = orInt(o.Attempts, 4)
	if o.Hedge != nil {
		o.Hedge = o.Hedge.withDefaults()
	}
	options := &o
	return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			f := fallback{FallbackOptions: options, req: req, yield: yield}
			f.run(ctx)
		}
	})
}

type fallback struct {
	*FallbackOptions
	req    *weir.Request
	yield  func(weir.Event, error) bool
	made   []*weir.Attempt
	failed []*weir.Error // one for each deployment tried
	// race is the one race of the call, nil until there is one.
	race *race
}

// A step is what follows after a deployment was tried.
type step uint8

const (
	stepOver step = iota // the consumer has all that it gets
	stepNext             // the next deployment
	stepFail             // no other deployment can mend it
)

func (f *fallback) run(ctx context.Context) {
	if f.req.Allowance == nil {
		f.req = f.req.Clone()
		f.req.Allowance = weir.NewAllowance(f.Attempts)
	}
	all := f.req.Deployments
	unfit := f.passOver(all)
	for i := range all {
		if all[i].Handler == nil || visited(all[:i], all[i].Name) || f.race.tried(i) {
			continue
		}
		if unfit != nil && unfit[i] != nil {
			f.skip(&all[i], unfit[i])
			continue
		}
		if len(f.made) > 0 && (f.req.Allowance.Left() <= 0 || ctx.Err() != nil) {
			break
		}
		next := f.try(ctx, i, unfit)
		if next == stepOver {
			return
		}
		if next == stepFail {
			break
		}
	}
	f.yield(weir.Event{}, f.verdict(ctx))
}

// passOver finds the deployments that cannot serve the request, so that they
// are not called to no purpose. Nil when there is no choice: facts about models
// may be wrong, and the only one left is worth a try.
func (f *fallback) passOver(all []weir.Deployment) []*weir.Error {
	if len(all) < 2 {
		return nil
	}
	var unfit []*weir.Error
	fit := 0
	for i := range all {
		if all[i].Unfit == nil {
			fit++
			continue
		}
		reason := all[i].Unfit(f.req)
		if reason == "" {
			fit++
			continue
		}
		if unfit == nil {
			unfit = make([]*weir.Error, len(all))
		}
		unfit[i] = weir.Errorf(weir.KindUnsupported, "passed over: %s", reason)
	}
	if fit == 0 {
		return nil
	}
	return unfit
}

// skip lists a deployment that was passed over among the attempts of a failure.
// It is no attempt: nothing was called.
func (f *fallback) skip(d *weir.Deployment, why *weir.Error) {
	why.Deployment, why.Provider = d.Name, d.Provider
	f.failed = append(f.failed, why)
	f.made = append(f.made, &weir.Attempt{Deployment: d.Name, Provider: d.Provider, Model: d.Model, Err: why})
}

func visited(before []weir.Deployment, name string) bool {
	return name != "" && slices.ContainsFunc(before, func(d weir.Deployment) bool { return d.Name == name && d.Handler != nil })
}

func (f *fallback) begin(d *weir.Deployment) *trial {
	return &trial{
		note:  weir.Attempt{Deployment: d.Name, Provider: d.Provider, Model: d.Model},
		used:  f.req.Allowance,
		base:  f.req.Allowance.Used(),
		start: time.Now(),
		yield: f.yield,
		seen:  f.see,
	}
}

func (f *fallback) see(a *weir.Attempt) {
	if a.Err != nil {
		f.made = append(f.made, a)
	}
}

// try makes the attempts at one deployment.
func (f *fallback) try(ctx context.Context, i int, unfit []*weir.Error) step {
	t := f.begin(&f.req.Deployments[i])
	if r := f.arm(t, i, unfit); r != nil {
		return r.run(ctx, f.req.Deployments[i].Handler, f.at(i))
	}
	if t.run(f.req.Deployments[i].Handler.Handle(ctx, f.at(i))) {
		return stepOver
	}
	return f.fails(t)
}

// at is the request for a deployment. It sees those behind it in Deployments,
// so that its own retries can leave them an attempt each.
func (f *fallback) at(i int) *weir.Request {
	if i == 0 {
		return f.req
	}
	req := f.req.Clone()
	req.Deployments = req.Deployments[i:]
	return req
}

// fails takes the failure of a deployment.
func (f *fallback) fails(t *trial) step {
	if !t.fail(0) {
		return stepOver
	}
	return f.adds(t.err)
}

func (f *fallback) adds(err *weir.Error) step {
	f.failed = append(f.failed, err)
	if f.goesOn(err) {
		return stepNext
	}
	return stepFail
}

// goesOn reports whether err says something about the deployment rather than
// about the request.
func (f *fallback) goesOn(err *weir.Error) bool {
	switch err.Kind {
	case weir.KindModelNotFound, weir.KindQuota, weir.KindUnsupported:
		return true
	case weir.KindPermission, weir.KindNotFound, weir.KindUnauthenticated:
		return err.IsUpstream()
	case weir.KindContextLength:
		return f.ContextLength
	case weir.KindContentFilter:
		return f.ContentFilter
	}
	return err.Kind.Retryable()
}
