package sim

import (
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
	"sync"
)

// A Rule says which requests get a fault.
type Rule struct {
	// Fault in the words of the type Fault.
	Fault string `json:"fault"`
	// Share of the matching requests, above 0 to 1; 0 is all of them.
	Share float64 `json:"share,omitempty"`
	// Model and Path are globs (path.Match) of the requests concerned; empty is any.
	Model string `json:"model,omitempty"`
	Path  string `json:"path,omitempty"`
}

// rules choose the fault of a request. Safe for concurrent use.
type rules struct {
	mu     sync.Mutex // guards all below
	list   []rule
	played map[string]int // by the fault's text, for times=N
	random *rand.Rand
}

type rule struct {
	Rule
	fault *Fault
	left  int // how often it is still played; below 0 is without end
}

func newRules(seed uint64) *rules {
	return &rules{played: map[string]int{}, random: rand.New(rand.NewPCG(seed, 1))}
}

func parseRule(r Rule) (rule, error) {
	f, err := ParseFault(r.Fault)
	if err != nil {
		return rule{}, err
	}
	if r.Share < 0 || r.Share > 1 {
		return rule{}, fmt.Errorf("share of fault %q must be between 0 and 1", r.Fault)
	}
	for _, glob := range []string{r.Model, r.Path} {
		if _, err := path.Match(glob, ""); err != nil {
			return rule{}, fmt.Errorf("pattern %q of fault %q: %w", glob, r.Fault, err)
		}
	}
	left := -1
	if f.Times > 0 {
		left = f.Times
	}
	return rule{Rule: r, fault: f, left: left}, nil
}

// add appends rules, all or none.
func (r *rules) add(list []Rule) error {
	var parsed []rule
	for _, x := range list {
		p, err := parseRule(x)
		if err != nil {
			return err
		}
		parsed = append(parsed, p)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, parsed...)
	return nil
}

// clear forgets rules and counts.
func (r *rules) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = nil
	clear(r.played)
}

func (r *rules) all() []Rule {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]Rule, len(r.list))
	for i := range r.list {
		out[i] = r.list[i].Rule
	}
	return out
}

// choose gives the fault of a request, nil for none: that of the header, else
// that behind the @ of the model's name, else that of the first rule that hits.
func (r *rules) choose(header, model, urlPath string) (*Fault, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if header != "" {
		return r.once(header, "header "+header)
	}
	if spec := modelFault(model); spec != "" {
		return r.once(spec, "model "+model)
	}
	for i := range r.list {
		x := &r.list[i]
		if x.left == 0 || !matches(x.Model, model) || !matches(x.Path, urlPath) {
			continue
		}
		if x.Share > 0 && r.random.Float64() >= x.Share {
			continue
		}
		if x.left > 0 {
			x.left--
		}
		return x.fault, nil
	}
	return nil, nil
}

// modelFault is the fault in a model's name: what follows the @ where the name,
// behind the last slash, begins with "sim" ("sim@503", "a/sim-b@cut=after:3").
// Other names may have an @ of their own, as those of Vertex do.
func modelFault(model string) string {
	name, spec, _ := strings.Cut(model, "@")
	if !strings.HasPrefix(name[strings.LastIndexByte(name, '/')+1:], "sim") {
		return ""
	}
	return spec
}

// once counts the plays of a fault that came with its request, by key.
func (r *rules) once(spec, key string) (*Fault, error) {
	f, err := ParseFault(spec)
	if err != nil || f.Times == 0 {
		return f, err
	}
	if r.played[key] >= f.Times {
		return nil, nil
	}
	r.played[key]++
	return f, nil
}

func matches(glob, s string) bool {
	if glob == "" {
		return true
	}
	ok, _ := path.Match(glob, s)
	return ok
}
