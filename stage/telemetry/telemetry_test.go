package telemetry_test

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/telemetry"
	"github.com/weir-gateway/weir/weirtest"
)

// plays is a Handler that sends events, each after a pause, and then err.
func plays(pause time.Duration, err error, events ...weir.Event) weir.Handler {
	return weir.HandlerFunc(func(ctx context.Context, _ *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			for _, ev := range events {
				if pause > 0 {
					time.Sleep(pause)
				}
				if ctx.Err() != nil {
					break
				}
				if !yield(ev, nil) {
					return
				}
			}
			if end := cmp.Or(ctx.Err(), err); end != nil {
				yield(weir.Event{}, end)
			}
		}
	})
}

func attempt(deployment string, err *weir.Error) weir.Event {
	return weir.NoteEvent(&weir.Attempt{Deployment: deployment, Err: err})
}

func answer(deployment string) []weir.Event {
	u := &weir.Usage{}
	u.Set(weir.UsageInput, 100)
	u.Set(weir.UsageCacheRead, 60)
	u.Set(weir.UsageOutput, 10)
	u.Set(weir.UsageReasoning, 4)
	return []weir.Event{
		attempt(deployment, nil),
		{Type: weir.EventStart, Start: &weir.Start{}},
		{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}},
		{Type: weir.EventDelta, Text: "hi"},
		{Type: weir.EventBlockEnd},
		{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}},
		{Type: weir.EventUsage, Usage: u},
	}
}

func chat(stream bool) *weir.Request {
	return &weir.Request{Model: "m", Stream: stream, Wire: &weir.Wire{Protocol: weir.OpenAIChat}}
}

// metrics are what is exported, by "name{label=value,…}".
func metrics(t *testing.T, m *telemetry.Metrics) map[string]float64 {
	t.Helper()
	families, err := m.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, metric := range f.GetMetric() {
			out[key(f.GetName(), metric)] = value(metric)
		}
	}
	return out
}

func key(name string, m *dto.Metric) string {
	var labels []string
	for _, l := range m.GetLabel() {
		labels = append(labels, l.GetName()+"="+l.GetValue())
	}
	return name + "{" + strings.Join(labels, ",") + "}"
}

func value(m *dto.Metric) float64 {
	switch {
	case m.GetCounter() != nil:
		return m.GetCounter().GetValue()
	case m.GetGauge() != nil:
		return m.GetGauge().GetValue()
	}
	return m.GetHistogram().GetSampleSum()
}

func run(m *telemetry.Metrics, h weir.Handler, req *weir.Request) {
	for range m.Middleware()(h).Handle(context.Background(), req) {
	}
}

func TestTelemetryKeepsTheContract(t *testing.T) {
	m := telemetry.New(telemetry.Options{})
	weirtest.TestHandler(t, func() weir.Handler { return m.Middleware()(plays(0, nil, answer("p/m")...)) }, chat(true))
	if n := metrics(t, m)["weir_inflight{}"]; n != 0 {
		t.Errorf("%v calls are still counted as in progress", n)
	}
}

func TestTelemetryCountsACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := telemetry.New(telemetry.Options{})
		run(m, plays(0, nil, attempt("q/m", nil)), chat(true))
		events := append([]weir.Event{
			attempt("q/m", &weir.Error{Kind: weir.KindRateLimit, Status: 429}),
			weir.NoteEvent(&weir.Loss{Action: weir.LossDropped}),
			weir.NoteEvent(&weir.Loss{Action: "made up"}),
		}, answer("p/m")...)
		run(m, plays(time.Second, nil, events...), chat(true))
		got := metrics(t, m)
		want := map[string]float64{
			"weir_requests_total{deployment=p/m,op=generate,protocol=openai.chat,status_class=2xx,stream=true}": 1,
			"weir_request_duration_seconds{deployment=p/m,protocol=openai.chat,stream=true}":                    10,
			"weir_time_to_first_token_seconds{deployment=p/m,protocol=openai.chat}":                             6,
			"weir_tokens_total{deployment=p/m,direction=input,kind=text}":                                       40,
			"weir_tokens_total{deployment=p/m,direction=input,kind=cache_read}":                                 60,
			"weir_tokens_total{deployment=p/m,direction=output,kind=text}":                                      6,
			"weir_tokens_total{deployment=p/m,direction=output,kind=reasoning}":                                 4,
			"weir_attempts_total{deployment=q/m,outcome=rate_limit}":                                            1,
			"weir_attempts_total{deployment=p/m,outcome=ok}":                                                    1,
			"weir_losses_total{action=dropped}":                                                                 1,
			"weir_losses_total{action=other}":                                                                   1,
			"weir_inflight{}":                                                                                   0,
		}
		for name, n := range want {
			if got[name] != n {
				t.Errorf("%s is %v, want %v", name, got[name], n)
			}
		}
	})
}

func TestTelemetryClassesOfOutcome(t *testing.T) {
	tests := []struct {
		name  string
		h     weir.Handler
		stop  int // events after which the consumer leaves; -1: never
		class string
	}{
		{"an answer", plays(0, nil, answer("p/m")...), -1, "2xx"},
		{"a refusal before any attempt", plays(0, weir.Errorf(weir.KindPermission, "no")), -1, "4xx"},
		{"a failure of the upstream", plays(0, &weir.Error{Kind: weir.KindOverloaded, Status: 503}), -1, "5xx"},
		{"an answer that broke", plays(0, weir.Errorf(weir.KindUpstream, "cut"), answer("p/m")...), -1, "5xx"},
		{"a client that left", plays(0, nil, answer("p/m")...), 3, "canceled"},
		{"a client that left with the answer", plays(0, nil, answer("p/m")...), 6, "2xx"},
		{"a canceled call", plays(0, context.Canceled), -1, "canceled"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := telemetry.New(telemetry.Options{})
			n := 0
			for range m.Middleware()(test.h).Handle(t.Context(), chat(false)) {
				if n++; n == test.stop {
					break
				}
			}
			found := ""
			for name, v := range metrics(t, m) {
				if strings.HasPrefix(name, "weir_requests_total") && v == 1 {
					found = name
				}
			}
			if !strings.Contains(found, "status_class="+test.class) {
				t.Errorf("counted as %s, want %s", found, test.class)
			}
		})
	}
}

func TestTelemetryBoundsItsLabels(t *testing.T) { // O-04
	m := telemetry.New(telemetry.Options{MaxDeployments: 5, Known: func(name string) bool { return !strings.Contains(name, "junk") }})
	for i := range 100 {
		run(m, plays(0, nil, answer(fmt.Sprintf("p/junk-%d", i))...), &weir.Request{Model: fmt.Sprintf("junk-%d", i)})
		run(m, plays(0, nil, answer(fmt.Sprintf("p/%d", i))...), chat(true))
	}
	deployments := map[string]bool{}
	for name := range metrics(t, m) {
		if strings.Contains(name, "junk") {
			t.Errorf("a junk name became a label: %s", name)
		}
		if _, rest, ok := strings.Cut(name, "deployment="); ok {
			label, _, _ := strings.Cut(rest, ",")
			deployments[label] = true
		}
	}
	if len(deployments) > 5+2 || !deployments["other"] {
		t.Errorf("deployments: %v", deployments)
	}
}

func TestTelemetryNamesNoDeploymentThatNeverServed(t *testing.T) { // O-04
	m := telemetry.New(telemetry.Options{MaxDeployments: 1})
	for i := range 10 {
		failed := &weir.Error{Kind: weir.KindModelNotFound, Status: 404}
		run(m, plays(0, failed, attempt(fmt.Sprintf("p/junk-%d", i), failed)), chat(true))
	}
	run(m, plays(0, nil, answer("p/real")...), chat(true))
	got := metrics(t, m)
	if got["weir_attempts_total{deployment=other,outcome=model_not_found}"] != 10 || got["weir_attempts_total{deployment=p/real,outcome=ok}"] != 1 {
		t.Errorf("metrics %v", got)
	}
}

func TestTelemetryServesClassicBucketsToTextScrapers(t *testing.T) {
	m := telemetry.New(telemetry.Options{Process: true})
	run(m, plays(0, nil, answer("p/m")...), chat(true))
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, part := range []string{
		`weir_request_duration_seconds_bucket{deployment="p/m",protocol="openai.chat",stream="true",le="2.5"} 1`,
		"weir_time_to_first_token_seconds_bucket", "go_goroutines", "weir_inflight 0",
	} {
		if !strings.Contains(rec.Body.String(), part) {
			t.Errorf("/metrics has no %s", part)
		}
	}
}

// BenchmarkCall is a call of seven events.
func BenchmarkCall(b *testing.B) {
	m := telemetry.New(telemetry.Options{})
	bare := plays(0, nil, answer("p/m")...)
	for name, h := range map[string]weir.Handler{"bare": bare, "counted": m.Middleware()(bare)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			req := chat(true)
			for b.Loop() {
				for range h.Handle(context.Background(), req) {
				}
			}
		})
	}
}

// BenchmarkEvent is one delta.
func BenchmarkEvent(b *testing.B) {
	m := telemetry.New(telemetry.Options{})
	many := weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			ev := weir.Event{Type: weir.EventDelta, Text: "word"}
			for range b.N {
				if !yield(ev, nil) {
					return
				}
			}
		}
	})
	b.ReportAllocs()
	for range m.Middleware()(many).Handle(context.Background(), chat(true)) {
	}
}
