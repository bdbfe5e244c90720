package provider

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// DefaultMaxBytes bounds an SSE event and a JSON answer where Options say
// nothing: 64 MiB.
const DefaultMaxBytes = 64 << 20

// Options are one callable deployment: a model at a provider under one account.
type Options struct {
	Name     string // of the deployment, in notes and errors; empty is Provider/Model
	Provider string // "deepseek"
	Model    string // the provider's own name of the model
	// Endpoints are where the model answers. A request that came in a protocol
	// which one of them speaks goes there; anything else goes to the first.
	Endpoints []Endpoint
	// Credentials is the pool of keys. Nil is for endpoints that want none. It
	// may be shared by all deployments of the account.
	Credentials *Credentials
	// MaxOutput is the model's limit of output tokens, 0 when not known.
	MaxOutput int64
	// Transport makes the HTTP exchange. Nil is Shared(). It must neither
	// follow redirects nor retry what an upstream has answered.
	Transport http.RoundTripper
	// Header holds the operator's own headers. They replace the protocol's
	// and are replaced by the key's.
	Header http.Header
	// MaxFrameBytes bounds one SSE event and MaxBodyBytes a whole JSON answer;
	// 0 is DefaultMaxBytes.
	MaxFrameBytes, MaxBodyBytes int
}

// An Endpoint is one address of a model, and the protocol spoken there.
type Endpoint struct {
	Codec codec.Codec
	// BaseURL is what the protocol's path is appended to,
	// "https://api.openai.com/v1". It has no credentials and no fragment; a
	// query is sent along with every call.
	BaseURL string
	// Auth says how a key is sent. Nil is Bearer where there are credentials
	// and NoAuth where there are none.
	Auth Auth
	// Quirks are those of the model at this endpoint. Nil is none.
	Quirks *codec.Quirks
	// Envelope is one of the catalogue's Envelope constants; empty: the protocol
	// is spoken as it is.
	Envelope string
}

// endpoint is an Endpoint made ready.
type endpoint struct {
	codec    codec.Codec
	base     url.URL
	auth     Auth
	target   codec.Target
	envelope envelope // nil: none
}

// New makes the Handler of a deployment. Errors are KindInvalid and name the
// option. The Handler holds no resources but the transport's connections.
//
// Its Handle yields a *weir.Loss for all that the upstream's protocol cannot
// carry and a *weir.Upstream for every answer that came, before the answer's
// own Events. A request that has to be refused as it stands fails before
// anything is sent.
func New(o Options) (weir.Handler, error) {
	if o.Model == "" {
		return nil, weir.Invalid("model", "the deployment has no model")
	}
	if len(o.Endpoints) == 0 {
		return nil, weir.Invalid("endpoints", "the deployment of %q has no endpoint", o.Model)
	}
	u := &upstream{
		name: o.Name, provider: o.Provider, model: o.Model,
		credentials: o.Credentials, transport: o.Transport,
		header:   forwardable(o.Header),
		maxFrame: o.MaxFrameBytes, maxBody: o.MaxBodyBytes,
	}
	u.defaults()
	for i := range o.Endpoints {
		ep, err := u.endpoint(&o.Endpoints[i], &o)
		if err != nil {
			return nil, err
		}
		u.endpoints = append(u.endpoints, ep)
	}
	return u, nil
}

func (u *upstream) defaults() {
	if u.name == "" {
		u.name = strings.TrimPrefix(u.provider+"/"+u.model, "/")
	}
	if u.transport == nil {
		u.transport = Shared()
	}
	if u.maxFrame <= 0 {
		u.maxFrame = DefaultMaxBytes
	}
	if u.maxBody <= 0 {
		u.maxBody = DefaultMaxBytes
	}
}

func (u *upstream) endpoint(e *Endpoint, o *Options) (*endpoint, error) {
	if e.Codec == nil {
		return nil, weir.Invalid("endpoints.protocol", "an endpoint of %s has no protocol", u.name)
	}
	base, err := parseBase(e.BaseURL)
	if err != nil {
		return nil, err
	}
	auth := e.Auth
	if auth == nil {
		auth = NoAuth()
		if o.Credentials.Len() > 0 {
			auth = Bearer()
		}
	}
	if _, none := auth.(noAuth); !none && o.Credentials.Len() == 0 {
		e := weir.Invalid("credentials", "%s needs a key and has none", u.name)
		e.Hint = "give a key, or set the endpoint's authentication to none"
		return nil, e
	}
	quirks := e.Quirks
	if quirks == nil {
		quirks = &codec.Quirks{}
	}
	envelope, ok := envelopeNamed(e.Envelope)
	if !ok {
		return nil, weir.Invalid("endpoints.envelope", "an endpoint of %s has the unknown envelope %q", u.name, e.Envelope)
	}
	return &endpoint{
		codec: e.Codec, base: *base, auth: auth, envelope: envelope,
		target: codec.Target{Provider: o.Provider, Model: o.Model, MaxOutput: o.MaxOutput, Quirks: quirks},
	}, nil
}

// parseBase reads a base URL. Its errors do not repeat the URL, which may hold
// what should not be seen.
func parseBase(raw string) (*url.URL, error) {
	base, err := url.Parse(strings.TrimSpace(raw))
	bad := func(why string) error {
		e := weir.Invalid("base_url", "the base URL %s", why)
		e.Hint = "write it as https://host/path"
		return e
	}
	switch {
	case raw == "":
		return nil, bad("is empty")
	case err != nil:
		return nil, bad("is not a URL")
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, bad("does not begin with http:// or https://")
	case base.Host == "" || base.Hostname() == "":
		return nil, bad("names no host")
	case base.User != nil:
		return nil, bad("holds a user name or password; credentials are configured apart from it")
	case base.Fragment != "":
		return nil, bad("has a fragment")
	}
	base.Path = strings.TrimRight(base.Path, "/")
	base.RawPath = strings.TrimRight(base.RawPath, "/")
	return base, nil
}
