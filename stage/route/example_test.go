package route_test

import (
	"fmt"

	"github.com/weir-gateway/weir"
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
