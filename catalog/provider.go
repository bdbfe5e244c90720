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
	// CredentialEnv are the variables of which any tells that there are
	// credentials for a scheme of Auth that finds its own, AuthSigV4 and the
	// like. Where a key is set it goes before them.
	CredentialEnv []string `json:"credential_env,omitempty"`
	// Auth is how the key is sent, unless an Endpoint says otherwise.
	Auth Auth `json:"auth,omitzero"`
	// Variables are the parts of the addresses that are the user's own. The
	// provider can be called once all of them are known; see WithVariables.
	Variables []Variable `json:"variables,omitempty"`
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

// An Endpoint is one address of a provider that speaks one protocol.
type Endpoint struct {
	Protocol weir.Protocol `json:"protocol"`
	// BaseURL is what a codec's path is appended to, without a slash at its
	// end: "https://api.openai.com/v1", "https://api.anthropic.com". It may have
	// variables in it.
	BaseURL string `json:"base_url"`
	// Query is sent with every call, "api-version={AZURE_API_VERSION}".
	Query string `json:"query,omitempty"`
	// Envelope is one of the Envelope constants, for a cloud that carries the
	// protocol in a form of its own. Empty: the protocol as it is.
	Envelope string `json:"envelope,omitempty"`
	// Auth nil: the provider's.
	Auth *Auth `json:"auth,omitempty"`
	// Quirks are those of this endpoint only, merged over the provider's.
	Quirks *codec.Quirks `json:"quirks,omitempty"`
	// Models are names, or beginnings of names followed by a star, of the
	// models that the endpoint serves, and after a "!" of those that it does
	// not. Empty: all; only with "!": all others.
	Models []string `json:"models,omitempty"`
	// Source and Date where they differ from the provider's.
	Source string `json:"source,omitempty"`
	Date   string `json:"date,omitempty"`
}

// Envelopes: forms in which a cloud takes another vendor's protocol.
const (
	// EnvelopeBedrockInvoke is Claude behind Bedrock's InvokeModel.
	EnvelopeBedrockInvoke = "bedrock_invoke"
	// EnvelopeVertexAnthropic is Claude behind Vertex AI's rawPredict.
	EnvelopeVertexAnthropic = "vertex_anthropic"
	// EnvelopeAzureDeployments is Azure OpenAI with the deployment in the path.
	EnvelopeAzureDeployments = "azure_deployments"
)

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
	others := true
	for _, pattern := range e.Models {
		pattern, not := strings.CutPrefix(pattern, "!")
		head, open := strings.CutSuffix(pattern, "*")
		if pattern == model || open && strings.HasPrefix(model, head) {
			return !not
		}
		others = others && not
	}
	return others
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
