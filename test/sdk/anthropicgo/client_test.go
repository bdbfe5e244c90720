package anthropicgo

import (
	"errors"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go/v2"
	"github.com/anthropics/anthropic-sdk-go/v2/option"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

// newClient is the client as its README makes it, but that it does not retry:
// what the gateway answers is to be seen.
func newClient(t *testing.T) anthropic.Client {
	return anthropic.NewClient(option.WithBaseURL(stand.URL(t)), option.WithAPIKey("any"), option.WithMaxRetries(0))
}

func user(text string) anthropic.MessageParam {
	return anthropic.NewUserMessage(anthropic.NewTextBlock(text))
}

func ask(model string, messages ...anthropic.MessageParam) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{Model: model, MaxTokens: 4096, Messages: messages}
}

func call(t *testing.T, p anthropic.MessageNewParams) *anthropic.Message {
	t.Helper()
	client := newClient(t)
	got, err := client.Messages.New(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// stream makes the same call as a stream, and puts it together with the
// client's own accumulator.
func stream(t *testing.T, p anthropic.MessageNewParams) (*anthropic.Message, error) {
	t.Helper()
	client := newClient(t)
	s := client.Messages.NewStreaming(t.Context(), p)
	defer s.Close()
	var got anthropic.Message
	for s.Next() {
		if err := got.Accumulate(s.Current()); err != nil {
			t.Fatalf("the accumulator does not take %s: %v", s.Current().RawJSON(), err)
		}
	}
	return &got, s.Err()
}

func mustStream(t *testing.T, p anthropic.MessageNewParams) *anthropic.Message {
	t.Helper()
	got, err := stream(t, p)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// ways are the two ways of asking for the same message.
var ways = []struct {
	name string
	ask  func(*testing.T, anthropic.MessageNewParams) *anthropic.Message
}{{"whole", call}, {"streamed", mustStream}}

func text(m *anthropic.Message) string {
	var b strings.Builder
	for _, block := range m.Content {
		if block.Type == "text" {
			b.WriteString(block.Text)
		}
	}
	return b.String()
}

func blocks(m *anthropic.Message, kind string) []anthropic.ContentBlockUnion {
	var out []anthropic.ContentBlockUnion
	for _, b := range m.Content {
		if b.Type == kind {
			out = append(out, b)
		}
	}
	return out
}

func tools() []anthropic.ToolUnionParam {
	city := anthropic.ToolInputSchemaParam{Properties: map[string]any{"city": map[string]any{"type": "string"}}, Required: []string{"city"}}
	return []anthropic.ToolUnionParam{
		anthropic.ToolUnionParamOfTool(city, "get_weather"),
		anthropic.ToolUnionParamOfTool(city, "get_time"),
		anthropic.ToolUnionParamOfTool(anthropic.ToolInputSchemaParam{Properties: map[string]any{}}, "ping_server"),
	}
}

// apiError is err as the client's own error with that status and type.
func apiError(t *testing.T, err error, status int, kind string) *anthropic.Error {
	t.Helper()
	var e *anthropic.Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is %T %v, want *anthropic.Error", err, err)
	}
	if e.StatusCode != status || kind != "" && string(e.Type()) != kind {
		t.Fatalf("status %d and type %q, want %d and %q: %v", e.StatusCode, e.Type(), status, kind, err)
	}
	return e
}
