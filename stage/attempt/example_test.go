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

// A deployment that is slow today, and another one beside it.
func ExampleHedge() {
	req := weir.NewRequest("smart", &weir.Body{Messages: []weir.Message{weir.UserText("hi")}})
	req.Deployments = []weir.Deployment{
		{Name: "slow/model", Handler: scripts(append([]step{wait(time.Hour)}, answer("late")...))},
		{Name: "quick/model", Handler: scripts(answer("hello"))},
	}
	h := attempt.Fallback(attempt.FallbackOptions{Hedge: &attempt.Hedge{
		Delay:  func(*weir.Deployment) (time.Duration, bool) { return 10 * time.Millisecond, true },
		Budget: attempt.NewBudget(attempt.BudgetOptions{Floor: 1}),
	}})
	done, err := weir.Collect(h.Handle(context.Background(), req))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range done.Notes {
		if h, ok := n.(*attempt.Hedged); ok {
			fmt.Println(h.Deployment, "beside", h.Beside, "after", h.After)
		}
	}
	fmt.Println(done.Text())
	// Output:
	// quick/model beside slow/model after 10ms
	// hello
}

// An answer that breaks in the middle, and goes on elsewhere.
func ExampleContinue() {
	req := weir.NewRequest("smart", &weir.Body{Messages: []weir.Message{weir.UserText("tell me a story")}})
	req.Deployments = []weir.Deployment{
		{Name: "frail/model", Handler: scripts(cut("Once upon "))},
		{Name: "sturdy/model", Handler: scripts(answer(" a time"))},
	}
	h := weir.Chain(attempt.Fallback(attempt.FallbackOptions{}), attempt.Continue(attempt.ContinueOptions{
		Enabled: func(req *weir.Request) bool { return req.Model == "smart" },
		Prefill: func(*weir.Deployment) bool { return true },
	}))
	done, err := weir.Collect(h.Handle(context.Background(), req))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range done.Notes {
		if c, ok := n.(*attempt.Continued); ok {
			fmt.Println(c.Deployment, "broke after", c.Bytes, "bytes,", c.To, "goes on")
		}
	}
	fmt.Println(done.Text())
	// Output:
	// frail/model broke after 10 bytes, sturdy/model goes on
	// Once upon a time
}
