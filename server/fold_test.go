package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/weir-gateway/weir/sim"
)

// P-13: an upstream that is asked for a stream where the client wants a whole
// answer. The whole answer is the same, with its usage, and is bounded.
func TestStreamsAreFolded(t *testing.T) {
	up := &matrixUpstream{}
	srv := httptest.NewServer(sim.NewServer(sim.ServerOptions{Handler: up}))
	t.Cleanup(srv.Close)
	folding := strings.ReplaceAll(matrixYAML(srv.URL), "key: k}", "key: k, quirks: {fold_streams: true}}")
	folded, plain := start(t, folding, nil), start(t, matrixYAML(srv.URL), nil)
	for i := range features {
		if features[i].id == "tools" {
			up.begin(&features[i])
		}
	}
	for _, u := range matrixUpstreams {
		for _, face := range clientFaces {
			path, body := face.call("up-"+u.name+"/m", false)
			got, want := folded.post(path, body), plain.post(path, body)
			if got.status != http.StatusOK || !sameButNames(got.body, want.body) {
				t.Errorf("%s to %s: %d\n%s\nwhole:\n%s", face.name, u.name, got.status, got.body, want.body)
			}
		}
	}
}

var volatile = regexp.MustCompile(`"(id|model|responseId|modelVersion|created|created_at|completed_at|total_duration|load_duration|prompt_eval_duration|eval_duration|latencyMs)":("[^"]*"|[0-9.]+)`)

// sameButNames compares two answers but for their names and when they were made.
func sameButNames(a, b string) bool {
	return volatile.ReplaceAllString(a, "") == volatile.ReplaceAllString(b, "")
}

// P-13, X-14: what is folded is bounded like a whole answer, and silence is not
// waited for like one.
func TestWhatIsFoldedIsBounded(t *testing.T) {
	long := strings.Repeat("x", 1<<10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			if _, err := fmt.Fprintf(w, "data: {\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\n", long); err != nil {
				return
			}
		}
	}))
	t.Cleanup(srv.Close)
	f := start(t, "providers:\n  oai: {base_url: "+srv.URL+", key: k, quirks: {fold_streams: true}}\nretry: {attempts: 1}\nlimits: {answer: 1MiB}\n", nil)
	r := f.post("/v1/chat/completions", `{"model":"oai/m","messages":[{"role":"user","content":"hi"}]}`)
	if r.status != http.StatusBadGateway || !strings.Contains(r.body, "longer than is allowed") {
		t.Errorf("%d %s", r.status, r.body)
	}
}
