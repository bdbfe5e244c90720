package weir_test

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/sim"
	"github.com/weir-gateway/weir/stage/attempt"
)

// model stands for any Handler: provider.Open("deepseek/deepseek-flash") makes
// one that calls DeepSeek with the key in DEEPSEEK_API_KEY.
var model = sim.New(sim.Options{Reply: "Water flows downhill."})

func ExampleCollect() {
	req := weir.NewRequest("sim", &weir.Body{Messages: []weir.Message{weir.UserText("Where does water flow?")}})
	answer, err := weir.Collect(model.Handle(context.Background(), req))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Text())
	fmt.Println(answer.Choices[0].Finish.Reason)
	// Output:
	// Water flows downhill.
	// stop
}

func ExampleHandler_stream() {
	req := weir.NewRequest("sim", &weir.Body{Messages: []weir.Message{weir.UserText("Where does water flow?")}})
	req.Stream = true
	for ev, err := range model.Handle(context.Background(), req) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if ev.Type == weir.EventDelta && ev.Part == weir.PartText {
			fmt.Print(ev.Text) // piece by piece; break at any time ends the call
		}
	}
	fmt.Println()
	// Output: Water flows downhill.
}

func ExampleToolCall() {
	weather := weir.Tool{
		Type: weir.ToolFunction, Name: "weather", Description: "the weather in a city",
		Schema: []byte(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`),
	}
	model := sim.New(sim.Options{ToolCalls: sim.ToolCallsAlways})
	messages := []weir.Message{weir.UserText("What is the weather in Hangzhou?")}
	for {
		req := weir.NewRequest("sim", &weir.Body{Messages: messages, Tools: []weir.Tool{weather}})
		answer, err := weir.Collect(model.Handle(context.Background(), req))
		if err != nil {
			fmt.Println(err)
			return
		}
		messages = append(messages, answer.Choices[0].Message)
		calls := answer.ToolCalls()
		if len(calls) == 0 {
			fmt.Println("answered after", len(messages), "messages")
			return
		}
		for _, call := range calls {
			fmt.Println("the model calls", call.Name)
			messages = append(messages, weir.ToolResultText(call.ID, "sunny, 24 °C"))
		}
	}
	// Output:
	// the model calls weather
	// answered after 4 messages
}

// A stage is a Handler around a Handler. Retry and Fallback are two that the
// gateway uses as well.
func ExampleChain() {
	broken := weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		return weir.Fail(weir.Errorf(weir.KindOverloaded, "busy"))
	})
	once := attempt.RetryOptions{PerDeployment: 1}
	req := weir.NewRequest("fast", &weir.Body{Messages: []weir.Message{weir.UserText("Where does water flow?")}})
	req.Deployments = []weir.Deployment{
		{Name: "first", Handler: weir.Chain(broken, attempt.Retry(once))},
		{Name: "second", Handler: weir.Chain(model, attempt.Retry(once))},
	}
	answer, err := weir.Collect(attempt.Fallback(attempt.FallbackOptions{}).Handle(context.Background(), req))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Text())
	// Output: Water flows downhill.
}

func ExampleError() {
	err := error(weir.Errorf(weir.KindRateLimit, "too many requests"))
	if errors.Is(err, weir.KindRateLimit) {
		e := weir.AsError(err)
		fmt.Println(e.HTTPStatus(weir.AnthropicMessages), e.Kind.Type(weir.AnthropicMessages), e.Kind.Retryable())
	}
	// Output: 429 rate_limit_error true
}
