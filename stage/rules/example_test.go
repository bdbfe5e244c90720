package rules_test

import (
	"context"
	"fmt"
	"iter"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/rules"
)

// One name for every prompt, and the model that suits it.
func Example() {
	r, err := rules.New(rules.Options{Lists: []rules.List{{
		Model: "auto",
		Rules: []rules.Rule{
			{When: "tokens > 32000 || thinking", Use: "large"},
			{When: `language == "zh" && tools == 0`, Use: "deepseek/deepseek-chat"},
		},
		Default: "fast",
	}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	echo := weir.HandlerFunc(func(_ context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		return func(func(weir.Event, error) bool) { fmt.Println("to", req.Model) }
	})
	h := weir.Chain(echo, r.Middleware())
	for _, prompt := range []string{"What is a weir?", "什么是堰？"} {
		req := weir.NewRequest("auto", &weir.Body{Messages: []weir.Message{weir.UserText(prompt)}})
		done, _ := weir.Collect(h.Handle(context.Background(), req))
		fmt.Println(done.Notes[0].(*rules.Note).Reason)
	}
	// Output:
	// to fast
	// auto: no rule holds
	// to deepseek/deepseek-chat
	// auto: rule 2: language == "zh" && tools == 0
}
