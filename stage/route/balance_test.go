package route_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/breaker"
	"github.com/weir-gateway/weir/stage/route"
)

func handleFinish(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		yield(weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}}, nil)
	}
}

// targets finds a test's targets by the names of deployments.
func targets(m map[string]route.Target) func(*weir.Deployment) route.Target {
	return func(d *weir.Deployment) route.Target { return m[d.Name] }
}

// order is the names of the deployments in order.
func order(s route.Strategy, req *weir.Request) string {
	if req == nil {
		req = &weir.Request{}
	}
	var out []string
	for _, d := range s.Order(req) {
		out = append(out, d.Name)
	}
	return strings.Join(out, " ")
}

func TestOrderByStanding(t *testing.T) {
	unfit := func(d []weir.Deployment, names ...string) []weir.Deployment {
		for i := range d {
			if slices.Contains(names, d[i].Name) {
				d[i].Unfit = func(*weir.Request) string { return "it takes no images" }
			}
		}
		return d
	}
	in := func(s breaker.Standing) route.Target { return route.Target{Health: &health{standing: s}} }
	tests := []struct {
		name  string
		own   []weir.Deployment
		next  []weir.Deployment
		with  map[string]route.Target
		order string
	}{
		{"as they are listed", named("a", "b"), named("x"), nil, "a b x"},
		{"ready before slow", named("a", "b", "c"), nil, map[string]route.Target{"a": in(breaker.Slow)}, "b c a"},
		{
			"slow before a fallback, a fallback before what cools down, that before what is down", named("a", "b", "c"), named("x"),
			map[string]route.Target{"a": in(breaker.Down), "b": in(breaker.Cooling), "c": in(breaker.Slow)}, "c x b a",
		},
		{
			"what is down is still there", named("a", "b"), named("x"),
			map[string]route.Target{"a": in(breaker.Down), "b": in(breaker.Down), "x": in(breaker.Down)}, "a b x",
		},
		{
			"what cannot serve goes last, after what is down", unfit(named("a", "b", "c"), "a"), nil,
			map[string]route.Target{"b": in(breaker.Down)}, "c b a",
		},
		{"no weight, no call while others can", named("a", "b"), named("x"), map[string]route.Target{"a": {Weight: -1}}, "b a x"},
		{"no weight goes after slow", named("a", "b"), nil, map[string]route.Target{"a": {Weight: -1}, "b": in(breaker.Slow)}, "b a"},
		{"a fallback that is slow goes after one that is not", named("a"), named("x", "y"), map[string]route.Target{"x": in(breaker.Slow)}, "a y x"},
		{"only fallbacks work", named("a"), named("x", "y"), map[string]route.Target{"a": in(breaker.Down)}, "x y a"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for m := route.Ordered; m <= route.Sticky; m++ {
				s := route.NewBalance(route.BalanceOptions{
					Method: m, Target: targets(test.with), Rand: func(int) int { return 0 },
					Price: func(*weir.Request, *weir.Deployment) (float64, bool) { return 0, false },
				}, test.own, test.next)
				if got := order(s, nil); m != route.LeastBusy && got != test.order { // that one lets equals take turns
					t.Errorf("%s: %q, want %q", s, got, test.order)
				}
			}
		})
	}
}

func TestAProbeGoesFirstOnce(t *testing.T) {
	a := &health{standing: breaker.Slow, probe: true}
	b := &health{standing: breaker.Slow, probe: true}
	s := route.NewBalance(route.BalanceOptions{Target: targets(map[string]route.Target{"a": {Health: a}, "b": {Health: b}})}, named("c", "a", "b"), nil)
	for _, want := range []string{"a c b", "b c a", "c a b"} {
		if got := order(s, nil); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	unfit := named("c", "a")
	unfit[1].Unfit = func(*weir.Request) string { return "it takes no tools" }
	a.probe = true
	s = route.NewBalance(route.BalanceOptions{Target: targets(map[string]route.Target{"a": {Health: a}})}, unfit, nil)
	if got := order(s, nil); got != "c a" || !a.probe {
		t.Errorf("%q: a probe was spent on a request that cannot be served", got)
	}
}

func TestFitnessIsAskedOnce(t *testing.T) {
	asked := 0
	own := named("a", "b", "c")
	for i := range own {
		bad := own[i].Name == "a"
		own[i].Unfit = func(*weir.Request) string {
			asked++
			if bad {
				return "it takes no images"
			}
			return ""
		}
	}
	s := route.NewBalance(route.BalanceOptions{}, own, nil)
	got := s.Order(&weir.Request{})
	if asked != 3 || got[0].Unfit != nil || got[1].Unfit != nil || got[2].Name != "a" || got[2].Unfit == nil {
		t.Errorf("asked %d times, %+v", asked, got)
	}
	for i := range own {
		if own[i].Unfit == nil {
			t.Error("the shared list was modified")
		}
	}
	if got := route.NewBalance(route.BalanceOptions{}, own[:1], nil).Order(&weir.Request{}); got[0].Unfit == nil || asked != 3 {
		t.Error("where there is no choice nobody needs to be asked")
	}
}

func TestZones(t *testing.T) {
	a, b, c := &health{}, &health{}, &health{}
	s := route.NewBalance(route.BalanceOptions{
		Method: route.Weighted, Zones: []string{"here", "near"}, Busy: 2,
		Target: targets(map[string]route.Target{
			"a": {Zone: "here", Health: a}, "b": {Zone: "near", Health: b}, "c": {Zone: "far", Health: c},
		}),
	}, named("c", "b", "a"), nil)
	steps := []struct {
		name  string
		do    func()
		order string
	}{
		{"the local zone first, then the nearest", func() {}, "a b c"},
		{"what is busy spills over", func() { a.inFlight = 2 }, "b c a"},
		{"and on to the next", func() { b.inFlight = 3 }, "c a b"},
		{"when all are busy the local zone serves", func() { c.inFlight = 2 }, "a b c"},
		{"what is down is left", func() { a.inFlight, a.standing, b.inFlight, c.inFlight = 0, breaker.Down, 0, 0 }, "b c a"},
		{"and comes back when it works", func() { a.standing = breaker.Ready }, "a b c"},
		{"slow and near is worse than quick and far", func() { a.standing = breaker.Slow }, "b c a"},
	}
	for _, step := range steps {
		step.do()
		if got := order(s, nil); got != step.order {
			t.Errorf("%s: %q, want %q", step.name, got, step.order)
		}
	}
	everywhere := route.NewBalance(route.BalanceOptions{Zones: []string{"here"}, Target: targets(map[string]route.Target{"a": {Zone: "far"}})}, named("a", "b"), nil)
	if got := order(everywhere, nil); got != "b a" {
		t.Errorf("what has no zone is local: %q", got)
	}
}

func TestWeightedIsSmooth(t *testing.T) {
	s := route.NewBalance(route.BalanceOptions{Method: route.Weighted, Target: targets(map[string]route.Target{"a": {Weight: 5}})}, named("a", "b", "c"), named("x"))
	var firsts []string
	for range 7 {
		firsts = append(firsts, order(s, nil)[:1])
	}
	if got := strings.Join(firsts, ""); got != "aabacaa" { // as nginx does
		t.Errorf("%s", got)
	}
}

func TestWeightedIsExactOverACycle(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		weights := rapid.SliceOfN(rapid.IntRange(1, 20), 2, 8).Draw(r, "weights")
		with, names, total := map[string]route.Target{}, []string{}, 0
		for i, w := range weights {
			name := string(rune('a' + i))
			names = append(names, name)
			with[name] = route.Target{Weight: w}
			total += w
		}
		s := route.NewBalance(route.BalanceOptions{Method: route.Weighted, Target: targets(with)}, named(names...), nil)
		for range 3 {
			got := map[string]int{}
			for range total {
				got[order(s, nil)[:1]]++
			}
			for name, n := range got {
				if n != with[name].Weight {
					r.Fatalf("%s was first %d times, its weight is %d", name, n, with[name].Weight)
				}
			}
		}
	})
}

func TestWeightedIsFairAmongWhoIsLeft(t *testing.T) {
	a := &health{standing: breaker.Down}
	s := route.NewBalance(route.BalanceOptions{Method: route.Weighted, Target: targets(map[string]route.Target{"a": {Weight: 9, Health: a}, "b": {Weight: 2}})}, named("a", "b", "c"), nil)
	got := map[string]int{}
	for range 30 {
		got[order(s, nil)[:1]]++
	}
	if got["a"] != 0 || got["b"] != 20 || got["c"] != 10 {
		t.Errorf("%v", got)
	}
}

func TestLatencyTakesTheBetterOfTwo(t *testing.T) {
	with := map[string]route.Target{
		"a": {Health: &health{latency: 100, inFlight: 4}}, // 500
		"b": {Health: &health{latency: 400}},              // 400
		"c": {Health: &health{latency: 200}},              // 200
		"d": {Health: &health{inFlight: 1}},               // tried already, and not known yet
	}
	var draw []int
	s := route.NewBalance(route.BalanceOptions{Method: route.Latency, Target: targets(with), Rand: func(int) int {
		n := draw[0]
		draw = draw[1:]
		return n
	}}, named("a", "b", "c", "d"), nil)
	for _, test := range []struct {
		draw []int // the second counts without the first
		want string
	}{
		{[]int{0, 0}, "b a c d"},
		{[]int{2, 0}, "c a b d"},
		{[]int{0, 2}, "a d b c"},
		{[]int{3, 1}, "b d c a"},
		{[]int{1, 1}, "c b d a"},
	} {
		draw = test.draw
		if got := order(s, &weir.Request{Stream: true}); got != test.want {
			t.Errorf("of %v: %q, want %q", test.draw, got, test.want)
		}
	}
	with["d"].Health.(*health).inFlight = 0
	draw = []int{0, 2}
	if got := order(s, nil); got != "d a b c" {
		t.Errorf("what has never been tried is tried: %q", got)
	}
	with["a"].Health.(*health).standing, with["b"].Health.(*health).standing = breaker.Down, breaker.Down
	if got := order(s, nil); got != "d c b a" { // and draw is empty
		t.Errorf("of two both are compared: %q", got)
	}
}

func TestLeastBusyGoesByCallsForAWeight(t *testing.T) {
	a, b, c := &health{inFlight: 3}, &health{inFlight: 2}, &health{inFlight: 5}
	s := route.NewBalance(route.BalanceOptions{Method: route.LeastBusy, Target: targets(map[string]route.Target{
		"a": {Health: a}, "b": {Health: b}, "c": {Health: c, Weight: 10},
	})}, named("a", "b", "c"), nil)
	if got := order(s, nil); got != "c b a" {
		t.Errorf("%q", got)
	}
	a.inFlight, b.inFlight, c.inFlight = 0, 0, 0
	got := map[string]int{}
	for range 30 {
		got[order(s, nil)[:1]]++
	}
	if got["a"] != 10 || got["b"] != 10 || got["c"] != 10 {
		t.Errorf("equals take turns: %v", got)
	}
}

func TestCheapestThatFits(t *testing.T) {
	own := named("dear", "cheap", "gift", "unknown")
	own[2].Unfit = func(req *weir.Request) string {
		if req.Model == "long" {
			return "the prompt is longer than its context"
		}
		return ""
	}
	prices := map[string]float64{"dear": 3, "cheap": 2, "gift": 0}
	s := route.NewBalance(route.BalanceOptions{Method: route.Cheapest, Price: func(_ *weir.Request, d *weir.Deployment) (float64, bool) {
		p, ok := prices[d.Name]
		return p, ok
	}}, own, nil)
	if got := order(s, nil); got != "gift cheap dear unknown" {
		t.Errorf("%q", got)
	}
	if got := order(s, &weir.Request{Model: "long"}); got != "cheap dear unknown gift" {
		t.Errorf("%q", got)
	}
}

// byModel is a key function for tests: the request's model is its key.
func byModel(req *weir.Request) string { return req.Model }

func sticky(with map[string]route.Target, names ...string) *route.Balance {
	return route.NewBalance(route.BalanceOptions{Method: route.Sticky, Key: byModel, Target: targets(with)}, named(names...), nil)
}

func TestStickyMovesAsFewAsCanBe(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,6}/[a-z]{1,6}`), 2, 8, rapid.ID[string]).Draw(r, "names")
		with := map[string]route.Target{}
		for _, n := range names {
			with[n] = route.Target{Weight: rapid.IntRange(0, 5).Draw(r, "weight")}
		}
		all, fewer := sticky(with, names...), sticky(with, names[1:]...)
		added := names[0]
		for i := range 200 {
			req := &weir.Request{Model: fmt.Sprint("session ", i)}
			before, after := strings.Fields(order(fewer, req)), strings.Fields(order(all, req))
			if after[0] != added && after[0] != before[0] {
				r.Fatalf("%q moved from %s to %s when %s was added", req.Model, before[0], after[0], added)
			}
			if rest := slices.DeleteFunc(after, func(n string) bool { return n == added }); !slices.Equal(rest, before) {
				r.Fatalf("the others follow as %v and not as %v", rest, before)
			}
		}
	})
}

func TestStickyFollowsTheWeights(t *testing.T) {
	s := sticky(map[string]route.Target{"a": {Weight: 3}}, "a", "b", "c")
	got := map[string]int{}
	for i := range 10_000 {
		got[order(s, &weir.Request{Model: strconv.Itoa(i)})[:1]]++
	}
	if got["a"] < 5800 || got["a"] > 6200 || got["b"] < 1850 || got["b"] > 2150 { // 6000 and 2000, five sigma
		t.Errorf("%v", got)
	}
}

func TestStickyFailsOverAndComesBack(t *testing.T) {
	h := map[string]*health{"a": {}, "b": {}, "c": {}}
	with := map[string]route.Target{}
	for name, x := range h {
		with[name] = route.Target{Health: x}
	}
	s := sticky(with, "a", "b", "c")
	req := &weir.Request{Model: "a session"}
	home := strings.Fields(order(s, req))
	for _, bad := range []breaker.Standing{breaker.Slow, breaker.Cooling, breaker.Down} {
		h[home[0]].standing = bad
		if got, want := order(s, req), home[1]+" "+home[2]+" "+home[0]; got != want {
			t.Errorf("%s: %q, want %q", bad, got, want)
		}
	}
	h[home[0]].standing = breaker.Ready
	if got := strings.Fields(order(s, req)); !slices.Equal(got, home) {
		t.Errorf("it came back to %v, not to %v", got, home)
	}
	keyless := map[string]int{}
	for range 9 {
		keyless[order(s, nil)[:1]]++
	}
	if len(keyless) != 3 || keyless["a"] != 3 {
		t.Errorf("without a key: %v", keyless)
	}
}

func TestOrderNeverLosesOrRepeats(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n, own := rapid.IntRange(0, 20).Draw(r, "deployments"), 0
		if n > 0 {
			own = rapid.IntRange(0, n).Draw(r, "own")
		}
		with, all := map[string]route.Target{}, []weir.Deployment{}
		for i := range n {
			d := weir.Deployment{Name: strconv.Itoa(i)}
			if rapid.Bool().Draw(r, "judged") {
				reason := rapid.SampledFrom([]string{"", "it takes no tools"}).Draw(r, "unfit")
				d.Unfit = func(*weir.Request) string { return reason }
			}
			all = append(all, d)
			with[d.Name] = route.Target{
				Weight: rapid.IntRange(-1, 3).Draw(r, "weight"), Zone: rapid.SampledFrom([]string{"", "x", "y"}).Draw(r, "zone"),
				Health: &health{
					standing: rapid.SampledFrom([]breaker.Standing{breaker.Ready, breaker.Slow, breaker.Cooling, breaker.Down}).Draw(r, "standing"),
					inFlight: rapid.IntRange(0, 3).Draw(r, "in flight"), latency: time.Duration(rapid.IntRange(0, 3).Draw(r, "latency")),
					probe: rapid.Bool().Draw(r, "probe"),
				},
			}
		}
		s := route.NewBalance(route.BalanceOptions{
			Method: rapid.SampledFrom([]route.Method{route.Ordered, route.Weighted, route.Latency, route.LeastBusy, route.Cheapest, route.Sticky}).Draw(r, "method"),
			Target: targets(with), Zones: []string{"x"}, Busy: 2, Key: byModel,
			Price: func(_ *weir.Request, d *weir.Deployment) (float64, bool) { return float64(len(d.Name)), d.Name != "3" },
		}, all[:own], all[own:])
		for range 3 {
			got := strings.Fields(order(s, &weir.Request{Model: rapid.SampledFrom([]string{"", "k"}).Draw(r, "key")}))
			slices.Sort(got)
			if len(got) != n || len(slices.Compact(got)) != n {
				r.Fatalf("%d deployments became %v", n, got)
			}
		}
	})
}

func TestOrderFollowsTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		board := breaker.NewBoard(breaker.Options{})
		group := board.NewGroup("m", "a", "b")
		board.Install(group)
		s := route.NewBalance(route.BalanceOptions{Target: func(d *weir.Deployment) route.Target {
			return route.Target{Health: group.Member(d.Name)}
		}}, named("a", "b"), nil)
		fail := group.Member("a").Wrap(weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
			return weir.Fail(&weir.Error{Kind: weir.KindUpstream})
		}))
		for range 10 {
			if got := order(s, nil); got != "a b" {
				t.Errorf("%q", got)
			}
			for range fail.Handle(t.Context(), &weir.Request{}) {
			}
		}
		if got := order(s, nil); got != "b a" {
			t.Errorf("down, and %q", got)
		}
		time.Sleep(30 * time.Second)
		if got := order(s, nil); got != "a b" {
			t.Errorf("half open, and %q: nothing would ever probe it", got)
		}
	})
}

func TestMethodsHaveNames(t *testing.T) {
	for m := route.Ordered; m <= route.Sticky; m++ {
		if got, err := route.ParseMethod(m.String()); got != m || err != nil {
			t.Errorf("%s: %v, %v", m, got, err)
		}
	}
	if _, err := route.ParseMethod("random"); err == nil || !strings.Contains(err.Error(), "least_busy") {
		t.Errorf("error %v", err)
	}
	if route.Method(99).String() != "unknown" {
		t.Error("an unknown method has a name")
	}
}
