package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weir-gateway/weir/authn"
	"github.com/weir-gateway/weir/codec/all"
	"github.com/weir-gateway/weir/gateway"
	"github.com/weir-gateway/weir/server"
	"github.com/weir-gateway/weir/sim"
)

const adminKeys = `models: {m: [sim/a]}
keys:
  - {name: team, hash: %q}
  - {name: boss, hash: %q, admin: true}
`

// admins are the two calls that are for the operator.
var admins = []struct{ method, path, body string }{
	{http.MethodGet, "/admin/deployments", ""},
	{http.MethodPost, "/admin/explain", `{"model":"m","messages":[]}`},
}

// X-06, O-16: who may look at what is the operator's.
func TestOnlyTheOperatorMayLook(t *testing.T) {
	key, hash := authn.Generate()
	admin, adminHash := authn.Generate()
	open := start(t, "models: {m: [sim/a]}\n", sim.New(sim.Options{}))
	closed := start(t, fmt.Sprintf(adminKeys, hash, adminHash), sim.New(sim.Options{}))
	for _, tt := range []struct {
		name    string
		f       *fixture
		from    string // whose address it comes from
		host    string
		header  []string
		allowed int
	}{
		{"no keys, this machine", open, "127.0.0.1:9", "127.0.0.1:8080", nil, 200},
		{"no keys, this machine by IPv6", open, "[::1]:9", "[::1]:8080", nil, 200},
		{"no keys, this machine by name", open, "127.0.0.1:9", "localhost", nil, 200},
		{"no keys, this machine's own page", open, "127.0.0.1:9", "localhost:8080", []string{"Origin", "http://localhost:8080", "Sec-Fetch-Site", "same-origin"}, 200},
		{"no keys, another machine", open, "192.0.2.1:9", "127.0.0.1:8080", nil, 403},
		{"no keys, a name pointed here", open, "127.0.0.1:9", "elsewhere.test", nil, 403},
		{"no keys, through a proxy", open, "127.0.0.1:9", "127.0.0.1:8080", []string{"X-Forwarded-For", "192.0.2.1"}, 403},
		{"no keys, a foreign page", open, "127.0.0.1:9", "127.0.0.1:8080", []string{"Origin", "https://elsewhere.test"}, 403},
		{"no keys, an opaque page", open, "127.0.0.1:9", "127.0.0.1:8080", []string{"Origin", "null"}, 403},
		{"no keys, a foreign page's picture", open, "127.0.0.1:9", "127.0.0.1:8080", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"keys, nobody", closed, "127.0.0.1:9", "127.0.0.1:8080", nil, 401},
		{"keys, a wrong key", closed, "127.0.0.1:9", "127.0.0.1:8080", []string{"Authorization", "Bearer nonsense"}, 401},
		{"keys, a key", closed, "127.0.0.1:9", "127.0.0.1:8080", []string{"Authorization", "Bearer " + key}, 403},
		{"keys, an admin", closed, "192.0.2.1:9", "weir.test", []string{"Authorization", "Bearer " + admin}, 200},
		{"keys, an admin through a foreign page", closed, "192.0.2.1:9", "weir.test", []string{"X-Api-Key", admin, "Origin", "https://elsewhere.test"}, 403},
	} {
		for _, call := range admins {
			r := httptest.NewRequestWithContext(t.Context(), call.method, call.path, strings.NewReader(call.body))
			r.RemoteAddr, r.Host = tt.from, tt.host
			for i := 0; i+1 < len(tt.header); i += 2 {
				r.Header.Set(tt.header[i], tt.header[i+1])
			}
			w := httptest.NewRecorder()
			tt.f.server.ServeHTTP(w, r)
			if w.Code != tt.allowed {
				t.Errorf("%s: %s %s: %d %s", tt.name, call.method, call.path, w.Code, w.Body)
			}
			if w.Code != 200 && strings.Contains(w.Body.String(), "sim/a") {
				t.Errorf("%s: it is told all the same: %s", tt.name, w.Body)
			}
		}
	}
}

// O-16: how the deployments are, as data.
func TestAdminListsTheDeployments(t *testing.T) {
	f := start(t, pairOfUpstreams(t, "status=500")+"models:\n  m: {deployments: [b/x, a/x]}\nretry: {attempts: 2, per_deployment: 1}\n", nil)
	f.served(12, "m")
	var list struct{ Deployments []gateway.DeploymentStatus }
	r := f.get("/admin/deployments")
	if err := json.Unmarshal([]byte(r.body), &list); err != nil || len(list.Deployments) != 2 || r.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%v %v %s", err, r.header, r.body)
	}
	a, b := list.Deployments[0], list.Deployments[1]
	if a.Name != "a/x" || a.State != "closed" || a.Window.Succeeded != 12 || a.WholeMS <= 0 || a.Zone != "here" || fmt.Sprint(a.Models) != "[m]" {
		t.Errorf("a: %+v", a)
	}
	if b.State != "open" || b.Standing != "down" || b.Weight != 0 || b.Window.Failed != 10 || b.Until.IsZero() || b.LastError == "" || b.LastErrorAt.IsZero() {
		t.Errorf("b: %+v", b)
	}
}

// O-16: the same as a page, in which every name is only a name.
func TestAdminShowsAPage(t *testing.T) {
	f := start(t, `models: {"<b>&m": [sim/x]}`, sim.New(sim.Options{}))
	f.served(1, "<b>&m")
	r := f.get("/admin/deployments", "Accept", "text/html,application/xhtml+xml;q=0.9")
	if r.status != http.StatusOK || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") || !strings.Contains(r.header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Fatalf("%d %v", r.status, r.header)
	}
	for _, want := range []string{"sim/x", "&lt;b&gt;&amp;m", `http-equiv="refresh"`, "ready"} {
		if !strings.Contains(r.body, want) {
			t.Errorf("%s is not in %s", want, r.body)
		}
	}
	for _, never := range []string{"<b>", "<script", "http://", "https://"} {
		if strings.Contains(r.body, never) {
			t.Errorf("%s is in %s", never, r.body)
		}
	}
	if r := f.get("/admin/deployments", "Accept", "application/json, text/html"); !strings.HasPrefix(r.header.Get("Content-Type"), "application/json") {
		t.Errorf("%v", r.header)
	}
}

// O-16: what would become of a request; its labels and its path count.
func TestAdminExplains(t *testing.T) {
	f := start(t, pairOfUpstreams(t, "")+"models:\n  m: {deployments: [a/x], rules: [{when: \"labels.team == 'search'\", use: b/y}]}\n", nil)
	r := f.post("/admin/explain?path=/v1/messages&model=m", `{"model":"other","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`, "X-Weir-Labels", "team=search")
	var a server.Account
	if err := json.Unmarshal([]byte(r.body), &a); err != nil || r.status != http.StatusOK {
		t.Fatalf("%d %v %s", r.status, err, r.body)
	}
	if a.Protocol != "anthropic.messages" || a.Asked != "m" || a.Model != "b/y" || a.Deployments[0].Name != "b/y" || !a.Deployments[0].Translated || a.Assumed != "" {
		t.Errorf("%+v", a.Explanation)
	}
	for path, want := range map[string]int{"": 400, "?path=/v1/models": 404, "?path=%25zz": 400} {
		if r := f.post("/admin/explain"+path, `{"model":`); r.status != want {
			t.Errorf("%q: %d %s", path, r.status, r.body)
		}
	}
	if n := len(f.entries.list); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

// O-16: the protocol is seen in the body where nobody says it.
func TestTheProtocolOfABodyIsGuessed(t *testing.T) {
	g, err := gateway.New(gateway.Options{Config: parse(t, ""), Simulated: sim.New(sim.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	s := server.New(server.Options{Gateway: g, Codecs: all.List()})
	for body, want := range map[string]string{
		`{"messages":[]}`: "/v1/chat/completions",
		`{"messages":[],"max_tokens":5,"tools":[{"type":"function","function":{"name":"input_schema"}}]}`: "/v1/chat/completions",
		`{"messages":[],"max_tokens":5,"system":"x"}`:                                                     "/v1/messages",
		`{"messages":[],"max_tokens":5,"tools":[{"name":"f","input_schema":{"type":"object"}}]}`:          "/v1/messages",
		`{"messages":[],"options":{}}`:                                                                    "/api/chat",
		`{"contents":[]}`:                                                                                 "/v1beta/models/sim:generateContent",
		`{"input":"x"}`:                                                                                   "/v1/responses",
		`{"input":["x"],"encoding_format":"float"}`:                                                       "/v1/embeddings",
		`{"prompt":"x"}`:                                                                                  "/v1/completions",
		`{"prompt":"x","size":"1024x1024"}`:                                                               "/v1/images/generations",
		`{"query":"x","documents":["y"]}`:                                                                 "/v1/rerank",
		`{"input":"x","voice":"alloy"}`:                                                                   "/v1/audio/speech",
	} {
		a, err := s.Explain(t.Context(), &server.Inquiry{Body: []byte(body), Model: "sim"})
		if a == nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if a.Path != want || a.Assumed == "" || a.Model != "sim" {
			t.Errorf("%s: %s, since %s", body, a.Path, a.Assumed)
		}
	}
}
