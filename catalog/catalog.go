package catalog

import (
	"cmp"
	"embed"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

//go:embed data/*.json
var embedded embed.FS

// A Catalog is a set of providers. It is immutable and safe for concurrent use.
type Catalog struct {
	providers []*Provider // sorted by ID
	byName    map[string]*Provider
	byModel   map[string][]Ref // bare ids and aliases
}

// Default is the embedded catalogue, read on first use. It needs no network
// and no file. Should the embedded data be unreadable, which a test excludes,
// it is empty: every model is then unknown, and callable.
var Default = sync.OnceValue(func() *Catalog {
	dir, err := fs.Sub(embedded, "data")
	if err != nil {
		return index(nil)
	}
	c, err := Load(dir)
	if err != nil {
		return index(nil)
	}
	return c
})

// Load reads the *.json files of a directory, each one provider, and checks
// them: see Validate. The error is of KindInvalid and lists every problem with
// file and path.
func Load(dir fs.FS) (*Catalog, error) {
	files, err := fs.Glob(dir, "*.json")
	if err != nil {
		return nil, invalid(problem{message: err.Error()})
	}
	var list []*Provider
	var bad problems
	for _, file := range files {
		raw, err := fs.ReadFile(dir, file)
		if err != nil {
			bad.add(file, "", "%v", err)
			continue
		}
		p, err := decodeProvider(raw)
		if err != nil {
			bad.addAll(file, err)
			continue
		}
		bad.addAll(file, p.Validate())
		list = append(list, p)
	}
	bad.addAll("", checkNames(list))
	if len(bad) > 0 {
		return nil, invalid(bad...)
	}
	return index(list), nil
}

// Providers are all providers, sorted by ID. The slice is the caller's own.
func (c *Catalog) Providers() []*Provider { return slices.Clone(c.providers) }

// Provider is the provider with an id or alias, nil when there is none.
func (c *Catalog) Provider(id string) *Provider { return c.byName[strings.ToLower(id)] }

// Model is the provider's model with an id or alias, nil when it is not known;
// such a model can be called nevertheless.
func (p *Provider) Model(id string) *Model {
	for _, m := range p.Models {
		if m.ID == id || slices.Contains(m.Aliases, id) {
			return m
		}
	}
	return nil
}

// index builds the tables. The providers have been validated.
func index(list []*Provider) *Catalog {
	c := &Catalog{providers: slices.Clone(list), byName: map[string]*Provider{}, byModel: map[string][]Ref{}}
	slices.SortFunc(c.providers, func(a, b *Provider) int { return cmp.Compare(a.ID, b.ID) })
	for _, p := range c.providers {
		c.byName[p.ID] = p
		for _, a := range p.Aliases {
			c.byName[a] = p
		}
		for _, m := range p.Models {
			c.enter(p, m, m.ID)
			for _, a := range m.Aliases {
				c.enter(p, m, a)
			}
		}
	}
	for _, refs := range c.byModel {
		slices.SortStableFunc(refs, func(a, b Ref) int { return cmp.Compare(a.rank(), b.rank()) })
	}
	return c
}

func (c *Catalog) enter(p *Provider, m *Model, name string) {
	c.byModel[name] = append(c.byModel[name], Ref{Provider: p, Model: m, Name: m.ID})
}
