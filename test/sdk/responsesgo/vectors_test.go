package responsesgo

import (
	"errors"
	"slices"
	"testing"

	"github.com/openai/openai-go/v3"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

func embed(t *testing.T, model string, texts ...string) (*openai.CreateEmbeddingResponse, error) {
	client := newClient(t)
	return client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
		Model: model, Dimensions: openai.Int(16), Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: texts},
	})
}

func TestVectors(t *testing.T) {
	stand.EachVectors(t, func(t *testing.T, upstream string) {
		t.Parallel()
		model := stand.Model(t, upstream, "")
		two, err := embed(t, model, stand.Question, stand.Chinese)
		if err != nil {
			t.Fatal(err)
		}
		one, err := embed(t, model, stand.Chinese)
		if err != nil {
			t.Fatal(err)
		}
		if len(two.Data) != 2 || len(one.Data) != 1 || two.Data[1].Index != 1 || two.Usage.TotalTokens <= 0 {
			t.Fatalf("%s\n%s", two.RawJSON(), one.RawJSON())
		}
		a, b, again := two.Data[0].Embedding, two.Data[1].Embedding, one.Data[0].Embedding
		if len(a) != 16 || slices.Equal(a, b) || !slices.Equal(b, again) {
			t.Errorf("%v\n%v\n%v", a, b, again)
		}
		stand.UpstreamVectors(t, model)
		_, err = embed(t, stand.Model(t, upstream, "status=429;retry-after=60"), stand.Question)
		apiError(t, err, 429)
	})
}

func TestNoVectorsFromAProtocolWithoutThem(t *testing.T) { // E-01
	_, err := embed(t, stand.Model(t, stand.Anthropic, ""), stand.Question)
	var e *openai.Error
	if !errors.As(err, &e) || e.StatusCode < 400 || e.StatusCode >= 500 || e.Message == "" {
		t.Errorf("the error is %T %v, want one of the caller", err, err)
	}
}
