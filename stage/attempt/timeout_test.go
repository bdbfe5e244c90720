package attempt_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/attempt"
	"github.com/weir-gateway/weir/weirtest"
)

var limits = attempt.TimeoutOptions{FirstToken: 20 * time.Second, Idle: 8 * time.Second, Total: 10 * time.Minute}

func TestTimeoutKeepsTheContract(t *testing.T) {
	u := scripts(answer("hi"))
	weirtest.HandlerSuite{
		New: func() weir.Handler { return weir.Chain(u, attempt.Timeout(limits)) }, Request: request(),
		Probe: u.calls.Load, Open: u.open.Load,
	}.Run(t)
}

func TestTimeouts(t *testing.T) {
	repeat := func(n int, s ...step) (out []step) {
		for range n {
			out = append(out, s...)
		}
		return out
	}
	tests := []struct {
		name     string
		options  attempt.TimeoutOptions
		script   []step
		min, max time.Duration // when it fails
		limit    string        // named in the error; empty: it is answered
	}{
		{"a stream that stops after its first piece", limits,
			[]step{emits(startEvent()), emits(delta("a")), wait(time.Hour)}, 8 * time.Second, 9 * time.Second, "8s (idle limit)"},
		{"an upstream that never answers", limits,
			[]step{wait(time.Hour)}, 20 * time.Second, 20 * time.Second, "20s (first token limit)"},
		{"a start does not count as a first token", limits,
			[]step{emits(startEvent()), wait(time.Hour)}, 20 * time.Second, 20 * time.Second, "20s (first token limit)"},
		{"pings of the upstream do not count as a first token", limits,
			repeat(100, emits(ping()), wait(time.Second)), 20 * time.Second, 20 * time.Second, "20s (first token limit)"},
		{"pings of the upstream are life between contents", limits,
			append([]step{emits(delta("a"))}, repeat(60, wait(5*time.Second), emits(ping()))...), 0, 0, ""},
		{"a slow stream is not cut", limits,
			append([]step{emits(delta("a"))}, repeat(60, wait(7900*time.Millisecond), emits(delta("a")))...), 0, 0, ""},
		{"a lively stream is cut at the total limit", limits,
			append([]step{emits(delta("a"))}, repeat(10_000, wait(time.Second), emits(delta("a")))...), 10 * time.Minute, 10 * time.Minute, "10m0s (total limit)"},
		{"without a first token limit the idle limit runs from the first event", attempt.TimeoutOptions{Idle: 8 * time.Second},
			[]step{wait(time.Minute), emits(startEvent()), wait(time.Hour)}, time.Minute + 8*time.Second, time.Minute + 9*time.Second, "idle limit"},
		{"0 is no limit", attempt.TimeoutOptions{Idle: 8 * time.Second},
			[]step{wait(time.Hour), emits(delta("a")), wait(time.Second), emits(finish())}, 0, 0, ""},
		{"notes are no life", limits,
			append([]step{emits(delta("a"))}, repeat(60, wait(time.Second), emits(weir.NoteEvent(&weir.Loss{})))...), 8 * time.Second, 10 * time.Second, "idle limit"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u, began := scripts(test.script), time.Now()
				out := consume(t.Context(), weir.Chain(u, attempt.Timeout(test.options)), request())
				took := time.Since(began)
				if test.limit == "" {
					if out.err != nil {
						t.Errorf("failed after %s: %v", took, out.err)
					}
					return
				}
				if out.err == nil || out.err.Kind != weir.KindTimeout || !strings.Contains(out.err.Message, test.limit) {
					t.Errorf("error %v", out.err)
				}
				if took < test.min || took > test.max {
					t.Errorf("failed after %s, want %s to %s", took, test.min, test.max)
				}
				if u.open.Load() != 0 {
					t.Error("the upstream is still held")
				}
			})
		})
	}
}

func TestTimeoutDoesNotCountTheConsumersTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := scripts([]step{emits(delta("a")), wait(time.Second), emits(delta("b")), wait(time.Second), emits(finish())})
		for _, err := range weir.Chain(u, attempt.Timeout(attempt.TimeoutOptions{FirstToken: 20 * time.Second, Idle: 8 * time.Second})).Handle(t.Context(), request()) {
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute) // a client that reads slowly
		}
	})
}

func TestTimeoutIsRetriedLikeAnyFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := scripts([]step{emits(startEvent()), wait(time.Hour)}, answer("hi"))
		out := consume(t.Context(), weir.Chain(u, attempt.Retry(attempt.RetryOptions{}), attempt.Timeout(limits)), request())
		if out.err != nil || out.text() != "hi" || out.count(weir.EventStart) != 1 {
			t.Errorf("text %q, error %v", out.text(), out.err)
		}
	})
}

func TestTimeoutLeavesTheCallersOwnEndAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		out := consume(ctx, weir.Chain(scripts([]step{wait(time.Hour)}), attempt.Timeout(limits)), request())
		if out.err == nil || out.err.Kind != weir.KindCanceled {
			t.Errorf("error %v", out.err)
		}
	})
}
