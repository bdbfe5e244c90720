package route

import (
	"cmp"
	"maps"
	"slices"

	"github.com/weir-gateway/weir"
)

// Models lists what p may ask for, aliases first and each group by name. The
// slice is the caller's.
func (t *Table) Models(p *weir.Principal) []Model {
	var out []Model
	for _, name := range slices.Sorted(maps.Keys(t.options.Aliases)) {
		if t.mayUse(p, name) {
			out = append(out, Model{Name: name})
		}
	}
	listed := slices.Clone(t.options.Models)
	slices.SortStableFunc(listed, func(a, b Model) int { return cmp.Compare(a.ID(), b.ID()) })
	for i, m := range listed {
		if i > 0 && listed[i-1].ID() == m.ID() {
			continue
		}
		if _, hidden := t.options.Aliases[m.ID()]; !hidden && t.mayUse(p, m.ID()) {
			out = append(out, m)
		}
	}
	return out
}

// Model is the entry of one name in Models, which may be asked for by its own
// name or one of its aliases alone.
func (t *Table) Model(p *weir.Principal, name string) (Model, bool) {
	for _, m := range t.Models(p) {
		if m.ID() == name || m.Provider != "" && (m.Name == name || slices.Contains(m.Aliases, name)) {
			return m, true
		}
	}
	return Model{}, false
}

// mayUse is permitted for a planned name. Deployments are not made for it: a
// listing must not cost what calls cost.
func (t *Table) mayUse(p *weir.Principal, name string) bool {
	if Allowed(p, name) {
		return true
	}
	plan := t.plans[name]
	if plan == nil {
		return false
	}
	for _, l := range plan.parts {
		if !Allowed(p, l.String()) {
			return false
		}
	}
	return len(plan.parts) > 0
}
