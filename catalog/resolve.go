package catalog

import "strings"

// A Ref is a model at a provider.
type Ref struct {
	Provider *Provider
	// Model is nil when the catalogue does not know the model. It can be
	// called nevertheless.
	Model *Model
	// Name is the provider's own name of the model, for the wire.
	Name string
}

// String is "provider/model".
func (r Ref) String() string { return r.Provider.ID + "/" + r.Name }

// rank puts makers before those who host their models.
func (r Ref) rank() int {
	if r.Model != nil && (r.Provider.Hosted || r.Model.Hosted) {
		return 1
	}
	return 0
}

// Resolve lists what a name may mean, the best first. "provider/model" means
// that provider, whether the model is known or not. Any name can also be a
// model's id or alias ("claude-opus-5-5"; aggregators have ids with a slash),
// where makers come before hosts and the rest is sorted by provider. Nothing
// is returned for a bare name that nobody lists.
func (c *Catalog) Resolve(name string) []Ref {
	var refs []Ref
	if head, rest, ok := strings.Cut(name, "/"); ok && rest != "" {
		if p := c.Provider(head); p != nil {
			refs = append(refs, p.Ref(rest))
		}
	}
	return append(refs, c.byModel[name]...)
}

// Ref is a model at the provider, with an alias replaced by the id.
func (p *Provider) Ref(model string) Ref {
	if m := p.Model(model); m != nil {
		return Ref{Provider: p, Model: m, Name: m.ID}
	}
	return Ref{Provider: p, Name: model}
}
