package provider

import (
	"crypto/sha256"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
)

// Found is a provider that the environment turns on.
type Found struct {
	// Provider is the catalogue's, moved to the address that the environment
	// gives, if it gives one.
	Provider    *catalog.Provider
	Credentials *Credentials // nil when there are none
	// SourceID tells Credentials that were made by SourceFor from others; see
	// there. Zero for keys.
	SourceID [sha256.Size]byte
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
// is set (several keys, separated by commas, make a pool), those for whose
// scheme there are credentials and, of those that need no key, the ones whose
// address is set. One whose address has variables is on only with all of them.
// They come in the catalogue's order. lookup is os.LookupEnv or the like; a
// variable that is empty counts as not set.
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
	f := keyed(p, lookup)
	if f.Variable == "" && !p.Keyless {
		return Found{}, false
	}
	name, moved, err := addressed(p, lookup)
	if name == "" && f.Variable == "" {
		return Found{}, false
	}
	if f.Variable == "" {
		f.Variable = name
	}
	if err != nil {
		f.Err = weir.Invalid(name, "%s: %w", name, err)
		return f, true
	}
	if moved != nil {
		f.Provider = moved
	}
	if f.complete(lookup) != nil {
		return Found{}, false // a part of it is there for something else
	}
	if moved != nil {
		f.BaseURL = f.Provider.Endpoints[0].BaseURL
	}
	return f, true
}

// keyed is a provider with the keys of the environment, and the variable that
// tells of a credential, empty for none.
func keyed(p *catalog.Provider, lookup func(string) (string, bool)) Found {
	f := Found{Provider: p}
	if name := firstSet(p.Keys(), lookup); name != "" {
		if f.Credentials = ParseKeys(value(lookup, name)); f.Credentials.Len() > 0 {
			f.Variable = name
			return f
		}
	}
	f.Variable = firstSet(p.CredentialEnv, lookup)
	return f
}

// complete fills in what else the provider needs: the values of its variables
// and, where there is no key, what its scheme finds. The error is KindInvalid
// and names what is missing.
func (f *Found) complete(lookup func(string) (string, bool)) error {
	p, err := f.Provider.WithVariables(lookup)
	if err != nil {
		return err
	}
	f.Provider = p
	if f.Credentials.Len() > 0 {
		return nil
	}
	src, id, err := SourceFor(p.Auth, lookup)
	if src != nil {
		f.Credentials, f.SourceID = FromSource(src), id
	}
	if f.Variable == "" {
		return nil // no credential has been begun: a key would do as well
	}
	return err
}

// firstSet is the first of the variables that is set, empty for none.
func firstSet(names []string, lookup func(string) (string, bool)) string {
	for _, name := range names {
		if value(lookup, name) != "" {
			return name
		}
	}
	return ""
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
