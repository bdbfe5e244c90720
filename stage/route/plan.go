package route

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/weir-gateway/weir"
)

// A ref is a model at a provider.
type ref struct{ provider, model string }

func (r ref) String() string { return r.provider + "/" + r.model }

// A lazy deployment is made on first use.
type lazy struct {
	ref
	once sync.Once
	make func(provider, model string) (weir.Deployment, error)
	d    weir.Deployment
	err  error
}

func (l *lazy) deployment() (weir.Deployment, error) {
	l.once.Do(func() { l.d, l.err = l.make(l.provider, l.model) })
	return l.d, l.err
}

// A plan is what a name stands for. The deployments are put together on first
// use and shared by all requests.
type plan struct {
	reason   string
	parts    []*lazy
	own      int // of parts; the others are fallbacks
	arrange  func(own, fallbacks []weir.Deployment) Strategy
	once     sync.Once
	ready    []weir.Deployment
	strategy Strategy // nil: as they are listed
	err      error
}

func (t *Table) plan(name string, refs []ref, own int, reason string) *plan {
	p := &plan{reason: reason, own: own}
	if t.options.Strategy != nil {
		p.arrange = func(own, fallbacks []weir.Deployment) Strategy { return t.options.Strategy(name, own, fallbacks) }
	}
	for _, r := range refs {
		p.parts = append(p.parts, t.lazy(r))
	}
	return p
}

// lazy is the deployment of r. Listed and configured ones are shared; those
// made on demand belong to their plan, so that they can be forgotten with it.
func (t *Table) lazy(r ref) *lazy {
	if l := t.made[r.String()]; l != nil {
		return l
	}
	return &lazy{ref: r, make: t.options.Make}
}

// deployments are those that could be made, each once. The error is that of
// the first when none could.
func (p *plan) deployments() ([]weir.Deployment, string, error) {
	p.once.Do(func() {
		own := 0
		for i, l := range p.parts {
			d, err := l.deployment()
			if err != nil {
				if p.err == nil {
					p.err = err
				}
				continue
			}
			if !slices.ContainsFunc(p.ready, func(have weir.Deployment) bool { return have.Name == d.Name }) {
				p.ready = append(p.ready, d)
				if i < p.own {
					own++
				}
			}
		}
		p.settle(own)
	})
	if len(p.ready) == 0 {
		return nil, "", p.err
	}
	return p.ready, p.reason, nil
}

// settle asks for the strategy, once what there is to choose from is known.
func (p *plan) settle(own int) {
	if p.arrange == nil || len(p.ready) < 2 {
		return
	}
	if p.strategy = p.arrange(p.ready[:own:own], p.ready[own:]); p.strategy != nil {
		p.reason += ", " + p.strategy.String()
	}
}

// order is deployments as the strategy has them for the request.
func (p *plan) order(req *weir.Request) ([]weir.Deployment, string, error) {
	deployments, reason, err := p.deployments()
	if err == nil && p.strategy != nil {
		deployments = p.strategy.Order(req)
	}
	return deployments, reason, err
}

// expand is everything that a known name stands for, its own first and how many
// these are, and then its fallbacks. What it finds is shared from now on.
func (t *Table) expand(name string) (refs []ref, own int, err error) {
	refs, err = t.base(name, nil)
	if err != nil {
		return nil, 0, err
	}
	own = len(refs)
	follow := slices.Clone(t.options.Fallbacks[name])
	if _, isAlias := t.options.Aliases[name]; !isAlias && refs[0].String() != name {
		follow = append(follow, t.options.Fallbacks[refs[0].String()]...)
	}
	for _, next := range append(follow, t.options.Fallbacks["*"]...) {
		more, err := t.base(next, nil)
		if err != nil {
			return nil, 0, fmt.Errorf("fallback: %w", err)
		}
		refs = append(refs, more...)
	}
	for _, r := range refs {
		if t.made[r.String()] == nil {
			t.made[r.String()] = &lazy{ref: r, make: t.options.Make}
		}
	}
	return refs, own, nil
}

// base is what a name stands for without its fallbacks. An alias that is met
// inside of itself means the model of that name.
func (t *Table) base(name string, inside []string) ([]ref, error) {
	if targets, ok := t.options.Aliases[name]; ok && !slices.Contains(inside, name) {
		if len(targets) == 0 {
			return nil, fmt.Errorf("alias %q stands for nothing", name)
		}
		var refs []ref
		for _, target := range targets {
			more, err := t.base(target, append(slices.Clone(inside), name))
			if err != nil {
				return nil, err
			}
			refs = append(refs, more...)
		}
		return refs, nil
	}
	if provider, model, ok := t.qualified(name); ok {
		return []ref{{provider, model}}, nil
	}
	switch offers := t.choose(t.bare[name]); len(offers) {
	case 0:
		return nil, fmt.Errorf("%q is not a model of a configured provider (%s)", name, strings.Join(t.options.Providers, ", "))
	case 1:
		return []ref{{offers[0].Provider, offers[0].Name}}, nil
	default:
		return nil, fmt.Errorf("%q is offered by several providers: %s", name, joinIDs(offers))
	}
}
