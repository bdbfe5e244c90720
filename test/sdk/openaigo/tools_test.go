package openaigo

import (
	"testing"

	"github.com/openai/openai-go/v3"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

// results are what the tools come back with.
var results = map[string]string{"get_weather": stand.Weather, "get_time": stand.Time, "ping_server": "pong"}

func TestToolCallRoundTrip(t *testing.T) { // S-01, S-04, S-05, S-10
	for _, tt := range []struct {
		name, question string
		calls          [][2]string // name and arguments
	}{
		{"one tool", stand.AskWeather, [][2]string{{"get_weather", `{"city":"Paris"}`}}},
		{"two tools at once", stand.AskBoth, [][2]string{{"get_weather", `{"city":"Paris"}`}, {"get_time", `{"city":"Paris"}`}}},
		{"a tool without arguments", stand.AskPing, [][2]string{{"ping_server", `{}`}}},
	} {
		for _, streamed := range []bool{false, true} {
			name := tt.name
			if streamed {
				name += ", streamed"
			}
			t.Run(name, func(t *testing.T) {
				stand.EachUpstream(t, func(t *testing.T, upstream string) {
					t.Parallel()
					roundTrip(t, upstream, tt.question, tt.calls, streamed)
				})
			})
		}
	}
}

func roundTrip(t *testing.T, upstream, question string, want [][2]string, streamed bool) {
	answer := func(p openai.ChatCompletionNewParams) openai.ChatCompletion {
		if streamed {
			return mustStream(t, p)
		}
		return *call(t, p)
	}
	p := ask(stand.Model(t, upstream, ""), openai.UserMessage(question))
	p.Tools = tools()
	first := answer(p)
	message := first.Choices[0].Message
	if first.Choices[0].FinishReason != "tool_calls" {
		t.Errorf("finish reason %q", first.Choices[0].FinishReason)
	}
	checkUsage(t, first.Usage)
	if len(message.ToolCalls) != len(want) {
		t.Fatalf("%d tool calls, want %d: %s", len(message.ToolCalls), len(want), message.RawJSON())
	}
	p.Messages = append(p.Messages, message.ToParam())
	ids := map[string]bool{}
	for i, c := range message.ToolCalls {
		if c.Function.Name != want[i][0] || c.ID == "" || ids[c.ID] {
			t.Errorf("tool call %d is %q with id %q", i, c.Function.Name, c.ID)
		}
		ids[c.ID] = true
		stand.SameJSON(t, c.Function.Arguments, want[i][1])
		p.Messages = append(p.Messages, openai.ToolMessage(results[c.Function.Name], c.ID))
	}
	final := answer(p)
	if final.Choices[0].FinishReason != "stop" {
		t.Errorf("finish reason %q", final.Choices[0].FinishReason)
	}
	for _, w := range want {
		stand.Has(t, final.Choices[0].Message.Content, w[0], results[w[0]])
	}
}

func TestToolChoice(t *testing.T) { // S-11
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		if upstream == stand.Ollama {
			return // its API has no such choice
		}
		p := ask(stand.Model(t, upstream, ""), openai.UserMessage(stand.Question))
		p.Tools = tools()
		p.ToolChoice = openai.ToolChoiceOptionFunctionToolChoice(openai.ChatCompletionNamedToolChoiceFunctionParam{Name: "get_time"})
		calls := call(t, p).Choices[0].Message.ToolCalls
		if len(calls) != 1 || calls[0].Function.Name != "get_time" {
			t.Errorf("%v", calls)
		}
		p.ToolChoice = openai.ChatCompletionToolChoiceOptionUnionParam{OfAuto: openai.String("none")}
		p.Messages[0] = openai.UserMessage(stand.AskWeather)
		if calls := call(t, p).Choices[0].Message.ToolCalls; len(calls) != 0 {
			t.Errorf("tool choice none: %v", calls)
		}
	})
}
