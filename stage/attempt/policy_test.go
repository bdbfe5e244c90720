package attempt_test

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/attempt"
)

func after(err *weir.Error, d time.Duration) *weir.Error {
	err.RetryAfter = d
	return err
}

// tabled is an upstream behind the table of policies, alone or with others.
func tabled(u *upstream, p *attempt.Policies, others int) (weir.Handler, *weir.Request) {
	req := request()
	req.Allowance = weir.NewAllowance(10)
	req.Deployments = make([]weir.Deployment, 1+others)
	return retried(u, attempt.RetryOptions{Policies: p}), req
}

func TestPolicyOfEachClass(t *testing.T) {
	const second = time.Second
	tests := []struct {
		name     string
		err      *weir.Error
		others   int
		calls    int64
		min, max time.Duration // of all waits together
	}{
		{"a rate limit alone backs off", status(weir.KindRateLimit, 429), 0, 4, 0, 7 * second},
		{"a rate limit goes elsewhere at once", status(weir.KindRateLimit, 429), 1, 1, 0, 0},
		{"a rate limit says itself how long", after(status(weir.KindRateLimit, 429), 2*second), 0, 4, 6 * second, 6 * second},
		{"502 is tried at once, three times", status(weir.KindUpstream, 502), 0, 3, 0, 0},
		{"502 is tried at once with others left too", status(weir.KindUpstream, 502), 1, 3, 0, 0},
		{"503 waits five to fifteen seconds", status(weir.KindOverloaded, 503), 0, 2, 5 * second, 15 * second},
		{"529 is like 503", status(weir.KindOverloaded, 529), 0, 2, 5 * second, 15 * second},
		{"503 goes elsewhere at once", status(weir.KindOverloaded, 503), 1, 1, 0, 0},
		{"504 is tried again", status(weir.KindTimeout, 504), 1, 2, 0, 0},
		{"a time-out is tried again", status(weir.KindTimeout, 0), 0, 2, 0, 0},
		{"a broken connection waits longer and longer", status(weir.KindUpstream, 0), 0, 3, 1500 * time.Millisecond, 1650 * time.Millisecond},
		{"500 is tried again", status(weir.KindUpstream, 500), 0, 2, 0, 500 * time.Millisecond},
		{"400 never", status(weir.KindInvalid, 400), 0, 1, 0, 0},
		{"a long prompt never", status(weir.KindContextLength, 400), 0, 1, 0, 0},
		{"refused content never", status(weir.KindContentFilter, 400), 0, 1, 0, 0},
		{"401 never at the same key", status(weir.KindUpstreamAuth, 401), 0, 1, 0, 0},
		{"402 never", status(weir.KindQuota, 402), 0, 1, 0, 0},
		{"403 never", status(weir.KindPermission, 403), 0, 1, 0, 0},
		{"404 never", status(weir.KindModelNotFound, 404), 0, 1, 0, 0},
		{"409 never", status(weir.KindConflict, 409), 0, 1, 0, 0},
		{"413 never", status(weir.KindTooLarge, 413), 0, 1, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u, began := scripts([]step{fails(test.err)}), time.Now()
				h, req := tabled(u, &attempt.Policies{}, test.others)
				out := consume(t.Context(), h, req)
				if u.calls.Load() != test.calls || out.err == nil || out.err.Kind != test.err.Kind {
					t.Errorf("%d calls, error %v", u.calls.Load(), out.err)
				}
				if took := time.Since(began); took < test.min || took > test.max {
					t.Errorf("waited %s, want %s to %s", took, test.min, test.max)
				}
			})
		})
	}
}

func TestPolicyIsOverridden(t *testing.T) {
	tests := []struct {
		name   string
		p      attempt.Policies
		err    *weir.Error
		others int
		calls  int64
		wait   time.Duration
	}{
		{"more tries", attempt.Policies{Server: attempt.Policy{Tries: 5, Shape: attempt.ShapeNone}}, status(weir.KindUpstream, 500), 0, 5, 0},
		{"none at all", attempt.Policies{Connection: attempt.Policy{Tries: 1}}, status(weir.KindUpstream, 0), 0, 1, 0},
		{"patience with a rate limit", attempt.Policies{RateLimit: attempt.Policy{Tries: 2, Shape: attempt.ShapeNone}}, status(weir.KindRateLimit, 429), 2, 2, 0},
		{"a conflict after all", attempt.Policies{Conflict: attempt.Policy{Tries: 2, Shape: attempt.ShapeRandom, Base: time.Second, Cap: time.Second}},
			status(weir.KindConflict, 409), 0, 2, time.Second},
		{"502 elsewhere", attempt.Policies{BadGateway: attempt.Policy{Elsewhere: true}}, status(weir.KindUpstream, 502), 1, 1, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u, began := scripts([]step{fails(test.err)}), time.Now()
				h, req := tabled(u, &test.p, test.others)
				consume(t.Context(), h, req)
				if u.calls.Load() != test.calls || time.Since(began) != test.wait {
					t.Errorf("%d calls in %s", u.calls.Load(), time.Since(began))
				}
			})
		})
	}
}

func TestPoliciesAreBoundedByPerDeployment(t *testing.T) {
	u := scripts([]step{fails(status(weir.KindUpstream, 502))})
	out := consume(t.Context(), retried(u, attempt.RetryOptions{Policies: &attempt.Policies{}, PerDeployment: 2}), request())
	if u.calls.Load() != 2 || out.err == nil {
		t.Errorf("%d calls, error %v", u.calls.Load(), out.err)
	}
}

func TestWaitsStayWithinTheirShape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := time.Duration(rapid.Int64Range(1, 1e10).Draw(t, "base"))
		limit := time.Duration(rapid.Int64Range(1, 1e11).Draw(t, "cap"))
		shape := rapid.SampledFrom([]attempt.Shape{attempt.ShapeNone, attempt.ShapeLinear, attempt.ShapeExponential, attempt.ShapeRandom}).Draw(t, "shape")
		n := rapid.IntRange(1, 100).Draw(t, "n")
		d := attempt.WaitOf(attempt.Policy{Base: base, Cap: limit, Shape: shape}, n)
		low, high := time.Duration(0), limit
		switch shape {
		case attempt.ShapeNone:
			high = 0
		case attempt.ShapeLinear:
			low = min(time.Duration(n)*base, limit)
			high = min(low+low/10, limit)
		case attempt.ShapeRandom:
			low = min(base, limit)
		}
		if d < low || d > high {
			t.Fatalf("%s waits %s before retry %d, want %s to %s", shape, d, n, low, high)
		}
		if !shape.Valid() || attempt.Shape("cubic").Valid() {
			t.Fatal("a shape is not recognised")
		}
	})
}

func TestTheNextAttemptAfterATimeoutHasLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// It answers after 25 s: too slow for 20 s, in time for 30 s.
		u := scripts(append([]step{wait(25 * time.Second)}, answer("late")...))
		h := weir.Chain(u, attempt.Retry(attempt.RetryOptions{Policies: &attempt.Policies{}}),
			attempt.Timeout(attempt.TimeoutOptions{FirstToken: 20 * time.Second}))
		began, req := time.Now(), request()
		out := consume(t.Context(), h, req)
		if out.err != nil || out.text() != "late" || time.Since(began) != 45*time.Second {
			t.Errorf("text %q after %s, error %v", out.text(), time.Since(began), out.err)
		}
		if req.Stretch != 0 || u.got.Load().Stretch != 1.5 {
			t.Errorf("stretch %v in the caller's request, %v in the retry's", req.Stretch, u.got.Load().Stretch)
		}
	})
}

func TestTheStretchIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := scripts([]step{wait(time.Hour)})
		h := weir.Chain(u, attempt.Retry(attempt.RetryOptions{Policies: &attempt.Policies{
			Timeout: attempt.Policy{Tries: 6}, Stretch: 2, MaxStretch: 5,
		}}), attempt.Timeout(attempt.TimeoutOptions{Total: 10 * time.Second}))
		began := time.Now()
		out := consume(t.Context(), h, request())
		if want := (10 + 20 + 40 + 50 + 50 + 50) * time.Second; out.err == nil || out.err.Kind != weir.KindTimeout || time.Since(began) != want {
			t.Errorf("ended after %s, want %s: %v", time.Since(began), want, out.err)
		}
	})
}
