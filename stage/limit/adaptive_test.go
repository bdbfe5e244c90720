package limit_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/limit"
)

// upstreamError is one as the upstream sent it.
func upstreamError(status int) *weir.Error {
	err := weir.Errorf(weir.KindOfStatus(status), "no")
	err.Status = status
	return err
}

// script answers each call with the events and the error given.
func script(err error, events ...weir.Event) weir.Handler {
	return weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			for _, ev := range events {
				if !yield(ev, nil) {
					return
				}
			}
			if err != nil {
				yield(weir.Event{}, err)
			}
		}
	})
}

func streamed(ctx context.Context, h weir.Handler) error {
	req := weir.NewRequest("m", nil)
	req.Stream = true
	_, err := weir.Collect(h.Handle(ctx, req))
	return err
}

// quiet fails when places are taken or calls wait.
func quiet(t *testing.T, a *limit.Adaptive) {
	t.Helper()
	if s := a.Stats(); s.InFlight != 0 || s.Waiting != 0 {
		t.Errorf("left behind: %+v", s)
	}
}

func TestAdaptiveIsNoStageWithoutMax(t *testing.T) {
	up := &slow{}
	a := limit.NewAdaptive(limit.AdaptiveOptions{})
	if h := a.Middleware()(up); h != weir.Handler(up) {
		t.Error("the handler was wrapped")
	}
	if s := a.Stats(); s.Limit != 0 {
		t.Errorf("%+v", s)
	}
}

func TestAdaptiveServesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := limit.NewAdaptive(limit.AdaptiveOptions{Max: 1, Queue: 5})
		h := a.Middleware()(&slow{d: time.Second})
		var mu sync.Mutex
		var order []int
		for i := range 6 {
			go func() {
				if err := call(t.Context(), h); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			}()
			synctest.Wait()
		}
		if s := a.Stats(); s.InFlight != 1 || s.Waiting != 5 {
			t.Errorf("%+v", s)
		}
		time.Sleep(10 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		if !slices.Equal(order, []int{0, 1, 2, 3, 4, 5}) {
			t.Errorf("served in the order %v", order)
		}
		quiet(t, a)
	})
}

func TestAdaptiveRefusesAtOnceWhoseTurnWouldComeTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := limit.NewAdaptive(limit.AdaptiveOptions{Name: "p/m", Max: 1, Queue: 10, MaxWait: 25 * time.Second})
		h := a.Middleware()(&slow{d: 10 * time.Second})
		if err := call(t.Context(), h); err != nil { // from now on it is known how long one takes
			t.Fatal(err)
		}
		results := make(chan error, 3)
		for range 3 {
			go func() { results <- call(t.Context(), h) }()
			synctest.Wait()
		}
		refused := func(ctx context.Context, what string, wait time.Duration) {
			began := time.Now()
			err := weir.AsError(call(ctx, h))
			if err == nil || err.Kind != weir.KindOverloaded || err.Code != limit.CodeFull || err.IsUpstream() ||
				err.Deployment != "p/m" || err.RetryAfter != wait || time.Since(began) != 0 {
				t.Errorf("%s: after %s: %+v", what, time.Since(began), err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		refused(ctx, "the deadline comes first", 30*time.Second)
		refused(t.Context(), "MaxWait comes first", 30*time.Second)
		for range 3 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		quiet(t, a)
		if s := a.Stats(); s.Refused != 2 {
			t.Errorf("%+v", s)
		}
	})
}

func TestAdaptiveWaitsNoLongerThanAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := limit.NewAdaptive(limit.AdaptiveOptions{Max: 1, MaxWait: 7 * time.Second})
		h := a.Middleware()(&slow{d: time.Hour})
		hold, letGo := context.WithCancel(t.Context())
		go func() { _ = call(hold, h) }()
		synctest.Wait()
		for _, patience := range []time.Duration{time.Hour, 3 * time.Second} {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			began := time.Now()
			err := weir.AsError(call(ctx, h)) // nothing is known yet of how long it takes
			if err == nil || err.Code != limit.CodeFull || time.Since(began) != min(patience, 7*time.Second) {
				t.Errorf("after %s: %v", time.Since(began), err)
			}
			cancel()
		}
		letGo()
		synctest.Wait()
		quiet(t, a)
	})
}

func TestAdaptiveQueueIsBounded(t *testing.T) {
	for name, c := range map[string]struct{ queue, waits int }{
		"as said": {3, 3}, "as many as Max": {0, 2}, "none": {-1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := limit.NewAdaptive(limit.AdaptiveOptions{Max: 2, Queue: c.queue})
				h := a.Middleware()(&slow{d: time.Second})
				for range 10 {
					go func() { _ = call(t.Context(), h) }()
				}
				synctest.Wait()
				if s := a.Stats(); s.InFlight != 2 || s.Waiting != c.waits || s.Refused != uint64(8-c.waits) {
					t.Errorf("%+v", s)
				}
				time.Sleep(time.Minute)
				quiet(t, a)
			})
		})
	}
}

func TestAdaptiveForgetsWhoLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := limit.NewAdaptive(limit.AdaptiveOptions{Max: 1, Queue: 4})
		h := a.Middleware()(&slow{d: time.Second})
		go func() { _ = call(t.Context(), h) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		left, stayed := make(chan error, 1), make(chan error, 1)
		go func() { left <- call(ctx, h) }()
		synctest.Wait()
		go func() { stayed <- call(t.Context(), h) }()
		synctest.Wait()
		cancel()
		if err := <-left; !errors.Is(err, weir.KindCanceled) {
			t.Error(err)
		}
		if s := a.Stats(); s.Waiting != 1 || s.Refused != 0 {
			t.Errorf("%+v", s)
		}
		began := time.Now()
		if err := <-stayed; err != nil || time.Since(began) != 2*time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		if err := call(ctx, h); err == nil { // a place is free: the deployment says so itself
			t.Error("a canceled call succeeded")
		}
		synctest.Wait()
		quiet(t, a)
	})
}

func TestAdaptivePlaceIsGivenBackByWhoLeavesWhenServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := limit.NewAdaptive(limit.AdaptiveOptions{Max: 1})
		for range 50 {
			h := a.Middleware()(&slow{d: time.Second})
			go func() { _ = call(t.Context(), h) }()
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second) // ends as the place becomes free
			go func() { _ = call(ctx, h) }()
			go func() { _ = call(t.Context(), h) }()
			time.AfterFunc(time.Second, cancel)
			time.Sleep(5 * time.Second)
			quiet(t, a)
		}
	})
}

func TestAdaptiveReleasesOnEveryPath(t *testing.T) {
	a := limit.NewAdaptive(limit.AdaptiveOptions{Max: 1})
	wrap := a.Middleware()
	paths := map[string]func(){
		"answered": func() { _ = call(context.Background(), wrap(&slow{})) },
		"failed":   func() { _ = call(context.Background(), wrap(script(errors.New("no")))) },
		"stopped": func() {
			for range wrap(&slow{}).Handle(context.Background(), weir.NewRequest("m", nil)) {
				break
			}
		},
		"panicked": func() {
			defer func() { _ = recover() }()
			for range wrap(&slow{}).Handle(context.Background(), weir.NewRequest("m", nil)) {
				panic("consumer")
			}
		},
		"never ranged over": func() { _ = wrap(&slow{}).Handle(context.Background(), weir.NewRequest("m", nil)) },
	}
	for name, path := range paths {
		for range 3 {
			path()
		}
		if s := a.Stats(); s.InFlight != 0 {
			t.Fatalf("%s: the place is still taken", name)
		}
	}
}

func TestAdaptiveIsLoweredByComplaintsOnly(t *testing.T) {
	content := weir.Event{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}}
	own := weir.Errorf(weir.KindOverloaded, "one of our own")
	quota := upstreamError(429)
	quota.Kind = weir.KindQuota
	for name, c := range map[string]struct {
		h     weir.Handler
		lower uint64
	}{
		"429":                        {script(upstreamError(429)), 1},
		"503":                        {script(upstreamError(503)), 1},
		"529":                        {script(upstreamError(529)), 1},
		"overloaded in the answer":   {script(upstreamError(529), content), 1},
		"500":                        {script(upstreamError(500)), 0},
		"400":                        {script(upstreamError(400)), 0},
		"an account without money":   {script(quota), 0},
		"what Weir refuses":          {script(own), 0},
		"an answer":                  {script(nil, content), 0},
		"a 429 that a retry mended":  {script(nil, weir.NoteEvent(&weir.Attempt{Err: upstreamError(429)}), weir.NoteEvent(&weir.Attempt{}), content), 1},
		"a 429 that is told twice":   {script(upstreamError(429), weir.NoteEvent(&weir.Attempt{Err: upstreamError(429)})), 1},
		"a second 429 after a retry": {script(upstreamError(429), weir.NoteEvent(&weir.Attempt{Err: upstreamError(429)}), weir.NoteEvent(&weir.Attempt{Err: upstreamError(429)})), 2},
	} {
		a := limit.NewAdaptive(limit.AdaptiveOptions{Max: 100, Start: 100})
		_ = call(context.Background(), a.Middleware()(c.h))
		s := a.Stats()
		if s.Lowered != c.lower || (s.Limit < 100) != (c.lower > 0) {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestAdaptiveIsLoweredOnceByCallsThatWereUnderWayTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := limit.NewAdaptive(limit.AdaptiveOptions{Max: 100, Start: 100})
		h := a.Middleware()(weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
			return func(yield func(weir.Event, error) bool) {
				time.Sleep(time.Second)
				yield(weir.Event{}, upstreamError(429))
			}
		}))
		for range 50 {
			go func() { _ = call(t.Context(), h) }()
		}
		time.Sleep(2 * time.Second)
		if s := a.Stats(); s.Lowered != 1 || s.Limit != 70 {
			t.Errorf("%+v", s)
		}
	})
}

func TestAdaptiveDoesNotGrowUnused(t *testing.T) {
	a := limit.NewAdaptive(limit.AdaptiveOptions{Max: 100, Start: 10})
	h := a.Middleware()(&slow{})
	for range 100 {
		_ = call(context.Background(), h)
	}
	if s := a.Stats(); s.Limit != 10 {
		t.Errorf("%+v", s)
	}
}

func TestAdaptiveRefusesThoseForWhomALowerLimitIsTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := limit.NewAdaptive(limit.AdaptiveOptions{Max: 10, Start: 10, MaxWait: 22 * time.Second, Queue: 20})
		var complain atomic.Bool
		h := a.Middleware()(weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
			if complain.CompareAndSwap(true, false) {
				time.Sleep(time.Second)
				return script(upstreamError(429)).Handle(ctx, req)
			}
			return (&slow{d: 10 * time.Second}).Handle(ctx, req)
		}))
		for range 10 {
			go func() { _ = call(t.Context(), h) }()
		}
		time.Sleep(11 * time.Second) // from now on it is known that a call takes ten seconds
		complain.Store(true)
		results := make(chan error, 30)
		for range 30 { // the last one expects to wait for 20 s
			go func() { results <- call(t.Context(), h) }()
		}
		time.Sleep(2 * time.Second) // seven places: the last two would have to wait for too long
		if s := a.Stats(); s.Limit != 7 || s.Refused != 2 || s.Waiting != 18 {
			t.Errorf("%+v", s)
		}
		full := 0
		for range 30 {
			if err := weir.AsError(<-results); err != nil && err.Code == limit.CodeFull {
				full++
			}
		}
		if s := a.Stats(); uint64(full) != s.Refused {
			t.Errorf("%d were told of a refusal: %+v", full, s)
		}
		synctest.Wait()
		quiet(t, a)
	})
}

func TestAdaptiveIsConfiguredWhileInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := limit.NewAdaptive(limit.AdaptiveOptions{Max: 1, Queue: 10, MaxWait: time.Hour})
		up := &slow{d: time.Second}
		h := a.Middleware()(up)
		for range 8 {
			go func() {
				if err := call(t.Context(), h); err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		if up.open.Load() != 1 {
			t.Errorf("%d in flight", up.open.Load())
		}
		a.Configure(limit.AdaptiveOptions{Max: 10, Min: 4, Queue: 10, MaxWait: time.Hour})
		synctest.Wait()
		if up.open.Load() != 4 {
			t.Errorf("%d in flight after the limit was raised to 4", up.open.Load())
		}
		a.Configure(limit.AdaptiveOptions{})
		synctest.Wait()
		if up.open.Load() != 8 {
			t.Errorf("%d in flight without a limit", up.open.Load())
		}
		time.Sleep(time.Minute)
		quiet(t, a)
	})
}

// again tries a second time, a while later, and tells of it as the stage does
// that makes the retries.
func again(next weir.Handler) weir.Handler {
	return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			for range 2 {
				began, committed := time.Now(), false
				var failed error
				for ev, err := range next.Handle(ctx, req) {
					if failed = err; err != nil {
						break
					}
					if !committed && ev.IsContent() {
						committed = true
						if !yield(weir.NoteEvent(&weir.Attempt{Duration: time.Since(began)}), nil) {
							return
						}
					}
					if !yield(ev, nil) {
						return
					}
				}
				if failed == nil {
					return
				}
				if !yield(weir.NoteEvent(&weir.Attempt{Duration: time.Since(began), Err: weir.AsError(failed)}), nil) {
					return
				}
				time.Sleep(5 * time.Second)
			}
		}
	})
}

func TestAdaptiveLearnsThroughRetries(t *testing.T) {
	for status, want := range map[int]limit.AdaptiveStats{
		503: {Limit: 1, Lowered: 16},                                     // the second attempt belongs to a new round
		500: {Limit: 1, Base: time.Second, Latency: time.Second},         // the waits between attempts are not the deployment's
		0:   {Limit: 1, Base: 2 * time.Second, Latency: 2 * time.Second}, // all attempts answer
	} {
		synctest.Test(t, func(t *testing.T) {
			a := limit.NewAdaptive(limit.AdaptiveOptions{Max: 1})
			tries := 0
			h := weir.Chain(weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
				if tries++; tries%2 == 1 && status != 0 {
					return script(upstreamError(status)).Handle(ctx, req)
				}
				if status == 0 {
					return (&slow{d: 2 * time.Second}).Handle(ctx, req)
				}
				return (&slow{d: time.Second}).Handle(ctx, req)
			}), a.Middleware(), again)
			for range 16 {
				if err := streamed(t.Context(), h); err != nil {
					t.Fatal(err)
				}
			}
			s := a.Stats()
			s.Base, s.Latency = s.Base.Round(time.Millisecond), s.Latency.Round(time.Millisecond)
			if s != want {
				t.Errorf("%d: %+v", status, s)
			}
		})
	}
}

func TestAdaptiveTakesTimeoutsForSlowAnswers(t *testing.T) {
	for what, c := range map[string]struct {
		d     time.Duration
		ours  bool // the limit, not the caller's deadline
		lower bool
	}{
		"of the deployment": {8 * time.Second, true, true},
		"of the caller":     {8 * time.Second, false, false},
		"not much longer":   {2 * time.Second, true, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := limit.NewAdaptive(limit.AdaptiveOptions{Max: 8})
			usual := a.Middleware()(&slow{d: time.Second})
			hangs := a.Middleware()(&slow{d: time.Hour})
			if c.ours {
				hangs = a.Middleware()(weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
					time.Sleep(c.d)
					return weir.Fail(weir.Errorf(weir.KindTimeout, "no first token within %s", c.d))
				}))
			}
			for i := range 32 {
				go func() {
					if i < 16 {
						_ = streamed(t.Context(), usual)
						return
					}
					ctx, cancel := context.WithTimeout(t.Context(), c.d)
					defer cancel()
					if c.ours {
						ctx = t.Context()
					}
					_ = streamed(ctx, hangs)
				}()
				if i%8 == 7 {
					time.Sleep(time.Minute)
				}
			}
			if s := a.Stats(); (s.Lowered > 0) != c.lower {
				t.Errorf("%s: %+v", what, s)
			}
			quiet(t, a)
		})
	}
}

func TestAdaptiveQueueIsNotClosedByOneLongCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := limit.NewAdaptive(limit.AdaptiveOptions{Max: 1})
		quick := a.Middleware()(&slow{d: time.Second})
		_ = call(t.Context(), quick)
		_ = call(t.Context(), a.Middleware()(&slow{d: 5 * time.Hour})) // a conversation, say
		go func() { _ = call(t.Context(), quick) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		if err := call(ctx, quick); weir.AsError(err) != nil && weir.AsError(err).Code == limit.CodeFull || time.Since(began) < time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}
