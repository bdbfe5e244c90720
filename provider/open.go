package provider

import (
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
)

// An Option changes what Open does.
type Option func(*opening)

type opening struct {
	keys      []string
	baseURL   string
	transport http.RoundTripper
	catalog   *catalog.Catalog
	lookup    func(string) (string, bool)
}

// WithKey gives the key, or several of one account, in place of the
// environment's.
func WithKey(keys ...string) Option { return func(o *opening) { o.keys = keys } }

// WithBaseURL gives the address, with or without "/v1", in place of the
// catalogue's and the environment's.
func WithBaseURL(address string) Option { return func(o *opening) { o.baseURL = address } }

// WithTransport makes the calls through t, which must not follow redirects.
func WithTransport(t http.RoundTripper) Option { return func(o *opening) { o.transport = t } }

// WithHTTPClient makes the calls through c, with its transport, time-out and
// cookies, but without following redirects. Mind that c.Timeout cuts long
// answers; a deadline in the context serves better.
func WithHTTPClient(c *http.Client) Option {
	own := *c
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return WithTransport(clientTransport{&own})
}

// WithCatalog looks the model up in c in place of the embedded catalogue.
func WithCatalog(c *catalog.Catalog) Option { return func(o *opening) { o.catalog = c } }

// WithLookup reads variables with lookup in place of os.LookupEnv.
func WithLookup(lookup func(string) (string, bool)) Option {
	return func(o *opening) { o.lookup = lookup }
}

type clientTransport struct{ client *http.Client }

// RoundTrip implements http.RoundTripper.
func (t clientTransport) RoundTrip(r *http.Request) (*http.Response, error) { return t.client.Do(r) }

// Open makes the Handler of a model by its name, from the catalogue and the
// environment: "deepseek/deepseek-flash" with DEEPSEEK_API_KEY set, and
// DEEPSEEK_BASE_URL if it lives elsewhere; "ollama/llama3.2", with OLLAMA_HOST
// if it is not on this machine. A model that the catalogue does not know can
// be called all the same, by provider and name. A bare name means the first of
// those who serve it for whom there is a key.
//
// Clouds are called with what their own tools use: "bedrock/…" with AWS_REGION
// and AWS's usual credentials, "vertex/…" with GOOGLE_CLOUD_PROJECT and Google's.
//
// Errors are KindModelNotFound with the nearest names as a hint, and
// KindInvalid when the key or a part of the address is missing (the hint names
// the variables) or the address cannot be read.
func Open(model string, opts ...Option) (weir.Handler, error) {
	o := opening{lookup: os.LookupEnv}
	for _, opt := range opts {
		opt(&o)
	}
	if o.catalog == nil {
		o.catalog = catalog.Default()
	}
	refs := o.catalog.Resolve(model)
	if len(refs) == 0 {
		return nil, o.unknown(model)
	}
	var missing error
	for _, ref := range refs {
		f, ok := o.find(ref.Provider)
		if ok {
			return o.open(f, ref.Name)
		}
		if missing == nil {
			missing = f.Err
		}
	}
	if missing != nil {
		return nil, missing
	}
	return nil, missingKey(refs)
}

// find is the provider with the credentials and the address that hold for it. It
// is not ok without credentials; Err may then say more.
func (o *opening) find(p *catalog.Provider) (Found, bool) {
	f, ok := fromEnv(p, o.lookup)
	if !ok {
		f = o.incomplete(p)
	}
	if o.baseURL != "" {
		moved, err := p.WithBaseURL(o.baseURL)
		f.Err = err
		if err == nil {
			f.Provider = moved
			f.Err = f.complete(o.lookup)
		}
	}
	if len(o.keys) > 0 {
		f.Credentials = Keys(o.keys...)
	}
	return f, p.Keyless || f.Credentials.Len() > 0
}

// incomplete is a provider that the environment alone does not turn on: a key
// that is given may do, or none, or what the machine has. Err says what is
// missing of its address.
func (o *opening) incomplete(p *catalog.Provider) Found {
	f := keyed(p, o.lookup)
	_, moved, err := addressed(p, o.lookup)
	if err == nil {
		if moved != nil {
			f.Provider = moved
		}
		if len(o.keys) > 0 {
			f.Credentials = Keys(o.keys...)
		}
		err = f.complete(o.lookup)
	}
	f.Err = err
	return f
}

func (o *opening) open(f Found, model string) (weir.Handler, error) {
	if f.Err != nil {
		return nil, f.Err
	}
	options, err := FromCatalog(f.Provider, model, f.Credentials)
	if err != nil {
		return nil, err
	}
	options.Transport = o.transport
	return New(options)
}

// unknown is the error for a name that stands for nothing.
func (o *opening) unknown(model string) error {
	err := weir.Errorf(weir.KindModelNotFound, "nobody is known to serve a model named %.100q", model)
	name, _, qualified := strings.Cut(model, "/")
	if qualified && o.catalog.Provider(name) == nil {
		err = weir.Errorf(weir.KindModelNotFound, "unknown provider %.100q", name)
	}
	err.Param = "model"
	if near := o.catalog.Nearest(model, 3); len(near) > 0 {
		err.Hint = "did you mean " + strings.Join(near, " or ") + "?"
		return err
	}
	var ids []string
	for _, p := range o.catalog.Providers() {
		ids = append(ids, p.ID)
	}
	err.Hint = "write it as provider/model; known providers: " + strings.Join(ids, ", ")
	return err
}

// missingKey names the variables that would help.
func missingKey(refs []catalog.Ref) error {
	var variables []string
	for _, ref := range refs {
		for _, name := range append(slices.Clone(ref.Provider.Keys()), ref.Provider.CredentialEnv...) {
			if !slices.Contains(variables, name) {
				variables = append(variables, name)
			}
		}
	}
	err := weir.Invalid("credentials", "there is no key for %s", refs[0])
	err.Hint = "set " + strings.Join(variables, " or ") + " in the environment, or give a key"
	return err
}
