package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// E-05: a gateway that is its own provider says so instead of calling itself for
// ever.
func TestGatewaysInACircle(t *testing.T) {
	var calls atomic.Int32
	var next http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		next.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	f := start(t, "providers:\n  me: {base_url: "+srv.URL+"/v1, key: k}\nmodels:\n  m: me/m\nretry: {attempts: 1}\n", nil)
	next = f.server
	r := f.post("/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`)
	if r.status != http.StatusLoopDetected || !strings.Contains(r.body, "base_url") || calls.Load() != 8 {
		t.Errorf("%d after %d calls: %s", r.status, calls.Load(), r.body)
	}
	if r := f.post("/v1/chat/completions", `{"model":"m","messages":[]}`, "X-Weir-Hops", "many"); r.status != http.StatusBadRequest {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// An operation that a provider has no endpoint for is refused with a way out.
func TestOperationsThatAProviderLacks(t *testing.T) {
	f := start(t, "providers:\n  ant: {base_url: http://127.0.0.1:9, protocol: anthropic.messages, key: k}\n", nil)
	r := f.post("/v1/embeddings", `{"model":"ant/m","input":"hi"}`)
	if r.status != http.StatusBadRequest || !strings.Contains(r.body, "endpoint") || !strings.Contains(r.body, `"param":"model"`) {
		t.Errorf("%d %s", r.status, r.body)
	}
}
