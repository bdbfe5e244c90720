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

// modalities are those of Model.Input and Output. A model that makes vectors has
// the output "embedding", and one that ranks documents "score".
var modalities = []string{"text", "image", "audio", "video", "file", "embedding", "score"}

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
	p.validateVariables(&ps)
	validateQuirks(p.Quirks, "quirks", &ps)
	validateDate(p.Date, "date", &ps)
	p.validateEndpoints(&ps)
	p.validateModels(&ps)
	return ps.asError()
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
