package attempt_test

import (
	"context"
	"fmt"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/attempt"
)

// A deployment that is overloaded, and another one behind it.
func Example() {
	deployment := func(name string, upstream weir.Handler) weir.Deployment {
		return weir.Deployment{Name: name, Handler: weir.Chain(upstream,
			attempt.Retry(attempt.RetryOptions{Deployment: name, PerDeployment: 1}),
			attempt.Timeout(attempt.TimeoutOptions{FirstToken: time.Minute, Idle: 30 * time.Second}),
		)}
	}
	req := weir.NewRequest("smart", &weir.Body{Messages: []weir.Message{weir.UserText("hi")}})
	req.Deployments = []weir.Deployment{
		deployment("busy/model", failing(weir.KindOverloaded, 503)),
		deployment("calm/model", scripts(answer("hello"))),
	}
	h := attempt.Fallback(attempt.FallbackOptions{})
	done, err := weir.Collect(h.Handle(context.Background(), req))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range done.Notes {
		if a, ok := n.(*weir.Attempt); ok && a.Err != nil {
			fmt.Println(a.Number, a.Deployment, a.Err.Kind)
		} else if ok {
			fmt.Println(a.Number, a.Deployment, "answers")
		}
	}
	fmt.Println(done.Text())
	// Output:
	// 1 busy/model overloaded
	// 2 calm/model answers
	// hello
}
