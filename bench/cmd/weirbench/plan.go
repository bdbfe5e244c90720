package main

import "time"

// A cell is one kind of work, measured for several targets.
type cell struct {
	name string
	what string // for a reader
	api  string // what the client speaks: openai or anthropic
	// perChunk tells that cost is counted for each chunk of a stream, not for
	// each request.
	perChunk bool
	upstream string   // the mock upstream's settings, as a query
	load     []string // the load generator's flags
	targets  []target
	// bars are how many times the baseline's CPU time a target may take; a
	// target without one is only shown.
	bars  map[target]float64
	quick bool // part of the quick run
	// open tells that requests come at a fixed rate: latency is what is looked
	// at, and compared with the upstream asked directly.
	open bool
	// least is the shortest time to measure; 0 is any.
	least time.Duration
}

// A target is who answers the load generator.
type target string

const (
	direct     target = "direct"     // the upstream itself
	baseline   target = "baseline"   // the bare reverse proxy
	same       target = "same"       // Weir, the upstream speaks the client's protocol
	translated target = "translated" // Weir, the upstream speaks the other one
)

const (
	// Chunks of every stream; the load generator counts them.
	chunks = "200"

	still  = "delay=0&chunks=200&gap=0"
	gapped = "delay=0&chunks=200&gap=5ms"
	slow   = "delay=50ms&chunks=200&gap=0"
)

var (
	two   = []target{baseline, same}
	three = []target{baseline, same, translated}

	flatOut  = []string{"-stream", "-chunks", chunks, "-conns", "32"}
	withGaps = []string{"-stream", "-chunks", chunks, "-conns", "100", "-ramp", "500ms"}
)

// plan is everything that is measured.
var plan = []cell{
	{
		name: "chat-c1", what: "small answer, 1 connection", api: "openai",
		upstream: still, load: []string{"-conns", "1"}, targets: two,
	},
	{
		name: "chat-c64", what: "small answer, 64 connections", api: "openai",
		upstream: still, load: []string{"-conns", "64"}, targets: three,
		bars: map[target]float64{same: 1.1, translated: 2}, quick: true,
	},
	{
		name: "chat-c256", what: "small answer, 256 connections", api: "openai",
		upstream: still, load: []string{"-conns", "256"}, targets: two,
	},
	{
		name: "chat-20k", what: "prompt of 20 KB, 64 connections", api: "openai",
		upstream: still, load: []string{"-conns", "64", "-prompt-bytes", "20480"}, targets: two,
		bars: map[target]float64{same: 1.1}, quick: true,
	},
	{
		name: "chat-1m", what: "prompt of 1 MiB, 8 connections", api: "openai",
		upstream: still, load: []string{"-conns", "8", "-prompt-bytes", "1048576"}, targets: two,
		bars: map[target]float64{same: 1.5}, quick: true,
	},
	{
		name: "chat-flat", what: "32 streams × 200 chunks, flat out", api: "openai", perChunk: true,
		upstream: still, load: flatOut, targets: three,
		bars: map[target]float64{same: 1.2, translated: 2}, quick: true,
	},
	{
		name: "chat-gaps", what: "100 streams × 200 chunks, 5 ms gaps", api: "openai", perChunk: true,
		upstream: gapped, load: withGaps, targets: three,
		bars: map[target]float64{same: 1.2, translated: 2}, quick: true, least: 3 * time.Second,
	},
	{
		name: "chat-open", what: "1000 requests/s, upstream takes 50 ms", api: "openai", open: true,
		upstream: slow, load: []string{"-rate", "1000", "-conns", "300"}, targets: []target{direct, baseline, same},
	},
	{
		name: "messages-c64", what: "small answer, 64 connections", api: "anthropic",
		upstream: still, load: []string{"-conns", "64"}, targets: three,
		bars: map[target]float64{same: 1.1, translated: 2}, quick: true,
	},
	{
		name: "messages-flat", what: "32 streams × 200 chunks, flat out", api: "anthropic", perChunk: true,
		upstream: still, load: flatOut, targets: three,
		bars: map[target]float64{same: 1.2, translated: 2},
	},
	{
		name: "messages-gaps", what: "100 streams × 200 chunks, 5 ms gaps", api: "anthropic", perChunk: true,
		upstream: gapped, load: withGaps, targets: three,
		bars: map[target]float64{same: 1.2, translated: 2}, least: 3 * time.Second,
	},
}

// Bars of what is measured once, beside the cells.
const (
	barIdleMiB    = 30
	barStreamsMiB = 96
	barStart      = 300 * time.Millisecond
)

func cellNames() []string {
	var out []string
	for _, c := range plan {
		out = append(out, c.name)
	}
	return out
}
