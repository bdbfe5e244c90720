package route_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/route"
)

func split(t testing.TB, o route.SplitOptions) *route.Split {
	t.Helper()
	s, err := route.NewSplit(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func canary(percent float64) []route.Variant {
	return []route.Variant{{Name: "stable", Percent: 100 - percent}, {Name: "canary", Percent: percent}}
}

func TestSplitKeepsAKeyWhereItIs(t *testing.T) {
	small := split(t, route.SplitOptions{Name: "roll-out", Variants: canary(5), Key: byModel})
	large := split(t, route.SplitOptions{Name: "roll-out", Variants: canary(20), Key: byModel})
	other := split(t, route.SplitOptions{Name: "another", Variants: canary(20), Key: byModel})
	counts, both := [3]int{}, 0
	for i := range 20_000 {
		req := &weir.Request{Model: fmt.Sprint("key ", i)}
		a, b, c := small.Choose(req), large.Choose(req), other.Choose(req)
		if a != small.Choose(req) {
			t.Fatal("the same key has two variants")
		}
		if a == 1 && b == 0 {
			t.Fatal("a key left the canary when it grew")
		}
		counts[0], counts[1], counts[2] = counts[0]+a, counts[1]+b, counts[2]+c
		both += b * c
	}
	for i, want := range []int{1000, 4000, 4000} { // within five sigma
		if off := counts[i] - want; off < -300 || off > 300 {
			t.Errorf("%d of 20000 are in the canary, want %d", counts[i], want)
		}
	}
	if both < 650 || both > 950 { // 4 % of them
		t.Errorf("two splits go by the same keys: %d are in both canaries", both)
	}
}

func TestSplitWithoutAKeyIsRandom(t *testing.T) {
	x := 0.0
	s := split(t, route.SplitOptions{Name: "r", Rand: func() float64 { return x }, Variants: []route.Variant{
		{Name: "never"}, {Name: "a", Percent: 33.3}, {Name: "b", Percent: 66.7}, {Name: "nor this"},
	}})
	for _, test := range []struct {
		x    float64
		want int
	}{{0, 1}, {0.332, 1}, {0.334, 2}, {0.999999999999, 2}} {
		if x = test.x; s.Choose(&weir.Request{}) != test.want {
			t.Errorf("at %g: %d, want %d", x, s.Choose(&weir.Request{}), test.want)
		}
	}
}

func TestSplitSaysAllThatIsWrong(t *testing.T) {
	tests := []struct {
		variants []route.Variant
		parts    []string
	}{
		{nil, []string{`"s"`, "no variants"}},
		{[]route.Variant{{Name: "a", Percent: -1}, {Name: "b", Percent: 200}}, []string{"variant 0", "variant 1", "199"}},
		{[]route.Variant{{Name: "a", Percent: 50}}, []string{"50 and not to 100"}},
	}
	for _, test := range tests {
		_, err := route.NewSplit(route.SplitOptions{Name: "s", Variants: test.variants})
		if err == nil {
			t.Fatalf("%v is taken", test.variants)
		}
		for _, part := range test.parts {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q is not in: %v", part, err)
			}
		}
	}
}

func TestSplitAlwaysChoosesAVariantWithAShare(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		left, variants := 100.0, []route.Variant{}
		for range rapid.IntRange(0, 6).Draw(r, "variants") {
			p := left * rapid.Float64Range(0, 1).Draw(r, "part")
			variants = append(variants, route.Variant{Percent: p})
			left -= p
		}
		variants = append(variants, route.Variant{Percent: left})
		s, err := route.NewSplit(route.SplitOptions{Variants: variants, Rand: func() float64 { return rapid.Float64Range(0, 0.9999999999).Draw(r, "x") }})
		if err != nil {
			r.Fatal(err)
		}
		if i := s.Choose(&weir.Request{}); variants[i].Percent <= 0 {
			r.Fatalf("variant %d of %v", i, variants)
		}
	})
}

func TestTableAsksForAStrategy(t *testing.T) {
	asked := map[string]string{}
	tab := table(t, func(o *route.TableOptions) {
		o.Strategy = func(name string, own, fallbacks []weir.Deployment) route.Strategy {
			asked[name] = fmt.Sprint(len(own), "+", len(fallbacks))
			if name == "outer" {
				return nil
			}
			return route.NewBalance(route.BalanceOptions{Method: route.Weighted}, own, fallbacks)
		}
	})
	var firsts []string
	for range 4 {
		got, err := resolve(tab, nil, "smart")
		if err != nil {
			t.Fatal(err)
		}
		firsts = append(firsts, strings.Fields(got)[0])
		if !strings.HasSuffix(got, " openrouter/not/listed") {
			t.Errorf("the fallback is not last: %q", got)
		}
	}
	if got := strings.Join(firsts, " "); got != "anthropic/claude-opus-5 openai/gpt-6 anthropic/claude-opus-5 openai/gpt-6" {
		t.Errorf("%q", got)
	}
	if _, reason, _ := tab.Resolve(&weir.Request{Model: "smart"}); reason != "alias, weighted" {
		t.Errorf("reason %q", reason)
	}
	if _, reason, _ := tab.Resolve(&weir.Request{Model: "outer"}); reason != "alias" {
		t.Errorf("reason %q", reason)
	}
	_, _ = resolve(tab, nil, "openai/gpt-6")
	_, _ = resolve(tab, nil, "claude-opus-5")
	if fmt.Sprint(asked) != fmt.Sprint(map[string]string{"smart": "2+1", "outer": "3+0", "claude-opus-5": "1+1"}) {
		t.Errorf("asked for %v", asked) // one deployment needs no strategy
	}
}

func TestTableSplits(t *testing.T) {
	x := 0.0
	variants := []route.Variant{{Name: "claude-opus-5", Percent: 50}, {Name: "openai/gpt-new", Percent: 50}}
	with := func(o *route.TableOptions) {
		s := split(t, route.SplitOptions{Name: "test", Rand: func() float64 { return x }, Variants: variants})
		o.Splits = map[string]*route.Split{"test": s}
	}
	tab := table(t, with)
	for _, test := range []struct {
		x            float64
		want, reason string
	}{
		{0, "anthropic/claude-opus-5 openai/gpt-6 openai/gpt-new", "variant claude-opus-5"},
		{0.5, "openai/gpt-new anthropic/claude-opus-5", "variant openai/gpt-new"},
	} {
		x = test.x
		got, err := resolve(tab, nil, "test")
		if _, reason, _ := tab.Resolve(&weir.Request{Model: "test"}); err != nil || got != test.want || reason != test.reason {
			t.Errorf("at %g: %q because of %q, %v", x, got, reason, err)
		}
	}
	if _, ok := tab.Model(nil, "test"); !ok {
		t.Error("a split is not listed")
	}
	if _, ok := options().Aliases["test"]; ok {
		t.Error("the options were modified")
	}
	variants = []route.Variant{{Name: "nobody/x", Percent: 100}}
	o := options()
	with(&o)
	if _, err := route.NewTable(o); err == nil || !strings.Contains(err.Error(), `"nobody/x"`) {
		t.Errorf("a variant that nobody serves: %v", err)
	}
	o = options()
	o.Aliases = nil
	variants = []route.Variant{{Name: "openai/gpt-6", Percent: 100}}
	with(&o)
	o.Fallbacks = nil
	tab, err := route.NewTable(o)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := resolve(tab, nil, "test"); got != "openai/gpt-6" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
