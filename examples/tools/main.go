// Command tools lets a model call a function and answers with its result:
//
//	OPENAI_API_KEY=… go run ./examples/tools openai/gpt-6-luna
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/provider"
)

var weather = weir.Tool{
	Type:        weir.ToolFunction,
	Name:        "weather",
	Description: "the weather in a city now",
	Schema:      []byte(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`),
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: tools MODEL")
	}
	model, err := provider.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	messages := []weir.Message{weir.UserText("Use the weather tool: what is the weather in Hangzhou?")}
	for {
		body := &weir.Body{Messages: messages, Tools: []weir.Tool{weather}}
		answer, err := weir.Collect(model.Handle(context.Background(), weir.NewRequest(os.Args[1], body)))
		if err != nil {
			log.Fatal(err)
		}
		calls := answer.ToolCalls()
		if len(calls) == 0 {
			fmt.Println(answer.Text())
			return
		}
		messages = append(messages, answer.Choices[0].Message)
		for _, call := range calls {
			fmt.Println("the model calls", call.Name, call.Arguments)
			messages = append(messages, weir.ToolResultText(call.ID, look(call.Arguments)))
		}
	}
}

// look is the tool. What a model writes need not be what was asked for.
func look(arguments string) string {
	var args struct{ City string }
	if err := json.Unmarshal([]byte(arguments), &args); err != nil || args.City == "" {
		return "error: say which city"
	}
	return "sunny, 24 °C in " + args.City
}
