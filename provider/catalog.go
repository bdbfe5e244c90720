package provider

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/all"
)

// FromCatalog fills Options in from what is known of a provider. model is the
// provider's name of a model or an alias of it; a model that the catalogue
// does not know is called as it is named, without limits. creds may be nil for
// a provider that needs no key.
//
// Endpoints of protocols that Weir does not speak are left out. Errors are
// KindInvalid.
func FromCatalog(p *catalog.Provider, model string, creds *Credentials) (Options, error) {
	ref := p.Ref(model)
	o := Options{Name: ref.String(), Provider: p.ID, Model: ref.Name, Credentials: creds}
	if ref.Model != nil {
		o.MaxOutput = ref.Model.MaxOutput
	}
	var unknown []string
	for i := range p.Endpoints {
		e := &p.Endpoints[i]
		if !e.Serves(ref.Name) {
			continue
		}
		speaks := all.For(e.Protocol)
		if speaks == nil {
			unknown = append(unknown, string(e.Protocol))
			continue
		}
		o.Endpoints = append(o.Endpoints, fromCatalog(p, e, ref.Model, speaks, creds))
	}
	if len(o.Endpoints) == 0 {
		err := weir.Invalid("provider", "%s has no endpoint for %s that could be used", p.ID, ref.Name)
		if len(unknown) > 0 {
			err.Hint = "its protocols are not spoken here: " + strings.Join(unknown, ", ")
		}
		return Options{}, err
	}
	return o, nil
}

func fromCatalog(p *catalog.Provider, e *catalog.Endpoint, m *catalog.Model, speaks codec.Codec, creds *Credentials) Endpoint {
	return Endpoint{
		Codec: speaks, BaseURL: e.BaseURL,
		Auth: authOf(p.AuthOf(e), p.Keyless, creds), Quirks: p.QuirksOf(e, m),
	}
}

// authOf is the catalogue's way of sending a key. A server of the user's own
// may want a key or not: without one nothing is sent.
func authOf(a catalog.Auth, keyless bool, creds *Credentials) Auth {
	if keyless && creds.Len() == 0 {
		return NoAuth()
	}
	switch a.Scheme {
	case catalog.AuthHeader:
		return HeaderAuth(a.Header)
	case catalog.AuthQuery:
		return QueryAuth(a.Query)
	case catalog.AuthZhipuJWT:
		return ZhipuJWT()
	case catalog.AuthNone:
		return nil // bearer if there is a key
	}
	return Bearer()
}
