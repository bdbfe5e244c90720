package gateway_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the figures of the simulated day into docs/reliability.md")

// near reports whether a request of that time may meet what happens in s: one that
// came shortly before may still be on its way.
func near(s span, at time.Duration) bool {
	return at >= s.from-10*time.Second && at < s.to+6*time.Minute
}

func (d *day) availability(when func(at time.Duration) bool) float64 {
	answered, all := 0, 0
	for i := range d.requests {
		if r := &d.requests[i]; when(r.at) {
			all++
			if r.err == nil {
				answered++
			}
		}
	}
	return float64(answered) / float64(all)
}

func (d *day) attemptsMax() int {
	most := 0
	for _, n := range d.made {
		most = max(most, n)
	}
	return most
}

func (d *day) hedges() int {
	return d.count(func(r *served) bool { return r.hedged })
}

func (d *day) count(is func(*served) bool) int {
	n := 0
	for i := range d.requests {
		if is(&d.requests[i]) {
			n++
		}
	}
	return n
}

func (d *day) offered(s span) int { return d.count(func(r *served) bool { return s.holds(r.at) }) }

// callsIn are the upstream calls of a time, to one vendor or to all.
func (d *day) callsIn(s span, vendor string) []upstreamCall {
	var out []upstreamCall
	for _, c := range d.calls {
		if s.holds(c.at) && (vendor == "" || c.vendor == vendor) {
			out = append(out, c)
		}
	}
	return out
}

func (d *day) share(vendor string, s span) float64 {
	return float64(len(d.callsIn(s, vendor))) / float64(len(d.callsIn(s, "")))
}

// firstAnswer is how long after a moment a vendor was first heard of again.
func (d *day) firstAnswer(vendor string, after time.Duration) time.Duration {
	for _, c := range d.callsIn(span{after, 24 * time.Hour}, vendor) {
		if c.status == 200 {
			return c.at - after
		}
	}
	return 24 * time.Hour
}

// allAnswered is how long after a moment the last request came that got no answer,
// of those that came within an hour.
func (d *day) allAnswered(after time.Duration) time.Duration {
	last := after
	for _, r := range d.requests {
		if r.err != nil && r.at >= after && r.at < after+time.Hour {
			last = r.at
		}
	}
	return last - after
}

// firsts are the times to the first token of the streams of a time, sorted.
func (d *day) firsts(s span) []time.Duration {
	var out []time.Duration
	for _, r := range d.requests {
		if r.err == nil && r.streamed && s.holds(r.at) {
			out = append(out, r.first)
		}
	}
	slices.Sort(out)
	return out
}

func quantile(sorted []time.Duration, q float64) float64 {
	return sorted[int(q*float64(len(sorted)-1))].Seconds()
}

// A figure is one number of the report. What is drawn by lot (of two deployments
// the quicker one, jitter) is not the same on two days: the manual's number must
// be within slack of today's.
type figure struct {
	name   string
	value  float64
	digits int
	unit   string
	slack  float64
}

func (d *day) figures() []figure {
	n := float64(len(d.requests))
	attempts, refused := 0, 0
	for i := range d.requests {
		attempts += d.requests[i].attempts
		refused += d.requests[i].refused
	}
	dark := span{nobody.from + time.Minute, nobody.to}
	out := span{alphaGone.from + time.Minute, alphaGone.to}
	always := func(time.Duration) bool { return true }
	ordinary, slow := d.firsts(span{clock(6, 0), clock(9, 0)}), d.firsts(gammaSlow)
	return []figure{
		{"Requests", n, 0, "", 0},
		{"Answered, of all", 100 * d.availability(always), 2, "%", 0.1},
		{"Answered, outside of the total outage and the 6 min after it", 100 * d.availability(func(at time.Duration) bool { return !near(nobody, at) }), 3, "%", 0.05},
		{"Upstream calls per request, mean", float64(len(d.calls)) / n, 3, "", 0.02},
		{"Upstream calls per request, most", float64(d.attemptsMax()), 0, "", 1},
		{"Requests with a second call beside a slow one", 100 * float64(d.hedges()) / n, 2, "%", 0.5},
		{"… of them, those that were not streamed", 100 * float64(d.count(func(r *served) bool { return r.hedged && !r.streamed })) / float64(max(d.hedges(), 1)), 0, "%", 15},
		{"… of which the second call answered first", 100 * float64(d.count(func(r *served) bool { return r.won })) / float64(max(d.hedges(), 1)), 0, "%", 15},
		{"Attempts that an open circuit refused without a call", 100 * float64(refused) / float64(attempts), 2, "%", 0.5},
		{"Upstream calls per request while alpha is out (after the first minute)", float64(len(d.callsIn(out, ""))) / float64(d.offered(out)), 3, "", 0.03},
		{"Calls that alpha got in that time, of all", 100 * d.share("alpha", out), 2, "%", 0.5},
		{"Upstream calls per request while all are out (after the first minute)", float64(len(d.callsIn(dark, ""))) / float64(d.offered(dark)), 3, "", 0.2},
		{"Until alpha answers again after its outage", d.firstAnswer("alpha", alphaGone.to).Seconds(), 0, "s", 300},
		{"Until the last request without an answer after the total outage", d.allAnswered(nobody.to).Seconds(), 0, "s", 240},
		{"Calls that beta got in its storm of 429s, of all", 100 * d.share("beta", betaStorm), 1, "%", 5},
		{"Calls that gamma got in its slow hours, of all", 100 * d.share("gamma", gammaSlow), 1, "%", 3},
		{"Time to first token, 06:00 to 09:00, median", quantile(ordinary, 0.5), 2, "s", 0.05},
		{"Time to first token, 06:00 to 09:00, 99 of 100", quantile(ordinary, 0.99), 2, "s", 1.2},
		{"Time to first token in gamma's slow hours, 99 of 100", quantile(slow, 0.99), 2, "s", 1.5},
	}
}

func (f *figure) String() string {
	return strings.TrimSpace(strconv.FormatFloat(f.value, 'f', f.digits, 64) + " " + f.unit)
}

// report prints the figures, and compares them with those of the manual.
func (d *day) report(t *testing.T) {
	t.Helper()
	figures := d.figures()
	var table strings.Builder
	table.WriteString("| of the day | | may differ by |\n|---|---|---|\n")
	for i := range figures {
		t.Logf("%-72s %s", figures[i].name, &figures[i])
		fmt.Fprintf(&table, "| %s | %s | %g |\n", figures[i].name, &figures[i], figures[i].slack)
	}
	file := filepath.Join("..", "docs", "reliability.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- day: made by the tests -->\n", "<!-- end of day -->"
	head, rest, ok := strings.Cut(string(text), begin)
	told, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("docs/reliability.md has no place for the day")
	}
	if *update {
		if err := os.WriteFile(file, []byte(head+begin+table.String()+end+tail), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	compare(t, told, figures)
}

func compare(t *testing.T, told string, figures []figure) {
	t.Helper()
	for i := range figures {
		f := &figures[i]
		_, cell, found := strings.Cut(told, "| "+f.name+" | ")
		cell, _, _ = strings.Cut(cell, " ")
		was, err := strconv.ParseFloat(cell, 64)
		if !found || err != nil || math.Abs(was-f.value) > f.slack+math.Pow10(-f.digits) {
			t.Errorf("%s: %s, the manual says %q; run go test ./gateway -run SimulatedDay -update", f.name, f, cell)
		}
	}
}
