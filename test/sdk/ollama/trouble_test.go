package ollama

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/ollama/ollama/api"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

func TestOddStreamsAreReadWhole(t *testing.T) { // W-01, W-03, W-06, W-08
	for name, fault := range stand.Odd {
		t.Run(name, func(t *testing.T) {
			stand.EachFraming(t, func(t *testing.T, upstream string) {
				t.Parallel()
				got := must(t, streamed, ask(stand.Model(t, upstream, fault), user(stand.Chinese)))
				stand.Has(t, got.Message.Content, stand.Chinese, "DEEPSEEK_API_KEY")
				if got.DoneReason != "stop" {
					t.Errorf("done reason %q", got.DoneReason)
				}
				checkUsage(t, got.Metrics)
			})
		})
	}
}

// The client does not look at how a stream ends: an error has to be said in it.
func TestBrokenStreamIsAnError(t *testing.T) { // R-04, E-03
	for name, fault := range stand.Broken {
		t.Run(name, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				got, err := streamed(t, newClient(t), ask(stand.Model(t, upstream, fault), user(stand.Question)))
				if err == nil || errors.Is(err, errNotDone) {
					t.Errorf("the error is %v after %q", err, got.Message.Content)
				}
			})
		})
	}
}

func TestErrorsKeepTheirStatus(t *testing.T) { // E-01, E-04, E-05
	for fault, status := range map[string]int{
		"status=400": 400, "status=400;body=html": 400, "status=413": 413,
		"status=403":                502, // the gateway's key, not the client's
		"status=429;retry-after=60": 429,
		"status=500":                500,
	} {
		t.Run(fault, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				for _, way := range ways {
					_, err := way.try(t, newClient(t), ask(stand.Model(t, upstream, fault), user(stand.Question)))
					statusError(t, err, status)
				}
			})
		})
	}
}

func TestUnknownModel(t *testing.T) { // E-01, E-04
	for _, way := range ways {
		_, err := way.try(t, newClient(t), ask("nobody/no-such-model", user(stand.Question)))
		stand.Has(t, statusError(t, err, http.StatusNotFound).ErrorMessage, "nobody")
	}
}

func TestCanceledStreamIsCanceledUpstream(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		before := stand.ReadStats(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		err := newClient(t).Chat(ctx, ask(stand.Model(t, upstream, "slow=100ms"), user(stand.Question)), func(api.ChatResponse) error {
			cancel()
			return ctx.Err()
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
		stand.Canceled(t, before)
	})
}
