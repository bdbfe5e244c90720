package attempt_test

import (
	"context"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/attempt"
	"github.com/weir-gateway/weir/weirtest"
)

// over is a request with a deployment for each upstream: "a", "b", "c" …
func over(upstreams ...*upstream) *weir.Request {
	req := request()
	for i, u := range upstreams {
		name := string(rune('a' + i))
		req.Deployments = append(req.Deployments, weir.Deployment{
			Name: name, Provider: name,
			Handler: weir.Chain(u, attempt.Retry(attempt.RetryOptions{Deployment: name, Provider: name})),
		})
	}
	return req
}

func failing(kind weir.Kind, code int) *upstream { return scripts([]step{fails(status(kind, code))}) }

func TestFallbackKeepsTheContract(t *testing.T) {
	u := scripts(answer("hi"))
	weirtest.HandlerSuite{
		New: func() weir.Handler { return attempt.Fallback(attempt.FallbackOptions{}) }, Request: over(u),
		Probe: u.calls.Load, Open: u.open.Load,
	}.Run(t)
}

func TestFallbackByKind(t *testing.T) {
	tests := []struct {
		name    string
		err     *weir.Error
		options attempt.FallbackOptions
		next    bool
	}{
		{"overload goes on", status(weir.KindOverloaded, 503), attempt.FallbackOptions{}, true},
		{"a time-out goes on", status(weir.KindTimeout, 0), attempt.FallbackOptions{}, true},
		{"an unknown model goes on", status(weir.KindModelNotFound, 404), attempt.FallbackOptions{}, true},
		{"a refused credential goes on", status(weir.KindUpstreamAuth, 401), attempt.FallbackOptions{}, true},
		{"an empty account goes on", status(weir.KindQuota, 429), attempt.FallbackOptions{}, true},
		{"a permission that the upstream denies goes on", status(weir.KindPermission, 403), attempt.FallbackOptions{}, true},
		{"a permission that Weir denies does not", &weir.Error{Kind: weir.KindPermission}, attempt.FallbackOptions{}, false},
		{"what a deployment cannot do goes on", &weir.Error{Kind: weir.KindUnsupported}, attempt.FallbackOptions{}, true},
		{"an invalid request does not", status(weir.KindInvalid, 400), attempt.FallbackOptions{}, false},
		{"a large body does not", status(weir.KindTooLarge, 413), attempt.FallbackOptions{}, false},
		{"a long prompt does not by default", status(weir.KindContextLength, 400), attempt.FallbackOptions{}, false},
		{"a long prompt does when told", status(weir.KindContextLength, 400), attempt.FallbackOptions{ContextLength: true}, true},
		{"a safety refusal does not by default", status(weir.KindContentFilter, 400), attempt.FallbackOptions{}, false},
		{"a safety refusal does when told", status(weir.KindContentFilter, 400), attempt.FallbackOptions{ContentFilter: true}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				second := scripts(answer("second"))
				out := consume(t.Context(), attempt.Fallback(test.options), over(scripts([]step{fails(test.err)}), second))
				if got := second.calls.Load() > 0; got != test.next {
					t.Fatalf("the second deployment was called: %t", got)
				}
				if !test.next && out.err.Kind != test.err.Kind {
					t.Errorf("error %v", out.err)
				}
				if test.next && (out.err != nil || out.text() != "second" || out.count(weir.EventStart) != 1) {
					t.Errorf("text %q, error %v", out.text(), out.err)
				}
			})
		})
	}
}

func TestFallbackNeverAfterCommit(t *testing.T) {
	first := scripts([]step{emits(startEvent()), emits(delta("half")), fails(status(weir.KindUpstream, 0))})
	second := scripts(answer("again"))
	out := consume(t.Context(), attempt.Fallback(attempt.FallbackOptions{}), over(first, second))
	if second.calls.Load() != 0 || out.text() != "half" || out.err == nil {
		t.Errorf("text %q, error %v", out.text(), out.err)
	}
}

func TestFallbackReportsEveryAttempt(t *testing.T) { // E-05
	synctest.Test(t, func(t *testing.T) {
		a, b := failing(weir.KindOverloaded, 503), failing(weir.KindRateLimit, 429)
		a.scripts[0][0].err.(*weir.Error).RetryAfter = 30 * time.Second
		b.scripts[0][0].err.(*weir.Error).RetryAfter = 10 * time.Second
		a.scripts[0][0].err.(*weir.Error).Wire = &weir.ErrorWire{Status: 503}
		out := consume(t.Context(), attempt.Fallback(attempt.FallbackOptions{}), over(a, b))
		err := out.err
		if err == nil || err.Kind != weir.KindOverloaded || err.Status != 503 || err.RetryAfter != 10*time.Second {
			t.Fatalf("error %+v", err)
		}
		if len(err.Attempts) != int(a.calls.Load()+b.calls.Load()) || len(err.Attempts) != len(out.attempts) {
			t.Errorf("%d attempts in the error, %d in notes, %d calls", len(err.Attempts), len(out.attempts), a.calls.Load()+b.calls.Load())
		}
		for i, a := range err.Attempts {
			if a.Number != i+1 || a.Err == nil || a.Deployment == "" {
				t.Errorf("attempt %d is %+v", i, a)
			}
		}
		for _, part := range []string{"a overloaded (503)", "b rate_limit (429)"} {
			if !strings.Contains(err.Message, part) {
				t.Errorf("the message does not say %q: %s", part, err.Message)
			}
		}
		if err.Wire != nil {
			t.Error("one upstream's own bytes would hide the other attempts")
		}
	})
}

func TestFallbackChoosesTheMostTellingError(t *testing.T) {
	tests := []struct {
		name          string
		first, second *weir.Error
		want          weir.Kind
	}{
		{"waiting helps more than the operator's mistake", status(weir.KindUpstreamAuth, 401), status(weir.KindRateLimit, 429), weir.KindRateLimit},
		{"the original surfaces when the next deployment refuses its form", status(weir.KindOverloaded, 503), status(weir.KindInvalid, 400), weir.KindOverloaded},
		{"a refusal of the content is an answer", status(weir.KindOverloaded, 503), status(weir.KindContentFilter, 400), weir.KindContentFilter},
		{"the first of equals", status(weir.KindTimeout, 504), status(weir.KindOverloaded, 503), weir.KindTimeout},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out := consume(t.Context(), attempt.Fallback(attempt.FallbackOptions{}),
					over(scripts([]step{fails(test.first)}), scripts([]step{fails(test.second)})))
				if out.err.Kind != test.want || len(out.err.Attempts) < 2 {
					t.Errorf("error %+v", out.err)
				}
			})
		})
	}
}

func TestFallbackWithOneDeploymentReturnsItsErrorAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := failing(weir.KindOverloaded, 503)
		u.scripts[0][0].err.(*weir.Error).Wire = &weir.ErrorWire{Status: 503}
		out := consume(t.Context(), attempt.Fallback(attempt.FallbackOptions{}), over(u))
		if out.err.Message != "no" || out.err.Wire == nil || out.err.Status != 503 || u.calls.Load() != 2 {
			t.Errorf("after %d calls: %+v", u.calls.Load(), out.err)
		}
	})
}

func TestFallbackIsBoundedByOneAllowance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		us := []*upstream{failing(weir.KindOverloaded, 503), failing(weir.KindOverloaded, 503), failing(weir.KindOverloaded, 503)}
		out := consume(t.Context(), attempt.Fallback(attempt.FallbackOptions{Attempts: 4}), over(us...))
		total := int64(0)
		for i, u := range us {
			total += u.calls.Load()
			if u.calls.Load() == 0 {
				t.Errorf("deployment %d was never tried", i)
			}
		}
		if total != 4 || len(out.err.Attempts) != 4 {
			t.Errorf("%d calls, %d attempts told", total, len(out.err.Attempts))
		}
	})
}

func TestFallbackLetsTheLastDeploymentUseWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := failing(weir.KindOverloaded, 503), failing(weir.KindOverloaded, 503)
		consume(t.Context(), attempt.Fallback(attempt.FallbackOptions{Attempts: 4}), over(a, b))
		if a.calls.Load() != 2 || b.calls.Load() != 2 {
			t.Errorf("%d and %d calls", a.calls.Load(), b.calls.Load())
		}
	})
}

func TestFallbackTriesADeploymentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := failing(weir.KindModelNotFound, 404)
		req := over(u, scripts(answer("b")))
		req.Deployments = []weir.Deployment{req.Deployments[0], req.Deployments[0], req.Deployments[0], req.Deployments[1]}
		out := consume(t.Context(), attempt.Fallback(attempt.FallbackOptions{}), req)
		if u.calls.Load() != 1 || out.text() != "b" {
			t.Errorf("%d calls, text %q, error %v", u.calls.Load(), out.text(), out.err)
		}
	})
}

func TestFallbackAroundBareHandlers(t *testing.T) {
	a, b := failing(weir.KindOverloaded, 503), scripts(answer("b"))
	req := request()
	req.Deployments = []weir.Deployment{{Name: "a", Handler: a}, {Name: "b", Handler: b}}
	req.Allowance = weir.NewAllowance(4)
	out := consume(t.Context(), attempt.Fallback(attempt.FallbackOptions{}), req)
	if out.text() != "b" || len(out.attempts) != 2 || out.attempts[1].Number != 2 || req.Allowance.Used() != 2 {
		t.Errorf("text %q, notes %+v, %d used", out.text(), out.attempts, req.Allowance.Used())
	}
}

func TestFallbackWithoutDeployments(t *testing.T) {
	out := consume(t.Context(), attempt.Fallback(attempt.FallbackOptions{}), request())
	if out.err == nil || out.err.Kind != weir.KindModelNotFound || out.err.Param != "model" {
		t.Errorf("error %+v", out.err)
	}
}

func TestFallbackStopsWhenTheClientsEndLooksLikeAFailure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	breaks := weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		cancel()
		return weir.Fail(status(weir.KindUpstream, 0))
	})
	second := scripts(answer("b"))
	req := request()
	req.Deployments = []weir.Deployment{{Name: "a", Handler: breaks}, {Name: "b", Handler: second}}
	out := consume(ctx, attempt.Fallback(attempt.FallbackOptions{}), req)
	if second.calls.Load() != 0 || out.err == nil || out.err.Kind != weir.KindCanceled {
		t.Errorf("%d calls of the second, error %v", second.calls.Load(), out.err)
	}
}

func TestFallbackStopsWithTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		second := scripts(answer("b"))
		out := consume(ctx, attempt.Fallback(attempt.FallbackOptions{}), over(scripts([]step{wait(time.Hour)}), second))
		if second.calls.Load() != 0 || out.err == nil || out.err.Kind != weir.KindCanceled {
			t.Errorf("%d calls of the second, error %v", second.calls.Load(), out.err)
		}
	})
}
