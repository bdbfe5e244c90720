package gateway

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/config"
	"github.com/weir-gateway/weir/provider"
	"github.com/weir-gateway/weir/stage/breaker"
)

// An account is a provider that is on: where it is, and with which keys.
type account struct {
	name     string
	provider *catalog.Provider // the catalogue's entry with the configuration laid over it
	keys     *provider.Credentials
	header   http.Header
	timeouts config.Timeouts
	maxConns int
	source   string
}

// builder makes one snapshot.
type builder struct {
	gateway   *Gateway
	cfg       *config.Config
	byName    map[string]*account
	simulated bool
	groups    map[string]*breaker.Group // of models whose deployments are peers
	observes  bool                      // it is asked what would be, and nothing is called
	holds     []any                     // what state is to find as long as the snapshot is in use
}

// accounts finds the providers that are on: those of the configuration, and
// those whose usual variable is set.
func (b *builder) accounts() error {
	b.byName = map[string]*account{}
	for _, name := range slices.Sorted(maps.Keys(b.cfg.Providers)) {
		p := b.cfg.Providers[name]
		if p.Disabled {
			continue
		}
		a, err := b.configured(name, p)
		if err != nil {
			return err
		}
		b.byName[name] = a
	}
	for _, found := range provider.FromEnv(b.gateway.options.Catalog, b.gateway.options.Lookup) {
		id := found.Provider.ID
		if _, said := b.cfg.Providers[id]; said {
			continue
		}
		if found.Err != nil {
			return found.Err
		}
		a := &account{name: id, provider: found.Provider, source: found.Variable, timeouts: b.cfg.Timeouts}
		switch {
		case found.SourceID != [32]byte{}:
			a.keys = b.gateway.state.sourced(id, found.SourceID, found.Credentials)
		case found.Credentials.Len() > 0:
			a.keys = b.gateway.state.keys(id, splitKeys(b.gateway.options.Lookup, found.Variable))
		}
		b.byName[id] = a
	}
	b.simulated = len(b.byName) == 0 && b.gateway.options.Simulated != nil
	return b.reachable()
}

// reachable checks that every deployment of the configuration belongs to a
// provider that is on: a fallback without a key is found when it is written,
// and not on the night when it is needed.
func (b *builder) reachable() error {
	var problems config.Problems
	for _, name := range slices.Sorted(maps.Keys(b.cfg.Models)) {
		m := b.cfg.Models[name]
		for _, d := range slices.Concat(m.Deployments, m.Fallbacks) {
			providerName, _, ok := strings.Cut(d, "/")
			if !ok || b.byName[providerName] != nil || providerName == SimName {
				continue
			}
			e := weir.AsError(b.notOn(providerName))
			pos, _ := b.cfg.Position("models." + name)
			problems = append(problems, &config.Problem{Position: pos, Path: "models." + name, Message: d + " cannot be called: " + e.Message, Hint: e.Hint})
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return problems
}

// configured lays one entry of the configuration over the catalogue.
func (b *builder) configured(name string, p config.Provider) (*account, error) {
	merged, err := b.merge(name, p)
	if err != nil {
		return nil, b.problem(name, err)
	}
	look := b.lookup(p)
	if merged, err = merged.WithVariables(look); err != nil {
		return nil, b.problem(name, err)
	}
	keys, err := b.credentials(name, merged, p, look)
	if err != nil {
		return nil, b.problem(name, err)
	}
	a := &account{
		name: name, provider: merged, keys: keys,
		header: http.Header{}, timeouts: override(b.cfg.Timeouts, p.Timeouts), maxConns: p.MaxConns, source: "weir.yaml",
	}
	for k, v := range p.Headers {
		a.header.Set(k, v)
	}
	if pos, ok := b.cfg.Position("providers." + name); ok {
		a.source = fmt.Sprintf("%s:%d", pos.File, pos.Line)
	}
	return a, nil
}

func (b *builder) problem(name string, err error) error {
	pos, _ := b.cfg.Position("providers." + name)
	e := weir.AsError(err)
	return config.Problems{{Position: pos, Path: "providers." + name, Message: e.Message, Hint: e.Hint}}
}

// lookup finds the variables of one provider: what the configuration says for
// it, then the environment.
func (b *builder) lookup(p config.Provider) config.Lookup {
	var said map[string]string
	if p.Auth != nil {
		_, said = p.Auth.Catalog()
	}
	return func(name string) (string, bool) {
		if v, ok := p.Variables[name]; ok {
			return v.Reveal(), true
		}
		if v, ok := said[name]; ok {
			return v, true
		}
		return b.gateway.options.Lookup(name)
	}
}

// credentials are the keys of an account, else what its scheme finds itself.
func (b *builder) credentials(name string, merged *catalog.Provider, p config.Provider, look config.Lookup) (*provider.Credentials, error) {
	keys, err := b.keysOf(merged, p, look)
	if err == nil || !merged.Auth.FindsOwn() {
		return b.gateway.state.keys(name, keys), err
	}
	src, id, err := provider.SourceFor(merged.Auth, look)
	if err != nil {
		return nil, err
	}
	return b.gateway.state.sourced(name, id, provider.FromSource(src)), nil
}

// sourced is the pool of an account whose credentials a source makes: one that
// has a token keeps it over a reload.
func (s *state) sourced(account string, id [32]byte, pool *provider.Credentials) *provider.Credentials {
	at := sha256.Sum256(append(id[:], account...))
	return remember(&s.mu, s.credentials, at, func() *provider.Credentials { return pool })
}

// merge is the catalogue's entry with what the configuration says over it.
func (b *builder) merge(name string, p config.Provider) (*catalog.Provider, error) {
	base := b.gateway.options.Catalog.Provider(cmp.Or(p.Like, name))
	out := &catalog.Provider{ID: name, Name: name, Keyless: p.Key == "" && len(p.Keys) == 0}
	if base != nil {
		clone := *base
		out = &clone
	}
	out.ID, out.Quirks = name, out.Quirks.Merge(p.Quirks)
	out.Models = mergeModels(out.Models, p.Models)
	moved, err := b.placed(base, out, p)
	if err != nil || p.Auth == nil {
		return moved, err
	}
	return withAuth(moved, p.Auth), nil
}

// withAuth is a provider with the configuration's way of sending a credential, at
// all of its endpoints.
func withAuth(p *catalog.Provider, a *config.Auth) *catalog.Provider {
	out := *p
	out.Auth, _ = a.Catalog()
	out.Keyless = out.Keyless && !out.Auth.FindsOwn()
	out.Endpoints = slices.Clone(p.Endpoints)
	for i := range out.Endpoints {
		out.Endpoints[i].Auth = nil
	}
	return &out
}

// placed is a provider at the addresses that the configuration gives.
func (b *builder) placed(base, out *catalog.Provider, p config.Provider) (*catalog.Provider, error) {
	switch {
	case p.BaseURL == "" && len(p.Endpoints) == 0:
		return b.addressed(out)
	case p.BaseURL != "" && base != nil && p.Protocol == "" && len(p.Endpoints) == 0:
		return out.WithBaseURL(p.BaseURL)
	}
	endpoints, err := endpointsOf(base, p)
	out.Endpoints = endpoints
	return out, err
}

// endpointsOf are the addresses that the configuration gives. They replace all
// of the catalogue's: a key must not go to the vendor's address once another
// was given.
func endpointsOf(base *catalog.Provider, p config.Provider) ([]catalog.Endpoint, error) {
	urls := maps.Clone(p.Endpoints)
	if urls == nil {
		urls = map[string]string{}
	}
	if p.BaseURL != "" {
		urls[cmp.Or(p.Protocol, string(weir.OpenAIChat))] = p.BaseURL
	}
	var out []catalog.Endpoint
	for _, protocol := range slices.Backward(slices.Sorted(maps.Keys(urls))) {
		e, err := endpointOver(base, weir.Protocol(protocol), urls[protocol])
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// endpointOver is an endpoint at a URL of the user's, which keeps the
// catalogue's authentication and quirks of that protocol.
func endpointOver(base *catalog.Provider, protocol weir.Protocol, raw string) (catalog.Endpoint, error) {
	url, err := catalog.NormalizeBaseURL(protocol, raw)
	if err != nil {
		return catalog.Endpoint{}, err
	}
	e := catalog.Endpoint{Protocol: protocol}
	if base != nil && base.Endpoint(protocol) != nil {
		e = *base.Endpoint(protocol)
	} else if protocol == weir.AnthropicMessages {
		e.Auth = &catalog.Auth{Scheme: catalog.AuthHeader, Header: "x-api-key"}
	}
	e.BaseURL, e.Models = url, nil
	return e, nil
}

// mergeModels lays the limits of the configuration over the models known, and
// adds those that are not.
func mergeModels(known []*catalog.Model, said []config.ProviderModel) []*catalog.Model {
	out := slices.Clone(known)
	for _, s := range said {
		i := slices.IndexFunc(out, func(m *catalog.Model) bool { return m.ID == s.ID })
		if i < 0 {
			out = append(out, &catalog.Model{ID: s.ID, Context: s.Context, MaxOutput: s.MaxOutput})
			continue
		}
		m := *out[i]
		m.Context, m.MaxOutput = cmp.Or(s.Context, m.Context), cmp.Or(s.MaxOutput, m.MaxOutput)
		out[i] = &m
	}
	return out
}

// keysOf are the keys of the configuration, else those of the usual variables:
// but never for an address that the vendor's key was not made for.
func (b *builder) keysOf(merged *catalog.Provider, p config.Provider, look config.Lookup) ([]string, error) {
	var keys []string
	for _, k := range append([]config.Secret{p.Key}, p.Keys...) {
		if k != "" {
			keys = append(keys, k.Reveal())
		}
	}
	if len(keys) > 0 || merged.Keyless {
		return keys, nil
	}
	for _, name := range merged.Keys() {
		if saysOwn(merged, p) {
			break
		}
		if keys := splitKeys(look, name); len(keys) > 0 {
			return keys, nil
		}
	}
	return nil, fmt.Errorf("there is no key: say key, or set %s", firstOf(merged.Keys()))
}

// saysOwn reports whether the configuration itself gives what a scheme that finds
// its own credentials is to find: a key of the environment then is another
// account's.
func saysOwn(merged *catalog.Provider, p config.Provider) bool {
	return merged.Auth.FindsOwn() && (p.Auth != nil || slices.ContainsFunc(merged.CredentialEnv, func(name string) bool { return p.Variables[name] != "" }))
}

// splitKeys are the keys in a variable, separated by commas.
func splitKeys(look config.Lookup, name string) []string {
	v, _ := look(name)
	var keys []string
	for k := range strings.SplitSeq(v, ",") {
		if k = strings.TrimSpace(k); k != "" {
			keys = append(keys, k)
		}
	}
	return keys
}

// addressed moves a provider to where its usual variables say, when the
// configuration does not say itself.
func (b *builder) addressed(p *catalog.Provider) (*catalog.Provider, error) {
	if v, _ := b.gateway.options.Lookup(p.BaseURLEnv()); p.BaseURLEnv() != "" && v != "" {
		return p.WithBaseURL(v)
	}
	if v, _ := b.gateway.options.Lookup(p.HostEnv); p.HostEnv != "" && v != "" {
		return p.WithHost(v)
	}
	return p, nil
}

func firstOf(names []string) string {
	if len(names) == 0 {
		return "keyless"
	}
	return names[0]
}

func override(t config.Timeouts, o *config.TimeoutsOverrides) config.Timeouts {
	if o == nil {
		return t
	}
	t.Connect = *cmp.Or(o.Connect, &t.Connect)
	t.FirstToken = *cmp.Or(o.FirstToken, &t.FirstToken)
	t.Idle = *cmp.Or(o.Idle, &t.Idle)
	t.Total = *cmp.Or(o.Total, &t.Total)
	return t
}
