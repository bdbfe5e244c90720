package genai

import (
	"context"
	"testing"

	"google.golang.org/genai"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

func TestOddStreamsAreReadWhole(t *testing.T) { // W-01, W-03, W-06, W-08
	for name, fault := range stand.Odd {
		t.Run(name, func(t *testing.T) {
			stand.EachFraming(t, func(t *testing.T, upstream string) {
				t.Parallel()
				got := must(t, streamed, ask(stand.Model(t, upstream, fault), user(stand.Chinese)))
				stand.Has(t, got.text(), stand.Chinese, "DEEPSEEK_API_KEY")
				if got.finish != genai.FinishReasonStop {
					t.Errorf("finish reason %q", got.finish)
				}
				checkUsage(t, got.last.UsageMetadata)
			})
		})
	}
}

func TestBrokenStreamIsAnError(t *testing.T) { // R-04, E-03
	for name, fault := range stand.Broken {
		t.Run(name, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				q := ask(stand.Model(t, upstream, fault), user(stand.Question))
				if got, err := streamed(t, newClient(t), q); err == nil {
					t.Errorf("no error after %q, finish reason %q", got.text(), got.finish)
				}
			})
		})
	}
}

func TestErrorsKeepTheirStatus(t *testing.T) { // E-01, E-04, E-05
	for _, tt := range []struct {
		name, fault string
		code        int
		word        string
	}{
		{"bad request", "status=400", 400, "INVALID_ARGUMENT"},
		{"the gateway's key is refused", "status=403", 502, ""},
		{"rate limited for long", "status=429;retry-after=60", 429, "RESOURCE_EXHAUSTED"},
		{"a body of HTML", "status=400;body=html", 400, "INVALID_ARGUMENT"},
		{"broken for good", "status=500", 500, "INTERNAL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				for _, way := range ways {
					_, err := way.try(t, newClient(t), ask(stand.Model(t, upstream, tt.fault), user(stand.Question)))
					apiError(t, err, tt.code, tt.word)
				}
			})
		})
	}
}

func TestUnknownModel(t *testing.T) { // E-01, E-04
	_, err := whole(t, newClient(t), ask("nobody/no-such-model", user(stand.Question)))
	stand.Has(t, apiError(t, err, 404, "NOT_FOUND").Message, "nobody")
}

func TestKeys(t *testing.T) {
	url, key := stand.Keyed(t)
	q := ask(stand.OpenAI+"/"+stand.Listed, user(stand.Question))
	got, err := whole(t, clientOf(t, url, key), q)
	if err != nil {
		t.Fatal(err)
	}
	stand.Has(t, got.text(), stand.Question)
	wrong := clientOf(t, url, key+"x")
	_, err = whole(t, wrong, q)
	apiError(t, err, 401, "UNAUTHENTICATED")
	_, err = wrong.Models.List(t.Context(), nil)
	apiError(t, err, 401, "UNAUTHENTICATED")
}

func TestCanceledStreamIsCanceledUpstream(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		before := stand.ReadStats(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		model := stand.Model(t, upstream, "slow=100ms")
		for _, err := range newClient(t).Models.GenerateContentStream(ctx, model, genai.Text(stand.Question), nil) {
			if err == nil {
				cancel()
			}
		}
		stand.Canceled(t, before)
	})
}
