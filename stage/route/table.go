package route

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
)

// maxName bounds a model name that comes from outside, in bytes.
const maxName = 256

// A Model is something that can be asked for by name.
type Model struct {
	Provider string   // who serves it; empty in a listing for an alias
	Name     string   // the provider's own name of it
	Aliases  []string // the provider's other names of it
	Display  string   // for people; empty when there is none
	Created  int64    // Unix seconds, 0 when not known
	// Hosted tells that the provider is not the model's maker. A bare name
	// means the maker where both are configured.
	Hosted bool
}

// ID is the name under which the model can always be called: "provider/name",
// or the alias.
func (m Model) ID() string {
	if m.Provider == "" {
		return m.Name
	}
	return m.Provider + "/" + m.Name
}

// TableOptions are what a Table is made of.
type TableOptions struct {
	// Providers are the names of the configured ones. "provider/model" is
	// callable for each, whether or not the model is known.
	Providers []string
	// Models are those that are known, of configured providers only.
	Models []Model
	// Aliases maps a name to what it stands for, best first: other aliases,
	// "provider/model" or bare names. An alias hides a model of its name,
	// and may list that.
	Aliases map[string][]string
	// Fallbacks are appended to what a name stands for; "*" for every name.
	Fallbacks map[string][]string
	// Make makes the deployment of a model. It is called on first use of the
	// name and must be cheap and safe for concurrent use.
	Make func(provider, model string) (weir.Deployment, error)
	// Strategy makes the strategy of a name that stands for several deployments:
	// its own and those of its fallbacks. It is called on first use of the name.
	// Where it is nil or returns nil, they are tried as they are listed.
	Strategy func(name string, own, fallbacks []weir.Deployment) Strategy
	// Splits send a name's requests to different models. What the name stands
	// for as an alias (its variants, where it is none) follows as fallbacks.
	Splits map[string]*Split
	// OnDemand is how many unlisted models are kept made. 0 is 1024.
	OnDemand int
}

// A Table is a Resolver over fixed lists. It is not modified after NewTable,
// but for a bounded store of models that were called without being listed.
type Table struct {
	options  TableOptions
	plans    map[string]*plan
	made     map[string]*lazy // deployments of listed models by "provider/model"
	bare     map[string][]Model
	onDemand *recent
}

// NewTable checks the options and makes a Table. All that is wrong is reported
// at once.
func NewTable(o TableOptions) (*Table, error) {
	if o.Make == nil {
		return nil, errors.New("route: TableOptions.Make is nil")
	}
	if o.OnDemand <= 0 {
		o.OnDemand = 1024
	}
	t := &Table{options: o, plans: map[string]*plan{}, made: map[string]*lazy{}, bare: map[string][]Model{}, onDemand: newRecent(o.OnDemand)}
	for _, m := range o.Models {
		t.list(m)
	}
	t.listSplits()
	return t, t.compile()
}

// list enters a model under its bare names.
func (t *Table) list(m Model) {
	for _, name := range append([]string{m.Name}, m.Aliases...) {
		known := func(have Model) bool { return have.Provider == m.Provider }
		if !slices.ContainsFunc(t.bare[name], known) {
			t.bare[name] = append(t.bare[name], m)
		}
	}
}

// compile plans every name that is known now.
func (t *Table) compile() error {
	var problems []error
	add := func(name, reason string) {
		refs, own, err := t.expand(name)
		if err != nil {
			problems = append(problems, fmt.Errorf("model %q: %w", name, err))
			return
		}
		t.plans[name] = t.plan(name, refs, own, reason)
	}
	for _, m := range t.options.Models {
		add(m.ID(), "provider and model named")
	}
	for name, offers := range t.bare {
		if len(t.choose(offers)) == 1 {
			add(name, "bare name")
		}
	}
	for name := range t.options.Aliases {
		add(name, "alias")
	}
	for _, name := range t.variants() {
		add(name, "provider and model named")
	}
	return errors.Join(problems...)
}

// Resolve implements Resolver.
func (t *Table) Resolve(req *weir.Request) ([]weir.Deployment, string, error) {
	if s := t.options.Splits[req.Model]; s != nil {
		return t.split(s, req)
	}
	if p := t.plans[req.Model]; p != nil {
		return p.order(req)
	}
	if err := checkName(req.Model); err != nil {
		return nil, "", err
	}
	if provider, model, ok := t.qualified(req.Model); ok {
		return t.demand(req, req.Model, provider, model)
	}
	if offers := t.offers(req.Principal, req.Model); len(offers) == 1 {
		return t.demand(req, offers[0].ID(), offers[0].Provider, offers[0].Name)
	} else if len(offers) > 1 {
		return nil, "", ambiguous(req.Model, offers)
	}
	return nil, "", t.unknown(req)
}

// qualified splits "provider/model" of a configured provider.
func (t *Table) qualified(name string) (provider, model string, ok bool) {
	provider, model, ok = strings.Cut(name, "/")
	return provider, model, ok && model != "" && slices.Contains(t.options.Providers, provider)
}

// demand is the plan of a model that is not listed, or not under that name.
func (t *Table) demand(req *weir.Request, name, provider, model string) ([]weir.Deployment, string, error) {
	if p := t.plans[name]; p != nil {
		return p.order(req)
	}
	if p := t.onDemand.get(name); p != nil {
		return p.order(req)
	}
	refs := []ref{{provider, model}}
	for _, next := range t.options.Fallbacks["*"] {
		more, err := t.base(next, nil)
		if err != nil {
			return nil, "", err
		}
		refs = append(refs, more...)
	}
	p := t.plan(name, refs, 1, "provider named, model not listed")
	t.onDemand.put(name, p)
	return p.order(req)
}

// choose narrows offers of one bare name to the maker's, if there is one maker.
func (t *Table) choose(offers []Model) []Model {
	var makers []Model
	for _, m := range offers {
		if !m.Hosted {
			makers = append(makers, m)
		}
	}
	if len(makers) == 1 {
		return makers
	}
	return offers
}

// offers are the models of a bare name that p may use.
func (t *Table) offers(p *weir.Principal, name string) []Model {
	all := t.bare[name]
	if Allowed(p, name) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(m Model) bool { return !Allowed(p, m.ID()) })
}

func checkName(name string) error {
	switch {
	case name == "":
		return weir.Invalid("model", "the model is missing")
	case len(name) > maxName:
		return weir.Invalid("model", "the model name is longer than %d bytes", maxName)
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return weir.Invalid("model", "the model name has control characters")
	}
	return nil
}
