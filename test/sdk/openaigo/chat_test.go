package openaigo

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

func checkUsage(t *testing.T, u openai.CompletionUsage) {
	t.Helper()
	if u.PromptTokens <= 0 || u.CompletionTokens <= 0 || u.TotalTokens != u.PromptTokens+u.CompletionTokens {
		t.Errorf("usage %s", u.RawJSON())
	}
}

func TestChat(t *testing.T) { // P-04, W-12, U-01
	for _, question := range []string{stand.Question, stand.Chinese} {
		t.Run(question, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				model := stand.Model(t, upstream, "")
				whole := call(t, ask(model, openai.UserMessage(question)))
				streamed := mustStream(t, ask(model, openai.UserMessage(question)))
				stand.Has(t, whole.Choices[0].Message.Content, question)
				for name, got := range map[string]openai.ChatCompletion{"whole": *whole, "streamed": streamed} {
					if got.Choices[0].FinishReason != "stop" {
						t.Errorf("%s: finish reason %q", name, got.Choices[0].FinishReason)
					}
					stand.Has(t, model, got.Model)
					if got.ID == "" || got.Model == "" || got.Created == 0 {
						t.Errorf("%s: id %q, model %q, created %d", name, got.ID, got.Model, got.Created)
					}
					checkUsage(t, got.Usage)
				}
				if a, b := whole.Choices[0].Message.Content, streamed.Choices[0].Message.Content; a != b {
					t.Errorf("not streamed %q\nstreamed %q", a, b)
				}
				if a, b := whole.Usage, streamed.Usage; a.PromptTokens != b.PromptTokens || a.CompletionTokens != b.CompletionTokens {
					t.Errorf("usage not streamed %s, streamed %s", a.RawJSON(), b.RawJSON())
				}
				stand.Upstream(t, model)
			})
		})
	}
}

func TestStreamWithoutUsageOptionShowsNone(t *testing.T) { // U-01
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		client := newClient(t)
		s := client.Chat.Completions.NewStreaming(t.Context(), ask(stand.Model(t, upstream, ""), openai.UserMessage(stand.Question)))
		defer s.Close()
		n := 0
		for s.Next() {
			n++
			if c := s.Current(); len(c.Choices) == 0 || c.JSON.Usage.Valid() {
				t.Errorf("a chunk with usage that nobody asked for: %s", c.RawJSON())
			}
		}
		if s.Err() != nil || n < 3 {
			t.Errorf("%d chunks, %v", n, s.Err())
		}
	})
}

func TestConversationWithSystemPrompt(t *testing.T) { // P-05, P-06
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		model := stand.Model(t, upstream, "")
		got := call(t, ask(model,
			openai.SystemMessage(stand.SystemPrompt),
			openai.UserMessage("Remember the word heron."),
			openai.AssistantMessage("I shall remember heron."),
			openai.UserMessage(stand.Question),
		))
		stand.Has(t, got.Choices[0].Message.Content, stand.Question)
		seen := stand.Upstream(t, model)
		stand.Has(t, string(seen.Body), stand.SystemPlace[upstream], stand.SystemPrompt, "heron", stand.Question)
	})
}

func TestImage(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		model := stand.Model(t, upstream, "")
		got := call(t, ask(model, openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
			openai.TextContentPart("Describe this picture."),
			openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: "data:image/png;base64," + stand.Pixel}),
		})))
		stand.Has(t, got.Choices[0].Message.Content, "1 image")
		stand.Has(t, string(stand.Upstream(t, model).Body), stand.Pixel)
	})
}

func TestStructuredOutput(t *testing.T) { // P-08
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		p := ask(stand.Model(t, upstream, ""), openai.UserMessage(stand.Question))
		p.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{
			JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "reply", Strict: openai.Bool(true), Schema: map[string]any{
				"type": "object", "additionalProperties": false, "required": []string{"answer", "count"},
				"properties": map[string]any{"answer": map[string]any{"type": "string"}, "count": map[string]any{"type": "integer"}},
			}},
		}
		streamed := mustStream(t, p)
		for _, got := range []openai.ChatCompletion{*call(t, p), streamed} {
			var reply struct {
				Answer string
				Count  *int
			}
			text := got.Choices[0].Message.Content
			if err := json.Unmarshal([]byte(text), &reply); err != nil || reply.Answer == "" || reply.Count == nil {
				t.Errorf("%q: %v", text, err)
			}
			if got.Choices[0].FinishReason != "stop" {
				t.Errorf("finish reason %q", got.Choices[0].FinishReason)
			}
		}
	})
}

func TestReasoning(t *testing.T) { // T-08, T-11, U-07
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		p := ask(stand.Model(t, upstream, ""), openai.UserMessage(stand.Question))
		p.ReasoningEffort = shared.ReasoningEffortLow
		got := call(t, p)
		stand.Has(t, got.Choices[0].Message.JSON.ExtraFields["reasoning_content"].Raw(), "The question is")
		stand.Has(t, got.Choices[0].Message.Content, stand.Question)
		if got.Usage.CompletionTokensDetails.ReasoningTokens <= 0 && upstream == stand.OpenAI {
			t.Errorf("no reasoning tokens in %s", got.Usage.RawJSON())
		}
		client := newClient(t)
		s := client.Chat.Completions.NewStreaming(t.Context(), p)
		defer s.Close()
		var thought strings.Builder
		for s.Next() {
			for _, c := range s.Current().Choices {
				var piece string
				if f, ok := c.Delta.JSON.ExtraFields["reasoning_content"]; ok && json.Unmarshal([]byte(f.Raw()), &piece) == nil {
					thought.WriteString(piece)
				}
			}
		}
		if s.Err() != nil {
			t.Fatal(s.Err())
		}
		stand.Has(t, thought.String(), stand.Question)
	})
}

func TestLongPrompt(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		got := call(t, ask(stand.Model(t, upstream, ""), openai.UserMessage(stand.LongPrompt()+stand.Question)))
		if got.Usage.PromptTokens < 20_000 {
			t.Errorf("%d prompt tokens for 200 KB", got.Usage.PromptTokens)
		}
		streamed := mustStream(t, ask(stand.Model(t, upstream, ""), openai.UserMessage(stand.LongPrompt()+stand.Question)))
		if streamed.Choices[0].Message.Content != got.Choices[0].Message.Content {
			t.Error("streamed and not streamed differ")
		}
	})
}

func TestModels(t *testing.T) { // C-07
	client := newClient(t)
	found := map[string]bool{}
	pages := client.Models.ListAutoPaging(t.Context())
	for pages.Next() {
		found[pages.Current().ID] = true
	}
	if pages.Err() != nil {
		t.Fatal(pages.Err())
	}
	for _, want := range []string{stand.Alias, stand.OpenAI + "/" + stand.Listed, stand.Anthropic + "/" + stand.Listed} {
		if !found[want] {
			t.Errorf("%q is not listed", want)
		}
		if m, err := client.Models.Get(t.Context(), want); err != nil || m.ID != want {
			t.Errorf("get %q: %v, %v", want, m, err)
		}
	}
}

func TestKeys(t *testing.T) {
	url, key := stand.Keyed(t)
	for _, tt := range []struct {
		name, key string
		status    int
	}{{"the right key", key, 200}, {"a wrong key", key + "x", 401}, {"a foreign key", "sk-000", 401}} {
		t.Run(tt.name, func(t *testing.T) {
			client := openai.NewClient(option.WithBaseURL(url+"/v1"), option.WithAPIKey(tt.key), option.WithMaxRetries(0))
			_, err := client.Chat.Completions.New(t.Context(), ask(stand.OpenAI+"/"+stand.Listed, openai.UserMessage(stand.Question)))
			if tt.status == 200 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			apiError(t, err, tt.status)
			if _, err := client.Models.List(t.Context()); err == nil {
				t.Error("the models were listed")
			}
		})
	}
}
