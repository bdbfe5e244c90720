package telemetry

import (
	"context"
	"iter"
	"time"

	"github.com/weir-gateway/weir"
)

// Middleware is the stage that counts.
func (m *Metrics) Middleware() weir.Middleware { return m.wrap }

func (m *Metrics) wrap(next weir.Handler) weir.Handler {
	return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			c := call{m: m, req: req, start: time.Now()}
			m.inflight.Inc()
			defer c.end()
			for ev, err := range next.Handle(ctx, req) {
				if err != nil {
					c.fail(err)
				} else {
					c.see(&ev)
				}
				if !yield(ev, err) {
					return
				}
			}
			c.complete()
		}
	})
}

// A call is one pass through the stage.
type call struct {
	m          *Metrics
	req        *weir.Request
	start      time.Time
	first      time.Duration // 0 until content came
	deployment string
	usage      *weir.Usage
	class      int // index of classNames
	failed     bool
}

func (c *call) see(ev *weir.Event) {
	switch ev.Type {
	case weir.EventDelta, weir.EventRelay, weir.EventBlockStart, weir.EventBlockEnd, weir.EventVector:
		if c.first == 0 {
			c.first = time.Since(c.start)
		}
	case weir.EventFinish:
		if c.first == 0 {
			c.first = time.Since(c.start)
		}
		c.class = 2 // whoever leaves from here on has the answer
	case weir.EventUsage:
		if c.usage == nil {
			c.usage = new(weir.Usage)
		}
		c.usage.Merge(ev.Usage)
	case weir.EventNote:
		c.note(ev.Note)
	}
}

func (c *call) note(n weir.Note) {
	switch n := n.(type) {
	case *weir.Attempt:
		c.deployment = n.Deployment
		d := c.m.deployment(n.Deployment, n.Err == nil)
		if n.Err == nil {
			d.success.Inc()
		} else {
			c.m.attempts.WithLabelValues(d.name, n.Err.Kind.String()).Inc()
		}
	case *weir.Upstream:
		c.deployment = n.Deployment
	case *weir.Loss:
		c.m.losses.WithLabelValues(lossLabel(n.Action)).Inc()
	}
}

// lossLabel bounds the actions, which are open in type only.
func lossLabel(a weir.LossAction) string {
	switch a {
	case weir.LossDropped, weir.LossApproximated, weir.LossMoved, weir.LossClamped, weir.LossRenamed:
		return string(a)
	}
	return other
}

func (c *call) fail(err error) {
	e := weir.AsError(err)
	c.class, c.failed = 0, true
	if e.Kind != weir.KindCanceled {
		c.class = min(e.HTTPStatus(c.protocol())/100, classes-1)
	}
	if c.deployment == "" {
		c.deployment = e.Deployment
	}
}

// complete notes that the sequence ended by itself.
func (c *call) complete() {
	if !c.failed {
		c.class = 2
	}
}

func (c *call) protocol() weir.Protocol {
	if c.req.Wire == nil {
		return ""
	}
	return c.req.Wire.Protocol
}

func (c *call) end() {
	c.m.inflight.Dec()
	d, stream := c.m.deployment(c.deployment, false), 0
	if c.req.Stream {
		stream = 1
	}
	s := c.m.seriesOf(c.protocol(), d)
	s.request(c.req.Op, c.class, stream).Inc()
	s.durations(stream).Observe(time.Since(c.start).Seconds())
	if c.first > 0 && stream == 1 {
		s.firstTokens().Observe(c.first.Seconds())
	}
	if c.req.Op != weir.CountTokens {
		d.add(c.usage)
	}
}
