package degrade_test

import (
	"context"
	"fmt"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/degrade"
)

// A shop that can still say something when every model is down.
func Example() {
	m, err := degrade.New(degrade.Options{Rules: []degrade.Rule{
		{Pattern: `(?i)order\s+(?P<order>\d+)`, Answer: "You will find order {{match.order}} on shop.example/orders."},
		{Answer: "I cannot answer at the moment. Please try again in {{retry_after|60}} seconds."},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := weir.Chain(fails(weir.KindOverloaded), m)
	for _, prompt := range []string{"Where is order 4711?", "Tell me a joke."} {
		done, _ := weir.Collect(h.Handle(context.Background(), asks(prompt)))
		fmt.Println(done.Text())
	}
	// Output:
	// You will find order 4711 on shop.example/orders.
	// I cannot answer at the moment. Please try again in 60 seconds.
}
