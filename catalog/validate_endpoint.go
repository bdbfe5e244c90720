package catalog

import (
	"fmt"
	"slices"
	"strings"
)

func (p *Provider) validateEnv(ps *problems) {
	if p.EnvPrefix != "" {
		validateName(p.EnvPrefix, "env_prefix", ps)
	}
	if p.HostEnv != "" {
		validateName(p.HostEnv, "host_env", ps)
	}
	validateNames(p.KeyEnv, "key_env", ps)
	validateNames(p.CredentialEnv, "credential_env", ps)
	if len(p.CredentialEnv) > 0 && !p.Auth.FindsOwn() {
		ps.at("credential_env", "is for a scheme that finds its own credentials, such as %s", AuthSigV4)
	}
}

func validateNames(list []string, path string, ps *problems) {
	for i, v := range list {
		validateName(v, fmt.Sprintf("%s[%d]", path, i), ps)
	}
}

func validateName(v, path string, ps *problems) {
	if !envName.MatchString(v) {
		ps.at(path, "%q is not a variable's name: upper-case letters, digits and underscores", v)
	}
}

var schemes = []string{AuthBearer, AuthHeader, AuthQuery, AuthZhipuJWT, AuthNone, AuthSigV4, AuthGoogle, AuthOAuth2}

// Validate checks that the scheme is known and has what it needs. The error lists
// every problem.
func (a *Auth) Validate() error {
	var ps problems
	a.validate("auth", &ps)
	return ps.asError()
}

func (a *Auth) validate(path string, ps *problems) {
	need := func(name, value, what string) {
		if value == "" {
			ps.at(path+"."+name, "the scheme %s needs %s", a.Scheme, what)
		}
	}
	switch a.Scheme {
	case "", AuthBearer, AuthZhipuJWT, AuthNone, AuthGoogle:
	case AuthHeader:
		if !headerName.MatchString(a.Header) {
			ps.at(path+".header", "%q is not a header's name", a.Header)
		}
	case AuthQuery:
		need("query", a.Query, "the parameter's name")
	case AuthSigV4:
		need("service", a.Service, "the name of the service")
		need("region", a.Region, "a region")
	case AuthOAuth2:
		need("token_url", a.TokenURL, "the address of the token endpoint")
		if _, err := parseBase(specimen(a.TokenURL)); a.TokenURL != "" && err != nil {
			ps.at(path+".token_url", "%v", err)
		}
		validateName(a.ClientID, path+".client_id", ps)
		validateName(a.ClientSecret, path+".client_secret", ps)
	default:
		ps.at(path+".scheme", "%q is not known; known are %s", a.Scheme, strings.Join(schemes, ", "))
	}
	if a.Key != nil {
		a.Key.validate(path+".key", ps)
		if a.Key.FindsOwn() || !a.FindsOwn() {
			ps.at(path+".key", "is a scheme of plain keys beside one that finds its own credentials")
		}
	}
}

func (p *Provider) validateVariables(ps *problems) {
	known := map[string]bool{}
	for i, v := range p.Variables {
		path := fmt.Sprintf("variables[%d]", i)
		validateName(v.Name, path+".name", ps)
		validateNames(v.Env, path+".env", ps)
		if known[v.Name] {
			ps.at(path+".name", "%s is listed twice", v.Name)
		}
		known[v.Name] = true
		if (v.By == "") != (len(v.Values) == 0) {
			ps.at(path, "by and values belong together")
		}
		if v.By != "" && !known[v.By] {
			ps.at(path+".by", "%q is not a variable listed before", v.By)
		}
	}
	p.checkTemplates(known, ps)
}

// checkTemplates finds names in braces that are no variables.
func (p *Provider) checkTemplates(known map[string]bool, ps *problems) {
	check := func(path, template string) {
		for _, m := range placeholder.FindAllStringSubmatch(template, -1) {
			if !known[m[1]] {
				ps.at(path, "%s is not among the variables", m[1])
			}
		}
		if strings.ContainsAny(placeholder.ReplaceAllString(template, ""), "{}") {
			ps.at(path, "braces are for variables, in upper-case letters")
		}
	}
	check("auth.region", p.Auth.Region)
	for i := range p.Endpoints {
		e, path := &p.Endpoints[i], fmt.Sprintf("endpoints[%d]", i)
		check(path+".base_url", e.BaseURL)
		check(path+".query", e.Query)
		if e.Auth != nil {
			check(path+".auth.region", e.Auth.Region)
		}
	}
}

var envelopes = []string{EnvelopeBedrockInvoke, EnvelopeVertexAnthropic, EnvelopeAzureDeployments}

func (p *Provider) validateEndpoints(ps *problems) {
	if len(p.Endpoints) == 0 {
		ps.at("endpoints", "a provider needs at least one endpoint")
	}
	for i := range p.Endpoints {
		e, path := &p.Endpoints[i], fmt.Sprintf("endpoints[%d]", i)
		if !protocolName.MatchString(string(e.Protocol)) {
			ps.at(path+".protocol", "%q is not a protocol's name, such as openai.chat", e.Protocol)
		}
		if p.hidden(i) {
			ps.at(path+".protocol", "%s is listed twice, and nothing would come here", e.Protocol)
		}
		if u, err := parseBase(specimen(e.BaseURL)); err != nil {
			ps.at(path+".base_url", "%v", err)
		} else if strings.HasSuffix(u.Path, "/") {
			ps.at(path+".base_url", "ends with a slash")
		}
		if e.Envelope != "" && !slices.Contains(envelopes, e.Envelope) {
			ps.at(path+".envelope", "%q is not known; known are %s", e.Envelope, strings.Join(envelopes, ", "))
		}
		if e.Auth != nil {
			e.Auth.validate(path+".auth", ps)
			if e.Auth.FindsOwn() && e.Auth.Scheme != p.Auth.Scheme {
				ps.at(path+".auth.scheme", "a scheme that finds its own credentials must be the provider's too")
			}
		}
		validateQuirks(e.Quirks, path+".quirks", ps)
		validateDate(e.Date, path+".date", ps)
	}
}

// hidden reports whether an endpoint before the i-th takes all of its models in
// the same protocol.
func (p *Provider) hidden(i int) bool {
	return slices.ContainsFunc(p.Endpoints[:i], func(before Endpoint) bool {
		return before.Protocol == p.Endpoints[i].Protocol &&
			(len(before.Models) == 0 || slices.Equal(before.Models, p.Endpoints[i].Models))
	})
}
