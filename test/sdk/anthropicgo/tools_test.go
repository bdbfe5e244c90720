package anthropicgo

import (
	"testing"

	"github.com/anthropics/anthropic-sdk-go/v2"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

// results are what the tools come back with.
var results = map[string]string{"get_weather": stand.Weather, "get_time": stand.Time, "ping_server": "pong"}

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
					p := ask(stand.Model(t, upstream, ""), user(tt.question))
					p.Tools = tools()
					first := way.ask(t, p)
					if first.StopReason != anthropic.StopReasonToolUse {
						t.Errorf("stop reason %q", first.StopReason)
					}
					p.Messages = append(p.Messages, first.ToParam(), answerCalls(t, first, tt.calls))
					final := way.ask(t, p)
					if final.StopReason != anthropic.StopReasonEndTurn {
						t.Errorf("stop reason %q", final.StopReason)
					}
					for _, c := range tt.calls {
						stand.Has(t, text(final), c[0], results[c[0]])
					}
				})
			})
		}
	}
}

// answerCalls checks the calls of a message and is the message that answers them.
func answerCalls(t *testing.T, m *anthropic.Message, want [][2]string) anthropic.MessageParam {
	t.Helper()
	calls := blocks(m, "tool_use")
	if len(calls) != len(want) {
		t.Fatalf("%d tool calls, want %d: %s", len(calls), len(want), m.RawJSON())
	}
	var out []anthropic.ContentBlockParamUnion
	ids := map[string]bool{}
	for i, c := range calls {
		if c.Name != want[i][0] || c.ID == "" || ids[c.ID] {
			t.Errorf("tool call %d is %q with id %q", i, c.Name, c.ID)
		}
		ids[c.ID] = true
		stand.SameJSON(t, string(c.Input), want[i][1])
		out = append(out, anthropic.NewToolResultBlock(c.ID, results[c.Name], false))
	}
	return anthropic.NewUserMessage(out...)
}

func TestToolChoice(t *testing.T) { // S-11
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		if upstream == stand.Ollama {
			return // its API has no such choice
		}
		p := ask(stand.Model(t, upstream, ""), user(stand.Question))
		p.Tools = tools()
		p.ToolChoice = anthropic.ToolChoiceUnionParam{OfTool: &anthropic.ToolChoiceToolParam{Name: "get_time"}}
		calls := blocks(call(t, p), "tool_use")
		if len(calls) != 1 || calls[0].Name != "get_time" {
			t.Errorf("%v", calls)
		}
	})
}
