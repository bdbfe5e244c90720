package ledger_test

import (
	"context"
	"fmt"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/ledger"
)

func Example() {
	ring := ledger.NewRing(100)
	h := weir.Chain(plays(answer()...), ledger.New(ledger.Options{
		Sink:  ring,
		Drain: ledger.DefaultDrain,
		Price: prices,
	}))
	for range h.Handle(context.Background(), request()) {
		break // a client that leaves before any content
	}
	_, _ = weir.Collect(h.Handle(context.Background(), request()))
	for _, e := range ring.Entries() {
		fmt.Println(e.Outcome, e.Status, e.UsageState, e.Cost, e.CostKnown)
	}
	// Output:
	// answered 200 reported 0.00000011 USD true
	// canceled 499 unknown 0.00 false
}
