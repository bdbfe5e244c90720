package gateway

import (
	"maps"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
)

// noModel stands for a model in the name of a deployment that serves what has none.
const noModel = "-"

// AccountProvider is the name to ask for what belongs to a provider's account
// and not to a model. asked is the provider that the client named; empty is the
// only one that is on. Errors are KindInvalid and name the choice.
func (s *Snapshot) AccountProvider(asked string) (string, error) {
	if asked != "" {
		if slices.Contains(s.restful, asked) {
			return asked + "/" + noModel, nil
		}
		return "", s.whichProvider("no provider %q serves this here", asked)
	}
	if len(s.restful) == 1 {
		return s.restful[0] + "/" + noModel, nil
	}
	return "", s.whichProvider("the request names no model and no provider")
}

func (s *Snapshot) whichProvider(format string, args ...any) error {
	e := weir.Invalid("x-weir-provider", format, args...)
	e.Hint = "set the header x-weir-provider to one of: " + strings.Join(s.restful, ", ")
	if len(s.restful) == 0 {
		e.Hint = "switch on a provider that speaks OpenAI's protocols"
	}
	return e
}

// restful are the providers whose accounts can be asked.
func (b *builder) restful() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(b.byName)), func(name string) bool {
		return !slices.ContainsFunc(b.byName[name].provider.Endpoints, func(e catalog.Endpoint) bool {
			return e.Protocol == weir.OpenAIChat || e.Protocol == weir.OpenAIREST
		})
	})
}
