package gateway

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/breaker"
	"github.com/weir-gateway/weir/stage/route"
)

// What follows tells how things are, and calls nothing.

// An observer resolves names as the chain does, with orders of its own: asking
// takes nobody's turn and no probe of a deployment that is left alone.
type observer struct {
	*builder
	resolver *resolver
}

func (b *builder) observer() (*observer, error) {
	o := &builder{gateway: b.gateway, cfg: b.cfg, byName: b.byName, simulated: b.simulated, groups: b.groups, observes: true}
	table, err := o.table()
	if err != nil {
		return nil, err
	}
	return &observer{o, &resolver{table, o}}, nil
}

// observed is a health of which no probe is taken: who is given one must call.
type observed struct{ route.Health }

// Probe implements route.Health.
func (observed) Probe() bool { return false }

// DeploymentStatus is how a deployment is, for people and their programs. It
// holds no secret and nothing of a prompt.
type DeploymentStatus struct {
	// Name is that of the deployment, Provider who serves it and Model the
	// provider's own name.
	Name     string `json:"name"`
	Provider string `json:"provider"`
	Model    string `json:"model"`
	// Models are the names of the configuration that lead to it; empty for one
	// that was only asked for by its own name.
	Models []string `json:"models,omitempty"`
	// Zone is where it is; empty is everywhere.
	Zone string `json:"zone,omitempty"`
	// State is closed, half_open, open or ejected, and off where nobody watches;
	// Since is from when, but for an ejection.
	State string    `json:"state"`
	Since time.Time `json:"since,omitzero"`
	// Standing is how much it commends itself for the next call: ready, slow,
	// cooling or down.
	Standing string `json:"standing"`
	// Weight is the part of its configured weight that it has now, 0 or 1.
	Weight float64 `json:"weight"`
	// EjectedFrom are the models for which it is too slow.
	EjectedFrom []string `json:"ejected_from,omitempty"`
	// CoolingUntil is until when it is passed over after a rate limit, and Until
	// when calls are let through again.
	CoolingUntil time.Time `json:"cooling_until,omitzero"`
	Until        time.Time `json:"until,omitzero"`
	// InFlight is how many attempts are in progress.
	InFlight int `json:"in_flight"`
	// LatencyMS is the usual time to the first token of a streamed answer, P95MS
	// what 95 of 100 do not exceed, and WholeMS the usual time of an answer in
	// one piece, in milliseconds. 0: there was none yet.
	LatencyMS float64 `json:"latency_ms"`
	P95MS     float64 `json:"p95_ms"`
	WholeMS   float64 `json:"whole_ms"`
	// Window counts the latest calls.
	Window CallCounts `json:"window"`
	// LastError is the kind of the latest error; empty when there was none.
	LastError   string    `json:"last_error,omitempty"`
	LastErrorAt time.Time `json:"last_error_at,omitzero"`
}

// CallCounts are the calls of breaker.window by how they ended.
type CallCounts struct {
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
	// Denied were refused for a key, an account or an unknown model; Neutral say
	// nothing about the deployment: mistakes of clients, and those who left.
	Denied  int `json:"denied"`
	Neutral int `json:"neutral"`
}

// Deployments tells how all deployments are that names of the configuration
// lead to, and others that have been called, by name. Safe for concurrent use.
func (s *Snapshot) Deployments() ([]DeploymentStatus, error) {
	o, err := s.observer()
	if err != nil {
		return nil, err
	}
	models, found := o.reach()
	out := make([]DeploymentStatus, 0, len(found))
	known := map[string]bool{}
	for _, h := range o.gateway.state.board.List() {
		known[h.Deployment] = true
		out = append(out, o.watched(&h, models[h.Deployment]))
	}
	for name, d := range found {
		if !known[name] {
			out = append(out, o.status(d, nil, models[name]))
		}
	}
	slices.SortFunc(out, func(x, y DeploymentStatus) int { return strings.Compare(x.Name, y.Name) })
	return out, nil
}

// reach finds which names of the configuration lead to which deployments.
func (o *observer) reach() (models map[string][]string, found map[string]*weir.Deployment) {
	models, found = map[string][]string{}, map[string]*weir.Deployment{}
	for _, name := range slices.Sorted(maps.Keys(o.cfg.Models)) {
		asked := []string{name}
		for _, s := range o.cfg.Models[name].Split {
			asked = append(asked, s.Model)
		}
		for _, model := range asked {
			// A name that cannot be resolved leads nowhere.
			list, _, _ := o.resolver.Resolve(weir.NewRequest(model, &weir.Body{}))
			for i := range list {
				d := &list[i]
				found[d.Name] = d
				if !slices.Contains(models[d.Name], name) {
					models[d.Name] = append(models[d.Name], name)
				}
			}
		}
	}
	return models, found
}

// watched is the status of a deployment on the board.
func (o *observer) watched(h *breaker.Status, models []string) DeploymentStatus {
	provider, model, _ := strings.Cut(h.Deployment, "/")
	d := weir.Deployment{Name: h.Deployment, Provider: provider, Model: model}
	return o.status(&d, h, models)
}

// status puts together what is known; h is nil of a deployment that nobody has
// watched yet.
func (o *observer) status(d *weir.Deployment, h *breaker.Status, models []string) DeploymentStatus {
	s := DeploymentStatus{
		Name: d.Name, Provider: d.Provider, Model: d.Model, Models: models, Zone: o.cfg.Providers[d.Provider].Zone,
		State: breaker.Closed.String(), Standing: breaker.Ready.String(), Weight: 1,
	}
	if o.cfg.Breaker.Off {
		s.State = "off"
		return s
	}
	if h == nil {
		return s
	}
	s.State, s.Since, s.Weight = h.State.String(), h.Since, h.Weight
	s.Standing = o.standing(d.Name, h)
	s.EjectedFrom, s.CoolingUntil, s.Until = h.EjectedFrom, h.Cooling, h.Until
	s.InFlight = h.InFlight
	s.LatencyMS, s.P95MS, s.WholeMS = inMilliseconds(h.Latency), inMilliseconds(h.P95), inMilliseconds(h.Whole)
	s.Window = CallCounts{Succeeded: h.Succeeded, Failed: h.Failed, Denied: h.Denied, Neutral: h.Neutral}
	s.LastError, s.LastErrorAt = h.LastError, h.LastErrorAt
	return s
}

func (o *observer) standing(name string, h *breaker.Status) string {
	standing := o.gateway.state.board.Health(name).Standing()
	if standing == breaker.Ready && len(h.EjectedFrom) > 0 {
		standing = breaker.Slow
	}
	return standing.String()
}

func inMilliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
