package ollama

import (
	"testing"

	"github.com/ollama/ollama/api"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

// results are what the tools come back with.
var results = map[string]string{"get_weather": stand.Weather, "get_time": stand.Time, "ping_server": "pong"}

func tools() api.Tools {
	city := api.NewToolPropertiesMap()
	city.Set("city", api.ToolProperty{Type: api.PropertyType{"string"}, Description: "the name of the city"})
	tool := func(name, description string, properties *api.ToolPropertiesMap, required ...string) api.Tool {
		return api.Tool{Type: "function", Function: api.ToolFunction{
			Name: name, Description: description,
			Parameters: api.ToolFunctionParameters{Type: "object", Required: required, Properties: properties},
		}}
	}
	return api.Tools{
		tool("get_weather", "the weather of a city", city, "city"),
		tool("get_time", "the time in a city", city, "city"),
		tool("ping_server", "is the server there", api.NewToolPropertiesMap()),
	}
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
			for _, ids := range []bool{true, false} {
				name := tt.name + ", " + way.name
				if !ids {
					name += ", results by the tool's name alone"
				}
				t.Run(name, func(t *testing.T) {
					stand.EachUpstream(t, func(t *testing.T, upstream string) {
						t.Parallel()
						r := ask(stand.Model(t, upstream, ""), user(tt.question))
						r.Tools = tools()
						first := must(t, way.try, r)
						r.Messages = append(r.Messages, answerCalls(t, first.Message, tt.calls, ids)...)
						final := must(t, way.try, r)
						for _, c := range tt.calls {
							stand.Has(t, final.Message.Content, c[0], results[c[0]])
						}
					})
				})
			}
		}
	}
}

// answerCalls checks the calls of a message and is that message with the results.
// Clients from before calls had ids tell the results by the names of the tools.
func answerCalls(t *testing.T, m api.Message, want [][2]string, ids bool) []api.Message {
	t.Helper()
	if len(m.ToolCalls) != len(want) {
		t.Fatalf("%d tool calls, want %d: %+v", len(m.ToolCalls), len(want), m)
	}
	m.Role = "assistant"
	out := []api.Message{m}
	for i, c := range m.ToolCalls {
		if c.Function.Name != want[i][0] || c.Function.Index != i {
			t.Errorf("tool call %d is %q with index %d", i, c.Function.Name, c.Function.Index)
		}
		stand.SameJSON(t, c.Function.Arguments.String(), want[i][1])
		result := api.Message{Role: "tool", Content: results[c.Function.Name], ToolName: c.Function.Name}
		if ids {
			result.ToolCallID = c.ID
		} else {
			m.ToolCalls[i].ID = ""
		}
		out = append(out, result)
	}
	return out
}
