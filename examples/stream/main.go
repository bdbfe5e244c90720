// Command stream asks a model and prints the answer as it comes:
//
//	DEEPSEEK_API_KEY=… go run ./examples/stream deepseek/deepseek-flash "你好"
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/provider"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: stream MODEL PROMPT")
	}
	model, err := provider.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	req := weir.NewRequest(os.Args[1], &weir.Body{Messages: []weir.Message{weir.UserText(os.Args[2])}})
	req.Stream = true
	for ev, err := range model.Handle(context.Background(), req) {
		if err != nil {
			log.Fatal(err)
		}
		if ev.Type == weir.EventDelta && ev.Part == weir.PartText {
			fmt.Print(ev.Text)
		}
	}
	fmt.Println()
}
