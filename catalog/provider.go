package catalog

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// A Provider is somebody who serves models: a vendor, one region of a vendor
// whose keys are bound to it, or a server on the user's own machine. A
// Provider of a Catalog is shared and must not be modified.
type Provider struct {
	// ID is the name in "provider/model": lower-case letters, digits, dashes.
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// Aliases are other names that are understood in place of ID.
	Aliases []string `json:"aliases,omitempty"`
	// EnvPrefix makes the names of environment variables: with "DEEPSEEK"
	// these are DEEPSEEK_API_KEY and DEEPSEEK_BASE_URL.
	EnvPrefix string `json:"env_prefix,omitempty"`
	// KeyEnv are the variables that may hold the key, the best first. Empty:
	// EnvPrefix with _API_KEY. See Keys.
	KeyEnv []string `json:"key_env,omitempty"`
	// Auth is how the key is sent, unless an Endpoint says otherwise.
	Auth Auth `json:"auth,omitzero"`
	// Endpoints are the places that answer, the preferred one for translated
	// requests first. At least one.
	Endpoints []Endpoint `json:"endpoints,omitempty"`
	// Quirks are the deviations of all endpoints and models; nil is none.
	Quirks *codec.Quirks `json:"quirks,omitempty"`
	Models []*Model      `json:"models,omitempty"`
	// Keyless tells that no key is needed: a server of the user's own.
	Keyless bool `json:"keyless,omitempty"`
	// Hosted tells that the models were made by others: a bare name then
	// means the maker's own service first.
	Hosted bool `json:"hosted,omitempty"`
	// HostEnv is a variable that holds host and port of the server
	// ("OLLAMA_HOST"), see WithHost.
	HostEnv string `json:"host_env,omitempty"`
	// Docs is the address of the vendor's documentation.
	Docs string `json:"docs,omitempty"`
	// Source and Date (ISO 8601) say where the facts were read, and when.
	Source string `json:"source,omitempty"`
	Date   string `json:"date,omitempty"`
}

// Auth is how a credential is sent.
type Auth struct {
	// Scheme is one of the Auth constants. Empty is the provider's, and
	// bearer if that is empty too.
	Scheme string `json:"scheme,omitempty"`
	// Header is the header's name for AuthHeader: "x-api-key".
	Header string `json:"header,omitempty"`
	// Query is the parameter's name for AuthQuery.
	Query string `json:"query,omitempty"`
}

// Authentication schemes.
const (
	AuthBearer   = "bearer"    // Authorization: Bearer KEY
	AuthHeader   = "header"    // HEADER: KEY
	AuthQuery    = "query"     // ?QUERY=KEY
	AuthZhipuJWT = "zhipu_jwt" // bearer of a short-lived token signed with a key "id.secret"
	AuthNone     = "none"      // nothing is sent unless the user sets a key, then bearer
)

// An Endpoint is one address of a provider that speaks one protocol.
type Endpoint struct {
	Protocol weir.Protocol `json:"protocol"`
	// BaseURL is what a codec's path is appended to, without a slash at its
	// end: "https://api.openai.com/v1", "https://api.anthropic.com".
	BaseURL string `json:"base_url"`
	// Auth nil: the provider's.
	Auth *Auth `json:"auth,omitempty"`
	// Quirks are those of this endpoint only, merged over the provider's.
	Quirks *codec.Quirks `json:"quirks,omitempty"`
	// Models are names, or beginnings of names followed by a star, of the
	// models that the endpoint serves. Empty: all.
	Models []string `json:"models,omitempty"`
	// Source and Date where they differ from the provider's.
	Source string `json:"source,omitempty"`
	Date   string `json:"date,omitempty"`
}

// Keys are the names of the environment variables that may hold the
// provider's key, the best first.
func (p *Provider) Keys() []string {
	if len(p.KeyEnv) > 0 || p.EnvPrefix == "" {
		return p.KeyEnv
	}
	return []string{p.EnvPrefix + "_API_KEY"}
}

// BaseURLEnv is the environment variable that overrides the address; empty
// when there is none.
func (p *Provider) BaseURLEnv() string {
	if p.EnvPrefix == "" {
		return ""
	}
	return p.EnvPrefix + "_BASE_URL"
}

// Endpoint is the provider's first endpoint of a protocol, nil when it has none.
func (p *Provider) Endpoint(proto weir.Protocol) *Endpoint {
	for i := range p.Endpoints {
		if p.Endpoints[i].Protocol == proto {
			return &p.Endpoints[i]
		}
	}
	return nil
}

// EndpointFor is the endpoint that a request for model, made in protocol
// proto, goes to: the one of the same protocol, else the first that serves the
// model. Nil when none does.
func (p *Provider) EndpointFor(proto weir.Protocol, model string) *Endpoint {
	var first *Endpoint
	for i := range p.Endpoints {
		e := &p.Endpoints[i]
		if !e.Serves(model) {
			continue
		}
		if e.Protocol == proto {
			return e
		}
		if first == nil {
			first = e
		}
	}
	return first
}

// Serves reports whether the endpoint takes requests for a model.
func (e *Endpoint) Serves(model string) bool {
	if len(e.Models) == 0 {
		return true
	}
	for _, pattern := range e.Models {
		if head, ok := strings.CutSuffix(pattern, "*"); ok && strings.HasPrefix(model, head) {
			return true
		}
		if pattern == model {
			return true
		}
	}
	return false
}

// AuthOf is how the key is sent to an endpoint of the provider.
func (p *Provider) AuthOf(e *Endpoint) Auth {
	a := p.Auth
	if e != nil && e.Auth != nil {
		a = *e.Auth
	}
	if a.Scheme == "" {
		a.Scheme = AuthBearer
	}
	return a
}

// QuirksOf are the deviations that hold for a model at an endpoint: the
// provider's, the endpoint's and the model's, each over the one before. The
// endpoint and the model may be nil. The result is never nil and is the
// caller's own.
func (p *Provider) QuirksOf(e *Endpoint, m *Model) *codec.Quirks {
	q := p.Quirks.Merge(nil)
	if e != nil {
		q = q.Merge(e.Quirks)
	}
	if m != nil {
		q = q.Merge(m.Quirks)
	}
	return q
}
