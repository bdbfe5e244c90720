package provider

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
)

// minted is a renewing that numbers its credentials, which live for life and take
// delay to get.
func minted(life, delay time.Duration, fail *atomic.Bool) (*renewing, *atomic.Int32) {
	n := new(atomic.Int32)
	return &renewing{fetch: func(ctx context.Context) (credential, error) {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return credential{}, ctx.Err()
		}
		value := fmt.Sprint("token-", n.Add(1))
		if fail != nil && fail.Load() {
			return credential{}, weir.Errorf(weir.KindUpstream, "down")
		}
		c := credential{secret: func() string { return value }}
		if life > 0 {
			c.expires = time.Now().Add(life)
		}
		return c, nil
	}}, n
}

func secret(t *testing.T, s Source) string {
	t.Helper()
	v, err := s.Secret(t.Context())
	if err != nil {
		t.Error(err)
	}
	return v
}

func TestCallersWhoComeTogetherShareOneExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, n := minted(time.Hour, time.Second, nil)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if got := secret(t, r); got != "token-1" {
					t.Errorf("got %s", got)
				}
			})
		}
		wg.Wait()
		if n.Load() != 1 {
			t.Errorf("%d exchanges were made", n.Load())
		}
	})
}

func TestACredentialIsRenewedInTheBackgroundBeforeItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, n := minted(time.Hour, time.Second, nil)
		secret(t, r)
		time.Sleep(49 * time.Minute)
		if secret(t, r) != "token-1" || n.Load() != 1 {
			t.Error("it was renewed too early")
		}
		time.Sleep(6 * time.Minute) // within the last five minutes it always is
		before := time.Now()
		if got := secret(t, r); got != "token-1" || time.Since(before) != 0 {
			t.Errorf("a caller waited for the renewal and got %s", got)
		}
		time.Sleep(2 * time.Second)
		if got := secret(t, r); got != "token-2" {
			t.Errorf("after the renewal there is %s", got)
		}
	})
}

func TestReplicasDoNotRenewAtTheSameTime(t *testing.T) {
	now := time.Now()
	seen := map[time.Time]bool{}
	for range 20 {
		at := renewal(now, now.Add(time.Hour))
		if at.Before(now.Add(50*time.Minute)) || at.After(now.Add(55*time.Minute)) {
			t.Fatalf("renewed %v after the beginning", at.Sub(now))
		}
		seen[at] = true
	}
	if len(seen) < 2 {
		t.Error("there is no jitter")
	}
	if at := renewal(now, now.Add(time.Minute)); at.Before(now.Add(36*time.Second)) || at.After(now.Add(48*time.Second)) {
		t.Errorf("a short one is renewed after %v", at.Sub(now))
	}
}

func TestARenewalThatFailsIsTriedAgainWhileTheOldOneIsGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		r, n := minted(time.Hour, time.Millisecond, &down)
		secret(t, r)
		time.Sleep(56 * time.Minute)
		down.Store(true)
		for range 100 { // all within the pause
			if secret(t, r) != "token-1" {
				t.Error("the old credential was given up")
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n.Load() != 2 {
			t.Errorf("%d exchanges were made", n.Load())
		}
		time.Sleep(5 * time.Minute)
		if _, err := r.Secret(t.Context()); !errors.Is(err, weir.KindUpstream) {
			t.Errorf("an ended credential without successor: %v", err)
		}
		down.Store(false)
		time.Sleep(pause)
		if got := secret(t, r); got == "token-1" {
			t.Error("the ended credential is still sent")
		}
	})
}

func TestAFailureIsRememberedForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := new(atomic.Bool)
		down.Store(true)
		r, n := minted(time.Hour, time.Second, down)
		for range 10 {
			if _, err := r.Secret(t.Context()); err == nil {
				t.Error("a failed exchange gave a credential")
			}
		}
		if n.Load() != 1 {
			t.Errorf("%d exchanges were made in one moment", n.Load())
		}
		down.Store(false)
		time.Sleep(pause)
		if secret(t, r) != "token-2" {
			t.Error("it did not recover")
		}
	})
}

func TestACallerMayLeaveAndTheExchangeGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, n := minted(time.Hour, 10*time.Second, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.Secret(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the caller got %v", err)
		}
		if secret(t, r) != "token-1" || n.Load() != 1 {
			t.Error("the exchange ended with the first caller")
		}
	})
}

func TestAnExchangeThatHangsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := minted(time.Hour, time.Hour, nil)
		if _, err := r.Secret(t.Context()); !errors.Is(err, weir.KindTimeout) {
			t.Errorf("it ended with %v", err)
		}
	})
}

func TestARefusedCredentialIsDroppedOnce(t *testing.T) {
	r, n := minted(0, 0, nil)
	first := secret(t, r)
	if !r.Renew(first) || secret(t, r) != "token-2" {
		t.Error("the refused credential is still there")
	}
	if !r.Renew(first) || secret(t, r) != "token-2" || n.Load() != 2 {
		t.Error("a credential was dropped for the fault of an older one")
	}
	if static(func() string { return "k" }).Renew("k") {
		t.Error("what cannot change was promised anew")
	}
}
