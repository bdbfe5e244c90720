package catalog

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
)

// A Variable is a part of a provider's addresses that is the user's own: a
// region, a project, the name of a resource. It stands in braces where it
// belongs, "https://bedrock-runtime.{AWS_REGION}.amazonaws.com".
type Variable struct {
	// Name is that of the environment variable that holds it.
	Name string `json:"name"`
	// Env are other environment variables that may hold it, the best first.
	Env []string `json:"env,omitempty"`
	// Default holds where none of them is set; it may have other variables in
	// it, all of which must then be known. Empty: there is no default.
	Default string `json:"default,omitempty"`
	// By is the variable that this one follows from: it is then not read from
	// the environment, but taken from Values by the other's value, "*" being
	// any. Empty: it stands for itself.
	By     string            `json:"by,omitempty"`
	Values map[string]string `json:"values,omitempty"`
	// Help says in a few words what it is, for whoever has not set it.
	Help string `json:"help,omitempty"`
}

var placeholder = regexp.MustCompile(`\{([A-Z][A-Z0-9_]*)\}`)

// Expand replaces the names in braces by their values. The error is KindInvalid
// and names the first variable that has none.
func Expand(template string, value func(name string) string) (string, error) {
	var missing string
	out := placeholder.ReplaceAllStringFunc(template, func(m string) string {
		name := m[1 : len(m)-1]
		v := value(name)
		if v == "" && missing == "" {
			missing = name
		}
		return v
	})
	if missing != "" {
		return "", missingVariable(missing, "")
	}
	return out, nil
}

func missingVariable(name, help string) error {
	e := weir.Invalid(name, "%s is not set", name)
	e.Hint = "set " + name
	if help != "" {
		e.Message = fmt.Sprintf("%s, %s, is not set", name, help)
	}
	return e
}

// WithVariables is a copy of the provider whose addresses and regions have the
// values that lookup, os.LookupEnv or the like, finds for its variables. A
// provider without any is returned as it is. The error is KindInvalid and names
// the variable that is not set or whose value cannot stand there, never the
// value.
func (p *Provider) WithVariables(lookup func(string) (string, bool)) (*Provider, error) {
	if len(p.Variables) == 0 {
		return p, nil
	}
	r := resolver{vars: p.Variables, lookup: lookup, addresses: p.addressVariables()}
	out := *p
	out.Variables = nil
	out.Auth.Region = r.expand(p.Auth.Region)
	out.Endpoints = slices.Clone(p.Endpoints)
	for i := range out.Endpoints {
		r.endpoint(&out.Endpoints[i])
	}
	if r.err != nil {
		return nil, r.err
	}
	return &out, nil
}

// addressVariables are the names of the variables that hold a whole address: they
// stand at its head, or at the head of what such a one is made of.
func (p *Provider) addressVariables() []string {
	var names []string
	var add func(template string)
	add = func(template string) {
		m := placeholder.FindStringSubmatchIndex(template)
		if m == nil || m[0] != 0 || slices.Contains(names, template[m[2]:m[3]]) {
			return
		}
		name := template[m[2]:m[3]]
		names = append(names, name)
		for _, v := range p.Variables {
			if v.Name != name {
				continue
			}
			add(v.Default)
			for _, other := range v.Env {
				add("{" + other + "}")
			}
		}
	}
	for i := range p.Endpoints {
		add(p.Endpoints[i].BaseURL)
	}
	return names
}

// resolver finds the values of variables, and keeps the first error.
type resolver struct {
	vars      []Variable
	lookup    func(string) (string, bool)
	addresses []string // names of variables that hold a whole address
	err       error
}

func (r *resolver) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *resolver) endpoint(e *Endpoint) {
	template := e.BaseURL
	e.BaseURL, e.Query = strings.TrimRight(r.expand(template), "/"), r.expand(e.Query)
	if e.Auth != nil {
		a := *e.Auth
		a.Region = r.expand(a.Region)
		e.Auth = &a
	}
	if r.err != nil || e.BaseURL == template {
		return
	}
	e.BaseURL = withoutSlashes(e.BaseURL)
	if _, err := parseBase(e.BaseURL); err != nil {
		name := placeholder.FindStringSubmatch(template)[1]
		r.fail(weir.Invalid(name, "%s does not make an address: %w", name, err))
	}
}

// withoutSlashes takes away the slash that a user's address ended in, in the
// middle of what was made of it.
func withoutSlashes(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return address
	}
	return scheme + "://" + strings.ReplaceAll(rest, "//", "/")
}

func (r *resolver) expand(template string) string {
	out, err := Expand(template, func(name string) string { return r.value(name, 0) })
	if err == nil {
		return out
	}
	name := weir.AsError(err).Param
	for i := range r.vars {
		if r.vars[i].Name == name {
			err = r.missing(&r.vars[i])
		}
	}
	r.fail(err)
	return ""
}

// missing is the error for a variable that could not be found: the one that it
// follows from, or all that would do.
func (r *resolver) missing(v *Variable) error {
	if v.By != "" {
		for i := range r.vars {
			if r.vars[i].Name == v.By {
				return r.missing(&r.vars[i])
			}
		}
	}
	e := weir.AsError(missingVariable(v.Name, v.Help))
	names := slices.Concat([]string{v.Name}, v.Env)
	for _, m := range placeholder.FindAllStringSubmatch(v.Default, -1) {
		names = append(names, m[1])
	}
	e.Hint = "set " + strings.Join(names, " or ")
	return e
}

// value is empty for a variable that has none. depth ends a circle.
func (r *resolver) value(name string, depth int) string {
	i := slices.IndexFunc(r.vars, func(v Variable) bool { return v.Name == name })
	if i < 0 || depth > len(r.vars) {
		return r.read(name)
	}
	v := &r.vars[i]
	within := func(name string) string { return r.value(name, depth+1) }
	if v.By != "" {
		of := within(v.By)
		template, ok := v.Values[of]
		if !ok {
			template = v.Values["*"]
		}
		if of == "" {
			return ""
		}
		out, _ := Expand(template, within)
		return out
	}
	for _, name := range append([]string{v.Name}, v.Env...) {
		if s := r.read(name); s != "" {
			return s
		}
	}
	out, _ := Expand(v.Default, within)
	return out
}

// read is what the user set. What cannot be a part of an address is refused: a
// slash in a region would send the credentials to another host.
func (r *resolver) read(name string) string {
	s, _ := r.lookup(name)
	s = strings.TrimSpace(s)
	if strings.ContainsAny(s, " \t\r\n{}?#@%&\\\"'<>") || strings.Contains(s, "/") && !slices.Contains(r.addresses, name) {
		r.fail(weir.Invalid(name, "%s holds what cannot stand in an address", name))
		return ""
	}
	return s
}

// specimen is a template with something in the place of its variables, so that
// it can be read as an address.
func specimen(template string) string {
	if m := placeholder.FindStringSubmatchIndex(template); m != nil && m[0] == 0 {
		template = "https://" + specimenHost + template[m[1]:]
	}
	return placeholder.ReplaceAllString(template, "x")
}

// specimenHost stands for an address that is a variable.
const specimenHost = "variable.invalid"

// pathOf is the path of a template, with its variables.
func pathOf(template string) string {
	if m := placeholder.FindStringIndex(template); m != nil && m[0] == 0 {
		return template[m[1]:]
	}
	_, rest, _ := strings.Cut(template, "://")
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		return rest[slash:]
	}
	return ""
}
