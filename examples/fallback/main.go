// Command fallback asks the first model of a list that answers:
//
//	go run ./examples/fallback "你好" deepseek/deepseek-flash qwen/qwen3.6-flash
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/provider"
	"github.com/weir-gateway/weir/stage/attempt"
)

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: fallback PROMPT MODEL…")
	}
	req := weir.NewRequest(os.Args[2], &weir.Body{Messages: []weir.Message{weir.UserText(os.Args[1])}})
	for _, name := range os.Args[2:] {
		model, err := provider.Open(name)
		if err != nil {
			log.Fatal(err)
		}
		req.Deployments = append(req.Deployments, weir.Deployment{
			Name: name, Handler: weir.Chain(model, attempt.Retry(attempt.RetryOptions{Deployment: name})),
		})
	}
	answer, err := weir.Collect(attempt.Fallback(attempt.FallbackOptions{}).Handle(context.Background(), req))
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range answer.Notes {
		if a, ok := n.(*weir.Attempt); ok {
			fmt.Fprintln(os.Stderr, "attempt", a.Number, "at", a.Deployment, "error:", a.Err != nil)
		}
	}
	fmt.Println(answer.Text())
}
