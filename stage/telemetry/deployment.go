package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weir-gateway/weir"
)

// A deployment is a label and the counters under it.
type deployment struct {
	name    string
	success prometheus.Counter

	text, cacheRead, cacheCreation prometheus.Counter // input
	visible, reasoning             prometheus.Counter // output
}

func newDeployment(m *Metrics, name string) *deployment {
	tokens := func(direction, kind string) prometheus.Counter {
		return m.tokens.WithLabelValues(name, direction, kind)
	}
	return &deployment{
		name:          name,
		success:       m.attempts.WithLabelValues(name, "ok"),
		text:          tokens("input", "text"),
		cacheRead:     tokens("input", "cache_read"),
		cacheCreation: tokens("input", "cache_creation"),
		visible:       tokens("output", "text"),
		reasoning:     tokens("output", "reasoning"),
	}
}

// deployment is that of a name, or the common one when the name may not be a
// label. answered tells that it has served a call.
func (m *Metrics) deployment(name string, answered bool) *deployment {
	if name == "" {
		return m.none
	}
	if d, ok := m.deployments.Load(name); ok {
		return d.(*deployment)
	}
	if known := m.options.Known; known == nil && !answered || known != nil && !known(name) {
		return m.other
	}
	if m.count.Add(1) > int64(m.options.MaxDeployments) {
		m.count.Add(-1)
		return m.other
	}
	d, raced := m.deployments.LoadOrStore(name, newDeployment(m, name))
	if raced {
		m.count.Add(-1)
	}
	return d.(*deployment)
}

// add counts the tokens of an answer. Parts larger than their total, which a
// malformed report may have, are cut to it.
func (d *deployment) add(u *weir.Usage) {
	if u == nil {
		return
	}
	read := min(u.CacheReadTokens, u.InputTokens)
	created := min(u.CacheCreationTokens, u.InputTokens-read)
	thought := min(u.ReasoningTokens, u.OutputTokens)
	count(d.text, u.InputTokens-read-created)
	count(d.cacheRead, read)
	count(d.cacheCreation, created)
	count(d.visible, u.OutputTokens-thought)
	count(d.reasoning, thought)
}

// count skips zero, and what a counter would panic on.
func count(c prometheus.Counter, n int64) {
	if n > 0 {
		c.Add(float64(n))
	}
}
