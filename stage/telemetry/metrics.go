package telemetry

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// other is the label of deployments that have none of their own.
const other = "other"

// none is the label of calls that reached no deployment.
const none = "none"

// Options set up Metrics. The zero value is usable.
type Options struct {
	// Known reports whether a deployment's name may become a label. Nil: those
	// may that have served a call, since junk names never do.
	Known func(deployment string) bool
	// MaxDeployments is how many deployments get labels of their own, the
	// first ones that are met. 0 is 200.
	MaxDeployments int
	// Process adds the metrics of the process and of the Go runtime.
	Process bool
}

// Metrics are the counters of one process, in a registry of their own. Chains
// come and go with reloads; Metrics stay. Safe for concurrent use.
//
//	weir_requests_total{protocol,deployment,op,status_class,stream}
//	weir_request_duration_seconds{protocol,deployment,stream}
//	weir_time_to_first_token_seconds{protocol,deployment}   streamed calls only
//	weir_tokens_total{deployment,direction,kind}
//	weir_attempts_total{deployment,outcome}
//	weir_losses_total{action}
//	weir_inflight
//
// The kinds of tokens do not overlap: input is text, cache_read and
// cache_creation, output is text and reasoning.
type Metrics struct {
	options  Options
	registry *prometheus.Registry

	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	ttft     *prometheus.HistogramVec
	tokens   *prometheus.CounterVec
	attempts *prometheus.CounterVec
	losses   *prometheus.CounterVec
	inflight prometheus.Gauge

	series      sync.Map // seriesKey to *series
	deployments sync.Map // name to *deployment
	count       atomic.Int64
	other, none *deployment
}

// Buckets in seconds: answers of models take from a tenth of a second to an
// hour. Native histograms come beside them, for scrapers that can.
var (
	durationBuckets = []float64{.1, .25, .5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600, 1800, 3600}
	ttftBuckets     = []float64{.05, .1, .2, .3, .5, .75, 1, 1.5, 2.5, 4, 6, 10, 20, 40, 60, 120, 300}
)

// New makes Metrics and registers them.
func New(o Options) *Metrics {
	if o.MaxDeployments <= 0 {
		o.MaxDeployments = 200
	}
	m := &Metrics{
		options:  o,
		registry: prometheus.NewRegistry(),
		requests: counter("weir_requests_total", "Calls that ended.", "protocol", "deployment", "op", "status_class", "stream"),
		duration: histogram("weir_request_duration_seconds", "Time from a call's start to its end.", durationBuckets, "protocol", "deployment", "stream"),
		ttft:     histogram("weir_time_to_first_token_seconds", "Time from a streamed call's start to its first content.", ttftBuckets, "protocol", "deployment"),
		tokens:   counter("weir_tokens_total", "Tokens of answers, without overlap between kinds.", "deployment", "direction", "kind"),
		attempts: counter("weir_attempts_total", "Upstream calls by how they went.", "deployment", "outcome"),
		losses:   counter("weir_losses_total", "What translations could not carry over.", "action"),
		inflight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "weir_inflight", Help: "Calls in progress."}),
	}
	m.registry.MustRegister(m.requests, m.duration, m.ttft, m.tokens, m.attempts, m.losses, m.inflight)
	if o.Process {
		m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
	m.other, m.none = newDeployment(m, other), newDeployment(m, none)
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// histogram sets both kinds of buckets: with a native factor alone, the
// classic ones vanish for text scrapers.
func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  160,
		NativeHistogramMinResetDuration: time.Hour,
	}, labels)
}

// Registry is where the metrics are, for others to be added to.
func (m *Metrics) Registry() *prometheus.Registry { return m.registry }

// Handler answers GET /metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, EnableOpenMetrics: true})
}
