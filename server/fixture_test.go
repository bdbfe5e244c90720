package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec/all"
	"github.com/weir-gateway/weir/config"
	"github.com/weir-gateway/weir/gateway"
	"github.com/weir-gateway/weir/server"
	"github.com/weir-gateway/weir/sim"
	"github.com/weir-gateway/weir/stage/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A fixture is a gateway on a real socket.
type fixture struct {
	t       *testing.T
	url     string
	gateway *gateway.Gateway
	server  *server.Server
	entries *entries
}

// entries is a ledger for tests.
type entries struct {
	mu   sync.Mutex
	list []*ledger.Entry
	more chan struct{}
}

func (e *entries) Record(x *ledger.Entry) {
	e.mu.Lock()
	e.list = append(e.list, x)
	e.mu.Unlock()
	select {
	case e.more <- struct{}{}:
	default:
	}
}

// wait is the ledger once it has n entries.
func (e *entries) wait(t *testing.T, n int) []*ledger.Entry {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		e.mu.Lock()
		list := append([]*ledger.Entry(nil), e.list...)
		e.mu.Unlock()
		if len(list) >= n {
			return list
		}
		select {
		case <-e.more:
		case <-limit:
			t.Fatalf("the ledger has %d entries, want %d", len(list), n)
		}
	}
}

// start runs a gateway with the configuration given; simulated answers when no
// provider is on.
func start(t *testing.T, yaml string, simulated weir.Handler) *fixture {
	t.Helper()
	f := &fixture{t: t, entries: &entries{more: make(chan struct{}, 1)}}
	g, err := gateway.New(gateway.Options{Config: parse(t, yaml), Simulated: simulated, Sink: f.entries})
	if err != nil {
		t.Fatal(err)
	}
	f.gateway = g
	f.server = server.New(server.Options{Gateway: g, Codecs: all.List(), Version: "test"})
	srv := httptest.NewServer(f.server)
	t.Cleanup(func() {
		srv.Close()
		g.Close()
	})
	f.url = srv.URL
	return f
}

func parse(t *testing.T, yaml string) *config.Config {
	t.Helper()
	cfg, err := config.Parse("weir.yaml", []byte(yaml), func(string) (string, bool) { return "", false }, catalogue())
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// upstream is a simulated upstream, and the configuration that makes the
// gateway call it in both protocols: as oai/… and ant/….
func upstream(t *testing.T, o sim.ServerOptions) (url, yaml string) {
	t.Helper()
	srv := httptest.NewServer(sim.NewServer(o))
	t.Cleanup(srv.Close)
	return srv.URL, providersYAML(srv.URL)
}

func providersYAML(url string) string {
	return fmt.Sprintf(`
providers:
  oai: {base_url: %q, protocol: openai.chat}
  ant: {base_url: %q, protocol: anthropic.messages}
retry: {max: 20ms, classes: {rate_limit: &quick {base: 1ms, max: 20ms, shape: exponential}, bad_gateway: *quick, unavailable: *quick, timeout: *quick, connection: *quick, server: *quick}}
`, url, url)
}

// faces are the two protocols as a test sees them.
var faces = []struct {
	name, path string
	body       func(model string, stream bool) string
}{
	{"chat", "/v1/chat/completions", func(model string, stream bool) string {
		return fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"say something"}],"stream":%v}`, model, stream)
	}},
	{"messages", "/v1/messages", func(model string, stream bool) string {
		return fmt.Sprintf(`{"model":%q,"max_tokens":100,"messages":[{"role":"user","content":"say something"}],"stream":%v}`, model, stream)
	}},
}

type reply struct {
	status          int
	header, trailer http.Header
	body            string
}

func (f *fixture) post(path, body string, header ...string) reply {
	f.t.Helper()
	return f.do(f.request(f.t.Context(), http.MethodPost, path, strings.NewReader(body), header...))
}

func (f *fixture) get(path string, header ...string) reply {
	f.t.Helper()
	return f.do(f.request(f.t.Context(), http.MethodGet, path, nil, header...))
}

func (f *fixture) request(ctx context.Context, method, path string, body io.Reader, header ...string) *http.Request {
	f.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, f.url+path, body)
	if err != nil {
		f.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return req
}

// client keeps no connections, so that nothing is left behind for goleak.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}

func (f *fixture) do(req *http.Request) reply {
	f.t.Helper()
	res, err := client.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var b bytes.Buffer
	// A cut answer is read as far as it goes: that it was cut is for the test
	// to see in the text.
	_, _ = io.Copy(&b, res.Body)
	return reply{res.StatusCode, res.Header, res.Trailer, b.String()}
}
