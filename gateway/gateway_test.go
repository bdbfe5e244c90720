package gateway

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/config"
	"github.com/weir-gateway/weir/sim"
)

func build(t *testing.T, yaml string, env map[string]string) (*Gateway, error) {
	t.Helper()
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	cfg, err := config.Parse("weir.yaml", []byte(yaml), lookup, catalog.Default())
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(Options{Config: cfg, Lookup: lookup, Simulated: sim.New(sim.Options{})})
	if err == nil {
		t.Cleanup(g.Close)
	}
	return g, err
}

func must(t *testing.T, yaml string, env map[string]string) *Gateway {
	t.Helper()
	g, err := build(t, yaml, env)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func ask(g *Gateway, model string, blocks ...weir.Block) (*weir.Completion, error) {
	if len(blocks) == 0 {
		blocks = []weir.Block{{Type: weir.BlockText, Text: "hello"}}
	}
	req := weir.NewRequest(model, &weir.Body{Messages: []weir.Message{{Role: weir.RoleUser, Blocks: blocks}}})
	return weir.Collect(g.Current().Chain.Handle(context.Background(), req))
}

func deployments(c *weir.Completion) []string {
	for _, n := range c.Notes {
		if r, ok := n.(*weir.Route); ok {
			return r.Deployments
		}
	}
	return nil
}

func TestProvidersAreOnByTheirVariables(t *testing.T) { // O-11
	g := must(t, "", map[string]string{"DEEPSEEK_API_KEY": "a,b", "OLLAMA_HOST": "gpu:11434", "OPENAI_BASE_URL": "http://elsewhere"})
	var on []string
	for _, p := range g.Current().Providers {
		on = append(on, fmt.Sprintf("%s by %s with %d keys", p.Name, p.Source, p.Keys))
	}
	want := []string{"deepseek by DEEPSEEK_API_KEY with 2 keys", "ollama by OLLAMA_HOST with 0 keys"}
	if !slices.Equal(on, want) || g.Current().Simulated {
		t.Errorf("on: %q", on)
	}
	if !slices.ContainsFunc(g.Current().Off, func(o OffInfo) bool { return o.Name == "openai" && o.Variable == "OPENAI_API_KEY" }) {
		t.Error("openai is not listed as off")
	}
}

func TestWithoutProvidersEveryNameIsAnsweredByTheSimulator(t *testing.T) { // O-11
	g := must(t, "", nil)
	for _, model := range []string{"gpt-anything", "sim", "openai/gpt-4o", "sim/x"} {
		c, err := ask(g, model)
		if err != nil || c.Text() == "" || deployments(c)[0][:4] != "sim/" {
			t.Errorf("%s: %v, %v", model, err, c)
		}
	}
}

func TestNamesOfTheConfigurationStandForDeploymentsAndFallbacks(t *testing.T) {
	g := must(t, `
providers: {a: {base_url: "http://127.0.0.1:1"}, b: {base_url: "http://127.0.0.1:1"}}
models:
  one: {deployments: [a/x], fallbacks: [two]}
  two: {deployments: [b/y, a/x], fallbacks: [sim/z]}
`, nil)
	c, err := ask(g, "one")
	if got := deployments(c); !slices.Equal(got, []string{"a/x", "b/y", "sim/z"}) || err != nil {
		t.Errorf("deployments %q, %v", got, err)
	}
}

func TestFallbacksThatGoRoundInCirclesEndWhereTheyMeet(t *testing.T) {
	g := must(t, "models: {a: {deployments: [sim/x], fallbacks: [b]}, b: {deployments: [sim/y], fallbacks: [a]}}", nil)
	for name, want := range map[string][]string{"a": {"sim/x", "sim/y"}, "b": {"sim/y", "sim/x"}} {
		c, err := ask(g, name)
		if got := deployments(c); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s stands for %q, %v", name, got, err)
		}
	}
}

func TestADeploymentWithoutAKeyIsFoundAtTheStart(t *testing.T) { // O-13
	_, err := build(t, "\nmodels:\n  fast: [sim/a, openai/gpt]\n", nil)
	if ps := config.AsProblems(err); len(ps) != 1 || ps[0].Line != 3 || !strings.Contains(ps[0].Hint, "OPENAI_API_KEY") {
		t.Errorf("the problems are %v", err)
	}
}

func TestTheUsersKeyGoesOnlyWhereTheUserSaid(t *testing.T) {
	var elsewhere atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Authorization"), "sk-vendor") {
			elsewhere.Add(1)
		}
	}))
	defer srv.Close()
	g := must(t, fmt.Sprintf("providers: {mine: {base_url: %q}}", srv.URL), map[string]string{"OPENAI_API_KEY": "sk-vendor"})
	_, _ = ask(g, "mine/x")
	if elsewhere.Load() > 0 {
		t.Error("the vendor's key went to another address")
	}
}

func TestWhatAModelCannotTakeIsPassedOver(t *testing.T) {
	yes, no := true, false
	text := &catalog.Model{ID: "text", Input: []string{"text"}, Context: 1000, Tools: &no}
	image := weir.Block{Type: weir.BlockImage, Media: &weir.Media{URL: "https://example.com/a.png"}}
	request := func(b *weir.Body) *weir.Request { return weir.NewRequest("m", b) }
	user := func(blocks ...weir.Block) []weir.Message {
		return []weir.Message{{Role: weir.RoleUser, Blocks: blocks}}
	}
	for _, tt := range []struct {
		name string
		m    *catalog.Model
		req  *weir.Request
		want string
	}{
		{"text", text, request(&weir.Body{Messages: user(weir.Block{Type: weir.BlockText, Text: "hi"})}), ""},
		{"an image", text, request(&weir.Body{Messages: user(image)}), "images"},
		{"an image in a tool's result", text, request(&weir.Body{Messages: user(weir.Block{Type: weir.BlockToolResult, Result: &weir.ToolResult{Content: []weir.Block{image}}})}), "images"},
		{"tools", text, request(&weir.Body{Tools: []weir.Tool{{Name: "f"}}}), "tools"},
		{"a long prompt", text, request(&weir.Body{Messages: user(weir.Block{Type: weir.BlockText, Text: strings.Repeat("word ", 10000)})}), "context"},
		{"an image where they are known to be taken", &catalog.Model{Input: []string{"text", "image"}, Tools: &yes, Context: 1e6}, request(&weir.Body{Messages: user(image)}), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := unfit(tt.m)(tt.req); !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
				t.Errorf("unfit says %q", got)
			}
		})
	}
	if unfit(nil) != nil || unfit(&catalog.Model{}) != nil {
		t.Error("an unknown model is judged") // B-12
	}
}

func TestAReloadKeepsWhatMustOutliveIt(t *testing.T) { // O-09
	g := must(t, "providers: {a: {base_url: 'http://127.0.0.1:1', key: k, max_connections: 3}}", nil)
	before := g.Current()
	_, _ = ask(g, "a/x")
	keys := g.state.keys("a", []string{"k"})
	cfg, err := config.Parse("weir.yaml", []byte("strict: true\nproviders: {a: {base_url: 'http://127.0.0.1:1', key: k, max_connections: 3}}"), g.options.Lookup, catalog.Default())
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	_, _ = ask(g, "a/x")
	if g.Current() == before || !g.Current().Strict || g.state.keys("a", []string{"k"}) != keys || len(g.state.limits) != 1 || len(g.state.transports) != 1 {
		t.Error("the reload has not kept the pool of keys and the limits")
	}
	bad, err := config.Parse("weir.yaml", []byte("models: {x: openai/y}"), g.options.Lookup, catalog.Default())
	if err != nil {
		t.Fatal(err)
	}
	now := g.Current()
	if g.Reload(bad) == nil || g.Current() != now {
		t.Error("a broken configuration has taken the old one's place")
	}
}

func TestAModelThatNobodyKnowsIsCallable(t *testing.T) { // B-12
	srv := httptest.NewServer(sim.NewServer(sim.ServerOptions{}))
	defer srv.Close()
	g := must(t, fmt.Sprintf("providers: {openai: {key: k, base_url: %q}}", srv.URL), nil)
	if c, err := ask(g, "openai/brand-new"); err != nil || c.Start.Model == "" {
		t.Errorf("%v, %v", c, err)
	}
	if _, err := ask(g, "brand-new"); !errors.Is(err, weir.KindModelNotFound) {
		t.Errorf("a bare unknown name: %v", err)
	}
}

func TestFallbackSkipsWhatIsUnfit(t *testing.T) {
	called := 0
	h := weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		called++
		return weir.Fail(weir.Errorf(weir.KindOverloaded, "busy"))
	})
	g := must(t, "", nil)
	req := weir.NewRequest("m", &weir.Body{})
	req.Deployments = []weir.Deployment{
		{Name: "blind", Handler: h, Unfit: func(*weir.Request) string { return "it takes no images" }},
		{Name: "seeing", Handler: h},
	}
	_, err := weir.Collect(g.Current().Chain.Handle(context.Background(), req))
	e := weir.AsError(err)
	if called != 1 || len(e.Attempts) != 2 || !strings.Contains(e.Attempts[0].Err.Message, "no images") {
		t.Errorf("called %d times: %v, attempts %v", called, err, e.Attempts)
	}
}
