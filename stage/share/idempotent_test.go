package share_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/share"
	"github.com/weir-gateway/weir/weirtest"
)

// keyed is a request with an Idempotency-Key, which stands in its labels.
func keyed(key, body string) *weir.Request {
	req := wired(body)
	req.Labels = map[string]string{"key": key}
	return req
}

func once(u weir.Handler, change ...func(*share.IdempotencyOptions)) weir.Handler {
	o := share.IdempotencyOptions{
		Key:         func(req *weir.Request) string { return req.Labels["key"] },
		Fingerprint: func(req *weir.Request) string { return string(req.Wire.Body) },
	}
	for _, c := range change {
		c(&o)
	}
	return weir.Chain(u, share.NewIdempotency(o).Middleware())
}

func lingers(o *share.IdempotencyOptions) { o.Linger = time.Minute }

func TestIdempotencyKeepsTheContract(t *testing.T) {
	u := &upstream{text: "a b"}
	for name, req := range map[string]*weir.Request{"with a key": keyed("k", "q"), "without": wired("q")} {
		t.Run(name, func(t *testing.T) {
			weirtest.HandlerSuite{
				New: func() weir.Handler { return once(u) }, Request: req, Probe: u.calls.Load, Open: u.open.Load,
			}.Run(t)
		})
	}
	t.Run("replayed", func(t *testing.T) {
		h := once(u)
		read(t.Context(), h, keyed("k", "q"))
		weirtest.HandlerSuite{New: func() weir.Handler { return h }, Request: keyed("k", "q"), Open: u.open.Load}.Run(t)
	})
}

func TestARepeatedRequestIsNotPaidTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{text: story}
		h := once(u)
		first := read(t.Context(), h, keyed("k", "q"))
		time.Sleep(time.Minute)
		again := read(t.Context(), h, keyed("k", "q"))
		if u.calls.Load() != 1 || again.text != story || again.raw != first.raw || again.err != nil || again.losses != 1 || again.attempts != 0 || again.usage.OutputTokens != 5 {
			t.Errorf("%d calls; %+v", u.calls.Load(), again)
		}
		if len(first.reused) != 0 || len(again.reused) != 1 || again.reused[0].How != "replayed" || again.reused[0].ID != "id of q" || again.reused[0].Deployment != "p/m" {
			t.Errorf("notes %+v", again.reused)
		}
		time.Sleep(2 * time.Hour)
		if read(t.Context(), h, keyed("k", "q")); u.calls.Load() != 2 {
			t.Error("the answer has not expired")
		}
		if read(t.Context(), h, keyed("other", "q")); u.calls.Load() != 3 {
			t.Error("another key got the answer")
		}
		if read(t.Context(), h, wired("q")); u.calls.Load() != 4 {
			t.Error("a request without a key got the answer")
		}
	})
}

func TestAClientComesBackForItsStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{text: story, wait: time.Second}
		var orphans []*share.Orphan
		h := once(u, lingers, func(o *share.IdempotencyOptions) { o.Orphaned = func(o *share.Orphan) { orphans = append(orphans, o) } })
		var wg sync.WaitGroup
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond) // the connection breaks
			defer cancel()
			read(ctx, h, keyed("k", "q"))
		})
		time.Sleep(4500 * time.Millisecond)
		began := time.Now()
		out := read(t.Context(), h, keyed("k", "q"))
		if out.text != story || out.err != nil || time.Since(began) != 1500*time.Millisecond || out.reused[0].How != share.Shared {
			t.Errorf("text %q after %s, error %v", out.text, time.Since(began), out.err)
		}
		wg.Wait()
		time.Sleep(time.Minute)
		if out = read(t.Context(), h, keyed("k", "q")); out.text != story || out.reused[0].How != share.Replayed || u.calls.Load() != 1 {
			t.Errorf("text %q, %d calls", out.text, u.calls.Load())
		}
		if len(orphans) != 1 || orphans[0].Usage.InputTokens != 3 {
			t.Errorf("orphans %+v", orphans)
		}
	})
}

func TestAnAnswerIsFinishedForWhoMayComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{text: story, wait: time.Second}
		h := once(u, lingers)
		readSlowly(t.Context(), h, keyed("k", "q"), 0, 1) // leaves after a word
		if out := read(t.Context(), h, keyed("k", "q")); out.text != story || out.reused[0].How != share.Replayed || u.calls.Load() != 1 {
			t.Errorf("text %q, %d calls", out.text, u.calls.Load())
		}
		none := once(u)
		readSlowly(t.Context(), none, keyed("k", "q"), 0, 1)
		if out := read(t.Context(), none, keyed("k", "q")); out.text != story || len(out.reused) != 0 || u.calls.Load() != 3 {
			t.Errorf("without a policy: text %q, %d calls", out.text, u.calls.Load())
		}
	})
}

func TestAKeyThatWasUsedForSomethingElse(t *testing.T) {
	check := func(t *testing.T, out outcome) {
		t.Helper()
		e := out.err
		if e == nil || e.Kind != weir.KindInvalid || e.HTTPStatus(weir.OpenAIChat) != 422 || e.Param != "Idempotency-Key" || out.text != "" {
			t.Errorf("%+v", out)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{text: story, wait: time.Second}
		h := once(u)
		var wg sync.WaitGroup
		wg.Go(func() { read(t.Context(), h, keyed("k", "q")) })
		time.Sleep(1500 * time.Millisecond)
		check(t, read(t.Context(), h, keyed("k", "other"))) // while it is running
		wg.Wait()
		check(t, read(t.Context(), h, keyed("k", "other"))) // when it is kept
		if u.calls.Load() != 1 {
			t.Errorf("%d calls", u.calls.Load())
		}
	})
}

func TestErrorsThatPassAreNotKept(t *testing.T) {
	for kind := range weir.KindCanceled + 1 {
		t.Run(kind.String(), func(t *testing.T) {
			u := &upstream{text: "a b", err: &weir.Error{Kind: kind, Status: 499, Message: "no", Param: "x", Wire: &weir.ErrorWire{Body: []byte("{}")}}}
			h := once(u)
			first, again := read(t.Context(), h, keyed("k", "q")), read(t.Context(), h, keyed("k", "q"))
			lasting := kind == weir.KindInvalid || kind == weir.KindUnsupported || kind == weir.KindContextLength ||
				kind == weir.KindContentFilter || kind == weir.KindTooLarge
			if got := u.calls.Load() == 1; got != lasting || again.text != "a b" || kind.Retryable() && lasting {
				t.Errorf("kept: %t", got)
			}
			a, b := first.err, again.err
			if a.Kind != b.Kind || a.Status != b.Status || a.Message != b.Message || a.Param != b.Param || string(a.Wire.Body) != string(b.Wire.Body) {
				t.Errorf("the error was %+v and is %+v", a, b)
			}
		})
	}
}

func TestAnAnswerThatIsTooLargeIsGivenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{text: strings.Repeat("word ", 100), wait: time.Second}
		h := once(u, func(o *share.IdempotencyOptions) { o.MaxAnswer = 5000 })
		var wg sync.WaitGroup
		wg.Go(func() {
			if out := read(t.Context(), h, keyed("k", "q")); out.text != u.text || out.err != nil {
				t.Errorf("%+v", out)
			}
		})
		time.Sleep(time.Minute)
		out := read(t.Context(), h, keyed("k", "q"))
		if out.err == nil || out.err.Kind != weir.KindConflict || out.err.RetryAfter == 0 || u.calls.Load() != 1 {
			t.Errorf("%d calls, error %v", u.calls.Load(), out.err)
		}
		wg.Wait()
	})
}

func TestTwoGatewaysWithOneStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := share.NewMemory(share.MemoryOptions{})
		shared := func(o *share.IdempotencyOptions) { o.Store, o.Lock = store, time.Minute }
		u := &upstream{text: story, wait: time.Second}
		a, b := once(u, shared), once(u, shared)
		var wg sync.WaitGroup
		wg.Go(func() { read(t.Context(), a, keyed("k", "q")) })
		time.Sleep(1500 * time.Millisecond)
		if out := read(t.Context(), b, keyed("k", "q")); out.err == nil || out.err.Kind != weir.KindConflict || !out.err.Kind.Retryable() {
			t.Errorf("while it runs elsewhere: %+v", out)
		}
		if out := read(t.Context(), b, keyed("k", "other")); out.err == nil || out.err.Status != 422 {
			t.Errorf("another request: %+v", out)
		}
		wg.Wait()
		if out := read(t.Context(), b, keyed("k", "q")); out.text != story || out.reused[0].How != share.Replayed || u.calls.Load() != 1 {
			t.Errorf("when it is done: %+v", out)
		}
	})
}

// broken is a Store that is down, or frozen.
type broken struct{ frozen bool }

func (b broken) fail(ctx context.Context) error {
	if b.frozen {
		<-ctx.Done()
	}
	return errors.New("down")
}

func (b broken) Claim(ctx context.Context, _ string, _ []byte, _ time.Duration) ([]byte, error) {
	return nil, b.fail(ctx)
}

func (b broken) Put(ctx context.Context, _ string, _ []byte, _ time.Duration) error {
	return b.fail(ctx)
}

func (b broken) Release(ctx context.Context, _ string, _ []byte) error { return b.fail(ctx) }

func TestAStoreThatIsDownCostsAMoment(t *testing.T) {
	for _, frozen := range []bool{false, true} {
		t.Run(fmt.Sprintf("frozen %t", frozen), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{text: story, wait: time.Second}
				h, began := once(u, func(o *share.IdempotencyOptions) { o.Store = broken{frozen} }), time.Now()
				for _, out := range many(t.Context(), h, 3, func(int) *weir.Request { return keyed("k", "q") }) {
					if out.text != story || out.err != nil {
						t.Errorf("%+v", out)
					}
				}
				if u.calls.Load() != 1 || time.Since(began) > 7*time.Second {
					t.Errorf("%d calls in %s", u.calls.Load(), time.Since(began))
				}
			})
		})
	}
}

func TestAValueThatCannotBeReadIsReplaced(t *testing.T) {
	store := share.NewMemory(share.MemoryOptions{})
	u := &upstream{text: story}
	h := once(u, func(o *share.IdempotencyOptions) { o.Store = odd{store} })
	for range 2 {
		if out := read(t.Context(), h, keyed("k", "q")); out.text != story || out.err != nil {
			t.Errorf("%+v", out)
		}
	}
	if u.calls.Load() != 2 {
		t.Errorf("%d calls", u.calls.Load())
	}
}

// odd is a Store of something else.
type odd struct{ *share.Memory }

func (odd) Claim(context.Context, string, []byte, time.Duration) ([]byte, error) {
	return []byte("x"), nil
}

func TestKeyedCallsAreDecoded(t *testing.T) {
	u := &upstream{text: "a"}
	h := once(u)
	req := keyed("k", "q")
	req.Relay = true
	read(t.Context(), h, req)
	if u.relay.Load() || !req.Relay {
		t.Errorf("the call is relayed: %t, the caller's request: %t", u.relay.Load(), req.Relay)
	}
	if out := read(t.Context(), h, keyed("k", "q")); out.text != "a" || u.calls.Load() != 1 {
		t.Errorf("%+v", out)
	}
}
