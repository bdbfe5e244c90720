package ollama

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ollama/ollama/api"

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
					texts = append(texts, got.Message.Content)
					stand.Has(t, got.Message.Content, question)
					if got.DoneReason != "stop" || got.Message.Role != "assistant" || got.CreatedAt.IsZero() {
						t.Errorf("%s: done reason %q, role %q, created at %s", way.name, got.DoneReason, got.Message.Role, got.CreatedAt)
					}
					if got.Model == "" || !strings.HasSuffix(model, got.Model) {
						t.Errorf("%s: model %q", way.name, got.Model)
					}
					checkUsage(t, got.Metrics)
				}
				if texts[0] != texts[1] {
					t.Errorf("not streamed %q\nstreamed %q", texts[0], texts[1])
				}
				stand.Upstream(t, model)
			})
		})
	}
}

func checkUsage(t *testing.T, m api.Metrics) {
	t.Helper()
	if m.PromptEvalCount <= 0 || m.EvalCount <= 0 {
		t.Errorf("usage %+v", m)
	}
}

func TestConversationWithSystemPrompt(t *testing.T) { // P-05
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		model := stand.Model(t, upstream, "")
		r := ask(model,
			api.Message{Role: "system", Content: stand.SystemPrompt},
			user("Remember the word heron."),
			api.Message{Role: "assistant", Content: "I shall remember heron."},
			user(stand.Question),
		)
		r.Options = map[string]any{"temperature": 0.5, "num_predict": 2000, "stop": []string{"never said"}}
		got := must(t, whole, r)
		stand.Has(t, got.Message.Content, stand.Question)
		stand.Has(t, string(stand.Upstream(t, model).Body), stand.SystemPlace[upstream], stand.SystemPrompt, "I shall remember heron.", "2000")
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
		got := must(t, whole, ask(model, api.Message{Role: "user", Content: "Describe this picture.", Images: []api.ImageData{pixel}}))
		stand.Has(t, got.Message.Content, "1 image")
		stand.Has(t, string(stand.Upstream(t, model).Body), stand.Pixel)
	})
}

func TestStructuredOutput(t *testing.T) { // P-08
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		r := ask(stand.Model(t, upstream, ""), user(stand.Question))
		r.Format = json.RawMessage(`{"type":"object","properties":{"answer":{"type":"string"},"count":{"type":"integer"}},"required":["answer","count"]}`)
		for _, way := range ways {
			got := must(t, way.try, r)
			var reply struct {
				Answer string
				Count  *int
			}
			if err := json.Unmarshal([]byte(got.Message.Content), &reply); err != nil || reply.Answer == "" || reply.Count == nil {
				t.Errorf("%s: %q: %v", way.name, got.Message.Content, err)
			}
		}
	})
}

func TestThinking(t *testing.T) { // T-08, T-11
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		for _, level := range []any{true, "low"} {
			r := ask(stand.Model(t, upstream, ""), user(stand.Question))
			r.Think = &api.ThinkValue{Value: level}
			for _, way := range ways {
				got := must(t, way.try, r)
				stand.Has(t, got.Message.Content, stand.Question)
				if level == true && (upstream == stand.OpenAI || upstream == stand.Responses) {
					continue // there is no thinking without a level: it is left to the model
				}
				stand.Has(t, got.Message.Thinking, stand.Question)
			}
		}
	})
}

func TestLongPrompt(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		for _, way := range ways {
			got := must(t, way.try, ask(stand.Model(t, upstream, ""), user(stand.LongPrompt()+stand.Question)))
			if got.PromptEvalCount < 20_000 {
				t.Errorf("%s: %d tokens for 200 KB", way.name, got.PromptEvalCount)
			}
			stand.Has(t, got.Message.Content, "河水流过堰坝 🌊")
		}
	})
}

func TestMaxTokens(t *testing.T) { // P-11
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		r := ask(stand.Model(t, upstream, ""), user(stand.Question))
		r.Options = map[string]any{"num_predict": 5}
		for _, way := range ways {
			if got := must(t, way.try, r); got.DoneReason != "length" {
				t.Errorf("%s: done reason %q", way.name, got.DoneReason)
			}
		}
	})
}

func TestGenerate(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		model := stand.Model(t, upstream, "")
		var texts []string
		for _, stream := range []bool{false, true} {
			var text strings.Builder
			var last api.GenerateResponse
			err := newClient(t).Generate(t.Context(), &api.GenerateRequest{
				Model: model, Prompt: stand.Question, System: stand.SystemPrompt, Stream: &stream,
			}, func(piece api.GenerateResponse) error {
				text.WriteString(piece.Response)
				last = piece
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if !last.Done || last.DoneReason != "stop" || !strings.HasSuffix(model, last.Model) {
				t.Errorf("stream %t: %+v", stream, last)
			}
			checkUsage(t, last.Metrics)
			texts = append(texts, text.String())
			stand.Has(t, text.String(), stand.Question)
		}
		if texts[0] != texts[1] {
			t.Errorf("not streamed %q\nstreamed %q", texts[0], texts[1])
		}
		name := strings.TrimPrefix(model, upstream+"/")
		for _, seen := range stand.ReadStats(t).Last {
			if seen.Model == name {
				stand.Has(t, string(seen.Body), stand.SystemPrompt)
			}
		}
	})
}

func TestVectors(t *testing.T) {
	stand.EachVectors(t, func(t *testing.T, upstream string) {
		t.Parallel()
		model := stand.Model(t, upstream, "")
		client := newClient(t)
		embed := func(input any) [][]float32 {
			got, err := client.Embed(t.Context(), &api.EmbedRequest{Model: model, Input: input, Dimensions: 16})
			if err != nil {
				t.Fatal(err)
			}
			return got.Embeddings
		}
		two, one := embed([]string{stand.Question, stand.Chinese}), embed(stand.Chinese)
		if len(two) != 2 || len(one) != 1 || len(two[0]) != 16 || !slices.Equal(two[1], one[0]) || slices.Equal(two[0], two[1]) {
			t.Fatalf("%v\n%v", two, one)
		}
		stand.UpstreamVectors(t, model)
		old, err := client.Embeddings(t.Context(), &api.EmbeddingRequest{Model: model, Prompt: stand.Chinese})
		if err != nil || len(old.Embedding) == 0 {
			t.Errorf("%v, %v", old, err)
		}
	})
}

func TestModels(t *testing.T) { // C-07
	client := newClient(t)
	list, err := client.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{stand.Alias, stand.OpenAI + "/" + stand.Listed, stand.Gemini + "/" + stand.Listed} {
		at := slices.IndexFunc(list.Models, func(m api.ListModelResponse) bool { return m.Name == want && m.Model == want })
		if at < 0 || list.Models[at].Digest == "" || list.Models[at].ModifiedAt.IsZero() {
			t.Errorf("%q is not listed", want)
		}
		shown, err := client.Show(t.Context(), &api.ShowRequest{Model: want})
		if err != nil {
			t.Fatal(err)
		}
		if len(shown.Capabilities) == 0 || shown.ModelInfo["general.architecture"] == nil {
			t.Errorf("show %q: %+v", want, shown)
		}
	}
	running, err := client.ListRunning(t.Context())
	if err != nil || len(running.Models) != 0 {
		t.Errorf("running: %v, %v", running, err)
	}
	version, err := client.Version(t.Context())
	if err != nil || !strings.Contains(version, ".") {
		t.Errorf("version %q, %v", version, err)
	}
	if err := client.Heartbeat(t.Context()); err != nil {
		t.Error(err)
	}
	_, err = client.Show(t.Context(), &api.ShowRequest{Model: "nobody/no-such-model"})
	statusError(t, err, http.StatusNotFound)
}

func TestModelsAreNotManaged(t *testing.T) {
	client := newClient(t)
	model := stand.Ollama + "/" + stand.Listed
	for name, err := range map[string]error{
		"delete": client.Delete(t.Context(), &api.DeleteRequest{Model: model}),
		"copy":   client.Copy(t.Context(), &api.CopyRequest{Source: model, Destination: "mine"}),
		"pull":   client.Pull(t.Context(), &api.PullRequest{Model: model}, func(api.ProgressResponse) error { return nil }),
	} {
		t.Run(name, func(t *testing.T) { statusError(t, err, http.StatusNotImplemented) })
	}
}

func TestKeys(t *testing.T) {
	address, key := stand.Keyed(t)
	r := ask(stand.OpenAI+"/"+stand.Listed, user(stand.Question))
	right := clientOf(t, address, &http.Client{Transport: keyed(key)})
	if _, err := whole(t, right, r); err != nil {
		t.Error(err)
	}
	if _, err := right.List(t.Context()); err != nil {
		t.Error(err)
	}
	for name, with := range map[string]*http.Client{"a wrong key": {Transport: keyed(key + "x")}, "no key": http.DefaultClient} {
		t.Run(name, func(t *testing.T) {
			wrong := clientOf(t, address, with)
			_, chat := whole(t, wrong, r)
			_, list := wrong.List(t.Context())
			for _, err := range []error{chat, list} {
				var e api.AuthorizationError
				if !errors.As(err, &e) || e.StatusCode != http.StatusUnauthorized {
					t.Errorf("the error is %T %v, want api.AuthorizationError", err, err)
				}
			}
		})
	}
}
