package main

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// A result is what came of it all.
type result struct {
	duration           time.Duration
	clients            int
	before, warm, most measurement
	last, after        measurement
	mu                 sync.Mutex // guards what follows
	asked              int
	seen               map[string]int
}

func (r *result) add(outcome string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	r.seen[outcome]++
}

// measured takes a measurement under load.
func (r *result) measured(m measurement) {
	if r.warm == (measurement{}) {
		r.warm = m
	}
	r.last = m
	r.most = measurement{max(r.most.rss, m.rss), max(r.most.goroutines, m.goroutines), max(r.most.files, m.files)}
}

func (r *result) print(w io.Writer) {
	fmt.Fprintf(w, "%d requests of %d clients in %v, on %s/%s with %d CPUs.\n\n", r.asked, r.clients, r.duration, runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	fmt.Fprintf(w, "| the gateway | resident memory | goroutines | file descriptors |\n|---|---|---|---|\n")
	for _, row := range []struct {
		name string
		m    measurement
	}{
		{"before the traffic", r.before}, {"in it, after 20 s", r.warm}, {"in it, at most", r.most},
		{"in it, at the end", r.last}, {fmt.Sprintf("%v after it", settle), r.after},
	} {
		fmt.Fprintf(w, "| %s | %.1f MiB | %d | %d |\n", row.name, row.m.rss/(1<<20), row.m.goroutines, row.m.files)
	}
	fmt.Fprintf(w, "\n| what clients saw | requests | of 100 |\n|---|---|---|\n")
	for _, name := range slices.SortedFunc(maps.Keys(r.seen), func(a, b string) int { return r.seen[b] - r.seen[a] }) {
		fmt.Fprintf(w, "| %s | %d | %.2f |\n", name, r.seen[name], 100*float64(r.seen[name])/float64(r.asked))
	}
}

// Beyond these, something is left over.
const (
	spareGoroutines = 10
	spareFiles      = 10
)

func (r *result) judge() error {
	for name, n := range r.seen {
		if strings.HasPrefix(name, strange) {
			return fmt.Errorf("%d clients saw what none may see: %s", n, name)
		}
	}
	if r.after.goroutines > r.before.goroutines+spareGoroutines || r.after.files > r.before.files+spareFiles {
		return fmt.Errorf("left over: %v, before it was %v", r.after, r.before)
	}
	return nil
}
