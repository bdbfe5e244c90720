package attempt

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/weir-gateway/weir"
)

// jitter is a random wait below min(limit, base·2ⁿ⁻¹) before the n-th retry:
// clients that failed together must not come back together.
func jitter(base, limit time.Duration, n int) time.Duration {
	ceiling := limit
	if shift := n - 1; shift < 32 && base<<shift > 0 && base<<shift < limit {
		ceiling = base << shift
	}
	return rand.N(ceiling)
}

// sleep waits for d and reports whether the caller is still there.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// finalError is what the caller is told: err, unless the attempt failed because
// the caller gave up, which is not the upstream's fault.
func finalError(ctx context.Context, err *weir.Error) *weir.Error {
	if ctx.Err() == nil || err.Kind == weir.KindCanceled || err.Kind == weir.KindTimeout {
		return err
	}
	return weir.AsError(ctx.Err())
}
