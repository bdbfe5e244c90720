package share_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/share"
	"github.com/weir-gateway/weir/weirtest"
)

const story = "once upon a time there was"

func TestGroupKeepsTheContract(t *testing.T) {
	u := &upstream{text: "a b"}
	weirtest.HandlerSuite{
		New: func() weir.Handler { return grouped(u) }, Request: wired("q"),
		Probe: u.calls.Load, Open: u.open.Load,
	}.Run(t)
}

func TestIdenticalRequestsShareOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{text: story, wait: time.Second}
		h := grouped(u)
		alone := read(t.Context(), grouped(&upstream{text: story}), wired("q"))
		leaders := 0
		for _, out := range many(t.Context(), h, 20, same) {
			if out.text != story || out.err != nil || out.raw != alone.raw || out.usage.OutputTokens != 5 || out.losses != 1 {
				t.Errorf("%+v", out)
			}
			if len(out.reused) == 0 {
				leaders++
				continue
			}
			if r := out.reused[0]; len(out.reused) != 1 || r.How != "shared" || r.ID != "id of q" || r.Deployment != "p/m" || out.attempts != 0 {
				t.Errorf("%+v, note %+v", out, r)
			}
		}
		if u.calls.Load() != 1 || leaders != 1 || u.open.Load() != 0 {
			t.Errorf("%d calls, %d leaders, %d open", u.calls.Load(), leaders, u.open.Load())
		}
		if read(t.Context(), h, wired("q")); u.calls.Load() != 2 {
			t.Error("a call that is over was shared")
		}
	})
}

func TestWhoComesLateGetsWhatHasBeenSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{text: story, wait: time.Second}
		h := grouped(u)
		var wg sync.WaitGroup
		wg.Go(func() { read(t.Context(), h, wired("q")) })
		time.Sleep(3500 * time.Millisecond)
		began, first := time.Now(), time.Duration(0)
		text := ""
		for ev := range h.Handle(t.Context(), wired("q")) {
			text += ev.Text
			if text == "once upon a " {
				first = time.Since(began)
			}
		}
		if text != story || first != 0 || time.Since(began) != 2500*time.Millisecond || u.calls.Load() != 1 {
			t.Errorf("%q: the beginning after %s, all after %s, %d calls", text, first, time.Since(began), u.calls.Load())
		}
		wg.Wait()
	})
}

func TestDifferentRequestsDoNotShare(t *testing.T) {
	with := func(change func(*weir.Request)) func() *weir.Request {
		return func() *weir.Request {
			r := wired("q")
			change(r)
			return r
		}
	}
	tests := map[string]func() *weir.Request{
		"another body":          func() *weir.Request { return wired("other") },
		"another tenant":        with(func(r *weir.Request) { r.Principal = &weir.Principal{Name: "b"} }),
		"another model":         with(func(r *weir.Request) { r.Model = "b" }),
		"another label":         with(func(r *weir.Request) { r.Labels = map[string]string{"a": "b"} }),
		"another path":          with(func(r *weir.Request) { r.Wire.Path = "/b" }),
		"another header":        with(func(r *weir.Request) { r.Wire.Header = map[string][]string{"Anthropic-Beta": {"b"}} }),
		"another protocol":      with(func(r *weir.Request) { r.Wire.Protocol = weir.AnthropicMessages }),
		"another operation":     with(func(r *weir.Request) { r.Op = weir.CountTokens }),
		"streamed":              with(func(r *weir.Request) { r.Stream = true }),
		"relayed":               with(func(r *weir.Request) { r.Relay = true }),
		"strict":                with(func(r *weir.Request) { r.Strict = true }),
		"what has no bytes":     func() *weir.Request { return weir.NewRequest("", &weir.Body{}) },
		"what changes things":   with(func(r *weir.Request) { r.Op = weir.Files }),
		"a conversation":        with(func(r *weir.Request) { r.Op = weir.Realtime }),
		"what nobody knows of":  with(func(r *weir.Request) { r.Op = weir.Other }),
		"what runs in a batch":  with(func(r *weir.Request) { r.Op = weir.Batches }),
		"what has an uplink":    with(func(r *weir.Request) { r.Uplink = silent{} }),
		"an empty model's name": with(func(r *weir.Request) { r.Model = "\x00" }),
	}
	for name, other := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{text: story, wait: time.Second}
				many(t.Context(), grouped(u), 2, func(i int) *weir.Request {
					if i == 0 {
						return wired("q")
					}
					return other()
				})
				if u.calls.Load() != 2 {
					t.Errorf("%d calls", u.calls.Load())
				}
			})
		})
	}
	u := &upstream{text: story}
	many(t.Context(), weir.Chain(u, share.New(share.Options{}).Middleware()), 3, same)
	if u.calls.Load() != 3 {
		t.Error("calls were shared without a key")
	}
}

type silent struct{}

func (silent) Receive(ctx context.Context) ([]byte, bool, error) {
	<-ctx.Done()
	return nil, false, ctx.Err()
}

func TestACallGoesOnWithoutWhoBeganIt(t *testing.T) {
	for _, cancels := range []bool{false, true} {
		t.Run(fmt.Sprintf("cancels %t", cancels), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var orphans []*share.Orphan
				u := &upstream{text: story, wait: time.Second}
				h := grouped(u, func(o *share.Options) { o.Orphaned = func(o *share.Orphan) { orphans = append(orphans, o) } })
				var wg sync.WaitGroup
				wg.Go(func() {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					if cancels {
						time.AfterFunc(2500*time.Millisecond, cancel)
						if out := read(ctx, h, wired("q")); out.err == nil || out.err.Kind != weir.KindCanceled {
							t.Errorf("error %v", out.err)
						}
						return
					}
					readSlowly(ctx, h, wired("q"), 0, 2)
				})
				time.Sleep(time.Second)
				if out := read(t.Context(), h, wired("q")); out.text != story || out.err != nil {
					t.Errorf("text %q, error %v", out.text, out.err)
				}
				wg.Wait()
				if u.calls.Load() != 1 || u.open.Load() != 0 {
					t.Errorf("%d calls, %d open", u.calls.Load(), u.open.Load())
				}
				// What it cost is told, since the first one's ledger entry ended before.
				if len(orphans) != 1 || orphans[0].Usage.OutputTokens != 5 || orphans[0].Deployment != "p/m" || orphans[0].Request.ID != "id of q" || orphans[0].Err != nil {
					t.Errorf("orphans %+v", orphans)
				}
			})
		})
	}
}

func TestTheLastOneOutEndsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orphans := 0
		u := &upstream{text: strings.Repeat("word ", 1000), wait: time.Second}
		h := grouped(u, func(o *share.Options) { o.Orphaned = func(*share.Orphan) { orphans++ } })
		ctx, cancel := context.WithTimeout(t.Context(), 5500*time.Millisecond)
		defer cancel()
		began := time.Now()
		for _, out := range many(ctx, h, 5, same) {
			if out.err == nil || out.err.Kind != weir.KindTimeout || strings.Count(out.text, "word") != 5 {
				t.Errorf("%+v", out)
			}
		}
		if time.Since(began) != 5500*time.Millisecond || u.said.Load() != 5 || u.open.Load() != 0 || orphans > 1 {
			t.Errorf("after %s: %d words, %d open, %d orphans", time.Since(began), u.said.Load(), u.open.Load(), orphans)
		}
	})
}

func TestACallWaitsForSomebodyToComeBack(t *testing.T) {
	tests := []struct {
		name   string
		linger time.Duration
		back   time.Duration // after 2 s
		calls  int64
		said   int64
	}{
		{"in time", 10 * time.Second, 3 * time.Second, 1, 6},
		{"too late", 1500 * time.Millisecond, 2 * time.Second, 2, 9},
		{"at once", 0, time.Second, 2, 8},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{text: story, wait: time.Second}
				h := grouped(u, func(o *share.Options) { o.Linger = test.linger })
				var wg sync.WaitGroup
				wg.Go(func() { readSlowly(t.Context(), h, wired("q"), 0, 2) })
				time.Sleep(2*time.Second + test.back)
				if out := read(t.Context(), h, wired("q")); out.text != story {
					t.Errorf("text %q, error %v", out.text, out.err)
				}
				wg.Wait()
				if u.calls.Load() != test.calls || u.said.Load() != test.said || u.open.Load() != 0 {
					t.Errorf("%d calls, %d words, %d open", u.calls.Load(), u.said.Load(), u.open.Load())
				}
			})
		})
	}
}

func TestASlowReaderHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{text: story, wait: time.Second}
		h := grouped(u)
		var wg sync.WaitGroup
		wg.Go(func() { // began the call, and takes a minute for each event
			if out := readSlowly(t.Context(), h, wired("q"), time.Minute, -1); out.text != story {
				t.Errorf("the slow one has %q, error %v", out.text, out.err)
			}
		})
		time.Sleep(time.Millisecond)
		began := time.Now()
		if out := read(t.Context(), h, wired("q")); out.text != story || time.Since(began) > 6*time.Second {
			t.Errorf("text %q after %s", out.text, time.Since(began))
		}
		wg.Wait()
		if u.calls.Load() != 1 {
			t.Errorf("%d calls", u.calls.Load())
		}
	})
}

func TestWhoIsTooFarBehindIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{text: strings.Repeat("word ", 100), wait: time.Second}
		h := grouped(u, func(o *share.Options) { o.Buffer = 5000 })
		var wg sync.WaitGroup
		wg.Go(func() { // takes three seconds for a word: after some it is 5000 bytes behind
			out := readSlowly(t.Context(), h, wired("q"), 3*time.Second, -1)
			if out.err == nil || out.err.Kind != weir.KindOverloaded || out.text == "" || !strings.HasPrefix(u.text, out.text) {
				t.Errorf("%d words, error %v", strings.Count(out.text, "word"), out.err)
			}
		})
		time.Sleep(time.Second)
		if out := read(t.Context(), h, wired("q")); out.text != u.text || out.err != nil {
			t.Errorf("the fast one has %d words, error %v", strings.Count(out.text, "word"), out.err)
		}
		wg.Wait()
		if u.calls.Load() != 1 {
			t.Errorf("%d calls", u.calls.Load())
		}
	})
}

func TestWhoComesTooLateGetsACallOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{text: strings.Repeat("word ", 100), wait: time.Second}
		h := grouped(u, func(o *share.Options) { o.Buffer = 5000 })
		var wg sync.WaitGroup
		wg.Go(func() { read(t.Context(), h, wired("q")) })
		time.Sleep(60 * time.Second) // 60 words, some 13000 bytes
		if out := read(t.Context(), h, wired("q")); out.text != u.text || len(out.reused) != 0 {
			t.Errorf("%d words, error %v", strings.Count(out.text, "word"), out.err)
		}
		wg.Wait()
		if u.calls.Load() != 2 || u.open.Load() != 0 {
			t.Errorf("%d calls", u.calls.Load())
		}
	})
}

func TestAnErrorIsSharedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{text: "a b", wait: time.Second, err: weir.Errorf(weir.KindOverloaded, "busy")}
		h := grouped(u)
		for _, out := range many(t.Context(), h, 3, same) {
			if out.err == nil || out.err.Kind != weir.KindOverloaded || out.text != "a b" {
				t.Errorf("%+v", out)
			}
		}
		if read(t.Context(), h, wired("q")); u.calls.Load() != 2 {
			t.Errorf("%d calls: the error was kept", u.calls.Load())
		}
	})
}

func TestAPanicLeavesNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{text: "a b", wait: time.Second, panics: true}
		panics := 0
		for _, out := range many(t.Context(), grouped(u), 3, same) {
			if out.panicked != nil {
				panics++
			} else if out.err == nil || out.err.Kind != weir.KindInternal {
				t.Errorf("%+v", out)
			}
		}
		if panics != 1 || u.open.Load() != 0 {
			t.Errorf("%d panics, %d open", panics, u.open.Load())
		}
	})
}

func TestManyReadersComeAndGo(t *testing.T) {
	u := &upstream{text: strings.Repeat("word ", 50), wait: 50 * time.Microsecond}
	h := grouped(u, func(o *share.Options) { o.Linger = time.Millisecond; o.Buffer = 8000 })
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(i)))
			time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.IntN(20))*time.Millisecond)
			defer cancel()
			words := r.IntN(80)
			out := readSlowly(ctx, h, wired(strconv.Itoa(i%3)), time.Duration(r.IntN(200))*time.Microsecond, words)
			if !strings.HasPrefix(u.text, out.text) {
				t.Errorf("reader %d has %q", i, out.text)
			}
		})
	}
	wg.Wait()
	if u.open.Load() != 0 {
		t.Errorf("%d calls are still open", u.open.Load())
	}
}
