package anthropicgo

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go/v2"
	"github.com/anthropics/anthropic-sdk-go/v2/option"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

func TestChat(t *testing.T) { // P-04, W-12, C-06
	for _, question := range []string{stand.Question, stand.Chinese} {
		t.Run(question, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				model := stand.Model(t, upstream, "")
				var texts []string
				for _, way := range ways {
					got := way.ask(t, ask(model, user(question)))
					texts = append(texts, text(got))
					stand.Has(t, text(got), question)
					if got.StopReason != anthropic.StopReasonEndTurn || got.Role != "assistant" || got.ID == "" {
						t.Errorf("%s: stop reason %q, role %q, id %q", way.name, got.StopReason, got.Role, got.ID)
					}
					if got.Usage.InputTokens <= 0 || got.Usage.OutputTokens <= 0 {
						t.Errorf("%s: usage %+v", way.name, got.Usage)
					}
					if got.Model == "" || !strings.Contains(model, got.Model) {
						t.Errorf("%s: model %q, want %q", way.name, got.Model, model)
					}
				}
				if texts[0] != texts[1] {
					t.Errorf("not streamed %q\nstreamed %q", texts[0], texts[1])
				}
				stand.Upstream(t, model)
			})
		})
	}
}

func TestConversationWithSystemPrompt(t *testing.T) { // P-05, P-06
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		model := stand.Model(t, upstream, "")
		p := ask(model,
			user("Remember the word heron."),
			anthropic.NewAssistantMessage(anthropic.NewTextBlock("I shall remember heron.")),
			user(stand.Question),
		)
		p.System = []anthropic.TextBlockParam{{Text: stand.SystemPrompt}, {Text: "Never mention the miller."}}
		stand.Has(t, text(call(t, p)), stand.Question)
		seen := stand.Upstream(t, model)
		stand.Has(t, string(seen.Body), stand.SystemPlace[upstream], stand.SystemPrompt, "the miller", "heron", stand.Question)
	})
}

func TestImage(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		model := stand.Model(t, upstream, "")
		got := call(t, ask(model, anthropic.NewUserMessage(
			anthropic.NewImageBlockBase64("image/png", stand.Pixel), anthropic.NewTextBlock("Describe this picture."))))
		stand.Has(t, text(got), "1 image")
		stand.Has(t, string(stand.Upstream(t, model).Body), stand.Pixel)
	})
}

func TestStructuredOutput(t *testing.T) { // P-08
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		p := ask(stand.Model(t, upstream, ""), user(stand.Question))
		p.OutputConfig.Format = anthropic.JSONOutputFormatParam{Schema: map[string]any{
			"type": "object", "additionalProperties": false, "required": []string{"answer", "count"},
			"properties": map[string]any{"answer": map[string]any{"type": "string"}, "count": map[string]any{"type": "integer"}},
		}}
		for _, way := range ways {
			got := way.ask(t, p)
			var reply struct {
				Answer string
				Count  *int
			}
			if err := json.Unmarshal([]byte(text(got)), &reply); err != nil || reply.Answer == "" || reply.Count == nil {
				t.Errorf("%s: %q: %v", way.name, text(got), err)
			}
		}
	})
}

func TestThinking(t *testing.T) { // T-03, T-08, T-11
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		for _, way := range ways {
			model := stand.Model(t, upstream, "")
			p := ask(model, user(stand.Question))
			p.Thinking = anthropic.ThinkingConfigParamOfEnabled(2048)
			got := way.ask(t, p)
			thoughts := blocks(got, "thinking")
			if len(thoughts) != 1 || got.Content[0].Type != "thinking" {
				t.Fatalf("%s: %d thoughts in %s", way.name, len(thoughts), got.RawJSON())
			}
			stand.Has(t, thoughts[0].Thinking, stand.Question)
			stand.Has(t, text(got), stand.Question)
			if upstream == stand.Anthropic && thoughts[0].Signature == "" {
				t.Errorf("%s: the signature is lost", way.name)
			}
			// The next turn hands the thought back.
			p.Messages = append(p.Messages, got.ToParam(), user(stand.AskWeather))
			next := way.ask(t, p)
			stand.Has(t, text(next), stand.AskWeather)
			seen := string(stand.Upstream(t, model).Body)
			if upstream == stand.Anthropic {
				stand.Has(t, seen, `"`+thoughts[0].Signature+`"`)
			}
		}
	})
}

func TestLongPrompt(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		for _, way := range ways {
			got := way.ask(t, ask(stand.Model(t, upstream, ""), user(stand.LongPrompt()+stand.Question)))
			if got.Usage.InputTokens < 20_000 {
				t.Errorf("%s: %d input tokens for 200 KB", way.name, got.Usage.InputTokens)
			}
			stand.Has(t, text(got), "河水流过堰坝 🌊")
		}
	})
}

func TestMaxTokens(t *testing.T) { // P-11
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		for _, way := range ways {
			p := ask(stand.Model(t, upstream, ""), user(stand.Question))
			p.MaxTokens = 5
			if got := way.ask(t, p); got.StopReason != anthropic.StopReasonMaxTokens {
				t.Errorf("%s: stop reason %q", way.name, got.StopReason)
			}
		}
	})
}

func TestCountTokens(t *testing.T) { // C-05
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		client := newClient(t)
		count := func(text string) int64 {
			got, err := client.Messages.CountTokens(t.Context(), anthropic.MessageCountTokensParams{
				Model: stand.Model(t, upstream, ""), Messages: []anthropic.MessageParam{user(text)},
			})
			if err != nil {
				t.Fatal(err)
			}
			return got.InputTokens
		}
		short, long := count(stand.Question), count(stand.LongPrompt())
		if short < 5 || long < 20_000 {
			t.Errorf("%d tokens for a sentence and %d for 200 KB", short, long)
		}
	})
}

func TestModels(t *testing.T) { // C-07
	client := newClient(t)
	found := map[string]bool{}
	pages := client.Models.ListAutoPaging(t.Context(), anthropic.ModelListParams{})
	for pages.Next() {
		m := pages.Current()
		found[m.ID] = true
		if m.DisplayName == "" || m.CreatedAt.IsZero() {
			t.Errorf("display name %q, created at %s", m.DisplayName, m.CreatedAt)
		}
	}
	if pages.Err() != nil {
		t.Fatal(pages.Err())
	}
	for _, want := range []string{stand.Alias, stand.OpenAI + "/" + stand.Listed, stand.Anthropic + "/" + stand.Listed} {
		if !found[want] {
			t.Errorf("%q is not listed", want)
		}
		if m, err := client.Models.Get(t.Context(), want, anthropic.ModelGetParams{}); err != nil || m.ID != want {
			t.Errorf("get %q: %v, %v", want, m, err)
		}
	}
}

func TestKeys(t *testing.T) {
	url, key := stand.Keyed(t)
	for _, tt := range []struct {
		name   string
		option option.RequestOption
		status int
	}{
		{"the right key", option.WithAPIKey(key), 200},
		{"the right key as a token", option.WithAuthToken(key), 200},
		{"a wrong key", option.WithAPIKey(key + "x"), 401},
		{"a wrong token", option.WithAuthToken("sk-ant-000"), 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := anthropic.NewClient(option.WithBaseURL(url), tt.option, option.WithMaxRetries(0))
			_, err := client.Messages.New(t.Context(), ask(stand.Anthropic+"/"+stand.Listed, user(stand.Question)))
			_, listErr := client.Models.List(t.Context(), anthropic.ModelListParams{})
			if tt.status == 200 {
				if err != nil || listErr != nil {
					t.Error(err, listErr)
				}
				return
			}
			apiError(t, err, tt.status, "authentication_error")
			apiError(t, listErr, tt.status, "authentication_error")
		})
	}
}
