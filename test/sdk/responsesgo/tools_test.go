package responsesgo

import (
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

// outputs are what the tools come back with.
var outputs = map[string]string{"get_weather": stand.Weather, "get_time": stand.Time, "ping_server": "pong"}

func tools() []responses.ToolUnionParam {
	city := map[string]any{
		"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}},
		"required": []string{"city"}, "additionalProperties": false,
	}
	nothing := map[string]any{"type": "object", "properties": map[string]any{}}
	return []responses.ToolUnionParam{
		responses.ToolParamOfFunction("get_weather", city, true),
		responses.ToolParamOfFunction("get_time", city, false),
		responses.ToolParamOfFunction("ping_server", nothing, false),
	}
}

// results checks the calls of a response and are the items that answer them.
func results(t *testing.T, r *responses.Response, want [][2]string) (out []responses.ResponseInputItemUnionParam) {
	t.Helper()
	ids := map[string]bool{}
	for _, item := range r.Output {
		if item.Type != "function_call" {
			continue
		}
		c := item.AsFunctionCall()
		i := len(out)
		if i >= len(want) {
			t.Fatalf("more than %d calls: %s", len(want), r.RawJSON())
		}
		if c.Name != want[i][0] || c.CallID == "" || ids[c.CallID] {
			t.Errorf("call %d is %q with id %q", i, c.Name, c.CallID)
		}
		ids[c.CallID] = true
		stand.SameJSON(t, c.Arguments, want[i][1])
		result := responses.ResponseInputItemParamOfFunctionCallOutput(outputs[c.Name])
		result.OfFunctionCallOutput.CallID = openai.String(c.CallID)
		out = append(out, result)
	}
	if len(out) != len(want) {
		t.Fatalf("%d calls, want %d: %s", len(out), len(want), r.RawJSON())
	}
	return out
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
					p := ask(stand.Model(t, upstream, ""), "")
					p.Tools = tools()
					p.Input = withItems(user(tt.question))
					first := must(t, way.try, p)
					checkUsage(t, first)
					answers := results(t, first, tt.calls)

					again := p // what was said is kept here
					again.PreviousResponseID = openai.String(first.ID)
					again.Input = withItems(answers...)
					p.Input.OfInputItemList = append(append(p.Input.OfInputItemList, items(first)...), answers...)
					for _, next := range []responses.ResponseNewParams{p, again} {
						final := must(t, way.try, next)
						for _, c := range tt.calls {
							stand.Has(t, final.OutputText(), c[0], outputs[c[0]])
						}
					}
				})
			})
		}
	}
}

func TestToolChoice(t *testing.T) { // S-11
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		if upstream == stand.Ollama {
			return // its API has no such choice
		}
		p := ask(stand.Model(t, upstream, ""), stand.Question)
		p.Tools = tools()
		p.ToolChoice = responses.ResponseNewParamsToolChoiceUnion{OfFunctionTool: &responses.ToolChoiceFunctionParam{Name: "get_time"}}
		for _, way := range ways {
			got := must(t, way.try, p)
			if len(got.Output) != 1 || got.Output[0].Type != "function_call" || got.Output[0].Name != "get_time" {
				t.Errorf("%s: %s", way.name, got.RawJSON())
			}
		}
	})
}
