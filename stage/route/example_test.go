package route_test

import (
	"fmt"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/breaker"
	"github.com/weir-gateway/weir/stage/route"
)

func ExampleTable() {
	table, err := route.NewTable(route.TableOptions{
		Providers: []string{"deepseek", "openai"},
		Models:    []route.Model{{Provider: "deepseek", Name: "deepseek-chat"}},
		Aliases:   map[string][]string{"smart": {"deepseek-chat", "openai/gpt-6"}},
		Make: func(provider, model string) (weir.Deployment, error) {
			return weir.Deployment{Name: provider + "/" + model, Provider: provider, Model: model}, nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, model := range []string{"smart", "deepseek-chat", "openai/not-listed", "deepseek-chta"} {
		deployments, reason, err := table.Resolve(&weir.Request{Model: model})
		if err != nil {
			fmt.Printf("%s: %s\n", model, weir.AsError(err).Hint)
			continue
		}
		fmt.Printf("%s: %d, first %s (%s)\n", model, len(deployments), deployments[0].Name, reason)
	}
	// Output:
	// smart: 2, first deepseek/deepseek-chat (alias)
	// deepseek-chat: 1, first deepseek/deepseek-chat (bare name)
	// openai/not-listed: 1, first openai/not-listed (provider named, model not listed)
	// deepseek-chta: did you mean deepseek/deepseek-chat?
}

// Of four requests three go to b first, and the other deployment stands behind.
func ExampleBalance() {
	board := breaker.NewBoard(breaker.Options{MinCalls: 1})
	pool := []weir.Deployment{{Name: "a"}, {Name: "b"}}
	s := route.NewBalance(route.BalanceOptions{
		Method: route.Weighted,
		Target: func(d *weir.Deployment) route.Target {
			weights := map[string]int{"a": 1, "b": 3}
			return route.Target{Weight: weights[d.Name], Health: board.Health(d.Name)}
		},
	}, pool, nil)
	for range 4 {
		order := s.Order(&weir.Request{})
		fmt.Println(order[0].Name, "then", order[1].Name)
	}
	// Output:
	// b then a
	// a then b
	// b then a
	// b then a
}
