package gateway

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"testing"
	"time"
	"weak"

	"go.uber.org/goleak"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/codec/openairesponses"
	"github.com/weir-gateway/weir/config"
	"github.com/weir-gateway/weir/stage/thread"
)

const stateYAML = `
state: {responses: {ttl: %[1]dh}, reasoning: {ttl: %[1]dh}}
idempotency: {ttl: %[1]dh}
`

// reload puts a configuration in place of the current one.
func reload(t *testing.T, g *Gateway, yaml string) {
	t.Helper()
	cfg, err := config.Parse("weir.yaml", []byte(yaml), g.options.Lookup, catalog.Default())
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Reload(cfg); err != nil {
		t.Fatal(err)
	}
}

// collected reports whether a value goes once nothing uses it.
func collected[T any](w weak.Pointer[T]) bool {
	for range 10 {
		runtime.GC()
		if w.Value() == nil {
			return true
		}
	}
	return false
}

// What a changed setting has replaced is gone with what was in it, and so is what
// runs in the background: after it has come to its end. // O-09
func TestReplacedStoresGo(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	g := must(t, fmt.Sprintf(stateYAML, 1), nil)
	first := g.Current()
	_, _ = ask(g, "sim")
	memory := weak.Make(g.state.reasoning(first.Config))
	answers := g.state.answers[first.Config.Idempotent]
	keeper, runner := weak.Make(first.Threads), weak.Make(first.Background)
	if memory.Value() == nil || answers.Value() == nil {
		t.Fatal("there is no store")
	}
	release := make(chan struct{})
	rec := startJob(t, first.Background, release)

	reload(t, g, "strict: true\n"+fmt.Sprintf(stateYAML, 1))
	if g.Current().Threads != first.Threads || g.Current().Background != first.Background {
		t.Error("a setting of something else has replaced the stores")
	}
	reload(t, g, fmt.Sprintf(stateYAML, 2))
	if !collected(memory) || !collected(answers) {
		t.Error("stores that nothing uses are still there")
	}
	if keeper.Value() == nil || runner.Value() == nil {
		t.Fatal("a response that runs has lost its store")
	}
	close(release)
	waitFor(t, keeper.Value(), rec.ID, thread.Completed)
	if !collected(runner) || !collected(keeper) {
		t.Error("the store of a response that has ended is still there")
	}
	reload(t, g, fmt.Sprintf(stateYAML, 3))
	if n := len(g.state.keepers) + len(g.state.runners) + len(g.state.memories) + len(g.state.answers); n > 8 {
		t.Errorf("%d stores are remembered", n)
	}
}

// On Close all that runs ends, also what came before a reload. // R-24
func TestCloseEndsWhatAReloadLeft(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	g := must(t, fmt.Sprintf(stateYAML, 1), nil)
	keeper := g.Current().Threads
	rec := startJob(t, g.Current().Background, make(chan struct{}))
	reload(t, g, fmt.Sprintf(stateYAML, 2))
	g.Close()
	waitFor(t, keeper, rec.ID, thread.Failed)
}

// startJob runs a response that ends when release is closed.
func startJob(t *testing.T, r *thread.Runner, release <-chan struct{}) *thread.Record {
	t.Helper()
	req, err := openairesponses.New().OpenRequest(weir.Generate, &weir.Wire{
		Protocol: weir.OpenAIResponses, Body: []byte(`{"model":"m","input":"q","background":true}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	keep := thread.New(thread.Options{Keeper: r.Keeper, Deployment: "d", Keep: true})
	answer := keep(weir.HandlerFunc(func(ctx context.Context, _ *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			_ = yield(weir.Event{Type: weir.EventStart, Start: &weir.Start{}}, nil)
			select {
			case <-release:
				yield(weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}}, nil)
			case <-ctx.Done():
				yield(weir.Event{}, ctx.Err())
			}
		}
	}))
	rec, err := r.Start(t.Context(), thread.Job{Handler: answer, Request: req, Encoder: openairesponses.New().NewEncoder(req)})
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// waitFor waits until a response has a status.
func waitFor(t *testing.T, k *thread.Keeper, id string, want thread.Status) {
	t.Helper()
	for range 1000 {
		rec, err := k.Response(context.Background(), "", id)
		if err != nil {
			t.Fatal(err)
		}
		if rec.Status == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("the response is not %s", want)
}
