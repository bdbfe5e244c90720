package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weir-gateway/weir/sim"
)

// pairOfUpstreams are two upstreams under the names a and b; b plays a fault.
func pairOfUpstreams(t *testing.T, fault string) string {
	t.Helper()
	first, _ := upstream(t, sim.ServerOptions{})
	o := sim.ServerOptions{}
	if fault != "" {
		o.Faults = []sim.Rule{{Fault: fault}}
	}
	second, _ := upstream(t, o)
	return fmt.Sprintf("providers:\n  a: {base_url: %s/v1, key: k, zone: here}\n  b: {base_url: %s/v1, key: k, zone: there}\n", first, second)
}

// served counts which deployment answered n requests.
func (f *fixture) served(n int, model string, header ...string) map[string]int {
	f.t.Helper()
	out := map[string]int{}
	for range n {
		r := f.post("/v1/chat/completions", `{"model":"`+model+`","messages":[{"role":"user","content":"hi"}]}`, header...)
		if r.status != http.StatusOK {
			f.t.Fatalf("%d %s", r.status, r.body)
		}
		out[r.header.Get("X-Weir-Deployment")]++
	}
	return out
}

// how the deployments of a model share its requests.
func TestStrategies(t *testing.T) {
	for name, tt := range map[string]struct {
		model string
		want  map[string]int
	}{
		"ordered":         {"m: [b/x, a/x]", map[string]int{"b/x": 8}},
		"weighted":        {"m: {deployments: [a/x, b/x], strategy: weighted, weights: {b/x: 3}}", map[string]int{"a/x": 2, "b/x": 6}},
		"only in need":    {"m: {deployments: [a/x, b/x], strategy: weighted, weights: {a/x: -1}}", map[string]int{"b/x": 8}},
		"all to a canary": {"m: {deployments: [a/x], split: [{model: b/x, percent: 100}]}", map[string]int{"b/x": 8}},
		"none to it":      {"m: {deployments: [a/x], split: [{model: b/x, percent: 0}]}", map[string]int{"a/x": 8}},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, pairOfUpstreams(t, "")+"models:\n  "+tt.model+"\n", nil)
			if got := f.served(8, "m"); fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// what belongs together is served by the same deployment.
func TestSessionsStick(t *testing.T) {
	f := start(t, pairOfUpstreams(t, "")+"models:\n  m: {deployments: [a/x, b/x], strategy: sticky}\n", nil)
	both := map[string]bool{}
	for i := range 12 {
		got := f.served(3, "m", "X-Weir-Session", fmt.Sprint("s", i))
		if len(got) != 1 {
			t.Errorf("session %d: %v", i, got)
		}
		for d := range got {
			both[d] = true
		}
	}
	if len(both) != 2 {
		t.Errorf("all sessions went to %v", both)
	}
}

func TestTheNearerZoneIsAskedFirst(t *testing.T) {
	f := start(t, pairOfUpstreams(t, "")+"models:\n  m: {deployments: [a/x, b/x], strategy: weighted}\nzones: [there, here]\n", nil)
	if got := f.served(6, "m"); got["b/x"] != 6 {
		t.Errorf("%v", got)
	}
}

// a deployment that fails is left alone, and nobody notices.
func TestAFailingDeploymentIsLeftAlone(t *testing.T) {
	url, _ := upstream(t, sim.ServerOptions{})
	f := start(t, pairOfUpstreams(t, "status=500")+"  c: {base_url: "+url+"/v1, key: k}\nmodels:\n  m: {deployments: [b/x, a/x], refusals: true}\nretry: {attempts: 2, per_deployment: 1}\n", nil)
	attempts := map[string]int{}
	for range 20 {
		r := f.post("/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`)
		if r.status != http.StatusOK || r.header.Get("X-Weir-Deployment") != "a/x" {
			t.Fatalf("%d %v %s", r.status, r.header, r.body)
		}
		attempts[r.header.Get("X-Weir-Attempts")]++
	}
	if attempts["2"] != 10 || attempts["1"] != 10 {
		t.Errorf("attempts: %v", attempts)
	}
}

// O-16: rules choose the model by what the request is.
func TestRulesChooseTheModel(t *testing.T) {
	f := start(t, pairOfUpstreams(t, "")+`models:
  auto:
    deployments: [a/x]
    rules:
      - {when: "tokens > 1000", use: b/long}
      - {when: "labels.team == 'search'", use: b/search}
      - {when: "language == 'zh'", use: b/zh}
routing:
  rules: [{when: "model == 'old'", use: auto}]
`, nil)
	for _, tt := range []struct{ model, content, label, want string }{
		{"auto", "hi", "", "a/x"},
		{"auto", strings.Repeat("long ", 2000), "", "b/long"},
		{"auto", "hi", "team=search, x=y", "b/search"},
		{"auto", "你好，请问现在几点了？", "", "b/zh"},
		{"old", "hi", "team=search", "b/search"},
	} {
		r := f.post("/v1/chat/completions", `{"model":"`+tt.model+`","messages":[{"role":"user","content":"`+tt.content+`"}]}`, "X-Weir-Labels", tt.label)
		if got := r.header.Get("X-Weir-Deployment"); got != tt.want {
			t.Errorf("%+v: %d %q %s", tt, r.status, got, r.body)
		}
	}
	if r := f.post("/v1/chat/completions", `{"model":"auto","messages":[]}`, "X-Weir-Labels", "team"); r.status != http.StatusBadRequest || !strings.Contains(r.body, "name=value") {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// O-16: when everything has failed a written answer is given, marked as such.
func TestADegradedAnswerIsTheLastResort(t *testing.T) {
	f := start(t, pairOfUpstreams(t, "status=503")+`models:
  m: [b/x]
degraded:
  - {keywords: [order], answer: "Orders are open, the assistant is not."}
  - {answer: "Back in {{retry_after|60}} seconds."}
retry: {attempts: 1}
`, nil)
	for _, face := range clientFaces {
		for _, stream := range []bool{false, true} {
			path, body := face.call("m", stream)
			r := f.post(path, body)
			if r.status != http.StatusOK || r.header.Get("X-Weir-Source") != "degraded" || !strings.Contains(r.body, "Back in") || !strings.Contains(r.body, `"source":"degraded"`) {
				t.Errorf("%s stream=%v: %d %q %s", face.name, stream, r.status, r.header.Get("X-Weir-Source"), r.body)
			}
		}
	}
	if r := f.post("/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"where is my ORDER?"}]}`); !strings.Contains(r.body, "Orders are open") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := f.post("/v1/chat/completions", `{"model":"m","messages":"no list"}`); r.status != http.StatusBadRequest {
		t.Errorf("a mistake is answered: %d %s", r.status, r.body)
	}
}

// a request that is sent again with the same key gets the answer of the first
// one, which is paid for once.
func TestIdempotencyKeys(t *testing.T) {
	f := start(t, pairOfUpstreams(t, "")+"models:\n  m: [a/x]\n", nil)
	body := `{"model":"m","messages":[{"role":"user","content":"hi"}]}`
	first := f.post("/v1/chat/completions", body, "Idempotency-Key", "k1")
	again := f.post("/v1/chat/completions", body, "Idempotency-Key", "k1")
	if again.status != http.StatusOK || again.header.Get("X-Weir-Source") != "replayed" || !sameButNames(first.body, again.body) || again.header.Get("X-Weir-Deployment") != "a/x" {
		t.Errorf("%d %q %s, first %s", again.status, again.header.Get("X-Weir-Source"), again.body, first.body)
	}
	other := f.post("/v1/chat/completions", strings.Replace(body, "hi", "ho", 1), "Idempotency-Key", "k1")
	if other.status != http.StatusUnprocessableEntity {
		t.Errorf("another request with the same key: %d %s", other.status, other.body)
	}
	entries := f.entries.wait(t, 3)
	if e := entries[1]; e.Source != "replayed" || e.Usage != nil || e.UsageState != "none" {
		t.Errorf("the ledger says %+v", e)
	}
}

// identical requests in flight share one call, streams included.
func TestIdenticalRequestsShareACall(t *testing.T) {
	url, _ := upstream(t, sim.ServerOptions{Faults: []sim.Rule{{Fault: "delay=300ms"}}})
	f := start(t, "providers:\n  a: {base_url: "+url+"/v1, key: k}\nshare: true\n", nil)
	const n = 6
	replies := make(chan reply, n)
	for i := range n {
		go func() {
			replies <- f.post("/v1/chat/completions", fmt.Sprintf(`{"model":"a/x","stream":%v,"messages":[{"role":"user","content":"hi"}]}`, i < n/2))
		}()
	}
	sources := map[string]int{}
	for range n {
		r := <-replies
		if r.status != http.StatusOK || !strings.Contains(r.body, "finish_reason") {
			t.Errorf("%d %s", r.status, r.body)
		}
		sources[r.header.Get("X-Weir-Source")]++
	}
	if sources["upstream"] != 2 || sources["shared"] != n-2 {
		t.Errorf("%v", sources)
	}
}

// an answer that breaks off is written on by another deployment, for
// models that want it.
func TestAnAnswerIsWrittenOn(t *testing.T) {
	first, _ := upstream(t, sim.ServerOptions{Faults: []sim.Rule{{Fault: "cut=after:6"}}})
	second, _ := upstream(t, sim.ServerOptions{})
	yaml := "providers:\n  a: {base_url: " + first + "/v1, key: k}\n  b: {base_url: " + second + "/v1, key: k, quirks: {prefill: last}}\nretry: {attempts: 2}\n"
	ask := `{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}`
	plain := start(t, yaml+"models:\n  m: [a/x, b/x]\n", nil).post("/v1/chat/completions", ask)
	if strings.Contains(plain.body, `"finish_reason":"stop"`) || !strings.Contains(plain.body, `"error"`) {
		t.Errorf("without the mode an answer that broke must say so: %s", plain.body)
	}
	went := start(t, yaml+"models:\n  m: {deployments: [a/x, b/x], continue: true}\n", nil).post("/v1/chat/completions", ask)
	if !strings.Contains(went.body, `"finish_reason":"stop"`) || strings.Contains(went.body, `"error"`) || !strings.Contains(went.body, "[DONE]") {
		t.Errorf("%s", went.body)
	}
}

// going round a refusal must be somebody's decision.
func TestRefusalsAreFinalUnlessSaidOtherwise(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":{"message":"the prompt was filtered","type":"invalid_request_error","code":"content_filter"}}`)
	}))
	t.Cleanup(srv.Close)
	ready, _ := upstream(t, sim.ServerOptions{})
	yaml := "providers:\n  a: {base_url: " + srv.URL + "/v1, key: k}\n  b: {base_url: " + ready + "/v1, key: k}\nretry: {attempts: 2}\n"
	ask := `{"model":"m","messages":[{"role":"user","content":"hi"}]}`
	if r := start(t, yaml+"models:\n  m: [a/x, b/x]\n", nil).post("/v1/chat/completions", ask); r.status != http.StatusBadRequest {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := start(t, yaml+"models:\n  m: {deployments: [a/x, b/x], refusals: true}\n", nil).post("/v1/chat/completions", ask); r.status != http.StatusOK {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// who would wait too long for a turn goes elsewhere at once.
func TestALimitFollowsWhatADeploymentTakes(t *testing.T) {
	slow, _ := upstream(t, sim.ServerOptions{Faults: []sim.Rule{{Fault: "delay=400ms"}}})
	quick, _ := upstream(t, sim.ServerOptions{})
	f := start(t, "providers:\n  a: {base_url: "+slow+"/v1, key: k, adaptive: {max: 1, queue: -1}}\n  b: {base_url: "+quick+"/v1, key: k}\nmodels:\n  m: [a/x, b/x]\n", nil)
	const n = 5
	replies := make(chan reply, n)
	for range n {
		go func() {
			replies <- f.post("/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`)
		}()
	}
	served := map[string]int{}
	for range n {
		r := <-replies
		if r.status != http.StatusOK {
			t.Errorf("%d %s", r.status, r.body)
		}
		served[r.header.Get("X-Weir-Deployment")]++
	}
	if served["a/x"] != 1 || served["b/x"] != n-1 {
		t.Errorf("%v", served)
	}
}

// whether the gateway is well is never asked of a model.
func TestHealthIsNotAskedOfModels(t *testing.T) {
	var calls atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	t.Cleanup(srv.Close)
	f := start(t, "providers:\n  a: {base_url: "+srv.URL+"/v1, key: k, models: [{id: x}]}\nmodels:\n  m: {deployments: [a/x, a/y], strategy: latency}\n", nil)
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/v1/models", "/admin/deployments", "/v1/capabilities", "/api/tags"} {
		if r := f.get(path); r.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	if calls.Load() != 0 {
		t.Errorf("the provider was called %d times", calls.Load())
	}
}
