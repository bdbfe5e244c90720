package catalog

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/weir-gateway/weir"
)

// version is a path segment such as "v1", "v4" or "v1beta".
var version = regexp.MustCompile(`^v[0-9]+[a-z0-9]*$`)

// callPaths are what users paste after the base: the paths of calls, the
// longest first.
var callPaths = map[weir.Protocol][]string{
	weir.OpenAIChat:        {"/chat/completions", "/fim/completions", "/completions", "/responses", "/embeddings", "/rerank", "/models"},
	weir.AnthropicMessages: {"/v1/messages/count_tokens", "/v1/messages", "/v1/models"},
	weir.OllamaChat:        {"/api/generate", "/api/embed", "/api/chat", "/api/tags", "/api", "/v1"},
}

// NormalizeBaseURL makes the form that codecs append their paths to out of an
// address that a user wrote: with or without "/v1", a slash at its end, or the
// whole path of a call. For OpenAI's protocols the result ends in a version
// ("https://api.openai.com/v1"), unless a whole call's path said otherwise, and
// for gemini.generate too ("…/v1beta"); for anthropic.messages and ollama.chat
// it does not ("https://api.anthropic.com"); for other protocols only slashes
// are taken away. A normalised address stays as it is.
//
// An address without scheme or host, or with user, query or fragment, is a
// KindInvalid error that shows the expected form, and never the address, which
// may hold a key.
func NormalizeBaseURL(proto weir.Protocol, raw string) (string, error) {
	u, err := parseBase(raw)
	if err != nil {
		return "", err
	}
	path := strings.TrimRight(u.Path, "/")
	switch {
	case proto == weir.AnthropicMessages:
		path, _ = cutCall(path, callPaths[proto])
		path = strings.TrimRight(strings.TrimSuffix(path, "/v1"), "/")
	case proto == weir.OllamaChat:
		path, _ = cutCall(path, callPaths[proto])
	case proto == weir.GeminiGenerate:
		if path = cutModel(path, "/models"); !versioned(path) {
			path += "/v1beta"
		}
	case proto == weir.BedrockConverse:
		path = cutModel(path, "/model")
	case strings.HasPrefix(string(proto), "openai."):
		var cut bool
		if path, cut = cutCall(path, callPaths[weir.OpenAIChat]); !cut && !versioned(path) {
			path += "/v1"
		}
	}
	return origin(u) + path, nil
}

// cutModel takes the path of a call that names its model off the end: segment
// and everything behind it.
func cutModel(path, segment string) string {
	if i := strings.Index(path+"/", segment+"/"); i >= 0 {
		path = path[:i]
	}
	return strings.TrimRight(path, "/")
}

// cutCall takes the path of a call off the end, if there is one.
func cutCall(path string, calls []string) (string, bool) {
	for _, call := range calls {
		if base, ok := strings.CutSuffix(path, call); ok {
			return strings.TrimRight(base, "/"), true
		}
	}
	return path, false
}

func versioned(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if version.MatchString(segment) {
			return true
		}
	}
	return false
}

func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

const baseForm = "write it as https://host or https://host/v1"

// parseBase reads an address that has nothing but scheme, host and path.
func parseBase(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	bad := func(what string) error {
		e := weir.Invalid("base_url", "the base URL %s: %s", what, baseForm)
		e.Hint = baseForm
		return e
	}
	switch {
	case err != nil:
		return nil, bad("cannot be read")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, bad("has no http or https scheme")
	case u.Hostname() == "":
		return nil, bad("has no host")
	case strings.ContainsFunc(u.Hostname(), notInHost):
		return nil, bad("has a host that is none")
	case u.User != nil:
		return nil, bad("holds a user or password, which belong elsewhere")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, bad("has a query or fragment")
	case u.EscapedPath() != u.Path:
		return nil, bad("has a path with escaped characters")
	case strings.Contains(u.Path, "//") || strings.Contains("/"+u.Path+"/", "/../"):
		return nil, bad("has an empty or dotted path segment")
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	return u, nil
}

// notInHost reports whether a character cannot stand in the name of a host or an
// address: what url.Parse lets through here it would not read again.
func notInHost(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	}
	return r < 0x80 && !strings.ContainsRune(".-_:", r) || r == utf8.RuneError
}

// WithBaseURL is a copy of the provider at another address, for a mirror, a
// proxy or a local server. The address is read as NormalizeBaseURL does, for
// the protocol that it is written for: Anthropic's where it ends in
// "/v1/messages" or "/anthropic", else that of the endpoint whose path it ends
// in, else that of the first. An address at the endpoint's own host without a
// path of its own is the endpoint's own.
//
// Other endpoints move along where their place follows from the given one (a
// bare host, or the same path at another host). The rest is left out, since
// the key must not go to a place that the user did not name.
func (p *Provider) WithBaseURL(raw string) (*Provider, error) {
	u, err := parseBase(raw)
	if err != nil {
		return nil, err
	}
	main := p.addressed(strings.TrimRight(u.Path, "/"))
	own, err := parseBase(specimen(main.BaseURL))
	if err != nil {
		return nil, err
	}
	norm, err := NormalizeBaseURL(main.Protocol, raw)
	if err != nil {
		return nil, err
	}
	given, ownPath := strings.TrimRight(u.Path, "/"), pathOf(main.BaseURL)
	same := origin(u)+ownPath == norm
	if given == "" || u.Host == own.Host && given == "/v1" {
		same, norm = true, origin(u)+ownPath
	}
	out := *p
	out.Endpoints = nil
	for i, e := range p.Endpoints {
		switch their, err := parseBase(specimen(e.BaseURL)); {
		case &p.Endpoints[i] == main:
			e.BaseURL = norm
		case err == nil && same && their.Host == own.Host:
			e.BaseURL = origin(u) + pathOf(e.BaseURL)
		default:
			continue
		}
		out.Endpoints = append(out.Endpoints, e)
	}
	return &out, nil
}

// faces are ends of addresses that tell for which protocol they are written,
// the longer before what they end in.
var faces = []struct {
	end      string
	protocol weir.Protocol
}{
	{"/anthropic", weir.AnthropicMessages},
	{"/messages", weir.AnthropicMessages},
	{"/chat/completions", weir.OpenAIChat},
	{"/completions", weir.OpenAICompletions},
	{"/responses", weir.OpenAIResponses},
	{"/api/chat", weir.OllamaChat},
	{"/converse", weir.BedrockConverse},
	{"/rerank", weir.OpenAIREST},
}

// addressed is the endpoint that an address with such a path is meant for.
func (p *Provider) addressed(path string) *Endpoint {
	for _, f := range faces {
		if strings.HasSuffix(path, f.end) {
			if e := p.Endpoint(f.protocol); e != nil {
				return e
			}
		}
	}
	best, length := &p.Endpoints[0], 0
	for i := range p.Endpoints {
		e := &p.Endpoints[i]
		if own := pathOf(e.BaseURL); len(own) > length && strings.HasSuffix(path, own) {
			best, length = e, len(own)
		}
	}
	return best
}

// WithHost is WithBaseURL for what a server's own variable holds, such as
// OLLAMA_HOST: host, host:port, :port or an address. A missing port is the
// endpoint's, and a wildcard address, at which a server listens, becomes the
// loopback one.
func (p *Provider) WithHost(host string) (*Provider, error) {
	own, err := parseBase(specimen(p.Endpoints[0].BaseURL))
	if err != nil {
		return nil, err
	}
	host = strings.TrimSpace(host)
	bare := !strings.Contains(host, "://")
	if bare {
		host = own.Scheme + "://" + bracket(host)
	}
	u, err := url.Parse(host)
	if err != nil {
		return nil, weir.Invalid("base_url", "the host cannot be read: write it as host:port")
	}
	name, port := u.Hostname(), u.Port()
	if port == "" && bare {
		port = own.Port()
	}
	switch name {
	case "", "0.0.0.0":
		name = "127.0.0.1"
	case "::":
		name = "::1"
	}
	u.Host = name
	if strings.Contains(name, ":") {
		u.Host = "[" + name + "]"
	}
	if port != "" {
		u.Host = net.JoinHostPort(name, port)
	}
	return p.WithBaseURL(u.String())
}

// bracket puts an IPv6 address without port into brackets.
func bracket(host string) string {
	if ip := net.ParseIP(host); ip != nil && strings.Contains(host, ":") {
		return fmt.Sprintf("[%s]", host)
	}
	return host
}
