package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"
)

// loaded is what the load generator reports, as far as it is used. Times are in
// microseconds.
type loaded struct {
	OK        int64            `json:"ok"`
	Failed    int64            `json:"failed"`
	Errors    map[string]int64 `json:"errors"`
	RPS       float64          `json:"rps"`
	Latency   summary          `json:"latency"`
	ChunksPS  float64          `json:"chunks_per_s"`
	Travel    *summary         `json:"chunk_travel"`
	CPUShare  float64          `json:"cpu_cores"`
	CPUPerReq float64          `json:"cpu_us_per_req"`
	CPUPerChk float64          `json:"cpu_us_per_chunk"`
	RSSPeak   float64          `json:"rss_peak_mib"`
	Stolen    float64          `json:"cpu_stolen_share"`

	// others is the share of the machine's CPU time that went to processes
	// which have nothing to do with this.
	others float64
}

type summary struct {
	P50 float64 `json:"p50_us"`
	P99 float64 `json:"p99_us"`
}

// cost is the CPU time for one request, or one chunk, in microseconds.
func (l *loaded) cost(c *cell) float64 {
	if c.perChunk {
		return l.CPUPerChk
	}
	return l.CPUPerReq
}

// rate is how many requests, or chunks, were served in a second.
func (l *loaded) rate(c *cell) float64 {
	if c.perChunk {
		return l.ChunksPS
	}
	return l.RPS
}

// latency is that of a request, or the travelling time of a chunk.
func (l *loaded) latency(c *cell) summary {
	if c.perChunk && l.Travel != nil {
		return *l.Travel
	}
	return l.Latency
}

// trouble says what went wrong, "" when nothing did.
func (l *loaded) trouble() string {
	if l.Failed == 0 && l.OK > 0 {
		return ""
	}
	most, why := int64(0), "nothing was answered"
	for e, n := range l.Errors {
		if n > most {
			most, why = n, e
		}
	}
	return fmt.Sprintf("%d of %d failed, most often: %s", l.Failed, l.Failed+l.OK, why)
}

// load runs the load generator once against a target. extra comes last.
func (b *bench) load(ctx context.Context, c *cell, t target, extra ...string) (*loaded, error) {
	argv := []string{
		filepath.Join(b.options.bin, "load"), "-json", "-label", c.name + "/" + string(t),
		"-url", "http://" + b.addr(t) + path(c.api), "-api", c.api, "-model", model(c.api, t), "-key", gatewayKey,
	}
	if p := b.running[t]; p != nil {
		argv = append(argv, "-pids", strconv.Itoa(p.pid()))
	}
	argv = append(append(argv, c.load...), extra...)
	// The load generator may hang on a target that does.
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := b.command(ctx, b.loadCore, argv...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	before := b.cpu()
	runErr := cmd.Run()
	after := b.cpu()
	var l loaded
	if err := json.Unmarshal(out.Bytes(), &l); err != nil {
		return nil, errors.Join(fmt.Errorf("the load generator said nothing: %s", bytes.TrimSpace(errs.Bytes())), runErr, ctx.Err())
	}
	l.others = after.othersSince(before)
	return &l, nil
}
