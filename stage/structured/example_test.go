package structured_test

import (
	"context"
	"fmt"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/structured"
)

// A model that knows no schemas, and forgets a member at first.
func Example() {
	model := gives(
		says("Sure!\n```json\n{\"age\": 36}\n```"),
		says(`{"name": "Ada", "age": 36}`),
	)
	h := structured.New(structured.Options{Support: structured.Prompt})(model)
	done, err := weir.Collect(h.Handle(context.Background(), asks(person())))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(done.Text())
	for _, n := range done.Notes {
		if n, ok := n.(*structured.Note); ok {
			fmt.Println("asks:", n.Asks, "valid:", n.Valid)
		}
	}
	// Output:
	// {"name": "Ada", "age": 36}
	// asks: 2 valid: true
}
