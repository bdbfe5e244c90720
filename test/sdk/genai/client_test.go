// Package genai runs Google's client for Go, unchanged, through Weir to a
// simulated upstream of every protocol. Begin with chat_test.go.
package genai

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genai"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

// newClient is the client as its README makes it.
func newClient(t *testing.T) *genai.Client { return clientOf(t, stand.URL(t), "any") }

func clientOf(t *testing.T, url, key string) *genai.Client {
	t.Helper()
	client, err := genai.NewClient(t.Context(), &genai.ClientConfig{
		APIKey: key, Backend: genai.BackendGeminiAPI, HTTPOptions: genai.HTTPOptions{BaseURL: url},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// A question is what is asked.
type question struct {
	model    string
	contents []*genai.Content
	config   *genai.GenerateContentConfig
}

func ask(model string, contents ...*genai.Content) question {
	return question{model: model, contents: contents, config: &genai.GenerateContentConfig{}}
}

func user(text string) *genai.Content { return genai.NewContentFromText(text, genai.RoleUser) }

// An answer is what came back, of a stream what its pieces are together.
type answer struct {
	parts  []*genai.Part
	finish genai.FinishReason
	last   *genai.GenerateContentResponse
}

func whole(t *testing.T, client *genai.Client, q question) (answer, error) {
	got, err := client.Models.GenerateContent(t.Context(), q.model, q.contents, q.config)
	if err != nil {
		return answer{}, err
	}
	var a answer
	a.add(t, got)
	return a, nil
}

func streamed(t *testing.T, client *genai.Client, q question) (answer, error) {
	var a answer
	for piece, err := range client.Models.GenerateContentStream(t.Context(), q.model, q.contents, q.config) {
		if err != nil {
			return a, err
		}
		a.add(t, piece)
	}
	return a, nil
}

// add joins the texts of one kind that follow each other.
func (a *answer) add(t *testing.T, piece *genai.GenerateContentResponse) {
	t.Helper()
	a.last = piece
	if len(piece.Candidates) == 0 {
		return
	}
	candidate := piece.Candidates[0]
	if candidate.FinishReason != "" {
		a.finish = candidate.FinishReason
	}
	if candidate.Content == nil {
		return
	}
	if candidate.Content.Role != genai.RoleModel {
		t.Errorf("the role is %q", candidate.Content.Role)
	}
	for _, part := range candidate.Content.Parts {
		if n := len(a.parts); n > 0 && joins(a.parts[n-1], part) {
			a.parts[n-1].Text += part.Text
			a.parts[n-1].ThoughtSignature = part.ThoughtSignature
			continue
		}
		a.parts = append(a.parts, part)
	}
}

func joins(before, part *genai.Part) bool {
	return before.Text != "" && part.Text != "" && before.Thought == part.Thought && before.ThoughtSignature == nil
}

func (a *answer) text() string { return a.said(false) }

func (a *answer) thought() string { return a.said(true) }

func (a *answer) said(thought bool) string {
	var b strings.Builder
	for _, p := range a.parts {
		if p.Thought == thought {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

func (a *answer) calls() (out []*genai.FunctionCall) {
	for _, p := range a.parts {
		if p.FunctionCall != nil {
			out = append(out, p.FunctionCall)
		}
	}
	return out
}

// content is the turn that the next request repeats.
func (a *answer) content() *genai.Content {
	return genai.NewContentFromParts(slices.Clone(a.parts), genai.RoleModel)
}

// ways are the two ways of asking for the same answer.
var ways = []struct {
	name string
	try  func(*testing.T, *genai.Client, question) (answer, error)
}{{"whole", whole}, {"streamed", streamed}}

// must asks in one of the ways, and ends the test where that fails.
func must(t *testing.T, try func(*testing.T, *genai.Client, question) (answer, error), q question) answer {
	t.Helper()
	got, err := try(t, newClient(t), q)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// apiError is err as the client's own error with that code and, unless it is
// empty, that status word.
func apiError(t *testing.T, err error, code int, word string) genai.APIError {
	t.Helper()
	var e genai.APIError
	if !errors.As(err, &e) {
		t.Fatalf("the error is %T %v, want genai.APIError", err, err)
	}
	if e.Code != code || e.Message == "" || e.Status == "" || word != "" && e.Status != word {
		t.Fatalf("code %d, status %q, want %d and %q: %v", e.Code, e.Status, code, word, err)
	}
	return e
}
