package breaker_test

import (
	"context"
	"fmt"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/breaker"
)

// A deployment that fails is given a rest.
func ExampleBoard() {
	board := breaker.NewBoard(breaker.Options{
		MinCalls: 3,
		OnChange: func(c breaker.Change) { fmt.Println(c.Deployment, "is", c.To, "since", c.Reason) },
	})
	down := weir.HandlerFunc(replies(broken(weir.KindOverloaded)).Handle)
	h := weir.Chain(down, board.Health("busy/model").Wrap)
	for range 4 {
		_, err := weir.Collect(h.Handle(context.Background(), weir.NewRequest("m", &weir.Body{})))
		fmt.Println(weir.AsError(err).Kind)
	}
	fmt.Println(board.List()[0].Failed, "calls were made")
	// Output:
	// overloaded
	// overloaded
	// busy/model is open since 3 of 3 calls failed within 1m0s, the last one: overloaded
	// overloaded
	// unavailable
	// 3 calls were made
}
