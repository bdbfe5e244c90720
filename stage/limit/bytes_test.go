package limit_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/limit"
)

func TestBytesAreBounded(t *testing.T) {
	b := limit.NewBytes(100)
	var wg sync.WaitGroup
	var over sync.Once
	for range 50 {
		wg.Go(func() {
			for range 20 {
				release, err := b.Acquire(context.Background(), 1+rand.Int64N(60))
				if err != nil {
					t.Error(err)
					return
				}
				if b.InUse() > 100 {
					over.Do(func() { t.Error("more bytes are in flight than allowed") })
				}
				release()
				release() // does no harm
			}
		})
	}
	wg.Wait()
	if b.InUse() != 0 {
		t.Errorf("%d bytes are still taken", b.InUse())
	}
}

func TestBytesServeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := limit.NewBytes(100)
		first, _ := b.Acquire(t.Context(), 60)
		var order []int64
		var mu sync.Mutex
		for _, n := range []int64{95, 10} { // the small one fits, but came later
			go func() {
				release, err := b.Acquire(t.Context(), n)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, n)
				mu.Unlock()
				release()
			}()
			synctest.Wait()
		}
		first()
		synctest.Wait()
		if len(order) != 2 || order[0] != 95 || b.InUse() != 0 {
			t.Errorf("admitted %v, %d in use", order, b.InUse())
		}
	})
}

func TestBytesGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := limit.NewBytes(100)
		if _, err := b.Acquire(t.Context(), 101); !errors.Is(err, weir.KindTooLarge) { // E-08
			t.Errorf("more than there is at all: %v", err)
		}
		hold, _ := b.Acquire(t.Context(), 100)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		_, err := b.Acquire(ctx, 1)
		if !errors.Is(err, weir.KindOverloaded) || weir.AsError(err).RetryAfter <= 0 || time.Since(began) != 5*time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, err := b.Acquire(gone, 1); !errors.Is(err, weir.KindCanceled) {
			t.Errorf("a caller that left: %v", err)
		}
		hold()
		if b.InUse() != 0 {
			t.Errorf("%d bytes are still taken", b.InUse())
		}
	})
}

func TestBytesAreGivenBackByWhoLeavesWhenAdmitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := limit.NewBytes(1)
		for range 50 {
			hold, _ := b.Acquire(t.Context(), 1)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				if release, err := b.Acquire(ctx, 1); err == nil {
					release()
				}
			}()
			synctest.Wait()
			cancel()
			hold() // in the same moment
			synctest.Wait()
			if b.InUse() != 0 {
				t.Fatalf("%d bytes are still taken", b.InUse())
			}
		}
	})
}

func TestBytesBoundThoseThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := limit.NewBytes(1)
		hold, _ := b.Acquire(t.Context(), 1)
		ctx, cancel := context.WithCancel(t.Context())
		for range 1024 {
			go func() { _, _ = b.Acquire(ctx, 1) }()
		}
		synctest.Wait()
		if _, err := b.Acquire(ctx, 1); !errors.Is(err, weir.KindOverloaded) {
			t.Errorf("error %v", err)
		}
		cancel()
		synctest.Wait()
		hold()
	})
}

func TestNilBytesAdmitEverything(t *testing.T) {
	b := limit.NewBytes(0)
	release, err := b.Acquire(context.Background(), 1<<40)
	if err != nil || b.InUse() != 0 {
		t.Error(err)
	}
	release()
}
