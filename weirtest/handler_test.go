package weirtest

import (
	"context"
	"errors"
	"iter"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/sim"
)

func question() *weir.Request {
	return weir.NewRequest("sim", &weir.Body{Messages: []weir.Message{weir.UserText("hi")}})
}

func TestHandlerAcceptsTheSimulatedModel(t *testing.T) {
	TestHandler(t, func() weir.Handler { return sim.New(sim.Options{Reply: "pong"}) }, question())
}

// faulty are handlers that break one promise each, by its name.
var faulty = map[string]weir.HandlerFunc{
	"acts before it is ranged over": func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		effects++
		return sim.New(sim.Options{Reply: "a"}).Handle(ctx, req)
	},
	"ignores cancellation": func(_ context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		return sim.New(sim.Options{Reply: "a"}).Handle(context.Background(), req)
	},
	"leaks a goroutine": func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			go func() { select {} }()
			sim.New(sim.Options{Reply: "a"}).Handle(ctx, req)(yield)
		}
	},
	"calls cancellation an internal failure": func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			for ev, err := range sim.New(sim.Options{Reply: "a"}).Handle(ctx, req) {
				if err != nil {
					err = errors.New("broken")
				}
				if !yield(ev, err) {
					return
				}
			}
		}
	},
	"modifies the request": func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			req.Model += "x"
			sim.New(sim.Options{Reply: "a"}).Handle(ctx, req)(yield)
		}
	},
	"forgets the finish": func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			for ev, err := range sim.New(sim.Options{Reply: "a"}).Handle(ctx, req) {
				if ev.Type != weir.EventFinish && !yield(ev, err) {
					return
				}
			}
		}
	},
}

var effects int64

// TestFaultyHandler is one faulty handler under the suite, in the process of
// the test below.
func TestFaultyHandler(t *testing.T) {
	h, ok := faulty[os.Getenv("WEIRTEST_FAULTY")]
	if !ok {
		t.Skip("ALLOWED SKIP: runs as a child of TestHandlerSuiteFindsBrokenPromises")
	}
	HandlerSuite{New: func() weir.Handler { return h }, Request: question(), Probe: func() int64 { return effects }}.Run(t)
}

// A suite that passes whatever it is given proves nothing: every promise that is
// broken on purpose has to be found.
func TestHandlerSuiteFindsBrokenPromises(t *testing.T) {
	for name := range faulty {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFaultyHandler$")
			cmd.Env = append(os.Environ(), "WEIRTEST_FAULTY="+name)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestFaultyHandler") {
				t.Errorf("the suite passed a handler that %s:\n%s", name, out)
			}
		})
	}
}
