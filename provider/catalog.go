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
// Endpoints of protocols that Weir does not speak are left out. A provider whose
// addresses have variables in them has to be given as WithVariables made it.
// Errors are KindInvalid.
func FromCatalog(p *catalog.Provider, model string, creds *Credentials) (Options, error) {
	ref := p.Ref(model)
	o := Options{Name: ref.String(), Provider: p.ID, Model: ref.Name, Credentials: creds}
	if ref.Model != nil {
		o.MaxOutput = ref.Model.MaxOutput
	}
	if len(p.Variables) > 0 {
		return Options{}, weir.Invalid("provider", "the addresses of %s have no values for their variables yet", p.ID)
	}
	var unknown []string
	for _, e := range served(p, ref.Name) {
		speaks := all.For(e.Protocol)
		if speaks == nil {
			unknown = append(unknown, string(e.Protocol))
			continue
		}
		o.Endpoints = append(o.Endpoints, fromCatalog(p, &e, ref.Model, speaks, creds))
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

// served are the endpoints that serve a model, the first of every protocol. What
// speaks Chat has the rest of OpenAI's API beside it, unless the catalogue says
// where that is.
func served(p *catalog.Provider, model string) []catalog.Endpoint {
	var out []catalog.Endpoint
	has := map[weir.Protocol]int{} // where in out, plus one
	for _, e := range p.Endpoints {
		if e.Serves(model) && has[e.Protocol] == 0 {
			out = append(out, e)
			has[e.Protocol] = len(out)
		}
	}
	if chat := has[weir.OpenAIChat]; chat > 0 && has[weir.OpenAIREST] == 0 {
		rest := out[chat-1]
		rest.Protocol = weir.OpenAIREST
		out = append(out, rest)
	}
	return out
}

func fromCatalog(p *catalog.Provider, e *catalog.Endpoint, m *catalog.Model, speaks codec.Codec, creds *Credentials) Endpoint {
	out := Endpoint{
		Codec: speaks, BaseURL: e.BaseURL, Envelope: e.Envelope,
		Auth: authOf(p.AuthOf(e), p.Auth, p.Keyless, creds), Quirks: p.QuirksOf(e, m),
	}
	if e.Query != "" {
		out.BaseURL += "?" + e.Query
	}
	return out
}

// authOf is the catalogue's way of sending a credential to an endpoint, where own
// is the provider's way, by which a credential that is not a key has been found.
// A server of the user's own may want a key or not: without one nothing is sent.
func authOf(a, own catalog.Auth, keyless bool, creds *Credentials) Auth {
	if keyless && creds.Len() == 0 {
		return NoAuth()
	}
	if creds != nil && creds.source != nil {
		if own.Scheme != catalog.AuthSigV4 {
			return Bearer() // of a token, also where a key would go into a header
		}
		if a.Scheme != catalog.AuthSigV4 {
			a = own // what signs never goes over the wire, whatever an endpoint wants
		}
		return SigV4(a.Service, a.Region)
	}
	switch key := a.ForKey(); key.Scheme {
	case catalog.AuthHeader:
		return HeaderAuth(key.Header)
	case catalog.AuthQuery:
		return QueryAuth(key.Query)
	case catalog.AuthZhipuJWT:
		return ZhipuJWT()
	case catalog.AuthNone:
		return nil // bearer if there is a key
	}
	return Bearer()
}
