package responsesgo

import (
	"context"
	"testing"

	"github.com/openai/openai-go/v3/responses"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

func TestOddStreamsAreReadWhole(t *testing.T) { // W-01, W-03, W-06, W-08
	for name, fault := range stand.Odd {
		t.Run(name, func(t *testing.T) {
			stand.EachFraming(t, func(t *testing.T, upstream string) {
				t.Parallel()
				got := must(t, streamed, ask(stand.Model(t, upstream, fault), stand.Chinese))
				stand.Has(t, got.OutputText(), stand.Chinese, "DEEPSEEK_API_KEY")
				checkUsage(t, got)
			})
		})
	}
}

func TestBrokenStreamIsAnError(t *testing.T) { // R-04, E-03
	for name, fault := range stand.Broken {
		t.Run(name, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				if got, err := streamed(t, ask(stand.Model(t, upstream, fault), stand.Question)); err == nil {
					t.Errorf("no error: %s", got.RawJSON())
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
					_, err := way.try(t, ask(stand.Model(t, upstream, fault), stand.Question))
					e := apiError(t, err, status)
					if got := e.Response.Header.Get("Retry-After"); status == 429 && got != "60" {
						t.Errorf("%s: Retry-After %q", way.name, got)
					}
				}
			})
		})
	}
}

func TestUnknownModel(t *testing.T) { // E-01, E-04
	for _, way := range ways {
		_, err := way.try(t, ask("nobody/no-such-model", stand.Question))
		if e := apiError(t, err, 404); e.Code != "model_not_found" {
			t.Errorf("%s: code %q", way.name, e.Code)
		}
	}
}

func TestKeys(t *testing.T) {
	url, key := stand.Keyed(t)
	right, wrong := clientOf(url, key), clientOf(url, key+"x")
	p := ask(stand.Gemini+"/"+stand.Listed, stand.Question)
	kept, err := right.Responses.New(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := right.Responses.Get(t.Context(), kept.ID, responses.ResponseGetParams{}); err != nil {
		t.Error(err)
	}
	_, err = wrong.Responses.New(t.Context(), p)
	apiError(t, err, 401)
	_, err = wrong.Responses.Get(t.Context(), kept.ID, responses.ResponseGetParams{})
	apiError(t, err, 401)
}

func TestCanceledStreamIsCanceledUpstream(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		before := stand.ReadStats(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		client := newClient(t)
		s := client.Responses.NewStreaming(ctx, ask(stand.Model(t, upstream, "slow=100ms"), stand.Question))
		defer s.Close()
		for s.Next() && s.Current().Type != "response.output_text.delta" {
		}
		if s.Err() != nil {
			t.Fatal(s.Err())
		}
		cancel()
		stand.Canceled(t, before)
	})
}
