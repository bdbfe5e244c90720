package route

import (
	"maps"
	"slices"

	"github.com/weir-gateway/weir"
)

// listSplits makes an alias of every split name that is none, so that it is
// listed, planned and permitted like one.
func (t *Table) listSplits() {
	aliases := maps.Clone(t.options.Aliases)
	for name, s := range t.options.Splits {
		if _, known := aliases[name]; known {
			continue
		}
		if aliases == nil {
			aliases = map[string][]string{}
		}
		for _, v := range s.options.Variants {
			aliases[name] = append(aliases[name], v.Name)
		}
	}
	t.options.Aliases = aliases
}

// variants are the names of variants that have no plan yet.
func (t *Table) variants() []string {
	names := map[string]bool{}
	for _, s := range t.options.Splits {
		for _, v := range s.options.Variants {
			if t.plans[v.Name] == nil {
				names[v.Name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// split is the deployments of the variant that the request is assigned to,
// followed by whatever else the name stands for: a canary that fails must not
// fail its requests. A variant of the split's own name is the alias itself.
func (t *Table) split(s *Split, req *weir.Request) ([]weir.Deployment, string, error) {
	i := s.Choose(req)
	chosen, _, err := t.plans[s.options.Variants[i].Name].order(req)
	rest, _, restErr := t.plans[req.Model].deployments()
	if err != nil && restErr != nil {
		return nil, "", err
	}
	out := slices.Clone(chosen)
	for _, d := range rest {
		if !slices.ContainsFunc(chosen, func(have weir.Deployment) bool { return have.Name == d.Name }) {
			out = append(out, d)
		}
	}
	return out, s.reasons[i], nil
}
