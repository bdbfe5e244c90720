package ledger

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/price"
	"github.com/weir-gateway/weir/tokens"
)

// A meter follows the usage of an answer, and what can be estimated from if
// none is reported.
type meter struct {
	usage weir.Usage
	seen  bool // usage was reported
	// late tells that nothing has come since usage was reported: it is up to
	// date, and after a finish it is final.
	late     bool
	finished bool
	// accepted tells that an upstream began to answer.
	accepted bool

	text   int // bytes of decoded content
	frames int // undecoded frames, their bytes, and the smallest of them
	bytes  int
	least  int
}

func (m *meter) add(ev *weir.Event) {
	m.accepted = true
	switch ev.Type {
	case weir.EventDelta:
		if ev.Part != weir.PartLogprobs {
			m.text += len(ev.Text)
		}
	case weir.EventRelay:
		if ev.Frame != nil {
			m.frame(len(ev.Frame.Raw))
		}
	case weir.EventUsage:
		m.usage.Merge(ev.Usage)
		m.seen = true
	case weir.EventFinish:
		m.finished = true
	}
	m.late = ev.Type == weir.EventUsage
}

func (m *meter) frame(n int) {
	m.frames++
	m.bytes += n
	if m.least == 0 || n < m.least {
		m.least = n
	}
}

// final reports whether nothing more is to be learnt from the upstream.
func (m *meter) final() bool { return m.finished && m.late }

// output estimates the output tokens. Of undecoded frames the smallest stands
// for what surrounds the text in each; a frame is at least one token.
func (m *meter) output() int64 {
	return max(tokensOf(m.text)+tokensOf(m.bytes-m.frames*m.least), int64(m.frames))
}

// tokensOf estimates the tokens of n bytes, on the high side for English and
// about right for Chinese in UTF-8.
func tokensOf(n int) int64 { return int64(n+2) / 3 }

// inputOf estimates the prompt without decoding it.
func inputOf(req *weir.Request) int64 {
	if req.Wire != nil {
		return tokens.EstimateBytes(req.Wire.Body)
	}
	body, err := req.Body()
	if err != nil {
		return 0
	}
	return tokens.EstimateBody(body)
}

// account fills in usage and cost.
func (c *call) account() {
	e := c.entry
	e.Usage, e.UsageState = c.used()
	e.Cost, e.CostKnown = c.cost()
}

// used is the usage of the answer and what it rests on. What was reported is
// never replaced, an explicit zero included; what is missing of an answer that
// had begun is estimated.
func (c *call) used() (*weir.Usage, UsageState) {
	m := &c.meter
	switch {
	case c.free:
		return nil, UsageNone // it was paid for elsewhere, or nobody made it
	case m.seen && m.usage.Has(weir.UsageInput) && (m.usage.Has(weir.UsageOutput) || c.req.Op != weir.Generate) && !c.partial():
		if m.usage.Estimated {
			return &m.usage, UsageEstimated
		}
		return &m.usage, UsageReported
	case m.accepted && !m.seen && c.req.Op.IsRelayed():
		return nil, UsageUnknown // nothing is known to estimate from
	case m.seen || m.accepted:
		return c.estimate(), UsageEstimated
	case len(c.entry.Spent) > 0:
		return nil, UsageReported // all of it is in Spent
	case c.refusedOnly():
		return nil, UsageNone
	}
	return nil, UsageUnknown
}

// partial reports whether the answer was cut and had grown since usage was
// reported.
func (c *call) partial() bool {
	return c.entry.Committed && !c.meter.finished && !c.meter.late
}

// refusedOnly reports whether no upstream did any work: none was called, or
// each answered with an error status.
func (c *call) refusedOnly() bool {
	if !c.called {
		return true
	}
	if c.left || c.entry.Attempts != c.refused {
		return false
	}
	if c.entry.Attempts > 0 || c.err == nil {
		return true
	}
	// No stage inside tells its attempts: a broken or slow upstream may have
	// worked all the same.
	return c.err.IsUpstream() || c.err.Kind != weir.KindTimeout && c.err.Kind != weir.KindUpstream
}

// estimate completes what was reported.
func (c *call) estimate() *weir.Usage {
	u := c.meter.usage
	u.Estimated = true
	if !u.Has(weir.UsageInput) {
		u.Set(weir.UsageInput, inputOf(c.req))
	}
	if c.req.Op == weir.Generate {
		u.Set(weir.UsageOutput, max(u.OutputTokens, c.meter.output()))
	}
	return &u
}

// cost adds up the answer and the discarded attempts. One unknown price makes
// the whole unknown.
func (c *call) cost() (price.Money, bool) {
	e := c.entry
	if e.UsageState == UsageUnknown {
		return price.Money{}, false
	}
	var sum price.Money
	known := true
	if e.Usage != nil && c.req.Op != weir.CountTokens {
		rest := e.Usage
		for _, p := range c.parts {
			rest = rest.Minus(p.Usage)
		}
		sum, known = c.price(e.Provider, e.UpstreamModel, rest)
		sum, known = c.addAll(sum, known, c.parts)
	}
	if sum, known = c.addAll(sum, known, e.Spent); !known {
		return price.Money{}, false
	}
	return sum, true
}

// addAll adds what others than the last deployment cost.
func (c *call) addAll(sum price.Money, known bool, parts []Spent) (price.Money, bool) {
	for _, s := range parts {
		if s.Usage == nil {
			continue
		}
		more, ok := c.price(s.Provider, s.Model, s.Usage)
		if known = known && ok; known {
			sum, known = sum.Add(more)
		}
	}
	return sum, known
}

func (c *call) price(provider, model string, u *weir.Usage) (price.Money, bool) {
	if c.options.Price == nil {
		return price.Money{}, false
	}
	return c.options.Price(provider, model, u, c.entry.Time)
}
