package gateway

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/provider"
	"github.com/weir-gateway/weir/stage/route"
	"github.com/weir-gateway/weir/stage/structured"
)

// SimName is the name of the simulated provider, and simModel of its model.
const (
	SimName  = "sim"
	simModel = "weir-sim"
)

// table is what model names stand for.
func (b *builder) table() (*route.Table, error) {
	splits, err := b.splits()
	if err != nil {
		return nil, err
	}
	o := route.TableOptions{Aliases: map[string][]string{}, Fallbacks: map[string][]string{}, Make: b.make, Strategy: b.strategy, Splits: splits}
	for name, m := range b.cfg.Models {
		o.Aliases[name] = m.Deployments
		if next := b.fallbacks(name, nil); len(next) > 0 {
			o.Fallbacks[name] = next
		}
	}
	now := time.Now()
	for _, name := range slices.Sorted(maps.Keys(b.byName)) {
		o.Providers = append(o.Providers, name)
		p := b.byName[name].provider
		for _, m := range p.Models {
			if !m.IsRetired(now) {
				o.Models = append(o.Models, route.Model{Provider: name, Name: m.ID, Aliases: m.Aliases, Display: m.Name, Hosted: p.Hosted || m.Hosted})
			}
		}
	}
	if b.gateway.options.Simulated != nil {
		o.Providers = append(o.Providers, SimName)
		if b.simulated {
			o.Models = append(o.Models, route.Model{Provider: SimName, Name: simModel, Aliases: []string{SimName}, Display: "Weir's simulated model"})
		} else {
			o.Aliases[SimName] = []string{SimName + "/" + simModel}
		}
	}
	return route.NewTable(o)
}

// fallbacks are a model's fallbacks, and theirs after them. A circle ends where
// it meets itself.
func (b *builder) fallbacks(name string, visited []string) []string {
	if slices.Contains(visited, name) {
		return nil
	}
	visited = append(visited, name)
	var out []string
	for _, next := range b.cfg.Models[name].Fallbacks {
		if !slices.Contains(visited, next) {
			out = append(out, next)
			out = append(out, b.fallbacks(next, visited)...)
		}
	}
	return out
}

// resolver asks the table, and knows better when the table does not know: a
// provider of the catalogue may just lack its key, and while no provider is on
// the simulated one answers to every name.
type resolver struct {
	*route.Table
	builder *builder
}

// Resolve implements route.Resolver.
func (r *resolver) Resolve(req *weir.Request) ([]weir.Deployment, string, error) {
	deployments, reason, err := r.Table.Resolve(req)
	if err == nil {
		return r.builder.toItsMaker(req, deployments), reason, nil
	}
	if weir.AsError(err).Kind != weir.KindModelNotFound {
		return deployments, reason, err
	}
	if r.builder.simulated {
		d, err := r.builder.make(SimName, simModel)
		return []weir.Deployment{d}, "no provider is on", err
	}
	if name, _, ok := strings.Cut(req.Model, "/"); ok && r.builder.byName[name] == nil && r.builder.gateway.options.Catalog.Provider(name) != nil {
		return nil, "", r.builder.notOn(name)
	}
	return nil, "", err
}

// make makes the deployment of a model at a provider. A model that the
// catalogue does not know is called by the name that was asked for (B-12).
func (b *builder) make(providerName, model string) (weir.Deployment, error) {
	name := providerName + "/" + model
	if providerName == SimName && b.gateway.options.Simulated != nil {
		simulated := demands{support: structured.Native}
		return b.deployment(name, SimName, model, b.cfg.Timeouts, 0, simulated, b.gateway.options.Simulated), nil
	}
	a := b.byName[providerName]
	if a == nil {
		return weir.Deployment{}, b.notOn(providerName)
	}
	o, call, err := b.upstream(a, name, model)
	if err != nil {
		return weir.Deployment{}, err
	}
	known := a.provider.Model(model)
	d := b.deployment(name, a.name, o.Model, a.timeouts, a.maxConns, demandsOf(&o, known), call)
	d.Unfit, d.Prefills = unfit(known), goesOn(&o)
	return d, nil
}

// upstream is the handler that calls a model, and the options that it is made of.
func (b *builder) upstream(a *account, name, model string) (provider.Options, weir.Handler, error) {
	o, err := provider.FromCatalog(a.provider, model, a.keys)
	if err != nil {
		return o, nil, err
	}
	o.Name, o.Provider, o.Header = name, a.name, a.header
	o.MaxFrameBytes, o.MaxBodyBytes = int(b.cfg.Limits.Frame), int(b.cfg.Limits.Answer)
	o.Transport = b.gateway.options.Transport
	if o.Transport == nil {
		o.Transport = b.gateway.state.transport(transportKey{a.name, a.timeouts.Connect, a.maxConns})
	}
	call, err := provider.New(o)
	return o, call, err
}

// notOn says why a provider cannot be called: switched off, without a key, or
// unknown.
func (b *builder) notOn(name string) error {
	p := b.gateway.options.Catalog.Provider(name)
	if p == nil {
		return weir.Errorf(weir.KindModelNotFound, "there is no provider %q", name)
	}
	e := weir.Errorf(weir.KindModelNotFound, "the provider %q is not on", name)
	if b.cfg.Providers[name].Disabled {
		e.Hint = "the configuration has disabled it"
	} else {
		e.Hint = "set " + b.switches(p) + " and restart, or add it under providers in weir.yaml"
	}
	return e
}

// switches are the variables that would switch a provider on.
func (b *builder) switches(p *catalog.Provider) string {
	names := firstOf(p.Keys())
	if len(p.CredentialEnv) > 0 {
		names += " or " + p.CredentialEnv[0]
	}
	if _, err := p.WithVariables(b.gateway.options.Lookup); err != nil {
		names += ", and " + strings.TrimPrefix(weir.AsError(err).Hint, "set ") + ","
	}
	return names
}

// describe is what is known about a name that can be called.
func (b *builder) describe(m route.Model) ModelInfo {
	info := ModelInfo{ID: m.ID(), Name: cmp.Or(m.Display, m.Name), Provider: m.Provider}
	target := m.ID()
	if m.Provider == "" && m.Name == SimName {
		info.Provider, info.Name, info.Targets = SimName, "Weir's simulated model", []string{SimName + "/" + simModel}
	} else if m.Provider == "" {
		info.Provider = "weir"
		info.Targets = slices.Concat(b.cfg.Models[m.Name].Deployments, b.cfg.Models[m.Name].Fallbacks)
		if len(info.Targets) > 0 {
			target = info.Targets[0]
		}
	}
	providerName, model, _ := strings.Cut(target, "/")
	info.Tools, info.Vision, info.Thinks = true, true, true // until something else is known (B-12)
	if a := b.byName[providerName]; a != nil {
		if known := a.provider.Model(model); known != nil {
			info.know(known)
		}
	}
	return info
}

func (b *builder) on() []ProviderInfo {
	var out []ProviderInfo
	for _, name := range slices.Sorted(maps.Keys(b.byName)) {
		a := b.byName[name]
		info := ProviderInfo{Name: name, Source: a.source, Keys: a.keys.Len(), Models: len(a.provider.Models)}
		if len(a.provider.Endpoints) > 0 {
			info.URL = a.provider.Endpoints[0].BaseURL
		}
		out = append(out, info)
	}
	return out
}

func (b *builder) off() []OffInfo {
	var out []OffInfo
	for _, p := range b.gateway.options.Catalog.Providers() {
		if b.byName[p.ID] != nil || b.cfg.Providers[p.ID].Disabled {
			continue
		}
		variable := firstOf(p.Keys())
		if p.HostEnv != "" {
			variable = p.HostEnv
		}
		out = append(out, OffInfo{Name: p.ID, Variable: variable})
	}
	return out
}
