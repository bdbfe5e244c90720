package catalog

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	providerName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
	protocolName = regexp.MustCompile(`^[a-z][a-z0-9]*\.[a-z][a-z0-9_]*$`)
	envName      = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	headerName   = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
)

var modalities = []string{"text", "image", "audio", "video", "file"}

// Validate checks everything that can be checked without asking the vendor:
// names, addresses, dates, authentication, quirks, and prices that are off by
// the factor between "per token" and "per million tokens". The error lists
// every problem with its path.
func (p *Provider) Validate() error {
	var ps problems
	if !providerName.MatchString(p.ID) {
		ps.at("id", "%q is not a provider's name: lower-case letters, digits and dashes", p.ID)
	}
	for i, a := range p.Aliases {
		if !providerName.MatchString(a) {
			ps.at(fmt.Sprintf("aliases[%d]", i), "%q is not a provider's name", a)
		}
	}
	p.validateEnv(&ps)
	p.Auth.validate("auth", &ps)
	validateQuirks(p.Quirks, "quirks", &ps)
	validateDate(p.Date, "date", &ps)
	p.validateEndpoints(&ps)
	p.validateModels(&ps)
	return ps.asError()
}

func (p *Provider) validateEnv(ps *problems) {
	check := func(path, v string) {
		if !envName.MatchString(v) {
			ps.at(path, "%q is not a variable's name: upper-case letters, digits and underscores", v)
		}
	}
	if p.EnvPrefix != "" {
		check("env_prefix", p.EnvPrefix)
	}
	if p.HostEnv != "" {
		check("host_env", p.HostEnv)
	}
	for i, v := range p.KeyEnv {
		check(fmt.Sprintf("key_env[%d]", i), v)
	}
}

func (a *Auth) validate(path string, ps *problems) {
	switch a.Scheme {
	case "", AuthBearer, AuthZhipuJWT, AuthNone:
	case AuthHeader:
		if !headerName.MatchString(a.Header) {
			ps.at(path+".header", "%q is not a header's name", a.Header)
		}
	case AuthQuery:
		if a.Query == "" {
			ps.at(path+".query", "the scheme query needs the parameter's name")
		}
	default:
		ps.at(path+".scheme", "%q is not known; known are %s", a.Scheme,
			strings.Join([]string{AuthBearer, AuthHeader, AuthQuery, AuthZhipuJWT, AuthNone}, ", "))
	}
}

func (p *Provider) validateEndpoints(ps *problems) {
	if len(p.Endpoints) == 0 {
		ps.at("endpoints", "a provider needs at least one endpoint")
	}
	for i := range p.Endpoints {
		e, path := &p.Endpoints[i], fmt.Sprintf("endpoints[%d]", i)
		if !protocolName.MatchString(string(e.Protocol)) {
			ps.at(path+".protocol", "%q is not a protocol's name, such as openai.chat", e.Protocol)
		}
		if p.Endpoint(e.Protocol) != e {
			ps.at(path+".protocol", "%s is listed twice", e.Protocol)
		}
		if u, err := parseBase(e.BaseURL); err != nil {
			ps.at(path+".base_url", "%v", err)
		} else if strings.HasSuffix(u.Path, "/") {
			ps.at(path+".base_url", "ends with a slash")
		}
		if e.Auth != nil {
			e.Auth.validate(path+".auth", ps)
		}
		validateQuirks(e.Quirks, path+".quirks", ps)
		validateDate(e.Date, path+".date", ps)
	}
}

func (p *Provider) validateModels(ps *problems) {
	seen := map[string]string{}
	for i, m := range p.Models {
		path := fmt.Sprintf("models[%d]", i)
		if m == nil || strings.TrimSpace(m.ID) == "" {
			ps.at(path+".id", "a model needs an id")
			continue
		}
		path += " (" + m.ID + ")"
		for _, name := range append([]string{m.ID}, m.Aliases...) {
			if other, ok := seen[name]; ok {
				ps.at(path, "%q is already a name of %s", name, other)
			}
			seen[name] = m.ID
		}
		m.validate(path, ps)
	}
}

func (m *Model) validate(path string, ps *problems) {
	for _, n := range []int64{m.Context, m.MaxOutput, m.MaxInput} {
		if n < 0 || n > 1<<32 {
			ps.at(path, "a limit of %d tokens is not plausible", n)
		}
	}
	if m.Context > 0 && m.MaxInput > m.Context {
		ps.at(path+".max_input", "is more than the context")
	}
	for _, v := range slices.Concat(m.Input, m.Output) {
		if !slices.Contains(modalities, v) {
			ps.at(path, "%q is not a modality; known are %s", v, strings.Join(modalities, ", "))
		}
	}
	validateEfforts(m.Efforts, path+".efforts", ps)
	validateQuirks(m.Quirks, path+".quirks", ps)
	validateDate(m.Retired, path+".retired", ps)
	validateDate(m.Date, path+".date", ps)
	if m.Date != "" && m.Source == "" {
		ps.at(path+".source", "a date needs a source")
	}
	validateSheets(m.Prices, path+".prices", ps)
}

func validateDate(s, path string, ps *problems) {
	if s == "" {
		return
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		ps.at(path, "%q is not a date of the form 2026-11-20", s)
	}
}

// checkNames finds ids and aliases that more than one provider claims.
func checkNames(list []*Provider) error {
	var ps problems
	seen := map[string]string{}
	for _, p := range list {
		for _, name := range append([]string{p.ID}, p.Aliases...) {
			if other, ok := seen[name]; ok {
				ps.add("provider "+p.ID, "", "%q is already a name of provider %s", name, other)
			}
			seen[name] = p.ID
		}
	}
	return ps.asError()
}
