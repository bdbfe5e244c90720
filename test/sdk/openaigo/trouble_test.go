package openaigo

import (
	"context"
	"errors"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

func TestOddStreamsAreReadWhole(t *testing.T) { // W-01, W-03, W-06, W-08
	for name, fault := range stand.Odd {
		t.Run(name, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				p := ask(stand.Model(t, upstream, fault), openai.UserMessage(stand.Chinese))
				got := mustStream(t, p)
				stand.Has(t, got.Choices[0].Message.Content, stand.Chinese, "DEEPSEEK_API_KEY")
				if got.Choices[0].FinishReason != "stop" {
					t.Errorf("finish reason %q", got.Choices[0].FinishReason)
				}
				checkUsage(t, got.Usage)
			})
		})
	}
}

func TestBrokenStreamIsAnError(t *testing.T) { // R-04, E-03
	for name, fault := range stand.Broken {
		t.Run(name, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				acc, err := stream(t, ask(stand.Model(t, upstream, fault), openai.UserMessage(stand.Question)))
				// Before the first piece of the answer it is a status.
				var status *openai.Error
				var inside *ssestream.StreamError
				if !errors.As(err, &status) && !errors.As(err, &inside) {
					t.Errorf("the error is %T %v, after %v", err, err, acc.Choices)
				}
			})
		})
	}
}

func TestErrorsKeepTheirStatus(t *testing.T) { // E-01, E-04, E-05
	for _, tt := range []struct {
		name, fault string
		status      int
	}{
		{"bad request", "status=400", 400},
		{"the gateway's key is refused", "status=403", 502},
		{"too large", "status=413", 413},
		{"rate limited for long", "status=429;retry-after=60", 429},
		{"a body of HTML", "status=400;body=html", 400},
		{"an empty body", "status=400;body=empty", 400},
		{"broken for good", "status=500", 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				p := ask(stand.Model(t, upstream, tt.fault), openai.UserMessage(stand.Question))
				client := newClient(t)
				_, err := client.Chat.Completions.New(t.Context(), p)
				e := apiError(t, err, tt.status)
				if got := e.Response.Header.Get("Retry-After"); tt.status == 429 && got != "60" {
					t.Errorf("Retry-After %q", got)
				}
				_, err = stream(t, p)
				apiError(t, err, tt.status)
			})
		})
	}
}

func TestUnknownModel(t *testing.T) { // E-01, E-04
	client := newClient(t)
	_, err := client.Chat.Completions.New(t.Context(), ask("nobody/no-such-model", openai.UserMessage(stand.Question)))
	e := apiError(t, err, 404)
	stand.Has(t, e.Message, "nobody")
	if e.Code != "model_not_found" {
		t.Errorf("code %q", e.Code)
	}
}

func TestUpstreamIsAskedAgain(t *testing.T) {
	for name, fault := range map[string]string{
		"after a 429": "status=429;retry-after=1;times=1", "after a 503": "status=503;times=1",
		"after a reset": "reset=before;times=1", "after an error in a 200": "error-in-200;times=1",
	} {
		t.Run(name, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				got := call(t, ask(stand.Model(t, upstream, fault), openai.UserMessage(stand.Question)))
				stand.Has(t, got.Choices[0].Message.Content, stand.Question)
				streamed := mustStream(t, ask(stand.Model(t, upstream, fault), openai.UserMessage(stand.Question)))
				stand.Has(t, streamed.Choices[0].Message.Content, stand.Question)
			})
		})
	}
}

func TestClientRetriesByItself(t *testing.T) {
	client := openai.NewClient(option.WithBaseURL(stand.URL(t)+"/v1"), option.WithAPIKey("any"), option.WithMaxRetries(4))
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		// More failures than the gateway's own attempts at one deployment.
		got, err := client.Chat.Completions.New(t.Context(), ask(stand.Model(t, upstream, "status=503;times=3"), openai.UserMessage(stand.Question)))
		if err != nil {
			t.Fatal(err)
		}
		stand.Has(t, got.Choices[0].Message.Content, stand.Question)
	})
}

func TestCanceledStreamIsCanceledUpstream(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		before := stand.ReadStats(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		client := newClient(t)
		s := client.Chat.Completions.NewStreaming(ctx, ask(stand.Model(t, upstream, "slow=100ms"), openai.UserMessage(stand.Question)))
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
