package route_test

import (
	"strings"
	"testing"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/breaker"
	"github.com/weir-gateway/weir/stage/route"
)

// BenchmarkOrder is the cost of putting four deployments in order, with the
// health that the breaker keeps of them.
func BenchmarkOrder(b *testing.B) {
	names := []string{"p/a", "p/b", "p/c", "p/d"}
	board := breaker.NewBoard(breaker.Options{})
	group := board.NewGroup("m", names...)
	board.Install(group)
	req := &weir.Request{Model: "m", Stream: true}
	for _, name := range names {
		h := group.Member(name).Wrap(weir.HandlerFunc(handleFinish))
		for range h.Handle(b.Context(), req) {
		}
	}
	key := func(*weir.Request) string { return "principal\x00session" }
	price := func(_ *weir.Request, d *weir.Deployment) (float64, bool) { return float64(d.Name[2]), true }
	for m := route.Ordered; m <= route.Sticky; m++ {
		b.Run(m.String(), func(b *testing.B) {
			s := route.NewBalance(route.BalanceOptions{
				Method: m, Zones: []string{"here", "there"}, Busy: 100, Key: key, Price: price,
				Target: func(d *weir.Deployment) route.Target {
					return route.Target{Weight: 3, Zone: "here", Health: group.Member(d.Name)}
				},
			}, named(names...), nil)
			b.ReportAllocs()
			for b.Loop() {
				s.Order(req)
			}
		})
	}
}

// BenchmarkSplit is the cost of assigning a request to a variant.
func BenchmarkSplit(b *testing.B) {
	s, err := route.NewSplit(route.SplitOptions{
		Name: "test", Variants: []route.Variant{{Name: "a", Percent: 90}, {Name: "b", Percent: 10}},
		Key: func(*weir.Request) string { return "principal\x00session" },
	})
	if err != nil {
		b.Fatal(err)
	}
	req := &weir.Request{}
	b.ReportAllocs()
	for b.Loop() {
		s.Choose(req)
	}
}

// named are deployments of those names.
func named(names ...string) (out []weir.Deployment) {
	for _, n := range names {
		provider, model, _ := strings.Cut(n, "/")
		out = append(out, weir.Deployment{Name: n, Provider: provider, Model: model})
	}
	return out
}

// health is one that a test sets.
type health struct {
	standing breaker.Standing
	inFlight int
	latency  time.Duration
	probe    bool
}

func (h *health) Standing() breaker.Standing { return h.standing }
func (h *health) InFlight() int              { return h.inFlight }
func (h *health) Latency(bool) time.Duration { return h.latency }

func (h *health) Probe() bool {
	due := h.probe
	h.probe = false
	return due
}
