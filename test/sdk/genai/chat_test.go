package genai

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genai"

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
					got := must(t, way.try, ask(model, user(question)))
					texts = append(texts, got.text())
					stand.Has(t, got.text(), question)
					if got.finish != genai.FinishReasonStop || got.last.ResponseID == "" {
						t.Errorf("%s: finish reason %q, id %q", way.name, got.finish, got.last.ResponseID)
					}
					if v := got.last.ModelVersion; v == "" || !strings.HasSuffix(model, v) {
						t.Errorf("%s: model version %q", way.name, v)
					}
					checkUsage(t, got.last.UsageMetadata)
				}
				if texts[0] != texts[1] {
					t.Errorf("not streamed %q\nstreamed %q", texts[0], texts[1])
				}
				stand.Upstream(t, model)
			})
		})
	}
}

func checkUsage(t *testing.T, u *genai.GenerateContentResponseUsageMetadata) {
	t.Helper()
	if u == nil {
		t.Error("no usage")
		return
	}
	if u.PromptTokenCount <= 0 || u.CandidatesTokenCount <= 0 ||
		u.TotalTokenCount != u.PromptTokenCount+u.CandidatesTokenCount+u.ThoughtsTokenCount {
		t.Errorf("usage %+v", u)
	}
}

func TestConversationWithSystemInstruction(t *testing.T) { // P-05
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		model := stand.Model(t, upstream, "")
		config := &genai.GenerateContentConfig{
			SystemInstruction: genai.NewContentFromText(stand.SystemPrompt, genai.RoleUser),
			Temperature:       genai.Ptr[float32](0.5),
			MaxOutputTokens:   2000,
		}
		chat, err := newClient(t).Chats.Create(t.Context(), model, config, []*genai.Content{
			user("Remember the word heron."), genai.NewContentFromText("I shall remember heron.", genai.RoleModel),
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := chat.SendMessage(t.Context(), genai.Part{Text: stand.Question})
		if err != nil {
			t.Fatal(err)
		}
		stand.Has(t, got.Text(), stand.Question)
		stand.Has(t, string(stand.Upstream(t, model).Body), stand.SystemPlace[upstream], stand.SystemPrompt, "I shall remember heron.")
		var text strings.Builder
		for piece, err := range chat.SendMessageStream(t.Context(), genai.Part{Text: stand.Chinese}) {
			if err != nil {
				t.Fatal(err)
			}
			text.WriteString(piece.Text())
		}
		stand.Has(t, text.String(), stand.Chinese)
		stand.Has(t, string(stand.Upstream(t, model).Body), stand.Question, stand.Chinese)
	})
}

func TestImage(t *testing.T) {
	pixel, err := base64.StdEncoding.DecodeString(stand.Pixel)
	if err != nil {
		t.Fatal(err)
	}
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		model := stand.Model(t, upstream, "")
		got := must(t, whole, ask(model, genai.NewContentFromParts([]*genai.Part{
			genai.NewPartFromText("Describe this picture."), genai.NewPartFromBytes(pixel, "image/png"),
		}, genai.RoleUser)))
		stand.Has(t, got.text(), "1 image")
		stand.Has(t, string(stand.Upstream(t, model).Body), stand.Pixel)
	})
}

func TestStructuredOutput(t *testing.T) { // P-07, P-08
	schemas := map[string]genai.GenerateContentConfig{
		"a schema of the API": {ResponseSchema: &genai.Schema{
			Type: genai.TypeObject, Required: []string{"answer", "count"}, PropertyOrdering: []string{"answer", "count"},
			Properties: map[string]*genai.Schema{"answer": {Type: genai.TypeString}, "count": {Type: genai.TypeInteger}},
		}},
		"a JSON schema": {ResponseJsonSchema: map[string]any{
			"type": "object", "additionalProperties": false, "required": []string{"answer", "count"},
			"properties": map[string]any{"answer": map[string]any{"type": "string"}, "count": map[string]any{"type": "integer"}},
		}},
	}
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		t.Run(name, func(t *testing.T) {
			stand.EachUpstream(t, func(t *testing.T, upstream string) {
				t.Parallel()
				for _, way := range ways {
					config := schemas[name]
					config.ResponseMIMEType = "application/json"
					q := ask(stand.Model(t, upstream, ""), user(stand.Question))
					q.config = &config
					got := must(t, way.try, q)
					var reply struct {
						Answer string
						Count  *int
					}
					if err := json.Unmarshal([]byte(got.text()), &reply); err != nil || reply.Answer == "" || reply.Count == nil {
						t.Errorf("%s: %q: %v", way.name, got.text(), err)
					}
				}
			})
		})
	}
}

func TestThoughts(t *testing.T) { // T-05, T-08, T-11
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		for _, way := range ways {
			model := stand.Model(t, upstream, "")
			q := ask(model, user(stand.AskWeather))
			q.config.Tools = tools()
			q.config.ThinkingConfig = &genai.ThinkingConfig{IncludeThoughts: true, ThinkingBudget: genai.Ptr[int32](2048)}
			first := must(t, way.try, q)
			stand.Has(t, first.thought(), stand.AskWeather)
			q.contents = append(q.contents, first.content(), answerCalls(t, &first, [][2]string{{"get_weather", `{"city":"Paris"}`}}))
			second := must(t, way.try, q)
			stand.Has(t, second.text(), stand.Weather)
			seen := string(stand.Upstream(t, model).Body)
			switch upstream {
			case stand.Gemini:
				at := slices.IndexFunc(first.parts, func(p *genai.Part) bool { return len(p.ThoughtSignature) > 0 })
				if at < 0 {
					t.Fatalf("%s: no part has a signature", way.name)
				}
				stand.Has(t, seen, base64.StdEncoding.EncodeToString(first.parts[at].ThoughtSignature))
			case stand.Anthropic:
				stand.Has(t, seen, `"signature":"sim-`)
			}
		}
	})
}

func TestLongPrompt(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		for _, way := range ways {
			got := must(t, way.try, ask(stand.Model(t, upstream, ""), user(stand.LongPrompt()+stand.Question)))
			if u := got.last.UsageMetadata; u == nil || u.PromptTokenCount < 20_000 {
				t.Errorf("%s: usage %+v for 200 KB", way.name, u)
			}
			stand.Has(t, got.text(), "河水流过堰坝 🌊")
		}
	})
}

func TestMaxTokens(t *testing.T) { // P-11
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		for _, way := range ways {
			q := ask(stand.Model(t, upstream, ""), user(stand.Question))
			q.config.MaxOutputTokens = 5
			if got := must(t, way.try, q); got.finish != genai.FinishReasonMaxTokens {
				t.Errorf("%s: finish reason %q", way.name, got.finish)
			}
		}
	})
}

func TestCountTokens(t *testing.T) { // C-05
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		client := newClient(t)
		count := func(text string) int32 {
			got, err := client.Models.CountTokens(t.Context(), stand.Model(t, upstream, ""), genai.Text(text), nil)
			if err != nil {
				t.Fatal(err)
			}
			return got.TotalTokens
		}
		if short, long := count(stand.Question), count(stand.LongPrompt()); short < 5 || long < 20_000 {
			t.Errorf("%d tokens for a sentence and %d for 200 KB", short, long)
		}
	})
}

func TestVectors(t *testing.T) {
	stand.EachVectors(t, func(t *testing.T, upstream string) {
		t.Parallel()
		model := stand.Model(t, upstream, "")
		embed := func(texts ...string) []*genai.ContentEmbedding {
			var contents []*genai.Content
			for _, text := range texts {
				contents = append(contents, user(text))
			}
			got, err := newClient(t).Models.EmbedContent(t.Context(), model, contents, &genai.EmbedContentConfig{
				OutputDimensionality: genai.Ptr[int32](16),
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Embeddings) != len(texts) {
				t.Fatalf("%d vectors of %d texts", len(got.Embeddings), len(texts))
			}
			return got.Embeddings
		}
		two, one := embed(stand.Question, stand.Chinese), embed(stand.Chinese)
		if len(two[0].Values) != 16 || slices.Equal(two[0].Values, two[1].Values) || !slices.Equal(two[1].Values, one[0].Values) {
			t.Errorf("%v\n%v\n%v", two[0].Values, two[1].Values, one[0].Values)
		}
		stand.UpstreamVectors(t, model)
	})
}

func TestModels(t *testing.T) { // C-07
	client := newClient(t)
	found := map[string]bool{}
	for m, err := range client.Models.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		found[m.Name] = true
	}
	for _, want := range []string{stand.Alias, stand.OpenAI + "/" + stand.Listed, stand.Gemini + "/" + stand.Listed} {
		if !found["models/"+want] {
			t.Errorf("%q is not listed", want)
		}
		if m, err := client.Models.Get(t.Context(), want, nil); err != nil || m.Name != "models/"+want {
			t.Errorf("get %q: %v, %v", want, m, err)
		}
	}
}

func TestVertex(t *testing.T) { // P-14
	client, err := genai.NewClient(t.Context(), &genai.ClientConfig{
		APIKey: "any", Backend: genai.BackendVertexAI, HTTPOptions: genai.HTTPOptions{BaseURL: stand.URL(t)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, way := range ways {
		got, err := way.try(t, client, ask(stand.Alias, user(stand.Question)))
		if err != nil {
			t.Fatal(err)
		}
		stand.Has(t, got.text(), stand.Question)
	}
}
