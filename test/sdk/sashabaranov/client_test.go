// Package sashabaranov runs the widespread unofficial OpenAI client for Go,
// unchanged, through Weir to a simulated upstream of every protocol.
package sashabaranov

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"testing"

	openai "github.com/sashabaranov/go-openai"
	"github.com/sashabaranov/go-openai/jsonschema"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

func newClient(url, key string) *openai.Client {
	c := openai.DefaultConfig(key)
	c.BaseURL = url + "/v1"
	return openai.NewClientWithConfig(c)
}

func user(text string) openai.ChatCompletionMessage {
	return openai.ChatCompletionMessage{Role: openai.ChatMessageRoleUser, Content: text}
}

func ask(model string, messages ...openai.ChatCompletionMessage) openai.ChatCompletionRequest {
	return openai.ChatCompletionRequest{Model: model, Messages: messages}
}

// An answer is what both ways of asking come to.
type answer struct {
	message openai.ChatCompletionMessage
	finish  openai.FinishReason
	usage   openai.Usage
	model   string
}

func call(t *testing.T, r openai.ChatCompletionRequest) answer {
	t.Helper()
	got, err := newClient(stand.URL(t), "any").CreateChatCompletion(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Choices) != 1 {
		t.Fatalf("%d choices", len(got.Choices))
	}
	return answer{got.Choices[0].Message, got.Choices[0].FinishReason, got.Usage, got.Model}
}

// stream puts a stream together as programs do, since this client has no
// accumulator: tool calls by their index.
func stream(t *testing.T, r openai.ChatCompletionRequest) (a answer, err error) {
	t.Helper()
	r.StreamOptions = &openai.StreamOptions{IncludeUsage: true}
	s, err := newClient(stand.URL(t), "any").CreateChatCompletionStream(t.Context(), r)
	if err != nil {
		return a, err
	}
	defer s.Close()
	a.message.Role = openai.ChatMessageRoleAssistant
	for {
		chunk, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return a, nil
		}
		if err != nil {
			return a, err
		}
		a.add(t, &chunk)
	}
}

func (a *answer) add(t *testing.T, chunk *openai.ChatCompletionStreamResponse) {
	a.model = chunk.Model
	if chunk.Usage != nil {
		a.usage = *chunk.Usage
	}
	for _, c := range chunk.Choices {
		a.message.Content += c.Delta.Content
		a.message.ReasoningContent += c.Delta.ReasoningContent
		if c.FinishReason != "" {
			a.finish = c.FinishReason
		}
		for _, tc := range c.Delta.ToolCalls {
			if tc.Index == nil {
				t.Fatal("a tool call without an index")
			}
			if *tc.Index == len(a.message.ToolCalls) {
				a.message.ToolCalls = append(a.message.ToolCalls, openai.ToolCall{ID: tc.ID, Type: tc.Type, Function: openai.FunctionCall{Name: tc.Function.Name}})
			}
			a.message.ToolCalls[*tc.Index].Function.Arguments += tc.Function.Arguments
		}
	}
}

func mustStream(t *testing.T, r openai.ChatCompletionRequest) answer {
	t.Helper()
	a, err := stream(t, r)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func both(t *testing.T, r openai.ChatCompletionRequest) map[string]answer {
	t.Helper()
	return map[string]answer{"whole": call(t, r), "streamed": mustStream(t, r)}
}

func TestChat(t *testing.T) { // P-04, W-12, U-01
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		for _, question := range []string{stand.Question, stand.Chinese, stand.LongPrompt()} {
			model := stand.Model(t, upstream, "")
			got := both(t, ask(model, user(question)))
			for name, a := range got {
				if a.finish != openai.FinishReasonStop || a.usage.PromptTokens <= 0 || a.usage.CompletionTokens <= 0 {
					t.Errorf("%s: finish reason %q, usage %+v", name, a.finish, a.usage)
				}
				stand.Has(t, model, a.model)
				stand.Has(t, a.message.Content, question[:24])
			}
			if a, b := got["whole"], got["streamed"]; a.message.Content != b.message.Content || a.usage.TotalTokens != b.usage.TotalTokens {
				t.Errorf("not streamed %+v\nstreamed %+v", a, b)
			}
			stand.Upstream(t, model)
		}
	})
}

func TestConversationWithSystemPrompt(t *testing.T) { // P-05
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		model := stand.Model(t, upstream, "")
		got := call(t, ask(model,
			openai.ChatCompletionMessage{Role: openai.ChatMessageRoleSystem, Content: stand.SystemPrompt},
			user("Remember the word heron."),
			openai.ChatCompletionMessage{Role: openai.ChatMessageRoleAssistant, Content: "I shall remember heron."},
			user(stand.Question),
		))
		stand.Has(t, got.message.Content, stand.Question)
		stand.Has(t, string(stand.Upstream(t, model).Body), stand.SystemPrompt, "heron")
	})
}

func TestImage(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		got := call(t, ask(stand.Model(t, upstream, ""), openai.ChatCompletionMessage{
			Role: openai.ChatMessageRoleUser,
			MultiContent: []openai.ChatMessagePart{
				{Type: openai.ChatMessagePartTypeText, Text: "Describe this picture."},
				{Type: openai.ChatMessagePartTypeImageURL, ImageURL: &openai.ChatMessageImageURL{URL: "data:image/png;base64," + stand.Pixel}},
			},
		}))
		stand.Has(t, got.message.Content, "1 image")
	})
}

func TestReasoning(t *testing.T) { // T-08, T-11
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		r := ask(stand.Model(t, upstream, ""), user(stand.Question))
		r.ReasoningEffort = "low"
		for _, a := range both(t, r) {
			stand.Has(t, a.message.ReasoningContent, stand.Question)
			stand.Has(t, a.message.Content, stand.Question)
		}
	})
}

func TestStructuredOutput(t *testing.T) { // P-08
	type reply struct {
		Answer string `json:"answer"`
		Count  int    `json:"count"`
	}
	schema, err := jsonschema.GenerateSchemaForType(reply{})
	if err != nil {
		t.Fatal(err)
	}
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		r := ask(stand.Model(t, upstream, ""), user(stand.Question))
		r.ResponseFormat = &openai.ChatCompletionResponseFormat{
			Type:       openai.ChatCompletionResponseFormatTypeJSONSchema,
			JSONSchema: &openai.ChatCompletionResponseFormatJSONSchema{Name: "reply", Schema: schema, Strict: true},
		}
		for _, a := range both(t, r) {
			var got reply
			if err := schema.Unmarshal(a.message.Content, &got); err != nil || got.Answer == "" {
				t.Errorf("%q: %v", a.message.Content, err)
			}
		}
	})
}

func tools() []openai.Tool {
	city := json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`)
	nothing := json.RawMessage(`{"type":"object","properties":{}}`)
	return []openai.Tool{
		{Type: openai.ToolTypeFunction, Function: &openai.FunctionDefinition{Name: "get_weather", Parameters: city}},
		{Type: openai.ToolTypeFunction, Function: &openai.FunctionDefinition{Name: "get_time", Parameters: city}},
		{Type: openai.ToolTypeFunction, Function: &openai.FunctionDefinition{Name: "ping_server", Parameters: nothing}},
	}
}

func TestToolCallRoundTrip(t *testing.T) { // S-01, S-04, S-05, S-10
	results := map[string]string{"get_weather": stand.Weather, "get_time": stand.Time, "ping_server": "pong"}
	for question, want := range map[string][][2]string{
		stand.AskWeather: {{"get_weather", `{"city":"Paris"}`}},
		stand.AskBoth:    {{"get_weather", `{"city":"Paris"}`}, {"get_time", `{"city":"Paris"}`}},
		stand.AskPing:    {{"ping_server", `{}`}},
	} {
		t.Run(question, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				for how, respond := range map[string]func(*testing.T, openai.ChatCompletionRequest) answer{"whole": call, "streamed": mustStream} {
					r := ask(stand.Model(t, upstream, ""), user(question))
					r.Tools = tools()
					first := respond(t, r)
					if first.finish != openai.FinishReasonToolCalls || len(first.message.ToolCalls) != len(want) {
						t.Fatalf("%s: %+v", how, first)
					}
					r.Messages = append(r.Messages, first.message)
					for i, c := range first.message.ToolCalls {
						if c.Function.Name != want[i][0] || c.ID == "" {
							t.Errorf("%s: tool call %+v", how, c)
						}
						stand.SameJSON(t, c.Function.Arguments, want[i][1])
						r.Messages = append(r.Messages, openai.ChatCompletionMessage{
							Role: openai.ChatMessageRoleTool, ToolCallID: c.ID, Content: results[c.Function.Name],
						})
					}
					final := respond(t, r)
					for _, w := range want {
						stand.Has(t, final.message.Content, w[0], results[w[0]])
					}
				}
			})
		})
	}
}

func TestOddStreamsAreReadWhole(t *testing.T) { // W-01, W-03, W-06, W-08
	for name, fault := range stand.Odd {
		t.Run(name, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				a := mustStream(t, ask(stand.Model(t, upstream, fault), user(stand.Chinese)))
				stand.Has(t, a.message.Content, stand.Chinese, "DEEPSEEK_API_KEY")
				if a.finish != openai.FinishReasonStop || a.usage.CompletionTokens <= 0 {
					t.Errorf("finish reason %q, usage %+v", a.finish, a.usage)
				}
			})
		})
	}
}

func TestBrokenStreamIsAnError(t *testing.T) { // R-04, E-03
	for name, fault := range stand.Broken {
		t.Run(name, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				a, err := stream(t, ask(stand.Model(t, upstream, fault), user(stand.Question)))
				var e *openai.APIError
				var syntax *json.SyntaxError
				if upstream == stand.Responses && errors.As(err, &syntax) {
					return // the client takes comments ahead of the answer for a part of the error
				}
				if !errors.As(err, &e) || e.Message == "" {
					t.Errorf("the error is %T %v, after %q", err, err, a.message.Content)
				}
			})
		})
	}
}

func TestErrorsKeepTheirStatus(t *testing.T) { // E-01, E-04
	for fault, status := range map[string]int{"status=400": 400, "status=403": 502, "status=429;retry-after=60": 429, "status=500": 500} {
		t.Run(fault, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				r := ask(stand.Model(t, upstream, fault), user(stand.Question))
				_, err := newClient(stand.URL(t), "any").CreateChatCompletion(t.Context(), r)
				checkError(t, err, status)
				_, err = stream(t, r)
				checkError(t, err, status)
			})
		})
	}
	t.Run("unknown model", func(t *testing.T) {
		_, err := newClient(stand.URL(t), "any").CreateChatCompletion(t.Context(), ask("nobody/no-such-model", user(stand.Question)))
		checkError(t, err, 404)
		stand.Has(t, err.Error(), "nobody")
	})
	t.Run("wrong key", func(t *testing.T) {
		url, key := stand.Keyed(t)
		r := ask(stand.OpenAI+"/"+stand.Listed, user(stand.Question))
		if _, err := newClient(url, key).CreateChatCompletion(t.Context(), r); err != nil {
			t.Error(err)
		}
		_, err := newClient(url, key+"x").CreateChatCompletion(t.Context(), r)
		checkError(t, err, 401)
	})
}

func checkError(t *testing.T, err error, status int) {
	t.Helper()
	var e *openai.APIError
	if !errors.As(err, &e) {
		t.Fatalf("the error is %T %v, want *openai.APIError", err, err)
	}
	if e.HTTPStatusCode != status || e.Message == "" {
		t.Errorf("status %d and message %q, want status %d", e.HTTPStatusCode, e.Message, status)
	}
}

func TestModels(t *testing.T) { // C-07
	list, err := newClient(stand.URL(t), "any").ListModels(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, m := range list.Models {
		found[m.ID] = true
	}
	for _, want := range []string{stand.Alias, stand.OpenAI + "/" + stand.Listed, stand.Anthropic + "/" + stand.Listed} {
		if !found[want] {
			t.Errorf("%q is not listed", want)
		}
	}
}

func TestCanceledStreamIsCanceledUpstream(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		before := stand.ReadStats(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s, err := newClient(stand.URL(t), "any").CreateChatCompletionStream(ctx, ask(stand.Model(t, upstream, "slow=100ms"), user(stand.Question)))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, err := s.Recv(); err != nil {
			t.Fatal(err)
		}
		cancel()
		stand.Canceled(t, before)
	})
}
