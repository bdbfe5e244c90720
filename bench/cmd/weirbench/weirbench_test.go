package main

import (
	"math"
	"strings"
	"testing"
)

func TestTwoCores(t *testing.T) {
	tests := []struct{ name, list, first, second string }{
		{"a range has two", "0-1", "0", "1"},
		{"a range that does not begin at 0 counts on", "4-7", "4", "5"},
		{"single cores are two", "1,6", "1", "6"},
		{"a core and a range are two", "3,8-9", "3", "8"},
		{"one core is not two", "0", "", ""},
		{"nothing is not two", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if first, second := twoCores(tt.list); first != tt.first || second != tt.second {
				t.Errorf("twoCores(%q) = %q, %q, want %q, %q", tt.list, first, second, tt.first, tt.second)
			}
		})
	}
}

func TestRatiosAreTakenWithinARound(t *testing.T) {
	run := func(cost float64) *loaded { return &loaded{OK: 1, CPUPerReq: cost} }
	r := &result{runs: map[target][]*loaded{
		baseline: {run(10), run(40), run(0)},
		same:     {run(11), run(40), run(70)},
	}}
	ratios := r.ratios(same)
	if len(ratios) != 2 || math.Abs(median(ratios)-1.05) > 1e-9 {
		t.Errorf("ratios = %v, want 1.1 and 1: rounds are compared with themselves, and one without a figure does not count", ratios)
	}
}

func TestVerdicts(t *testing.T) {
	tests := []struct {
		name string
		runs map[target][]*loaded
		bad  map[target]string
		want string
	}{
		{"at the bar is a pass", costs(100, 110), nil, "| PASS |"},
		{"over the bar is a miss, by how much", costs(100, 132), nil, "| **MISS** by 0.22× (20 %) |"},
		{"a failed answer of ours is no figure", costs(100, 50), map[target]string{same: "status 500"}, "**NOT MEASURED**: status 500"},
		{"a failed answer of the proxy is none either", costs(100, 50), map[target]string{baseline: "status 502"}, "**NOT MEASURED**: baseline: status 502"},
		{"no CPU time is no figure", costs(0, 50), nil, "**NOT MEASURED**: no CPU time was counted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := new(page)
			c := cell{name: "c", api: "openai", targets: two, bars: map[target]float64{same: 1.1}}
			p.costs([]*result{{cell: c, runs: tt.runs, trouble: tt.bad}})
			if got := p.String(); !strings.Contains(got, tt.want) {
				t.Errorf("the table\n%s\ndoes not contain %q", got, tt.want)
			}
			if p.met+p.missed+p.unknown != 1 {
				t.Errorf("%d met, %d missed, %d not measured, want one verdict", p.met, p.missed, p.unknown)
			}
		})
	}
}

func costs(theirs, ours float64) map[target][]*loaded {
	return map[target][]*loaded{
		baseline: {{OK: 1, CPUPerReq: theirs}},
		same:     {{OK: 1, CPUPerReq: ours}},
	}
}

func TestPlan(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range plan {
		if seen[c.name] {
			t.Errorf("two cells are called %s", c.name)
		}
		seen[c.name] = true
		targets := map[target]bool{}
		for _, on := range c.targets {
			targets[on] = true
		}
		if !targets[baseline] {
			t.Errorf("%s has nothing to compare with", c.name)
		}
		for on := range c.bars {
			if !targets[on] {
				t.Errorf("%s has a bar for %s, which is not measured", c.name, on)
			}
		}
	}
}

func TestModelDecidesWhetherWeirTranslates(t *testing.T) {
	for _, tt := range []struct {
		api  string
		on   target
		want string
	}{
		{"openai", same, chatModel},
		{"openai", translated, messagesModel},
		{"anthropic", same, messagesModel},
		{"anthropic", translated, chatModel},
	} {
		if got := model(tt.api, tt.on); got != tt.want {
			t.Errorf("model(%s, %s) = %s, want %s", tt.api, tt.on, got, tt.want)
		}
	}
}
