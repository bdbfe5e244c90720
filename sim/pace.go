package sim

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/weir-gateway/weir"
)

// A pace knows how long to wait before an event.
type pace struct {
	first    time.Duration // before the first content
	interval time.Duration // before every token but the first
	jitter   float64
	random   *rand.Rand
	begun    bool // the first content has been sent
	spoken   bool // the first token has been sent
}

func (m *Model) newPace(req *weir.Request, body *weir.Body) *pace {
	p := &pace{first: m.o.FirstToken, jitter: min(max(m.o.Jitter, 0), 1)}
	if m.o.TokensPerSecond > 0 {
		p.interval = time.Duration(float64(time.Second) / m.o.TokensPerSecond)
	}
	if p.jitter > 0 {
		p.random = rand.New(rand.NewPCG(m.o.Seed, m.hash(req, body)))
	}
	return p
}

// wait pauses before ev. lead is false for the further choices of one round,
// which come together with the first one.
func (p *pace) wait(ctx context.Context, ev weir.Event, lead bool) error {
	if !p.begun {
		p.begun = true
		return sleep(ctx, p.vary(p.first))
	}
	if ev.Type != weir.EventDelta || ev.Part == weir.PartSignature || !lead {
		return nil
	}
	if !p.spoken {
		p.spoken = true
		return nil
	}
	return sleep(ctx, p.vary(p.interval))
}

func (p *pace) vary(d time.Duration) time.Duration {
	if p.random == nil || d <= 0 {
		return d
	}
	return time.Duration(float64(d) * (1 + p.jitter*(2*p.random.Float64()-1)))
}

// sleep waits for d or for the end of ctx, whose error it returns.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
