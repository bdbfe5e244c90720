package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weir-gateway/weir/sim"
)

// clientFaces are all faces that converse, as a test calls them.
var clientFaces = []struct {
	name string
	call func(model string, stream bool) (path, body string)
}{
	{"chat", func(m string, s bool) (string, string) {
		return "/v1/chat/completions", fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"hi"}],"stream":%v}`, m, s)
	}},
	{"responses", func(m string, s bool) (string, string) {
		return "/v1/responses", fmt.Sprintf(`{"model":%q,"input":"hi","stream":%v}`, m, s)
	}},
	{"completions", func(m string, s bool) (string, string) {
		return "/v1/completions", fmt.Sprintf(`{"model":%q,"prompt":"hi","stream":%v}`, m, s)
	}},
	{"messages", func(m string, s bool) (string, string) {
		return "/v1/messages", fmt.Sprintf(`{"model":%q,"max_tokens":50,"messages":[{"role":"user","content":"hi"}],"stream":%v}`, m, s)
	}},
	{"gemini", func(m string, s bool) (string, string) {
		method := ":generateContent"
		if s {
			method = ":streamGenerateContent?alt=sse"
		}
		return "/v1beta/models/" + m + method, `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`
	}},
	{"ollama", func(m string, s bool) (string, string) {
		return "/api/chat", fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"hi"}],"stream":%v}`, m, s)
	}},
}

const testKeys = "keys:\n  - {name: team, hash: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08}\n" // of "test"

// P-18: keys, fallback, the allowance, the ledger and the headers are the same on
// every face, streamed and whole.
func TestEveryFaceIsGovernedAlike(t *testing.T) {
	_, yaml := upstream(t, sim.ServerOptions{})
	_, broken := upstream(t, sim.ServerOptions{Faults: []sim.Rule{{Fault: "status=503"}}})
	broken, _, _ = strings.Cut(broken, "retry:")
	broken = strings.NewReplacer("providers:\n", "", "oai:", "bad:", "ant:", "bad2:").Replace(broken)
	yaml = strings.Replace(yaml, "\nretry:", strings.TrimRight(broken, "\n")+"\nretry:", 1)
	f := start(t, yaml+"models:\n  m: [bad/x, oai/y]\nbreaker: {off: true}\n"+testKeys, nil)
	n := 0
	for _, face := range clientFaces {
		for _, stream := range []bool{false, true} {
			path, body := face.call("m", stream)
			if r := f.post(path, body); r.status != http.StatusUnauthorized {
				t.Errorf("%s without a key: %d %s", face.name, r.status, r.body)
			}
			r := f.post(path, body, "Authorization", "Bearer test")
			if r.status != http.StatusOK || r.header.Get("X-Weir-Deployment") != "oai/y" {
				t.Errorf("%s stream=%v: %d %v %s", face.name, stream, r.status, r.header, r.body)
				continue
			}
			n++
			e := f.entries.wait(t, n)[n-1]
			if e.Principal != "team" || e.Attempts < 2 || e.Outcome != "answered" || e.Usage == nil || e.Streamed != stream {
				t.Errorf("%s stream=%v: the ledger says %+v", face.name, stream, e)
			}
		}
	}
}

// E-01, P-18: an error before the answer has its own status and the form of the
// client's protocol on every face.
func TestEveryFaceTellsErrorsInItsOwnWords(t *testing.T) {
	_, yaml := upstream(t, sim.ServerOptions{Faults: []sim.Rule{{Fault: "status=429"}}})
	f := start(t, strings.Replace(yaml, "retry: {", "retry: {attempts: 1, ", 1), nil)
	for _, face := range clientFaces {
		for _, stream := range []bool{false, true} {
			path, body := face.call("oai/y", stream)
			r := f.post(path, body)
			var parsed map[string]any
			if r.status != http.StatusTooManyRequests || json.Unmarshal([]byte(strings.Trim(r.body, "[]\n")), &parsed) != nil || parsed["error"] == nil {
				t.Errorf("%s stream=%v: %d %s", face.name, stream, r.status, r.body)
			}
		}
	}
}

// U-10: a client that reads trailers learns what a stream cost.
func TestStreamsTellTheirCostInATrailer(t *testing.T) {
	srv := httptest.NewServer(sim.NewServer(sim.ServerOptions{}))
	t.Cleanup(srv.Close)
	f := start(t, "providers:\n  deepseek: {base_url: "+srv.URL+", key: k}\n", nil)
	for _, te := range []string{"", "trailers"} {
		req := f.request(t.Context(), http.MethodPost, "/v1/chat/completions", strings.NewReader(`{"model":"deepseek/deepseek-flash","stream":true,"messages":[{"role":"user","content":"hi"}]}`))
		if te != "" {
			req.Header.Set("TE", te)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if cost := res.Trailer.Get("X-Weir-Cost"); (cost != "") != (te != "") {
			t.Errorf("TE %q: cost %q", te, cost)
		}
	}
}

// C-04: an operator can have cache breakpoints added for clients that know none.
func TestCacheBreakpointsCanBeAdded(t *testing.T) {
	up := &matrixUpstream{}
	up.begin(&features[0])
	srv := httptest.NewServer(sim.NewServer(sim.ServerOptions{Handler: up}))
	t.Cleanup(srv.Close)
	f := start(t, "providers:\n  ant: {base_url: "+srv.URL+", protocol: anthropic.messages, quirks: {set_params: {cache_control: {type: ephemeral}}}}\n", nil)
	if r := f.post("/v1/chat/completions", `{"model":"ant/m","messages":[{"role":"user","content":"hi"}]}`); r.status != http.StatusOK {
		t.Fatal(r.status, r.body)
	}
	if asked := up.bodies(); len(asked) != 1 || asked[0].Cache == nil {
		t.Errorf("the upstream was asked %s", describe(asked[0]))
	}
}

// S-07, O-15: what a stage makes up for is told to the client: in a header, and of
// a stream in a trailer.
func TestWhatIsMadeUpForIsTold(t *testing.T) {
	url, _ := upstream(t, sim.ServerOptions{})
	f := start(t, "providers:\n  oai: {base_url: "+url+"/v1, key: k, quirks: {formats: [text]}}\n", nil)
	for _, stream := range []bool{false, true} {
		r := f.post("/v1/chat/completions", fmt.Sprintf(`{"model":"oai/m","stream":%v,"messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_schema","json_schema":{"name":"city","schema":{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}}}}`, stream), "TE", "trailers")
		got := r.header.Get("X-Weir-Emulated") + r.trailer.Get("X-Weir-Emulated")
		if r.status != http.StatusOK || !strings.HasPrefix(got, "structured_output;") {
			t.Errorf("stream=%v: %d %q %s", stream, r.status, got, r.body)
		}
	}
}
