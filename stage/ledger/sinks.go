package ledger

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/weir-gateway/weir"
)

// Tee records every entry in all sinks, in order. Nil sinks are skipped.
func Tee(sinks ...Sink) Sink {
	return tee(slices.DeleteFunc(slices.Clone(sinks), func(s Sink) bool { return s == nil }))
}

type tee []Sink

func (t tee) Record(e *Entry) {
	for _, s := range t {
		s.Record(e)
	}
}

// LogSink writes one line for every call: Info when it was answered or the
// client left, Warn when it failed. The lines hold no prompt text, no answer
// and no credential.
func LogSink(l *slog.Logger) Sink { return logSink{l} }

type logSink struct{ l *slog.Logger }

func (s logSink) Record(e *Entry) {
	level := slog.LevelInfo
	if e.Outcome == Failed {
		level = slog.LevelWarn
	}
	if s.l.Enabled(context.Background(), level) {
		s.l.LogAttrs(context.Background(), level, "call", e.attrs()...)
	}
}

// attrs are the entry as log attributes, without those that say nothing.
func (e *Entry) attrs() []slog.Attr {
	attrs := make([]slog.Attr, 0, 24)
	text := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	text("id", e.ID)
	text("key", e.Principal)
	text("op", e.Op.String())
	text("protocol", string(e.Protocol))
	text("model", e.Model)
	text("deployment", e.Deployment)
	text("outcome", string(e.Outcome))
	attrs = append(attrs, slog.Int("status", e.Status))
	if e.Outcome != Answered {
		text("kind", e.Kind.String())
		text("code", e.Code)
		text("error", e.Message)
	}
	text("finish", string(e.Finish))
	text("upstream_id", e.UpstreamID)
	attrs = append(attrs, slog.Int("attempts", e.Attempts), slog.Bool("stream", e.Streamed))
	attrs = append(attrs, e.usageAttrs()...)
	if e.TTFT > 0 {
		attrs = append(attrs, slog.Duration("ttft", e.TTFT))
	}
	attrs = append(attrs, slog.Duration("duration", e.Duration))
	if n := len(e.Losses); n > 0 {
		attrs = append(attrs, slog.Int("losses", n))
	}
	if e.Source != "" && e.Source != "upstream" {
		attrs = append(attrs, slog.String("source", e.Source), slog.String("instead", e.Instead.String()))
	}
	if len(e.Emulated) > 0 {
		attrs = append(attrs, slog.String("emulated", strings.Join(e.Emulated, ", ")))
	}
	return attrs
}

func (e *Entry) usageAttrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("usage", string(e.UsageState))}
	if e.Usage.Has(weir.UsageInput) {
		attrs = append(attrs, slog.Int64("input_tokens", e.Usage.InputTokens))
	}
	if e.Usage.Has(weir.UsageOutput) {
		attrs = append(attrs, slog.Int64("output_tokens", e.Usage.OutputTokens))
	}
	if e.Usage.Has(weir.UsageCacheRead) {
		attrs = append(attrs, slog.Int64("cache_read_tokens", e.Usage.CacheReadTokens))
	}
	if e.CostKnown {
		attrs = append(attrs, slog.String("cost", e.Cost.String()))
	}
	return attrs
}

// A Ring is a Sink that keeps the last entries, for a console and for tests.
// Safe for concurrent use.
type Ring struct {
	mu      sync.Mutex // guards what follows
	entries []*Entry
	next    int
	total   int
}

// NewRing keeps n entries; below 1 it keeps one.
func NewRing(n int) *Ring { return &Ring{entries: make([]*Entry, max(n, 1))} }

// Record implements Sink.
func (r *Ring) Record(e *Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries[r.next] = e
	r.next = (r.next + 1) % len(r.entries)
	r.total++
}

// Entries are those that are kept, the latest first.
func (r *Ring) Entries() []*Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]*Entry, 0, min(r.total, len(r.entries)))
	for i := range cap(out) {
		out = append(out, r.entries[(r.next-1-i+2*len(r.entries))%len(r.entries)])
	}
	return out
}

// Total is how many entries were ever recorded.
func (r *Ring) Total() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total
}
