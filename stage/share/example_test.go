package share_test

import (
	"context"
	"fmt"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/share"
)

// A request that is sent again, since its client did not see the answer.
func Example() {
	upstream := &upstream{text: "hello"}
	idempotency := share.NewIdempotency(share.IdempotencyOptions{
		Key: func(req *weir.Request) string { return req.Labels["tenant"] + " " + req.Labels["idempotency-key"] },
	})
	h := weir.Chain(upstream, idempotency.Middleware(), share.New(share.Options{Key: share.Digest}).Middleware())
	for range 2 {
		req := weir.NewWireRequest(&weir.Wire{Protocol: weir.OpenAIChat, Body: []byte(`{"model":"m"}`)}, nil)
		req.Labels = map[string]string{"tenant": "a", "idempotency-key": "0c5e"}
		done, err := weir.Collect(h.Handle(context.Background(), req))
		if err != nil {
			fmt.Println(err)
			return
		}
		source := "upstream"
		for _, n := range done.Notes {
			if r, ok := n.(*share.Reused); ok {
				source = r.How
			}
		}
		fmt.Println(done.Text(), "from", source)
	}
	fmt.Println(upstream.calls.Load(), "call")
	// Output:
	// hello from upstream
	// hello from replayed
	// 1 call
}
