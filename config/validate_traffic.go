package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// modelTraffic checks how the requests for a model are steered.
func (v *validator) modelTraffic(name, path string, m Model) {
	v.oneOf(path+".strategy", m.Strategy, strategies)
	v.oneOf(path+".sticky_by", m.StickyBy, stickyKeys)
	for d := range m.Weights {
		if !slices.Contains(m.Deployments, d) {
			v.problem(path+".weights."+d, "weights are of the deployments that are listed there", "%q is not a deployment of %q", d, name)
		}
	}
	sum := 0.0
	for i, s := range m.Split {
		at := fmt.Sprintf("%s.split[%d]", path, i)
		v.target(at+".model", name, s.Model)
		v.percent(at+".percent", s.Percent)
		sum += s.Percent
	}
	if sum > 100 {
		v.problem(path+".split", "", "the parts add up to %g percent", sum)
	}
	for i, s := range m.Shadow {
		at := fmt.Sprintf("%s.shadow[%d]", path, i)
		v.target(at+".model", name, s.Model)
		v.percent(at+".percent", s.Percent)
	}
	v.rules(path, m.Rules)
}

func (v *validator) oneOf(path, got string, known []string) {
	if got != "" && !slices.Contains(known, got) {
		v.problem(path, "known: "+strings.Join(known, ", "), "unknown value %q", got)
	}
}

func (v *validator) percent(path string, p float64) {
	if p < 0 || p > 100 {
		v.problem(path, "", "%g is not a percentage", p)
	}
}

// target checks a name that stands for a model or a deployment.
func (v *validator) target(path, self, name string) {
	switch {
	case name == self:
		v.problem(path, "", "%q is the model itself", name)
	case !v.isModel(name):
		v.deployment(path, name)
	}
}

// rules checks what rules lead to; their conditions are compiled when the gateway
// is built.
func (v *validator) rules(path string, rules []Rule) {
	for i, r := range rules {
		at := fmt.Sprintf("%s.rules[%d]", path, i)
		if r.When == "" {
			v.problem(at, "write a condition such as tokens > 32000", "the rule has no when")
		}
		if r.Use == "" {
			v.problem(at, "write a model or provider/model", "the rule has no use")
		} else if !v.isModel(r.Use) {
			v.deployment(at+".use", r.Use)
		}
	}
}

// adaptive checks the numbers of a provider's limit.
func (v *validator) adaptive(path string, a Adaptive) {
	switch {
	case a.Max < 0 || a.Min < 0 || a.Start < 0:
		v.problem(path, "", "max, min and start are not below 0")
	case a.Max > 0 && a.Min > a.Max:
		v.problem(path+".min", "", "%d is more than max (%d)", a.Min, a.Max)
	case a.Queue < -1:
		v.problem(path+".queue", "", "%d is below -1, which is no queue", a.Queue)
	case a.Tolerance != 0 && a.Tolerance <= 1:
		v.problem(path+".tolerance", "", "%g is not above 1", a.Tolerance)
	}
}

func (v *validator) traffic() {
	for name, p := range v.cfg.Providers {
		v.adaptive("providers."+name+".adaptive", p.Adaptive)
	}
	c := v.cfg
	v.rules("routing", c.Routing.Rules)
	if _, err := time.LoadLocation(c.Routing.Zone); err != nil {
		v.problem("routing.time_zone", "write one such as Asia/Shanghai", "unknown time zone %q", c.Routing.Zone)
	}
	if r := c.Breaker.FailureRate; r <= 0 || r > 1 {
		v.problem("breaker.failure_rate", "", "%g is not above 0 and up to 1", r)
	}
	if b := c.Hedge.Budget; b < 0 || b > 1 {
		v.problem("hedge.budget", "", "%g is not between 0 and 1", b)
	}
	for name, class := range c.Retry.Classes.all() {
		v.oneOf("retry.classes."+name+".shape", class.Shape, []string{"none", "linear", "exponential", "random"})
	}
	for i, d := range c.Degraded {
		if d.Answer == "" {
			v.problem(fmt.Sprintf("degraded[%d]", i), "", "the rule has no answer")
		}
	}
}

// all are the classes by their names.
func (c RetryClasses) all() map[string]RetryClass {
	return map[string]RetryClass{
		"rate_limit": c.RateLimit, "bad_gateway": c.BadGateway, "unavailable": c.Unavailable,
		"timeout": c.Timeout, "connection": c.Connection, "server": c.Server,
	}
}
