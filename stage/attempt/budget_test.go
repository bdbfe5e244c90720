package attempt_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/attempt"
)

func TestRetriesDoNotBecomeAStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := attempt.NewBudget(attempt.RetryBudget())
		u := scripts([]step{fails(status(weir.KindUpstream, 502))})
		h := retried(u, attempt.RetryOptions{Policies: &attempt.Policies{}, Budget: budget})
		const calls = 1000
		withheld := int64(0)
		for range calls {
			for ev := range h.Handle(t.Context(), request()) {
				if n, ok := ev.Note.(*attempt.Withheld); ok {
					withheld++
					if n.Deployment != "p/m" || n.What != "retry" {
						t.Fatalf("note %+v", n)
					}
				}
			}
		}
		retries := u.calls.Load() - calls
		if retries < calls/5 || retries > calls/5+10 {
			t.Errorf("%d retries of %d calls that all fail", retries, calls)
		}
		if s := budget.Stats(); s.Taken != retries || s.Refused != withheld || withheld == 0 {
			t.Errorf("stats %+v with %d retries, %d notes", s, retries, withheld)
		}
	})
}

func TestBudgetHasAFloorForTheFewCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := attempt.NewBudget(attempt.BudgetOptions{Floor: 2, Window: 10 * time.Second})
		take := func() (n int) {
			for b.Take() {
				n++
			}
			return n
		}
		if n := take(); n != 2 {
			t.Errorf("%d at first", n)
		}
		time.Sleep(5 * time.Second)
		if n := take(); n != 1 {
			t.Errorf("%d after half a window", n)
		}
		time.Sleep(time.Hour)
		if n := take(); n != 2 {
			t.Errorf("%d after an hour: more was saved up than the floor", n)
		}
	})
}

func TestBudgetZeroAllowsNothingAndNilEverything(t *testing.T) {
	zero := attempt.NewBudget(attempt.BudgetOptions{})
	zero.Call()
	var none *attempt.Budget
	none.Call()
	if zero.Take() || !none.Take() || none.Stats() != (attempt.BudgetStats{}) {
		t.Error("the zero options allow an attempt, or nil does not")
	}
}

func TestBudgetIsNeverOverdrawn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := attempt.BudgetOptions{
			Ratio: float64(rapid.IntRange(0, 100).Draw(t, "percent")) / 100,
			Floor: rapid.IntRange(0, 20).Draw(t, "floor"), Window: time.Hour, Burst: rapid.IntRange(0, 20).Draw(t, "burst"),
		}
		b := attempt.NewBudget(o)
		calls, taken := 0, 0
		for range rapid.IntRange(0, 300).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "call") {
				b.Call()
				calls++
			} else if b.Take() {
				taken++
			}
		}
		// An hour does not pass; what it brings is less than one.
		if bound := float64(o.Floor) + o.Ratio*float64(calls) + 1; float64(taken) > bound {
			t.Fatalf("%d taken of %d calls, allowed are %v", taken, calls, bound)
		}
	})
}

func TestBudgetOfManyCallsAtOnce(t *testing.T) {
	b := attempt.NewBudget(attempt.BudgetOptions{Ratio: 0.5, Burst: 1000, Window: time.Hour})
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for range 8 {
		wg.Go(func() {
			mine := 0
			for range 100 {
				b.Call()
				if b.Take() {
					mine++
				}
			}
			mu.Lock()
			defer mu.Unlock()
			taken += mine
		})
	}
	wg.Wait()
	for b.Take() {
		taken++
	}
	if taken != 400 {
		t.Errorf("%d taken of 800 calls at one half", taken)
	}
}
