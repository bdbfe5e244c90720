package attempt_test

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/attempt"
)

// a deployment that is left alone is not waited for.
func TestARefusalByABreakerIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		open := weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
			return func(yield func(weir.Event, error) bool) {
				calls++
				yield(weir.Event{}, &weir.Error{Kind: weir.KindUnavailable, Code: "circuit_open", RetryAfter: 10 * time.Second})
			}
		})
		began := time.Now()
		policies := attempt.DefaultPolicies()
		h := weir.Chain(open, attempt.Retry(attempt.RetryOptions{Deployment: "a/x", Policies: &policies}))
		var failed error
		for _, err := range h.Handle(t.Context(), weir.NewRequest("m", &weir.Body{})) {
			failed = err
		}
		if calls != 1 || time.Since(began) != 0 || weir.AsError(failed).RetryAfter != 10*time.Second {
			t.Errorf("%d calls, after %s: %v", calls, time.Since(began), failed)
		}
	})
}
