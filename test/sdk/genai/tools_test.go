package genai

import (
	"encoding/json"
	"testing"

	"google.golang.org/genai"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

// results are what the tools come back with.
var results = map[string]string{"get_weather": stand.Weather, "get_time": stand.Time, "ping_server": "pong"}

// tools are described in both ways that the client has.
func tools() []*genai.Tool {
	city := &genai.Schema{
		Type: genai.TypeObject, Required: []string{"city"},
		Properties: map[string]*genai.Schema{"city": {Type: genai.TypeString}},
	}
	return []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{
		{Name: "get_weather", Description: "the weather of a city", Parameters: city},
		{Name: "get_time", Description: "the time in a city", ParametersJsonSchema: map[string]any{
			"type": "object", "required": []string{"city"},
			"properties": map[string]any{"city": map[string]any{"type": "string"}},
		}},
		{Name: "ping_server", Description: "is the server there"},
	}}}
}

func TestToolCallRoundTrip(t *testing.T) { // S-01, S-02, S-04, S-05, S-10
	for _, tt := range []struct {
		name, question string
		calls          [][2]string // name and arguments
	}{
		{"one tool", stand.AskWeather, [][2]string{{"get_weather", `{"city":"Paris"}`}}},
		{"two tools at once", stand.AskBoth, [][2]string{{"get_weather", `{"city":"Paris"}`}, {"get_time", `{"city":"Paris"}`}}},
		{"a tool without arguments", stand.AskPing, [][2]string{{"ping_server", `{}`}}},
	} {
		for _, way := range ways {
			t.Run(tt.name+", "+way.name, func(t *testing.T) {
				stand.EachUpstream(t, func(t *testing.T, upstream string) {
					t.Parallel()
					q := ask(stand.Model(t, upstream, ""), user(tt.question))
					q.config.Tools = tools()
					first := must(t, way.try, q)
					if first.finish != genai.FinishReasonStop {
						t.Errorf("finish reason %q", first.finish)
					}
					q.contents = append(q.contents, first.content(), answerCalls(t, &first, tt.calls))
					final := must(t, way.try, q)
					for _, c := range tt.calls {
						stand.Has(t, final.text(), c[0], results[c[0]])
					}
				})
			})
		}
	}
}

// answerCalls checks the calls of an answer and is the turn that answers them.
func answerCalls(t *testing.T, a *answer, want [][2]string) *genai.Content {
	t.Helper()
	calls := a.calls()
	if len(calls) != len(want) {
		t.Fatalf("%d calls, want %d", len(calls), len(want))
	}
	var parts []*genai.Part
	for i, c := range calls {
		if c.Name != want[i][0] {
			t.Errorf("call %d is of %q", i, c.Name)
		}
		args, err := json.Marshal(c.Args)
		if err != nil {
			t.Fatal(err)
		}
		if c.Args == nil {
			args = []byte(`{}`)
		}
		stand.SameJSON(t, string(args), want[i][1])
		parts = append(parts, &genai.Part{FunctionResponse: &genai.FunctionResponse{
			ID: c.ID, Name: c.Name, Response: map[string]any{"output": results[c.Name]},
		}})
	}
	return genai.NewContentFromParts(parts, genai.RoleUser)
}

func TestToolChoice(t *testing.T) { // S-11
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		if upstream == stand.Ollama {
			return // its API has no such choice
		}
		q := ask(stand.Model(t, upstream, ""), user(stand.Question))
		q.config.Tools = tools()
		q.config.ToolConfig = &genai.ToolConfig{FunctionCallingConfig: &genai.FunctionCallingConfig{
			Mode: genai.FunctionCallingConfigModeAny, AllowedFunctionNames: []string{"get_time"},
		}}
		for _, way := range ways {
			got := must(t, way.try, q)
			if calls := got.calls(); len(calls) != 1 || calls[0].Name != "get_time" {
				t.Errorf("%s: %v", way.name, calls)
			}
		}
	})
}
