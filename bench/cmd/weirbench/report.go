package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A page is a report as it is being written.
type page struct {
	strings.Builder
	met, missed, unknown int
}

func (p *page) line(format string, args ...any) {
	fmt.Fprintf(p, format, args...)
	p.WriteByte('\n')
}

func (p *page) row(columns ...string) { p.line("| %s |", strings.Join(columns, " | ")) }

// head begins a table; columns after the first left ones are aligned right.
func (p *page) head(left int, columns ...string) {
	p.row(columns...)
	rule := make([]string, len(columns))
	for i := range rule {
		rule[i] = "---:"
		if i < left {
			rule[i] = "---"
		}
	}
	p.row(rule...)
}

// verdict compares a figure with what it may be at most. The unit goes behind
// the difference.
func (p *page) verdict(got, bar float64, digits int, unit string) string {
	if got <= bar {
		p.met++
		return "PASS"
	}
	p.missed++
	return fmt.Sprintf("**MISS** by %.*f%s (%.0f %%)", digits, got-bar, unit, 100*(got-bar)/bar)
}

// unmeasured is the verdict on what has no figure.
func (p *page) unmeasured(why string) string {
	p.unknown++
	return "**NOT MEASURED**: " + strings.ReplaceAll(why, "|", "\\|")
}

func (b *bench) report(results []*result, f *footprint) string {
	p := new(page)
	b.circumstances(p, results)
	p.line("\n## CPU time beside a bare reverse proxy\n")
	p.costs(results)
	for _, r := range results {
		if r.cell.open {
			p.latencies(r)
		}
	}
	if f != nil {
		p.footprint(f)
	}
	p.line("\n%d bars met, %d missed, %d not measured.", p.met, p.missed, p.unknown)
	return p.String()
}

// circumstances say how far the figures can be trusted.
func (b *bench) circumstances(p *page, results []*result) {
	o := b.options
	p.line("# What the gateway costs, %s\n", b.machine.when.UTC().Format("2006-01-02 15:04 MST"))
	p.line("- %s", b.machine.String())
	if b.targetCore != "" {
		p.line("- target alone on core %s (so GOMAXPROCS is 1 there), upstream and load generator on core %s", b.targetCore, b.loadCore)
	} else {
		p.line("- NOT PINNED: taskset or a second core is missing, so load generator and target disturb each other; the ratios mean little")
	}
	p.line("- %d rounds, each with fresh processes, every other one backwards; %s measured after %s of warm-up; medians over all rounds, ratios are taken within a round and their range is given", o.rounds, o.duration, o.warmup)
	log := "off (ACCESS_LOG=1 turns it on)"
	if o.logged {
		log = "on (to /dev/null)"
	}
	p.line("- gateway: keys required, metrics and ledger on, access log %s, providers and prices of the catalogue, model names of its own, so that every request is scanned and spliced", log)
	var others, stolen []float64
	for _, r := range results {
		for _, runs := range r.runs {
			for _, l := range runs {
				others, stolen = append(others, l.others), append(stolen, l.Stolen)
			}
		}
	}
	p.line("- others had %.0f %% of the machine (median over the runs, %.0f %% at worst); %.1f %% was stolen by the hypervisor at worst", 100*median(others), 100*slices.Max(others), 100*slices.Max(stolen))
	if median(others) > 0.1 {
		p.line("- **THE MACHINE WAS BUSY WITH OTHER WORK**: rps and latencies mean nothing, and ratios near a bar decide nothing")
	}
}

func (p *page) costs(results []*result) {
	p.head(2, "cell", "work", "Weir CPU µs", "proxy CPU µs", "ratio", "rounds", "bar", "verdict", "Weir /s", "proxy /s", "Weir p50 µs", "p99", "proxy p50 µs", "p99")
	for _, r := range results {
		for _, t := range r.cell.targets {
			if t != direct && t != baseline {
				p.cost(r, t)
			}
		}
	}
	p.line("\nPer request, or per chunk where the work is streams. /s and latencies are indicative only; the latency of a chunk is its travel from the upstream's write to the client's read.")
}

func (p *page) cost(r *result, t target) {
	c := &r.cell
	bar, hasBar := c.bars[t]
	name, what := c.name, c.what
	if t == translated {
		name += " translated"
		what += ", upstream speaks the other protocol"
	}
	ratios := r.ratios(t)
	barText, verdict := "", ""
	if hasBar {
		barText = fmt.Sprintf("≤ %.1f×", bar)
	}
	ratio, why := median(ratios), r.why(t)
	switch {
	case why != "" && hasBar:
		verdict = p.unmeasured(why)
	case why != "":
		verdict = why
	case hasBar:
		verdict = p.verdict(ratio, bar, 2, "×")
	}
	latency := func(t target) (string, string) {
		return micro(r.median(t, func(l *loaded) float64 { return l.latency(c).P50 })), micro(r.median(t, func(l *loaded) float64 { return l.latency(c).P99 }))
	}
	w50, w99 := latency(t)
	b50, b99 := latency(baseline)
	rate := func(l *loaded) float64 { return l.rate(c) }
	p.row(name, what, micro(r.cost(t)), micro(r.cost(baseline)), fmt.Sprintf("%.2f×", ratio), span(ratios), barText, verdict,
		fmt.Sprintf("%.0f", r.median(t, rate)), fmt.Sprintf("%.0f", r.median(baseline, rate)), w50, w99, b50, b99)
}

// why says why the comparison of t does not count; "" when it does.
func (r *result) why(t target) string {
	switch {
	case r.trouble[t] != "":
		return r.trouble[t]
	case r.trouble[baseline] != "":
		return "baseline: " + r.trouble[baseline]
	case len(r.ratios(t)) == 0:
		return "no CPU time was counted"
	}
	return ""
}

// latencies is what each target adds to asking the upstream directly, counted
// from when a request was due.
func (p *page) latencies(r *result) {
	p.line("\n## Latency at a fixed rate\n")
	p.line("%s, added to asking the upstream directly, counted from when a request was due:\n", r.cell.what)
	p.head(1, "target", "+p50 µs", "+p99 µs", "CPU µs", "requests/s")
	added := func(t target, figure func(*loaded) float64) string {
		return fmt.Sprintf("%+.0f", r.median(t, figure)-r.median(direct, figure))
	}
	for _, t := range r.cell.targets {
		if t == direct {
			continue
		}
		p.row(string(t), added(t, func(l *loaded) float64 { return l.Latency.P50 }), added(t, func(l *loaded) float64 { return l.Latency.P99 }),
			micro(r.cost(t)), fmt.Sprintf("%.0f", r.median(t, func(l *loaded) float64 { return l.RPS })))
		if why := r.trouble[t]; why != "" {
			p.line("\n**%s**: %s\n", t, why)
		}
	}
}

func (p *page) footprint(f *footprint) {
	p.line("\n## Memory, start, size\n")
	p.head(1, "what", "Weir", "proxy", "bar", "verdict")
	p.row("resident memory, idle after a few requests", mib(f.idle), mib(f.baseIdle), fmt.Sprintf("≤ %d MiB", barIdleMiB), p.verdict(f.idle, barIdleMiB, 1, " MiB"))
	p.row("resident memory at its peak, 1000 open streams", mib(f.streams.RSSPeak), mib(f.baseStream.RSSPeak), fmt.Sprintf("≤ %d MiB", barStreamsMiB), p.underStreams(f.streams))
	start := 1000 * median(f.starts)
	p.row(fmt.Sprintf("exec to first model answer, median of %d", len(f.starts)), fmt.Sprintf("%.0f ms", start), "",
		fmt.Sprintf("≤ %d ms", barStart/time.Millisecond), p.verdict(start, float64(barStart/time.Millisecond), 0, " ms"))
	p.row("binary as built", fmt.Sprintf("%.1f MB", float64(f.binary)/1e6), "", "", "")
}

func (p *page) underStreams(l *loaded) string {
	if why := l.trouble(); why != "" {
		return p.unmeasured(why)
	}
	return p.verdict(l.RSSPeak, barStreamsMiB, 1, " MiB")
}

func mib(v float64) string { return fmt.Sprintf("%.1f MiB", v) }

// micro prints microseconds with as many digits as mean something.
func micro(v float64) string {
	if v < 10 {
		return fmt.Sprintf("%.2f", v)
	}
	if v < 1000 {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// span is the lowest and the highest of the rounds.
func span(values []float64) string {
	if len(values) == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f–%.2f", slices.Min(values), slices.Max(values))
}
