package limit_test

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/limit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// slow answers after a while, and counts those that it holds.
type slow struct {
	d    time.Duration
	open atomic.Int64
	most atomic.Int64
}

func (s *slow) Handle(ctx context.Context, _ *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		n := s.open.Add(1)
		defer s.open.Add(-1)
		for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
		}
		if s.d > 0 {
			select {
			case <-time.After(s.d):
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			yield(weir.Event{}, ctx.Err())
			return
		}
		if yield(weir.Event{Type: weir.EventStart, Start: &weir.Start{}}, nil) {
			yield(weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}}, nil)
		}
	}
}

func call(ctx context.Context, h weir.Handler) error {
	_, err := weir.Collect(h.Handle(ctx, weir.NewRequest("m", nil)))
	return err
}

func TestBulkheadFailsFastWhenFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := limit.NewBulkhead(limit.BulkheadOptions{Name: "p/m", Max: 2})
		up := &slow{d: time.Hour}
		h := b.Wrap(up)
		ctx, cancel := context.WithCancel(t.Context())
		for range 2 {
			go func() { _ = call(ctx, h) }()
		}
		synctest.Wait()
		began := time.Now()
		err := weir.AsError(call(ctx, h))
		if err == nil || err.Kind != weir.KindOverloaded || err.RetryAfter <= 0 || err.Deployment != "p/m" || time.Since(began) != 0 {
			t.Errorf("after %s: %+v", time.Since(began), err)
		}
		cancel()
		synctest.Wait()
		if b.InUse() != 0 {
			t.Errorf("%d places are still taken", b.InUse())
		}
	})
}

func TestBulkheadReleasesOnEveryPath(t *testing.T) {
	b := limit.NewBulkhead(limit.BulkheadOptions{Max: 1})
	paths := map[string]func(){
		"answered": func() { _ = call(context.Background(), b.Wrap(&slow{})) },
		"failed": func() {
			_ = call(context.Background(), b.Wrap(weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
				return weir.Fail(errors.New("no"))
			})))
		},
		"stopped": func() {
			for range b.Wrap(&slow{}).Handle(context.Background(), weir.NewRequest("m", nil)) {
				break
			}
		},
		"canceled": func() {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_ = call(ctx, b.Wrap(&slow{}))
		},
		"panicked": func() {
			defer func() { _ = recover() }()
			for range b.Wrap(&slow{}).Handle(context.Background(), weir.NewRequest("m", nil)) {
				panic("consumer")
			}
		},
		"never ranged over": func() { _ = b.Wrap(&slow{}).Handle(context.Background(), weir.NewRequest("m", nil)) },
	}
	for name, path := range paths {
		for range 3 {
			path()
		}
		if b.InUse() != 0 {
			t.Fatalf("%s: the place is still taken", name)
		}
	}
}

func TestBulkheadQueuesForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := limit.NewBulkhead(limit.BulkheadOptions{Max: 1, Queue: 1, Wait: 10 * time.Second})
		up := &slow{d: 4 * time.Second}
		h := b.Wrap(up)
		results := make(chan error, 3)
		for range 3 {
			go func() { results <- call(t.Context(), h) }()
			synctest.Wait()
		}
		if err := <-results; !errors.Is(err, weir.KindOverloaded) {
			t.Errorf("the third, for whom the queue is full, got %v", err)
		}
		for range 2 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if up.most.Load() != 1 {
			t.Errorf("%d at once", up.most.Load())
		}
		up.d = time.Hour
		ctx, cancel := context.WithCancel(t.Context())
		go func() { results <- call(ctx, h) }()
		synctest.Wait()
		began := time.Now()
		if err := call(t.Context(), h); !errors.Is(err, weir.KindOverloaded) || time.Since(began) != 10*time.Second {
			t.Errorf("waited %s and got %v", time.Since(began), err)
		}
		cancel()
		<-results
	})
}

func TestConcurrencyWithoutABoundIsNoStage(t *testing.T) {
	up := &slow{}
	if h := limit.Concurrency(0)(up); h != weir.Handler(up) {
		t.Error("the handler was wrapped")
	}
}

func BenchmarkBulkhead(b *testing.B) {
	h := limit.Concurrency(8)(&slow{})
	b.ReportAllocs()
	for b.Loop() {
		for range h.Handle(context.Background(), nil) {
		}
	}
}
