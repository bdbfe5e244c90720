package attempt_test

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/attempt"
	"github.com/weir-gateway/weir/weirtest"
)

func retried(u *upstream, o attempt.RetryOptions) weir.Handler {
	o.Deployment, o.Provider = "p/m", "p"
	return weir.Chain(u, attempt.Retry(o))
}

func TestRetryKeepsTheContract(t *testing.T) {
	u := scripts(answer("hi"))
	suite := weirtest.HandlerSuite{
		New: func() weir.Handler { return retried(u, attempt.RetryOptions{}) }, Request: request(),
		Probe: u.calls.Load, Open: u.open.Load,
	}
	suite.Run(t)
}

func TestRetryBeforeCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := scripts([]step{emits(startEvent()), emits(usage(7, 0)), fails(status(weir.KindOverloaded, 503))}, answer("hi"))
		out := consume(t.Context(), retried(u, attempt.RetryOptions{}), request())
		if out.err != nil || out.text() != "hi" || u.calls.Load() != 2 {
			t.Fatalf("text %q after %d calls, error %v", out.text(), u.calls.Load(), out.err)
		}
		if n := out.count(weir.EventStart); n != 1 {
			t.Errorf("%d starts reached the client", n)
		}
		if len(out.spent) != 1 || out.spent[0].Usage.InputTokens != 7 || out.spent[0].Deployment != "p/m" {
			t.Errorf("spent notes: %+v", out.spent)
		}
		if len(out.attempts) != 2 || out.attempts[0].Err == nil || out.attempts[1].Err != nil || out.attempts[1].Number != 2 {
			t.Errorf("attempt notes: %+v", out.attempts)
		}
	})
}

func TestRetryNeverAfterCommit(t *testing.T) {
	broken := status(weir.KindUpstream, 0)
	u := scripts([]step{emits(startEvent()), emits(delta("half")), fails(broken)}, answer("again"))
	out := consume(t.Context(), retried(u, attempt.RetryOptions{PerDeployment: 5}), request())
	if u.calls.Load() != 1 || out.text() != "half" || out.err == nil || out.err.Kind != weir.KindUpstream {
		t.Errorf("text %q after %d calls, error %v", out.text(), u.calls.Load(), out.err)
	}
}

func TestRetryByKind(t *testing.T) {
	tests := []struct {
		name  string
		err   *weir.Error
		calls int64
	}{
		{"an overloaded provider is tried again", status(weir.KindOverloaded, 529), 3},
		{"a rate limit is tried again", status(weir.KindRateLimit, 429), 3},
		{"a broken connection is tried again", status(weir.KindUpstream, 0), 3},
		{"a 502 is tried again once", status(weir.KindUpstream, 502), 2},
		{"a schema error is not", status(weir.KindInvalid, 400), 1},
		{"a prompt that is too long is not", status(weir.KindContextLength, 400), 1},
		{"refused content is not", status(weir.KindContentFilter, 400), 1},
		{"a large body is not", status(weir.KindTooLarge, 413), 1},
		{"an empty account is not", status(weir.KindQuota, 429), 1},
		{"a refused credential is not: the provider has turned to its other keys", status(weir.KindUpstreamAuth, 401), 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := scripts([]step{fails(test.err)})
				out := consume(t.Context(), retried(u, attempt.RetryOptions{PerDeployment: 3}), request())
				if u.calls.Load() != test.calls || out.err == nil || out.err.Kind != test.err.Kind {
					t.Errorf("%d calls, error %v", u.calls.Load(), out.err)
				}
				if out.err != nil && (out.err.Status != test.err.Status || out.err.Deployment != "p/m") { // E-01
					t.Errorf("the error lost its status or has no deployment: %+v", out.err)
				}
			})
		})
	}
}

func TestRetryWaits(t *testing.T) {
	limited := func(after time.Duration) *weir.Error {
		err := status(weir.KindRateLimit, 429)
		err.RetryAfter = after
		return err
	}
	tests := []struct {
		name     string
		err      *weir.Error
		min, max time.Duration
	}{
		{"as long as the upstream asks", limited(7 * time.Second), 7 * time.Second, 7 * time.Second},
		{"up to a minute", limited(time.Minute), time.Minute, time.Minute},
		{"a random time after a rate limit", limited(0), 0, time.Second},
		{"a random time after a failure", status(weir.KindOverloaded, 503), 0, 500 * time.Millisecond},
		{"not at all after a 502", status(weir.KindUpstream, 502), 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u, began := scripts([]step{fails(test.err)}, answer("hi")), time.Now()
				out := consume(t.Context(), retried(u, attempt.RetryOptions{}), request())
				took := time.Since(began)
				if out.err != nil || took < test.min || took > test.max {
					t.Errorf("waited %s, want %s to %s; error %v", took, test.min, test.max, out.err)
				}
				if out.attempts[0].Wait != took {
					t.Errorf("the note says %s, the wait was %s", out.attempts[0].Wait, took)
				}
			})
		})
	}
}

func TestRetryGivesUpAtOnceBeforeADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := status(weir.KindRateLimit, 429)
		err.RetryAfter = 20 * time.Second
		u, began := scripts([]step{fails(err)}), time.Now()
		out := consume(ctx, retried(u, attempt.RetryOptions{}), request())
		if u.calls.Load() != 1 || time.Since(began) != 0 || out.err.Kind != weir.KindRateLimit || out.err.RetryAfter != 20*time.Second {
			t.Errorf("%d calls in %s, error %+v", u.calls.Load(), time.Since(began), out.err)
		}
	})
}

func TestRetryGivesUpAtOnceWhenTheUpstreamWantsALongWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := status(weir.KindRateLimit, 429)
		err.RetryAfter = time.Hour
		u, began := scripts([]step{fails(err)}), time.Now()
		out := consume(t.Context(), retried(u, attempt.RetryOptions{}), request())
		if u.calls.Load() != 1 || time.Since(began) != 0 || out.err.RetryAfter != time.Hour {
			t.Errorf("%d calls in %s, error %+v", u.calls.Load(), time.Since(began), out.err)
		}
	})
}

func TestRetryStopsWithTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		err := status(weir.KindRateLimit, 429)
		err.RetryAfter = 30 * time.Second
		u, began := scripts([]step{fails(err)}), time.Now()
		out := consume(ctx, retried(u, attempt.RetryOptions{}), request())
		if u.calls.Load() != 1 || time.Since(began) != time.Second || out.err.Kind != weir.KindCanceled {
			t.Errorf("%d calls in %s, error %v", u.calls.Load(), time.Since(began), out.err)
		}
	})
}

func TestRetryDrawsOnTheSharedAllowance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := scripts([]step{fails(status(weir.KindOverloaded, 503))})
		req := request()
		req.Allowance = weir.NewAllowance(3)
		inner := retried(u, attempt.RetryOptions{PerDeployment: 10})
		out := consume(t.Context(), weir.Chain(inner, attempt.Retry(attempt.RetryOptions{PerDeployment: 1})), req)
		if out.err == nil || u.calls.Load() > 3 {
			t.Errorf("%d calls with an allowance of 3", u.calls.Load())
		}
	})
}

func TestRetryLeavesAnAttemptForEachOtherDeployment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := scripts([]step{fails(status(weir.KindOverloaded, 503))})
		req := request()
		req.Allowance = weir.NewAllowance(3)
		req.Deployments = make([]weir.Deployment, 3) // itself and two others
		consume(t.Context(), retried(u, attempt.RetryOptions{PerDeployment: 3, Patience: time.Hour}), req)
		if u.calls.Load() != 1 {
			t.Errorf("%d calls; two attempts belong to the others", u.calls.Load())
		}
	})
}

func TestRetryOnlyPingsNeverCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := scripts([]step{emits(ping()), emits(ping()), fails(status(weir.KindUpstream, 0))}, answer("hi"))
		out := consume(t.Context(), retried(u, attempt.RetryOptions{}), request())
		if out.text() != "hi" || out.count(weir.EventPing) != 0 {
			t.Errorf("text %q with %d pings of the attempt that failed", out.text(), out.count(weir.EventPing))
		}
	})
}

func TestRetryDoesNotWaitLongWhileAnotherDeploymentIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := status(weir.KindRateLimit, 429)
		err.RetryAfter = 30 * time.Second
		u, second, began := scripts([]step{fails(err)}), scripts(answer("b")), time.Now()
		out := consume(t.Context(), attempt.Fallback(attempt.FallbackOptions{}), over(u, second))
		if out.text() != "b" || u.calls.Load() != 1 || time.Since(began) != 0 {
			t.Errorf("text %q after %s and %d calls", out.text(), time.Since(began), u.calls.Load())
		}
	})
}

func TestRetryWithNothingAllowed(t *testing.T) {
	req := request()
	req.Allowance = weir.NewAllowance(1)
	req.Allowance.Take()
	u := scripts(answer("hi"))
	out := consume(t.Context(), retried(u, attempt.RetryOptions{}), req)
	if u.calls.Load() != 0 || out.err == nil || out.err.Kind != weir.KindUnavailable || out.err.Deployment != "p/m" {
		t.Errorf("%d calls, error %v", u.calls.Load(), out.err)
	}
}

func TestRetryCountsTheKeysThatAProviderTriedItself(t *testing.T) {
	twice := weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		req.Allowance.Take() // a second key
		return scripts(answer("hi")).Handle(ctx, req)
	})
	req := request()
	req.Allowance = weir.NewAllowance(4)
	out := consume(t.Context(), weir.Chain(twice, attempt.Retry(attempt.RetryOptions{})), req)
	if len(out.attempts) != 1 || out.attempts[0].Number != 2 {
		t.Errorf("attempts %+v", out.attempts)
	}
}

func TestRetryStopsWhenTheClientsEndLooksLikeAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		breaks := weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
			calls++
			cancel()
			return weir.Fail(status(weir.KindOverloaded, 503))
		})
		out := consume(ctx, weir.Chain(breaks, attempt.Retry(attempt.RetryOptions{})), request())
		if calls != 1 || out.err == nil || out.err.Kind != weir.KindCanceled || out.attempts[0].Wait != 0 {
			t.Errorf("%d calls, error %v", calls, out.err)
		}
	})
}
