package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec/all"
)

// explained is what would become of a body that is sent to one of the faces.
func explained(t *testing.T, g *Gateway, p weir.Protocol, body string) *Explanation {
	t.Helper()
	e, err := g.Current().Explain(t.Context(), opened(t, p, body))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func opened(t *testing.T, p weir.Protocol, body string) *weir.Request {
	t.Helper()
	req, err := all.For(p).OpenRequest(weir.Generate, &weir.Wire{Protocol: p, Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func orderOf(e *Explanation) (names []string) {
	for _, d := range e.Deployments {
		names = append(names, d.Name)
	}
	return names
}

const steered = `
providers:
  a: {base_url: "URL/v1", key: sk-a, zone: far}
  b: {base_url: "URL", key: sk-b, protocol: anthropic.messages, zone: near}
models:
  auto:
    deployments: [a/x]
    rules: [{name: long, when: "tokens > 2000", use: big}, {when: "language == 'zh'", use: b/zh}]
  big: {deployments: [a/x, b/y], strategy: weighted, weights: {b/y: 3}, hedge: true}
  small: {deployments: [c/s, a/x]}
zones: [near, far]
`

// called is a gateway whose providers count how often they are called.
func called(t *testing.T, yaml string) (*Gateway, *atomic.Int32) {
	t.Helper()
	n := new(atomic.Int32)
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { n.Add(1) }))
	t.Cleanup(srv.Close)
	yaml = strings.Replace(yaml, "models:\n", "  c: {base_url: \"URL/v1\", key: sk-c, models: [{id: s, context: 100}]}\nmodels:\n", 1)
	return must(t, strings.ReplaceAll(yaml, "URL", srv.URL), nil), n
}

// O-16: rules, order, endpoint and losses are told, and nothing is called.
func TestExplainTellsWhatWouldBecomeOfARequest(t *testing.T) {
	g, calls := called(t, steered)
	long := strings.Repeat("word ", 4000)
	e := explained(t, g, weir.OpenAIChat, `{"model":"auto","seed":7,"logit_bias":{"1":2},"messages":[{"role":"user","content":"`+long+`"}]}`)
	if e.Asked != "auto" || e.Model != "big" || len(e.Rules) != 3 || !e.Rules[0].Decides || e.Rules[0].Outcome != "holds" || e.Rules[1].Decides || e.Tokens < 2000 {
		t.Errorf("%+v", e)
	}
	if got := orderOf(e); !slices.Equal(got, []string{"b/y", "a/x"}) { // the nearer zone
		t.Fatalf("order %v", got)
	}
	b, a := e.Deployments[0], e.Deployments[1]
	if !b.First || b.Weight != 3 || b.Zone != "near" || !b.Translated || b.Protocol != weir.AnthropicMessages || !strings.HasSuffix(b.Address, "/v1/messages") {
		t.Errorf("b: %+v", b)
	}
	if !slices.ContainsFunc(b.Losses, func(l ExplainedLoss) bool { return l.Field == "seed" && l.Action == weir.LossDropped }) {
		t.Errorf("losses %+v", b.Losses)
	}
	if a.First || a.Translated || len(a.Losses) != 0 || a.Health.Standing != "ready" || a.PriceKnown || !strings.HasSuffix(a.Address, "/v1/chat/completions") {
		t.Errorf("a: %+v", a)
	}
	if !slices.ContainsFunc(e.Also, func(s string) bool { return strings.Contains(s, "slower than usual") }) {
		t.Errorf("also %q", e.Also)
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("%d calls", n)
	}
	text, err := json.Marshal(e)
	if err != nil || strings.Contains(string(text), "sk-") || strings.Contains(string(text), "word word") {
		t.Errorf("%v %s", err, text)
	}
}

// O-16: what would be refused is told with its way out.
func TestExplainTellsRefusals(t *testing.T) {
	g, _ := called(t, steered)
	if e := explained(t, g, weir.OpenAIChat, `{"model":"nobody","messages":[]}`); e.Refused == nil || e.Refused.Kind != "model_not_found" || len(e.Deployments) != 0 {
		t.Errorf("%+v", e)
	}
	req := opened(t, weir.OpenAIChat, `{"model":"b/y","seed":7,"messages":[{"role":"user","content":"x"}]}`)
	req.Strict = true
	e, err := g.Current().Explain(t.Context(), req)
	if err != nil || e.Deployments[0].Refused == nil || e.Deployments[0].Refused.Param != "seed" {
		t.Errorf("%v %+v", err, e)
	}
	req = opened(t, weir.OpenAIChat, `{"model":"b/y","messages":[{"role":"user","content":"x"}]}`)
	req.Principal = &weir.Principal{Name: "ci", Models: []string{"a/*"}}
	if e, err := g.Current().Explain(t.Context(), req); err != nil || e.Refused == nil || e.Refused.Kind != "permission_denied" {
		t.Errorf("%v %+v", err, e.Refused)
	}
	if _, err := g.Current().Explain(t.Context(), opened(t, weir.OpenAIChat, `{"model":"b/y","messages":["no message"]}`)); weir.AsError(err).Kind != weir.KindInvalid {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Current().Explain(ctx, req); err == nil {
		t.Error("it went on for nobody")
	}
}

// O-16, R-17: a deployment that cannot serve the request is named with why.
func TestExplainTellsWhoIsPassedOver(t *testing.T) {
	g, _ := called(t, steered)
	e := explained(t, g, weir.OpenAIChat, `{"model":"small","messages":[{"role":"user","content":"`+strings.Repeat("word ", 2000)+`"}]}`)
	if got := orderOf(e); !slices.Equal(got, []string{"a/x", "c/s"}) || !e.Deployments[0].First || !strings.Contains(e.Deployments[1].Unfit, "100 tokens") {
		t.Errorf("%v %+v", got, e.Deployments)
	}
}

// O-16: by which means an answer gets its form, and what is wanted of earlier turns.
func TestExplainTellsWhatIsMadeUpFor(t *testing.T) {
	g := must(t, "", map[string]string{"DEEPSEEK_API_KEY": "k", "OPENAI_API_KEY": "k"})
	const format = `"messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{"a":{"type":"string"}}}}}}`
	for model, want := range map[string]string{"deepseek/deepseek-flash": "tool", "openai/gpt-new": "native"} {
		e := explained(t, g, weir.OpenAIChat, `{"model":"`+model+`",`+format)
		if d := e.Deployments[0]; d.Structured != want || d.Refused != nil {
			t.Errorf("%s: %q, %+v", model, d.Structured, d.Refused)
		}
	}
	e := explained(t, g, weir.OpenAIChat, `{"model":"deepseek/deepseek-flash","messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"call_1","content":"1"}]}`)
	d := e.Deployments[0]
	if r := d.Reasoning; r == nil || r.Missing != 1 || r.ByClient || !slices.Contains(r.Needs, "text") || d.Structured != "" || !d.PriceKnown || d.PromptCost == "" {
		t.Errorf("%+v %+v", d, d.Reasoning)
	}
	e = explained(t, g, weir.OpenAIResponses, `{"model":"deepseek/deepseek-flash","previous_response_id":"resp_1","input":"x"}`)
	if d := e.Deployments[0]; !d.Kept || d.Refused != nil {
		t.Errorf("%+v", d)
	}
}

// O-16: without a provider the simulated one is told.
func TestExplainTellsOfTheSimulator(t *testing.T) {
	e := explained(t, must(t, "", nil), weir.OpenAIChat, `{"model":"gpt","messages":[]}`)
	if d := e.Deployments[0]; d.Provider != SimName || d.Address != "" || !d.First || e.Reason != "no provider is on" {
		t.Errorf("%+v", e)
	}
}

// O-16: to ask takes nobody's turn.
func TestExplainTakesNobodysTurn(t *testing.T) {
	g := must(t, "models:\n  m: {deployments: [sim/a, sim/b], strategy: weighted, weights: {sim/a: 2}}\n", nil)
	asked := opened(t, weir.OpenAIChat, `{"model":"m","messages":[{"role":"user","content":"x"}]}`)
	first := map[string]int{}
	for range 9 {
		if _, err := g.Current().Explain(t.Context(), asked); err != nil {
			t.Fatal(err)
		}
		c, err := ask(g, "m")
		if err != nil {
			t.Fatal(err)
		}
		first[deployments(c)[0]]++
	}
	if first["sim/a"] != 6 || first["sim/b"] != 3 {
		t.Errorf("%v", first)
	}
}

// O-16: all that names lead to is listed, called or not, and how it is.
func TestDeploymentsAreListed(t *testing.T) {
	g := must(t, "models:\n  m: {deployments: [sim/a], fallbacks: [n]}\n  n: {deployments: [sim/b], split: [{model: sim/c, percent: 10}]}\n", nil)
	if _, err := ask(g, "sim/d"); err != nil {
		t.Fatal(err)
	}
	list, err := g.Current().Deployments()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, d := range list {
		if d.State != "closed" || d.Standing != "ready" || d.Weight != 1 || d.InFlight != 0 {
			t.Errorf("%+v", d)
		}
		got[d.Name] = strings.Join(d.Models, " ")
		if d.Name == "sim/d" && d.Window.Succeeded != 1 {
			t.Errorf("%+v", d)
		}
	}
	for name, models := range map[string]string{"sim/a": "m", "sim/b": "m n", "sim/c": "n", "sim/d": ""} {
		if have, ok := got[name]; !ok || have != models {
			t.Errorf("%s belongs to %q, want %q", name, have, models)
		}
	}
	off := must(t, "models: {m: [sim/a]}\nbreaker: {off: true}\n", nil)
	if list, err := off.Current().Deployments(); err != nil || len(list) != 1 || list[0].State != "off" {
		t.Errorf("%v %+v", err, list)
	}
}
