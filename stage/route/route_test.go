package route_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/route"
	"github.com/weir-gateway/weir/weirtest"
)

// answered is a Handler that notes what it was asked.
func answered(got *atomic.Pointer[weir.Request]) weir.Handler {
	return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			got.Store(req)
			for _, ev := range []weir.Event{
				{Type: weir.EventStart, Start: &weir.Start{}},
				{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}},
			} {
				if ctx.Err() != nil {
					yield(weir.Event{}, ctx.Err())
					return
				}
				if !yield(ev, nil) {
					return
				}
			}
		}
	})
}

func options() route.TableOptions {
	return route.TableOptions{
		Providers: []string{"anthropic", "openai", "openrouter", "host"},
		Models: []route.Model{
			{Provider: "anthropic", Name: "claude-opus-5", Aliases: []string{"claude-opus-latest"}, Display: "Claude Opus 5"},
			{Provider: "openai", Name: "gpt-6"},
			{Provider: "openai", Name: "shared"},
			{Provider: "host", Name: "shared"},
			{Provider: "openrouter", Name: "meta/llama-5", Hosted: true},
			{Provider: "host", Name: "claude-opus-5", Hosted: true},
		},
		Aliases: map[string][]string{
			"smart": {"claude-opus-5", "openai/gpt-6", "anthropic/claude-opus-5"},
			"outer": {"smart", "openrouter/meta/llama-5"},
			"gpt-6": {"gpt-6"}, // hides the model of its name, and means it
		},
		Fallbacks: map[string][]string{
			"anthropic/claude-opus-5": {"openai/gpt-6"},
			"smart":                   {"openrouter/not/listed"},
		},
		Make: func(provider, model string) (weir.Deployment, error) {
			return weir.Deployment{Name: provider + "/" + model, Provider: provider, Model: model}, nil
		},
	}
}

func table(t testing.TB, change ...func(*route.TableOptions)) *route.Table {
	t.Helper()
	o := options()
	for _, fn := range change {
		fn(&o)
	}
	tab, err := route.NewTable(o)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func resolve(tab *route.Table, p *weir.Principal, model string) (string, error) {
	deployments, _, err := tab.Resolve(&weir.Request{Model: model, Principal: p})
	var names []string
	for _, d := range deployments {
		names = append(names, d.Name)
	}
	return strings.Join(names, " "), err
}

func TestTableResolves(t *testing.T) {
	tab := table(t)
	tests := []struct{ name, model, want string }{
		{"a provider's model, with its fallbacks", "anthropic/claude-opus-5", "anthropic/claude-opus-5 openai/gpt-6"},
		{"a bare name means the maker", "claude-opus-5", "anthropic/claude-opus-5 openai/gpt-6"},
		{"a provider's other name of a model", "claude-opus-latest", "anthropic/claude-opus-5 openai/gpt-6"},
		{"an alias in order and without doubles", "smart", "anthropic/claude-opus-5 openai/gpt-6 openrouter/not/listed"},
		{"an alias of aliases", "outer", "anthropic/claude-opus-5 openai/gpt-6 openrouter/meta/llama-5"},
		{"an alias of its own name", "gpt-6", "openai/gpt-6"},
		{"a model with a slash in its name", "openrouter/meta/llama-5", "openrouter/meta/llama-5"},
		{"a bare model with a slash in its name", "meta/llama-5", "openrouter/meta/llama-5"},
		{"a model that nobody listed", "openai/gpt-99-preview", "openai/gpt-99-preview"}, // B-12
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for range 2 {
				if got, err := resolve(tab, nil, test.model); err != nil || got != test.want {
					t.Errorf("%q, error %v, want %q", got, err, test.want)
				}
			}
		})
	}
}

func TestTableRefuses(t *testing.T) {
	tab := table(t)
	tests := []struct {
		name, model string
		kind        weir.Kind
		hint        string
	}{
		{"an ambiguous name, naming the candidates", "shared", weir.KindInvalid, "host/shared, openai/shared"},
		{"an unknown name, naming the nearest", "claude-opus-6", weir.KindModelNotFound, "anthropic/claude-opus-5"},
		{"an unknown provider, naming the nearest", "opanai/gpt-6", weir.KindModelNotFound, "openai/gpt-6"},
		{"a name like no other", "zzzzzzzzzzzzzzzz", weir.KindModelNotFound, "GET /v1/models"},
		{"a provider without a model", "openai/", weir.KindModelNotFound, ""},
		{"no name", "", weir.KindInvalid, ""},
		{"an endless name", strings.Repeat("x", 300), weir.KindInvalid, ""},
		{"a name with line ends", "a\nb", weir.KindInvalid, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := resolve(tab, nil, test.model)
			e := weir.AsError(err)
			if e == nil || e.Kind != test.kind || e.Param != "model" || !strings.Contains(e.Hint, test.hint) {
				t.Errorf("error %+v", e)
			}
			if e != nil && len(e.Message) > 300 {
				t.Error("the error repeats an endless name")
			}
		})
	}
}

func TestTableReportsAllProblems(t *testing.T) {
	o := options()
	o.Aliases = map[string][]string{"a": {"nobody/x"}, "b": {"shared"}, "c": {}, "loop": {"pool"}, "pool": {"loop"}}
	_, err := route.NewTable(o)
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{`"a"`, `"b"`, `"c"`, `"loop"`, "several providers", "stands for nothing"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s is not reported in: %v", part, err)
		}
	}
	if _, err := route.NewTable(route.TableOptions{}); err == nil {
		t.Error("a table without Make")
	}
}

func TestTableNeverNamesWhatAKeyMayNotUse(t *testing.T) { // C-07
	tab := table(t)
	p := &weir.Principal{Name: "k", Models: []string{"host/*"}}
	if got, err := resolve(tab, p, "shared"); err != nil || got != "host/shared" {
		t.Errorf("the name is unambiguous for this key: %q, %v", got, err)
	}
	_, err := resolve(tab, p, "claude-opus-6")
	if e := weir.AsError(err); strings.Contains(e.Hint, "anthropic") || !strings.Contains(e.Hint, "host/claude-opus-5") {
		t.Errorf("hint %q", e.Hint)
	}
	var ids []string
	for _, m := range tab.Models(p) {
		ids = append(ids, m.ID())
	}
	if !slices.Equal(ids, []string{"host/claude-opus-5", "host/shared"}) {
		t.Errorf("listed %v", ids)
	}
	if _, ok := tab.Model(p, "openai/gpt-6"); ok {
		t.Error("a model is shown to a key that may not use it")
	}
	if m, ok := tab.Model(nil, "anthropic/claude-opus-5"); !ok || m.Display != "Claude Opus 5" {
		t.Errorf("model %+v, %t", m, ok)
	}
	all := tab.Models(nil)
	if len(all) != 3+6 || all[0].ID() != "gpt-6" || all[3].ID() != "anthropic/claude-opus-5" {
		t.Errorf("all: %+v", all)
	}
}

func TestTableForgetsJunkNames(t *testing.T) { // O-04, B-12
	var made atomic.Int64
	tab := table(t, func(o *route.TableOptions) {
		o.OnDemand = 10
		inner := o.Make
		o.Make = func(p, m string) (weir.Deployment, error) { made.Add(1); return inner(p, m) }
	})
	for i := range 100 {
		if _, err := resolve(tab, nil, fmt.Sprintf("openai/junk-%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if n := route.OnDemandLen(tab); n != 10 {
		t.Errorf("%d names are kept", n)
	}
	before := made.Load()
	_, _ = resolve(tab, nil, "openai/junk-99")
	if made.Load() != before {
		t.Error("a name used just now was made again")
	}
}

func TestTableSkipsDeploymentsThatCannotBeMade(t *testing.T) {
	broken := errors.New("no endpoint")
	tab := table(t, func(o *route.TableOptions) {
		inner := o.Make
		o.Make = func(p, m string) (weir.Deployment, error) {
			if p == "anthropic" {
				return weir.Deployment{}, broken
			}
			return inner(p, m)
		}
		o.Aliases["only"] = []string{"anthropic/x"}
	})
	if got, err := resolve(tab, nil, "claude-opus-5"); err != nil || got != "openai/gpt-6" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := resolve(tab, nil, "only"); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

func TestTableIsSafeForConcurrentUse(t *testing.T) {
	tab := table(t, func(o *route.TableOptions) { o.OnDemand = 4 })
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 200 {
				_, _ = resolve(tab, nil, fmt.Sprintf("openai/m-%d", (i+n)%9))
				_, _ = resolve(tab, nil, "smart")
				tab.Models(nil)
			}
		})
	}
	wg.Wait()
}

func TestRouteKeepsTheContract(t *testing.T) {
	var got atomic.Pointer[weir.Request]
	tab := table(t)
	weirtest.TestHandler(t, func() weir.Handler { return route.New(tab)(answered(&got)) }, &weir.Request{Model: "smart"})
}

func TestRouteSetsDeploymentsAndSaysWhy(t *testing.T) {
	var got atomic.Pointer[weir.Request]
	req := &weir.Request{Model: "smart"}
	done, err := weir.Collect(route.New(table(t))(answered(&got)).Handle(t.Context(), req))
	if err != nil || len(req.Deployments) != 0 || len(got.Load().Deployments) != 3 {
		t.Fatalf("error %v, inner request %+v", err, got.Load())
	}
	n, ok := done.Notes[0].(*weir.Route)
	if !ok || n.Model != "smart" || n.Reason != "alias" || len(n.Deployments) != 3 {
		t.Errorf("note %+v", done.Notes[0])
	}
}

func TestRouteHonoursPermissions(t *testing.T) {
	tests := []struct {
		name    string
		models  []string
		model   string
		allowed bool
	}{
		{"no list is all", nil, "smart", true},
		{"the name itself", []string{"smart"}, "smart", true},
		{"every deployment behind the name", []string{"anthropic/*", "openai/*", "openrouter/*"}, "smart", true},
		{"a fallback would lead elsewhere", []string{"anthropic/*"}, "claude-opus-5", false},
		{"a star crosses slashes", []string{"openrouter/*"}, "openrouter/meta/llama-5", true},
		{"a name is not a prefix", []string{"smart"}, "smarter", false},
		{"an alias grants no other name of its deployments", []string{"smart"}, "openai/gpt-6", false},
		{"one character", []string{"openai/gpt-?"}, "openai/gpt-6", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got atomic.Pointer[weir.Request]
			req := &weir.Request{Model: test.model, Principal: &weir.Principal{Name: "ci", Models: test.models}}
			tab := table(t, func(o *route.TableOptions) { o.Aliases["smarter"] = []string{"openai/gpt-6"} })
			_, err := weir.Collect(route.New(tab)(answered(&got)).Handle(t.Context(), req))
			if allowed := err == nil; allowed != test.allowed || (got.Load() != nil) != test.allowed {
				t.Fatalf("error %v", err)
			}
			if e := weir.AsError(err); !test.allowed && (e.Kind != weir.KindPermission || !strings.Contains(e.Message, test.model)) {
				t.Errorf("error %+v", e)
			}
		})
	}
}

func TestRouteLeavesChosenDeploymentsAlone(t *testing.T) {
	var got atomic.Pointer[weir.Request]
	req := &weir.Request{Model: "nobody", Deployments: []weir.Deployment{{Name: "x"}}}
	if _, err := weir.Collect(route.New(table(t))(answered(&got)).Handle(t.Context(), req)); err != nil || got.Load() != req {
		t.Errorf("error %v", err)
	}
}

func FuzzAllowed(f *testing.F) {
	f.Add("openai/*", "openai/gpt")
	f.Add("*a*b*?", "xxaxxbxx")
	f.Fuzz(func(t *testing.T, glob, name string) {
		p := &weir.Principal{Models: []string{glob}}
		got := route.Allowed(p, name)
		if !strings.ContainsAny(glob, "*?") && got != (glob == name) {
			t.Errorf("%q matches %q: %t", glob, name, got)
		}
		if got && !route.Allowed(&weir.Principal{Models: []string{"*" + glob}}, "x"+name) {
			t.Errorf("a star in front of %q does not match more", glob)
		}
	})
}

func BenchmarkResolve(b *testing.B) {
	tab := table(b)
	for _, model := range []string{"smart", "openai/gpt-99-preview"} {
		b.Run(strings.ReplaceAll(model, "/", "_"), func(b *testing.B) {
			b.ReportAllocs()
			req := &weir.Request{Model: model}
			for b.Loop() {
				_, _, _ = tab.Resolve(req)
			}
		})
	}
}
