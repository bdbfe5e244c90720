package config

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/internal/nearest"
)

// validator checks what the types alone cannot say.
type validator struct {
	cfg      *Config
	catalog  *catalog.Catalog
	problems *Problems
}

func (c *Config) validate(cat *catalog.Catalog, problems *Problems) {
	v := &validator{cfg: c, catalog: cat, problems: problems}
	v.listen()
	for _, name := range slices.Sorted(maps.Keys(c.Providers)) {
		v.provider(name, c.Providers[name])
	}
	for _, name := range slices.Sorted(maps.Keys(c.Models)) {
		v.model(name, c.Models[name])
	}
	v.keys()
	v.numbers()
	v.enums()
	v.traffic()
}

// problem reports about path, unless the decoder has already said that its
// value cannot be read.
func (v *validator) problem(path, hint, format string, args ...any) {
	pos := v.cfg.sources[path]
	for _, p := range *v.problems {
		if p.Path == path {
			return
		}
	}
	if pos.File == "" {
		pos.File = v.cfg.file
	}
	*v.problems = append(*v.problems, &Problem{Position: pos, Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (v *validator) listen() {
	host, port, err := net.SplitHostPort(v.cfg.Listen)
	if err != nil {
		v.problem("listen", "write for example 127.0.0.1:8080", "%q is no address", v.cfg.Listen)
		return
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		v.problem("listen", "", "%q is no port", port)
	}
	if !IsLoopback(host) && len(v.cfg.Keys) == 0 {
		v.problem("listen", "make one with: weir keys new NAME", "%s is reachable from other machines, so keys are required, and there are none", v.cfg.Listen)
	}
}

// IsLoopback reports whether host can be reached from this machine only. An
// empty host is every interface.
func IsLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (v *validator) provider(name string, p Provider) {
	path := "providers." + name
	if strings.ContainsAny(name, "/ ") {
		v.problem(path, "", "a provider's name has no slash and no space")
	}
	base := v.base(name, p)
	if p.Like != "" && base == nil {
		v.problem(path+".like", v.didYouMean(p.Like), "the catalogue has no provider %q", p.Like)
	} else if base == nil && p.BaseURL == "" && len(p.Endpoints) == 0 {
		hint := v.didYouMean(name)
		if hint == "" {
			hint = "say base_url, or like with a name of the catalogue"
		}
		v.problem(path, hint, "the catalogue has no provider %q and there is no base_url", name)
	}
	if p.Protocol != "" {
		v.protocol(path+".protocol", p.Protocol)
	}
	v.endpoints(path, p)
	v.auth(path+".auth", p.Auth)
	if p.MaxConns < 0 {
		v.problem(path+".max_connections", "", "must not be negative")
	}
	for i, m := range p.Models {
		if m.ID == "" {
			v.problem(fmt.Sprintf("%s.models[%d]", path, i), "", "a model needs an id")
		}
	}
}

// base is the catalogue's entry that p inherits from, nil when there is none.
func (v *validator) base(name string, p Provider) *catalog.Provider {
	if p.Like != "" {
		name = p.Like
	}
	return v.catalog.Provider(name)
}

func (v *validator) endpoints(path string, p Provider) {
	protocol := weir.Protocol(p.Protocol)
	if protocol == "" {
		protocol = weir.OpenAIChat
	}
	if p.BaseURL != "" {
		v.baseURL(path+".base_url", protocol, p.BaseURL)
	}
	for _, proto := range slices.Sorted(maps.Keys(p.Endpoints)) {
		at := path + ".endpoints." + proto
		if v.protocol(at, proto) {
			v.baseURL(at, weir.Protocol(proto), p.Endpoints[proto])
		}
	}
}

// Protocols are those that an endpoint can be given for.
var Protocols = []string{
	string(weir.OpenAIChat), string(weir.OpenAIResponses), string(weir.OpenAICompletions), string(weir.OpenAIREST),
	string(weir.AnthropicMessages), string(weir.GeminiGenerate), string(weir.OllamaChat), string(weir.BedrockConverse),
}

func (v *validator) protocol(path, name string) bool {
	if slices.Contains(Protocols, name) {
		return true
	}
	v.problem(path, "known: "+strings.Join(Protocols, ", "), "unknown protocol %q", name)
	return false
}

func (v *validator) baseURL(path string, protocol weir.Protocol, raw string) {
	if _, err := catalog.NormalizeBaseURL(protocol, raw); err != nil {
		e := weir.AsError(withoutUser(err, raw))
		v.problem(path, "", "%s", e.Message)
	}
}

// withoutUser keeps a password that somebody put into a URL out of the message.
func withoutUser(err error, raw string) error {
	if u, perr := url.Parse(raw); perr == nil && u.User != nil {
		return weir.Errorf(weir.KindInvalid, "a base URL holds no user or password; use key or headers")
	}
	return err
}

func (v *validator) didYouMean(name string) string {
	if near := nearest.Names(name, slices.Values(v.providerIDs()), 3); near != nil {
		return "did you mean " + strings.Join(near, ", ") + "?"
	}
	return ""
}

func (v *validator) model(name string, m Model) {
	path := "models." + name
	if len(m.Deployments) == 0 {
		v.problem(path, "write provider/model, or a list of them", "a model needs at least one deployment")
	}
	for i, d := range m.Deployments {
		v.deployment(v.itemPath(path, "deployments", i), d)
	}
	v.modelTraffic(name, path, m)
	for i, f := range m.Fallbacks {
		at := v.itemPath(path, "fallbacks", i)
		switch {
		case f == name:
			v.problem(at, "", "%q falls back to itself", name)
		case v.isModel(f):
		default:
			v.deployment(at, f)
		}
	}
}

// itemPath is where an item of a model was said, in the long form or the short.
func (v *validator) itemPath(path, list string, i int) string {
	for _, p := range []string{fmt.Sprintf("%s.%s[%d]", path, list, i), fmt.Sprintf("%s[%d]", path, i)} {
		if _, ok := v.cfg.sources[p]; ok {
			return p
		}
	}
	return path
}

func (v *validator) isModel(name string) bool {
	_, ok := v.cfg.Models[name]
	return ok
}

func (v *validator) deployment(path, name string) {
	provider, model, ok := strings.Cut(name, "/")
	if !ok || provider == "" || model == "" {
		hint := "write provider/model"
		if near := nearest.Names(name, maps.Keys(v.cfg.Models), 1); near != nil {
			hint = "did you mean the model " + near[0] + "?"
		} else if refs := v.catalog.Resolve(name); len(refs) > 0 {
			hint = "did you mean " + refs[0].Provider.ID + "/" + name + "?"
		}
		v.problem(path, hint, "%q is neither a model of this file nor a deployment", name)
		return
	}
	if _, ok := v.cfg.Providers[provider]; ok || provider == "sim" || v.catalog.Provider(provider) != nil {
		return
	}
	names := slices.AppendSeq(v.providerIDs(), maps.Keys(v.cfg.Providers))
	hint := "add it under providers"
	if near := nearest.Names(provider, slices.Values(names), 1); near != nil {
		hint = "did you mean " + near[0] + "?"
	}
	v.problem(path, hint, "unknown provider %q", provider)
}

func (v *validator) providerIDs() []string {
	var ids []string
	for _, p := range v.catalog.Providers() {
		ids = append(ids, p.ID)
	}
	return ids
}

func (v *validator) keys() {
	names := map[string]bool{}
	for i, k := range v.cfg.Keys {
		path := fmt.Sprintf("keys[%d]", i)
		if k.Name == "" {
			v.problem(path, "", "a key needs a name")
		} else if names[k.Name] {
			v.problem(path+".name", "", "two keys are called %q", k.Name)
		}
		names[k.Name] = true
		if !validHash(k.Hash) {
			v.problem(path+".hash", "weir keys new NAME prints one", "expected sha256: and 64 hexadecimal digits")
		}
	}
}

func validHash(s string) bool {
	digits, ok := strings.CutPrefix(s, "sha256:")
	raw, err := hex.DecodeString(digits)
	return ok && err == nil && len(raw) == 32
}

func (v *validator) numbers() {
	c := v.cfg
	if c.Retry.Attempts < 1 {
		v.problem("retry.attempts", "", "at least 1 attempt is needed")
	}
	if c.Retry.PerDeployment < 0 {
		v.problem("retry.per_deployment", "", "%d is below 0", c.Retry.PerDeployment)
	}
	for _, l := range []struct {
		path string
		size Size
	}{{"limits.body", c.Limits.Body}, {"limits.in_flight", c.Limits.InFlight}, {"limits.frame", c.Limits.Frame}, {"limits.answer", c.Limits.Answer}, {"limits.header", c.Limits.Header}} {
		if l.size < 1024 {
			v.problem(l.path, "", "%s is too small to work with", l.size)
		}
	}
	if c.Limits.InFlight < c.Limits.Body {
		v.problem("limits.in_flight", "", "%s is less than one body may have (%s)", c.Limits.InFlight, c.Limits.Body)
	}
}

func (v *validator) enums() {
	for path, value := range map[string]struct {
		got   string
		known []string
	}{
		"log.level":  {v.cfg.Log.Level, []string{"debug", "info", "warn", "error"}},
		"log.format": {v.cfg.Log.Format, []string{"text", "json"}},
	} {
		if !slices.Contains(value.known, value.got) {
			v.problem(path, "known: "+strings.Join(value.known, ", "), "unknown value %q", value.got)
		}
	}
}
