package responsesgo

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

func TestChat(t *testing.T) { // P-04, W-12, U-01
	for _, question := range []string{stand.Question, stand.Chinese} {
		t.Run(question, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				model := stand.Model(t, upstream, "")
				var texts []string
				for _, way := range ways {
					got := must(t, way.try, ask(model, question))
					texts = append(texts, got.OutputText())
					stand.Has(t, got.OutputText(), question)
					if got.Status != "completed" || !strings.HasPrefix(got.ID, "resp_") || got.CreatedAt <= 0 {
						t.Errorf("%s: status %q, id %q, created at %v", way.name, got.Status, got.ID, got.CreatedAt)
					}
					if got.Model == "" || !strings.HasSuffix(model, got.Model) {
						t.Errorf("%s: model %q", way.name, got.Model)
					}
					if len(got.Output) != 1 || got.Output[0].Type != "message" || got.Output[0].Status != "completed" {
						t.Errorf("%s: output %s", way.name, got.RawJSON())
					}
					checkUsage(t, got)
				}
				if texts[0] != texts[1] {
					t.Errorf("not streamed %q\nstreamed %q", texts[0], texts[1])
				}
				stand.Upstream(t, model)
			})
		})
	}
}

func TestConversationWithInstructions(t *testing.T) { // P-05
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		model := stand.Model(t, upstream, "")
		p := ask(model, "")
		p.Instructions = openai.String(stand.SystemPrompt)
		p.Input = withItems(
			user("Remember the word heron."),
			responses.ResponseInputItemParamOfMessage("I shall remember heron.", responses.EasyInputMessageRoleAssistant),
			user(stand.Question),
		)
		stand.Has(t, must(t, whole, p).OutputText(), stand.Question)
		stand.Has(t, string(stand.Upstream(t, model).Body), stand.SystemPrompt, "I shall remember heron.", stand.Question)
	})
}

func TestImage(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		model := stand.Model(t, upstream, "")
		image := responses.ResponseInputContentParamOfInputImage(responses.ResponseInputImageDetailAuto)
		image.OfInputImage.ImageURL = openai.String("data:image/png;base64," + stand.Pixel)
		p := ask(model, "")
		p.Input = withItems(responses.ResponseInputItemParamOfInputMessage(responses.ResponseInputMessageContentListParam{
			responses.ResponseInputContentParamOfInputText("Describe this picture."), image,
		}, "user"))
		stand.Has(t, must(t, whole, p).OutputText(), "1 image")
		stand.Has(t, string(stand.Upstream(t, model).Body), stand.Pixel)
	})
}

func TestStructuredOutput(t *testing.T) { // P-08
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		p := ask(stand.Model(t, upstream, ""), stand.Question)
		p.Text.Format = responses.ResponseFormatTextConfigParamOfJSONSchema("reply", map[string]any{
			"type": "object", "additionalProperties": false, "required": []string{"answer", "count"},
			"properties": map[string]any{"answer": map[string]any{"type": "string"}, "count": map[string]any{"type": "integer"}},
		})
		p.Text.Format.OfJSONSchema.Strict = openai.Bool(true)
		for _, way := range ways {
			got := must(t, way.try, p)
			var reply struct {
				Answer string
				Count  *int
			}
			if err := json.Unmarshal([]byte(got.OutputText()), &reply); err != nil || reply.Answer == "" || reply.Count == nil {
				t.Errorf("%s: %q: %v", way.name, got.OutputText(), err)
			}
		}
	})
}

func TestReasoningCarriedByTheClient(t *testing.T) { // T-03, T-08, T-11
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		for _, way := range ways {
			model := stand.Model(t, upstream, "")
			p := ask(model, "")
			p.Store = openai.Bool(false)
			p.Include = []responses.ResponseIncludable{responses.ResponseIncludableReasoningEncryptedContent}
			p.Reasoning = shared.ReasoningParam{Effort: shared.ReasoningEffortLow, Summary: shared.ReasoningSummaryAuto}
			p.Tools = tools()
			p.Input = withItems(user(stand.AskWeather))
			first := must(t, way.try, p)
			if len(first.Output) != 2 || first.Output[0].Type != "reasoning" || first.Output[1].Type != "function_call" {
				t.Fatalf("%s: %s", way.name, first.RawJSON())
			}
			stand.Has(t, first.Output[0].RawJSON(), stand.AskWeather)
			p.Input.OfInputItemList = append(p.Input.OfInputItemList, append(items(first), results(t, first, [][2]string{{"get_weather", `{"city":"Paris"}`}})...)...)
			stand.Has(t, must(t, way.try, p).OutputText(), stand.Weather)
			if upstream == stand.Anthropic { // what only its maker can read has gone back to its maker
				stand.Has(t, string(stand.Upstream(t, model).Body), `"signature":"sim-`)
			}
		}
	})
}

func TestLongPrompt(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		for _, way := range ways {
			p := ask(stand.Model(t, upstream, ""), stand.LongPrompt()+stand.Question)
			p.Store = openai.Bool(false)
			if got := must(t, way.try, p); got.Usage.InputTokens < 20_000 {
				t.Errorf("%s: %d input tokens for 200 KB", way.name, got.Usage.InputTokens)
			}
		}
	})
}

func TestMaxTokens(t *testing.T) { // P-11
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		for _, way := range ways {
			p := ask(stand.Model(t, upstream, ""), stand.Question)
			p.MaxOutputTokens = openai.Int(16)
			if got := must(t, way.try, p); got.Status != "incomplete" || got.IncompleteDetails.Reason != "max_output_tokens" {
				t.Errorf("%s: status %q, %q", way.name, got.Status, got.IncompleteDetails.Reason)
			}
		}
	})
}

func TestCountTokens(t *testing.T) { // C-05
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		client := newClient(t)
		count := func(text string) int64 {
			got, err := client.Responses.InputTokens.Count(t.Context(), responses.InputTokenCountParams{
				Model: openai.String(stand.Model(t, upstream, "")),
				Input: responses.InputTokenCountParamsInputUnion{OfString: openai.String(text)},
			})
			if err != nil {
				t.Fatal(err)
			}
			return got.InputTokens
		}
		if short, long := count(stand.Question), count(stand.LongPrompt()); short < 5 || long < 20_000 {
			t.Errorf("%d tokens for a sentence and %d for 200 KB", short, long)
		}
	})
}
