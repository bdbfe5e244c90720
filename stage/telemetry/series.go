package telemetry

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weir-gateway/weir"
)

// seriesKey picks the series of a call: one look-up, when it has ended.
type seriesKey struct {
	protocol   weir.Protocol
	deployment string
}

// series are the children of one protocol and deployment, made when first used.
type series struct {
	m                    *Metrics
	protocol, deployment string
	requests             [operations][classes][2]atomic.Pointer[prometheus.Counter]
	duration             [2]atomic.Pointer[prometheus.Observer]
	ttft                 atomic.Pointer[prometheus.Observer]
}

const (
	operations = int(weir.Other) + 2 // the last is for those that are not known here
	classes    = 6                   // index 2 to 5 is 2xx to 5xx, 0 is the client gone
)

var (
	classNames  = [classes]string{"canceled", "1xx", "2xx", "3xx", "4xx", "5xx"}
	streamNames = [2]string{"false", "true"}
)

func (m *Metrics) seriesOf(protocol weir.Protocol, d *deployment) *series {
	key := seriesKey{protocol, d.name}
	if s, ok := m.series.Load(key); ok {
		return s.(*series)
	}
	name := string(protocol)
	if name == "" {
		name = "go"
	}
	s, _ := m.series.LoadOrStore(key, &series{m: m, protocol: name, deployment: d.name})
	return s.(*series)
}

func (s *series) request(op weir.Operation, class, stream int) prometheus.Counter {
	slot := &s.requests[min(int(op), operations-1)][class][stream]
	if c := slot.Load(); c != nil {
		return *c
	}
	c := s.m.requests.WithLabelValues(s.protocol, s.deployment, op.String(), classNames[class], streamNames[stream])
	slot.Store(&c)
	return c
}

func (s *series) durations(stream int) prometheus.Observer {
	if o := s.duration[stream].Load(); o != nil {
		return *o
	}
	o := s.m.duration.WithLabelValues(s.protocol, s.deployment, streamNames[stream])
	s.duration[stream].Store(&o)
	return o
}

func (s *series) firstTokens() prometheus.Observer {
	if o := s.ttft.Load(); o != nil {
		return *o
	}
	o := s.m.ttft.WithLabelValues(s.protocol, s.deployment)
	s.ttft.Store(&o)
	return o
}
