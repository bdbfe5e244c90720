package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// A gateway holds little and makes much garbage, so that Go's default, to
// collect when the heap has doubled, collects many times a second: a sixth of
// the CPU of a small answer. But with a thousand streams open the same freedom
// would be paid for in memory. So the heap may fill up to heapTarget before it
// is collected, and beyond that by half of what is in use.
const (
	heapTarget   = 48 << 20
	minGCPercent = 50
	maxGCPercent = 1000
)

// relaxGC adjusts the collector after each of its rounds, unless the operator
// knows better and has set GOGC.
func relaxGC() {
	if os.Getenv("GOGC") != "" {
		return
	}
	t := &gcTuner{percent: 100, sample: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
	t.adjust()
	t.watch()
}

// A gcTuner is told of each collection by an object that nobody holds.
type gcTuner struct {
	percent int
	sample  []metrics.Sample
}

type sentinel struct{ _ [16]byte }

func (t *gcTuner) watch() {
	runtime.SetFinalizer(new(sentinel), func(*sentinel) {
		t.adjust()
		t.watch()
	})
}

// adjust sets the percentage that leads to the target from what is live. Setting
// it stops the world for a moment, so small differences are let be.
func (t *gcTuner) adjust() {
	metrics.Read(t.sample)
	want := gcPercent(t.sample[0].Value.Uint64())
	if diff := want - t.percent; diff < -t.percent/5 || diff > t.percent/5 {
		t.percent = want
		debug.SetGCPercent(want)
	}
}

func gcPercent(live uint64) int {
	if live >= heapTarget {
		return minGCPercent
	}
	return int(min(max((heapTarget-live)*100/max(live, 1), minGCPercent), maxGCPercent))
}
