// Package responsesgo runs the Responses API of the official OpenAI client for
// Go, unchanged, through Weir to a simulated upstream of every protocol, and the
// client's vectors. Begin with chat_test.go; kept_test.go is what is done with a
// response once it was made, socket_test.go the same API over a WebSocket.
package responsesgo

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/responses"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

// newClient is the client as its README makes it, but that it does not retry:
// what the gateway answers is to be seen.
func newClient(t *testing.T) openai.Client { return clientOf(stand.URL(t), "any") }

func clientOf(url, key string) openai.Client {
	return openai.NewClient(option.WithBaseURL(url+"/v1"), option.WithAPIKey(key), option.WithMaxRetries(0))
}

func ask(model, input string) responses.ResponseNewParams {
	return responses.ResponseNewParams{
		Model: model, Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(input)},
	}
}

func withItems(items ...responses.ResponseInputItemUnionParam) responses.ResponseNewParamsInputUnion {
	return responses.ResponseNewParamsInputUnion{OfInputItemList: items}
}

func user(text string) responses.ResponseInputItemUnionParam {
	return responses.ResponseInputItemParamOfMessage(text, responses.EasyInputMessageRoleUser)
}

func whole(t *testing.T, p responses.ResponseNewParams) (*responses.Response, error) {
	client := newClient(t)
	return client.Responses.New(t.Context(), p)
}

// streamed is the response of the event that ends a stream, checked against
// what was said piece by piece.
func streamed(t *testing.T, p responses.ResponseNewParams) (*responses.Response, error) {
	t.Helper()
	client := newClient(t)
	return collect(t, client.Responses.NewStreaming(t.Context(), p))
}

func collect(t *testing.T, s *ssestream.Stream[responses.ResponseStreamEventUnion]) (*responses.Response, error) {
	t.Helper()
	defer s.Close()
	var text string
	var items []string
	var last responses.ResponseStreamEventUnion
	for n := int64(0); s.Next(); n++ {
		last = s.Current()
		if last.SequenceNumber != n {
			t.Errorf("event %d has number %d: %s", n, last.SequenceNumber, last.RawJSON())
		}
		switch e := last.AsAny().(type) {
		case responses.ResponseTextDeltaEvent:
			text += e.Delta
		case responses.ResponseOutputItemDoneEvent:
			items = append(items, e.Item.RawJSON())
		case responses.ResponseErrorEvent:
			return nil, errors.New(e.Message)
		}
	}
	if s.Err() != nil {
		return nil, s.Err()
	}
	switch last.Type {
	case "response.completed", "response.incomplete":
	case "response.failed":
		return nil, errors.New(last.Response.Error.Message)
	default:
		return nil, errors.New("the stream ended with " + last.Type)
	}
	final := last.Response
	if final.OutputText() != text {
		t.Errorf("the pieces are %q, the whole is %q", text, final.OutputText())
	}
	if len(items) != len(final.Output) {
		t.Errorf("%d items are done, and %d are in the response", len(items), len(final.Output))
	}
	for i := range min(len(items), len(final.Output)) {
		stand.SameJSON(t, items[i], final.Output[i].RawJSON())
	}
	return &final, nil
}

// ways are the two ways of asking for the same response.
var ways = []struct {
	name string
	try  func(*testing.T, responses.ResponseNewParams) (*responses.Response, error)
}{{"whole", whole}, {"streamed", streamed}}

// must asks in one of the ways, and ends the test where that fails.
func must(t *testing.T, try func(*testing.T, responses.ResponseNewParams) (*responses.Response, error), p responses.ResponseNewParams) *responses.Response {
	t.Helper()
	got, err := try(t, p)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// items is the output of a response as the next request repeats it.
func items(r *responses.Response) (out []responses.ResponseInputItemUnionParam) {
	for _, item := range r.Output {
		out = append(out, param.Override[responses.ResponseInputItemUnionParam](json.RawMessage(item.RawJSON())))
	}
	return out
}

func checkUsage(t *testing.T, r *responses.Response) {
	t.Helper()
	u := r.Usage
	if u.InputTokens <= 0 || u.OutputTokens <= 0 || u.TotalTokens != u.InputTokens+u.OutputTokens {
		t.Errorf("usage %s", u.RawJSON())
	}
}

// apiError is err as the client's own error with that status.
func apiError(t *testing.T, err error, status int) *openai.Error {
	t.Helper()
	var e *openai.Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is %T %v, want *openai.Error", err, err)
	}
	if e.StatusCode != status || e.Message == "" {
		t.Fatalf("status %d, want %d: %v", e.StatusCode, status, err)
	}
	return e
}
