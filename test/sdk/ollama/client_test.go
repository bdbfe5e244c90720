// Package ollama runs Ollama's own client for Go, unchanged, through Weir to a
// simulated upstream of every protocol. Begin with chat_test.go.
package ollama

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/ollama/ollama/api"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

func newClient(t *testing.T) *api.Client { return clientOf(t, stand.URL(t), http.DefaultClient) }

func clientOf(t *testing.T, address string, with *http.Client) *api.Client {
	t.Helper()
	base, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return api.NewClient(base, with)
}

// keyed sends a key with every request: Ollama's client has no setting for one.
type keyed string

func (k keyed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(k))
	return http.DefaultTransport.RoundTrip(r)
}

func user(text string) api.Message { return api.Message{Role: "user", Content: text} }

func ask(model string, messages ...api.Message) *api.ChatRequest {
	return &api.ChatRequest{Model: model, Messages: messages}
}

// whole asks for the answer in one piece.
func whole(t *testing.T, client *api.Client, r *api.ChatRequest) (api.ChatResponse, error) {
	t.Helper()
	asked := *r
	asked.Stream = new(bool)
	var got api.ChatResponse
	n := 0
	err := client.Chat(t.Context(), &asked, func(piece api.ChatResponse) error {
		n++
		got = piece
		return nil
	})
	if err == nil && n != 1 {
		t.Errorf("%d answers, want 1", n)
	}
	return got, complete(got.Done, err)
}

// streamed asks for it in pieces, which is what this API does unless it is told
// otherwise, and puts them together.
func streamed(t *testing.T, client *api.Client, r *api.ChatRequest) (api.ChatResponse, error) {
	t.Helper()
	var all api.ChatResponse
	err := client.Chat(t.Context(), r, func(piece api.ChatResponse) error {
		if all.Done {
			t.Error("a piece behind the last one")
		}
		before := all.Message
		all = piece
		all.Message.Content = before.Content + piece.Message.Content
		all.Message.Thinking = before.Thinking + piece.Message.Thinking
		all.Message.ToolCalls = slices.Concat(before.ToolCalls, piece.Message.ToolCalls)
		return nil
	})
	return all, complete(all.Done, err)
}

var errNotDone = errors.New("the answer ended without saying that it is done")

// complete is an error where the client has none for a stream without an end.
func complete(done bool, err error) error {
	if err == nil && !done {
		return errNotDone
	}
	return err
}

// ways are the two ways of asking for the same answer.
var ways = []struct {
	name string
	try  func(*testing.T, *api.Client, *api.ChatRequest) (api.ChatResponse, error)
}{{"whole", whole}, {"streamed", streamed}}

// must asks in one of the ways, and ends the test where that fails.
func must(t *testing.T, try func(*testing.T, *api.Client, *api.ChatRequest) (api.ChatResponse, error), r *api.ChatRequest) api.ChatResponse {
	t.Helper()
	got, err := try(t, newClient(t), r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// statusError is err as the client's own error with that status.
func statusError(t *testing.T, err error, status int) api.StatusError {
	t.Helper()
	var e api.StatusError
	if !errors.As(err, &e) {
		t.Fatalf("the error is %T %v, want api.StatusError", err, err)
	}
	if e.StatusCode != status || e.ErrorMessage == "" {
		t.Fatalf("status %d, want %d: %v", e.StatusCode, status, err)
	}
	return e
}
