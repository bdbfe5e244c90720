// Package openaigo runs the official OpenAI client for Go, unchanged, through
// Weir to a simulated upstream of every protocol. Begin with chat_test.go.
package openaigo

import (
	"errors"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

// newClient is the client as its README makes it, but that it does not retry:
// what the gateway answers is to be seen.
func newClient(t *testing.T) openai.Client {
	return openai.NewClient(option.WithBaseURL(stand.URL(t)+"/v1"), option.WithAPIKey("any"), option.WithMaxRetries(0))
}

func ask(model string, messages ...openai.ChatCompletionMessageParamUnion) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: model, Messages: messages}
}

func call(t *testing.T, p openai.ChatCompletionNewParams) *openai.ChatCompletion {
	t.Helper()
	client := newClient(t)
	got, err := client.Chat.Completions.New(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Choices) != 1 {
		t.Fatalf("%d choices, want 1", len(got.Choices))
	}
	return got
}

// stream makes the same call as a stream, and puts it together with the
// client's own accumulator.
func stream(t *testing.T, p openai.ChatCompletionNewParams) (openai.ChatCompletionAccumulator, error) {
	t.Helper()
	p.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	client := newClient(t)
	s := client.Chat.Completions.NewStreaming(t.Context(), p)
	defer s.Close()
	var acc openai.ChatCompletionAccumulator
	for s.Next() {
		if !acc.AddChunk(s.Current()) {
			t.Fatalf("the accumulator does not take %s", s.Current().RawJSON())
		}
	}
	return acc, s.Err()
}

func mustStream(t *testing.T, p openai.ChatCompletionNewParams) openai.ChatCompletion {
	t.Helper()
	acc, err := stream(t, p)
	if err != nil {
		t.Fatal(err)
	}
	if len(acc.Choices) != 1 {
		t.Fatalf("%d choices, want 1", len(acc.Choices))
	}
	return acc.ChatCompletion
}

func tool(name, description string, parameters map[string]any) openai.ChatCompletionToolUnionParam {
	return openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
		Name: name, Description: openai.String(description), Parameters: parameters,
	})
}

func tools() []openai.ChatCompletionToolUnionParam {
	return []openai.ChatCompletionToolUnionParam{
		tool("get_weather", "the weather of a city", map[string]any{
			"type":       "object",
			"properties": map[string]any{"city": map[string]any{"type": "string"}},
			"required":   []string{"city"},
		}),
		tool("get_time", "the time in a city", map[string]any{
			"type":       "object",
			"properties": map[string]any{"city": map[string]any{"type": "string"}},
			"required":   []string{"city"},
		}),
		tool("ping_server", "is the server there", map[string]any{"type": "object", "properties": map[string]any{}}),
	}
}

// apiError is err as the client's own error with that status.
func apiError(t *testing.T, err error, status int) *openai.Error {
	t.Helper()
	var e *openai.Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is %T %v, want *openai.Error", err, err)
	}
	if e.StatusCode != status {
		t.Fatalf("status %d, want %d: %v", e.StatusCode, status, err)
	}
	if e.Message == "" {
		t.Errorf("the error has no message: %s", e.RawJSON())
	}
	return e
}
