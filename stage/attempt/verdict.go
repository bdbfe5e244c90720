package attempt

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/weir-gateway/weir"
)

// verdict is the one error of a call that nobody answered.
func (f *fallback) verdict(ctx context.Context) *weir.Error {
	if len(f.failed) == 0 {
		return unserved(f.req.Model)
	}
	worst := mostTelling(f.failed)
	if len(f.failed) == 1 || ctx.Err() != nil {
		return finalError(ctx, worst)
	}
	out := *worst
	out.Message = summary(f.failed, worst)
	out.Attempts = f.made
	out.RetryAfter = soonest(f.failed)
	out.Wire = nil // the upstream's own bytes would hide the other attempts
	out.Err = worst
	return &out
}

func unserved(model string) *weir.Error {
	err := weir.Errorf(weir.KindModelNotFound, "no deployment serves the model %.100q", model)
	err.Param = "model"
	return err
}

// mostTelling is the error that helps the client most: that the content was
// refused, else that waiting may help, else the first.
func mostTelling(errs []*weir.Error) *weir.Error {
	best := errs[0]
	for _, err := range errs[1:] {
		if rank(err) > rank(best) {
			best = err
		}
	}
	return best
}

func rank(err *weir.Error) int {
	switch {
	case err.Kind == weir.KindContentFilter, err.Kind == weir.KindCanceled:
		return 3
	case err.Kind == weir.KindUnsupported:
		return -1 // passed over: another one was thought to be able to
	case err.Kind == weir.KindUpstreamAuth:
		return 0 // the operator's fault, nothing that the client can mend
	case err.Kind.Retryable():
		return 2
	case err.Kind == weir.KindInvalid, err.Kind == weir.KindContextLength, err.Kind == weir.KindTooLarge:
		return 1
	}
	return 0
}

// soonest is the smallest RetryAfter that is known, 0 when none is.
func soonest(errs []*weir.Error) (d time.Duration) {
	for _, err := range errs {
		if err.RetryAfter > 0 && (d == 0 || err.RetryAfter < d) {
			d = err.RetryAfter
		}
	}
	return d
}

// summary names every deployment that failed, and how.
func summary(errs []*weir.Error, worst *weir.Error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d deployments failed: ", len(errs))
	for i, err := range errs {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %s", err.Deployment, err.Kind)
		if err.Status != 0 {
			fmt.Fprintf(&b, " (%d)", err.Status)
		}
	}
	if worst.Message != "" {
		b.WriteString("; ")
		b.WriteString(worst.Message)
	}
	return b.String()
}
