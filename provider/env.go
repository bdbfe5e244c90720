package provider

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
)

// Found is a provider that the environment turns on.
type Found struct {
	// Provider is the catalogue's, moved to the address that the environment
	// gives, if it gives one.
	Provider    *catalog.Provider
	Credentials *Credentials // nil when no key was set
	// BaseURL is the address that the first endpoint has by the environment,
	// empty when it has its own.
	BaseURL string
	// Variable is the name of the variable that turned the provider on.
	Variable string
	// Err tells that a variable cannot be understood; it names the variable
	// and never its value. The provider is then not usable.
	Err error
}

// FromEnv finds the providers that are on by the environment: those whose key
// is set (several keys, separated by commas, make a pool) and, of those that
// need no key, the ones whose address is set. They come in the catalogue's
// order. lookup is os.LookupEnv or the like; a variable that is empty counts as
// not set.
func FromEnv(c *catalog.Catalog, lookup func(string) (string, bool)) []Found {
	var out []Found
	for _, p := range c.Providers() {
		if f, ok := fromEnv(p, lookup); ok {
			out = append(out, f)
		}
	}
	return out
}

func fromEnv(p *catalog.Provider, lookup func(string) (string, bool)) (Found, bool) {
	f := Found{Provider: p}
	for _, name := range p.Keys() {
		if keys := value(lookup, name); keys != "" {
			f.Credentials, f.Variable = ParseKeys(keys), name
			break
		}
	}
	if f.Credentials.Len() == 0 && !p.Keyless {
		return Found{}, false
	}
	name, moved, err := addressed(p, lookup)
	if name == "" {
		return f, f.Variable != ""
	}
	if f.Variable == "" {
		f.Variable = name
	}
	if err != nil {
		f.Err = weir.Invalid(name, "%s: %w", name, err)
		return f, true
	}
	f.Provider, f.BaseURL = moved, moved.Endpoints[0].BaseURL
	return f, true
}

// addressed is the provider at the address that the environment gives, and the
// variable that gives it. The base URL is more particular than the host.
func addressed(p *catalog.Provider, lookup func(string) (string, bool)) (string, *catalog.Provider, error) {
	if name := p.BaseURLEnv(); name != "" {
		if v := value(lookup, name); v != "" {
			moved, err := p.WithBaseURL(v)
			return name, moved, err
		}
	}
	if v := value(lookup, p.HostEnv); v != "" {
		moved, err := p.WithHost(v)
		return p.HostEnv, moved, err
	}
	return "", nil, nil
}

func value(lookup func(string) (string, bool), name string) string {
	if name == "" {
		return ""
	}
	v, _ := lookup(name)
	return strings.TrimSpace(v)
}

// ParseKeys makes a pool of keys that are separated by commas.
func ParseKeys(list string) *Credentials { return Keys(strings.Split(list, ",")...) }
