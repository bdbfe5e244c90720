package anthropicgo

import (
	"context"
	"errors"
	"testing"

	"github.com/anthropics/anthropic-sdk-go/v2"
	"github.com/anthropics/anthropic-sdk-go/v2/option"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

func TestOddStreamsAreReadWhole(t *testing.T) { // W-01, W-03, W-06, W-08
	for name, fault := range stand.Odd {
		t.Run(name, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				got := mustStream(t, ask(stand.Model(t, upstream, fault), user(stand.Chinese)))
				stand.Has(t, text(got), stand.Chinese, "DEEPSEEK_API_KEY")
				if got.StopReason != anthropic.StopReasonEndTurn || got.Usage.OutputTokens <= 0 {
					t.Errorf("stop reason %q, usage %+v", got.StopReason, got.Usage)
				}
			})
		})
	}
}

func TestBrokenStreamIsAnError(t *testing.T) { // R-04, E-03
	for name, fault := range stand.Broken {
		t.Run(name, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				got, err := stream(t, ask(stand.Model(t, upstream, fault), user(stand.Question)))
				var e *anthropic.Error
				if !errors.As(err, &e) || e.Type() == "" {
					t.Errorf("the error is %T %v, after %q", err, err, text(got))
				}
			})
		})
	}
}

func TestErrorsKeepTheirStatus(t *testing.T) { // E-01, E-04, E-05
	for _, tt := range []struct {
		name, fault string
		status      int
		kind        string
	}{
		{"bad request", "status=400", 400, "invalid_request_error"},
		{"the gateway's key is refused", "status=403", 502, "api_error"},
		{"too large", "status=413", 413, "request_too_large"},
		{"rate limited for long", "status=429;retry-after=60", 429, "rate_limit_error"},
		{"a body of HTML", "status=400;body=html", 400, "invalid_request_error"},
		{"an empty body", "status=400;body=empty", 400, "invalid_request_error"},
		{"broken for good", "status=500", 500, "api_error"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				p := ask(stand.Model(t, upstream, tt.fault), user(stand.Question))
				client := newClient(t)
				_, err := client.Messages.New(t.Context(), p)
				e := apiError(t, err, tt.status, tt.kind)
				if got := e.Response.Header.Get("Retry-After"); tt.status == 429 && got != "60" {
					t.Errorf("Retry-After %q", got)
				}
				_, err = stream(t, p)
				apiError(t, err, tt.status, tt.kind)
			})
		})
	}
}

func TestUnknownModel(t *testing.T) { // E-01, E-04
	client := newClient(t)
	_, err := client.Messages.New(t.Context(), ask("nobody/no-such-model", user(stand.Question)))
	stand.Has(t, apiError(t, err, 404, "not_found_error").Error(), "nobody")
}

func TestUpstreamIsAskedAgain(t *testing.T) {
	for name, fault := range map[string]string{
		"after a 429": "status=429;retry-after=1;times=1", "after a 529": "status=529;times=1",
		"after a reset": "reset=before;times=1", "after an error in a 200": "error-in-200;times=1",
	} {
		t.Run(name, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				for _, way := range ways {
					got := way.ask(t, ask(stand.Model(t, upstream, fault), user(stand.Question)))
					stand.Has(t, text(got), stand.Question)
				}
			})
		})
	}
}

func TestClientRetriesByItself(t *testing.T) {
	client := anthropic.NewClient(option.WithBaseURL(stand.URL(t)), option.WithAPIKey("any"), option.WithMaxRetries(4))
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		// More failures than the gateway's own attempts at one deployment.
		got, err := client.Messages.New(t.Context(), ask(stand.Model(t, upstream, "status=529;times=3"), user(stand.Question)))
		if err != nil {
			t.Fatal(err)
		}
		stand.Has(t, text(got), stand.Question)
	})
}

func TestCanceledStreamIsCanceledUpstream(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		before := stand.ReadStats(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		client := newClient(t)
		s := client.Messages.NewStreaming(ctx, ask(stand.Model(t, upstream, "slow=100ms"), user(stand.Question)))
		defer s.Close()
		for range 2 {
			if !s.Next() {
				t.Fatal(s.Err())
			}
		}
		cancel()
		stand.Canceled(t, before)
	})
}
