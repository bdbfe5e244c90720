package shadow_test

import (
	"context"
	"fmt"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/shadow"
)

// Every request is also answered by a model that is on trial.
func Example() {
	s, err := shadow.New(shadow.Options{
		Handler: &model{text: "a barrier across a river"},
		Targets: []shadow.Target{{Model: "on-trial", Percent: 100}},
		Compare: func(first, second string) float64 { return float64(len(second)) / float64(len(first)) },
		Sink: func(r *shadow.Result) {
			fmt.Printf("%s: %s, score %.1f, %d tokens\n", r.Second.Model, r.Second.Finish, r.Score, r.Second.Usage.Total())
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := weir.Chain(&model{text: "a low dam"}, s.Middleware())
	done, _ := weir.Collect(h.Handle(context.Background(), asks("r1")))
	fmt.Println(done.Text())
	s.Close(context.Background())
	// Unordered output:
	// a low dam
	// on-trial: stop, score 2.7, 10 tokens
}
