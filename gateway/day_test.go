package gateway_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/codec/all"
	"github.com/weir-gateway/weir/config"
	"github.com/weir-gateway/weir/gateway"
	"github.com/weir-gateway/weir/stage/attempt"
	"github.com/weir-gateway/weir/stage/breaker"
)

const dayConfig = `
providers:
  alpha: {base_url: "http://alpha/v1", key: k}
  beta: {base_url: "http://beta/v1", key: k}
  gamma: {base_url: "http://gamma/v1", key: k}
  delta: {base_url: "http://delta/v1", key: k}
  last: {base_url: "http://last/v1", key: k}
models:
  chat:
    deployments: [alpha/m, beta/m, gamma/m]
    fallbacks: [delta/m, last/m]
    strategy: latency
    hedge: true
hedge: {budget: 0.05}
retry: {attempts: 4}
log: {access: false}
`

// maxAttempts is retry.attempts of dayConfig.
const maxAttempts = 4

// A served is what one client of the day saw.
type served struct {
	at       time.Duration
	took     time.Duration
	first    time.Duration // to the first content
	streamed bool
	err      error
	refused  int // attempts that an open circuit refused
	attempts int // attempts noted, those included
	hedged   bool
	won      bool // by the second call
}

// A day is everything that happened on it.
type day struct {
	requests []served
	calls    []upstreamCall
	made     map[string]int
}

// live lives through a day.
func live(t *testing.T) *day {
	t.Helper()
	cfg, err := config.Parse("weir.yaml", []byte(dayConfig), nil, catalog.Default())
	if err != nil {
		t.Fatal(err)
	}
	world := &vendors{start: time.Now(), made: map[string]int{}}
	g, err := gateway.New(gateway.Options{Config: cfg, Transport: world})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	when := arrivals()
	d := &day{requests: make([]served, len(when)), made: world.made}
	var wg sync.WaitGroup
	for i, at := range when {
		time.Sleep(time.Until(world.start.Add(at)))
		wg.Go(func() { d.requests[i] = request(g, i, at) })
	}
	wg.Wait()
	d.calls = world.calls
	return d
}

// request is one client, which streams three times of four.
func request(g *gateway.Gateway, i int, at time.Duration) served {
	out := served{at: at, streamed: i%4 != 0}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	body := fmt.Appendf(nil, `{"model":"chat","stream":%t,"user":"u%d","messages":[{"role":"user","content":"hello"}]}`, out.streamed, i)
	req, err := all.For(weir.OpenAIChat).OpenRequest(weir.Generate, &weir.Wire{Protocol: weir.OpenAIChat, Body: body})
	if err != nil {
		out.err = err
		return out
	}
	start, finished := time.Now(), false
	for ev, err := range g.Current().Chain.Handle(ctx, req) {
		if err != nil {
			out.err = err
			break
		}
		if out.first == 0 && ev.IsContent() {
			out.first = time.Since(start)
		}
		finished = finished || ev.Type == weir.EventFinish
		out.note(ev.Note)
	}
	out.took = time.Since(start)
	if out.err == nil && !finished {
		out.err = fmt.Errorf("request %d: an answer without an end", i)
	}
	return out
}

func (s *served) note(n weir.Note) {
	switch n := n.(type) {
	case *weir.Attempt:
		s.attempts++
		if n.Err != nil && n.Err.Code == breaker.CodeOpen {
			s.refused++
		}
	case *attempt.Hedged:
		s.hedged, s.won = true, n.Won
	}
}

// Proof of together: a day on which everything
// happens to the vendors that happens to vendors.
func TestASimulatedDay(t *testing.T) {
	var d *day
	began := time.Now()
	synctest.Test(t, func(t *testing.T) { d = live(t) })
	t.Logf("%d requests, %d upstream calls, in %v", len(d.requests), len(d.calls), time.Since(began).Round(time.Millisecond))
	d.check(t)
	d.report(t)
}

// check is what must hold whatever the luck.
func (d *day) check(t *testing.T) {
	t.Helper()
	if n := d.attemptsMax(); n > maxAttempts {
		t.Errorf("one request has made %d upstream calls, %d are allowed", n, maxAttempts)
	}
	if a := d.availability(func(at time.Duration) bool { return !near(nobody, at) }); a < 0.999 {
		t.Errorf("outside of the total outage %.3f %% were answered, want 99.9 %%", 100*a)
	}
	if h := d.hedges(); float64(h) > 0.05*float64(len(d.requests))+10 {
		t.Errorf("%d of %d requests were hedged, the budget is 5 %% and 10 saved up", h, len(d.requests))
	}
	for name, s := range map[string]span{"one is out": alphaGone, "all are out": nobody} {
		s.from += time.Minute // by then the circuits are open
		if calls, offered := len(d.callsIn(s, "")), d.offered(s); float64(calls) > 1.2*float64(offered) {
			t.Errorf("while %s: %d upstream calls for %d requests: a storm", name, calls, offered)
		}
	}
	if d.firstAnswer("alpha", alphaGone.to) > 6*time.Minute || d.share("alpha", span{clock(12, 10), clock(14, 0)}) < 0.2 {
		t.Errorf("after its outage alpha was called again after %v, with %.0f %% of the calls",
			d.firstAnswer("alpha", alphaGone.to), 100*d.share("alpha", span{clock(12, 10), clock(14, 0)}))
	}
	if s := d.share("alpha", span{alphaGone.from + time.Minute, alphaGone.to}); s > 0.03 {
		t.Errorf("%.1f %% of the calls still went to the vendor that was out", 100*s)
	}
	for _, r := range d.requests {
		if e := weir.AsError(r.err); r.err != nil && (!e.Kind.Retryable() || len(e.Attempts) == 0) {
			t.Fatalf("at %v: an error that does not say what was tried, or that it passes: %v", r.at, r.err) // E-05
		}
	}
	if back := d.allAnswered(nobody.to); back > 6*time.Minute {
		t.Errorf("after the total outage it took %v until every request was answered", back)
	}
}
