package limit

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// rounds enters so many rounds of latencies, and reports whether one of them
// lowered the limit.
func (l *law) rounds(n int, d time.Duration, inFlight int) bool {
	lowered := false
	for range n * most {
		lowered = l.sample(d, inFlight) || lowered
	}
	return lowered
}

func TestLawStaysInBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		least := rapid.IntRange(1, 50).Draw(t, "least")
		greatest := rapid.IntRange(least, 200).Draw(t, "greatest")
		l := newLaw(least, rapid.IntRange(1, 500).Draw(t, "start"), greatest, rapid.Float64Range(1.01, 10).Draw(t, "tolerance"))
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			before := l.places()
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				l.grow()
				if l.places() < before || l.places() > before+1 {
					t.Fatalf("from %d, a success led to %d", before, l.places())
				}
			case 1:
				l.complain()
				if l.places() > before {
					t.Fatalf("from %d, a complaint led to %d", before, l.places())
				}
			case 2:
				l.sample(time.Duration(rapid.Int64Range(-1, 1e12).Draw(t, "latency")), rapid.IntRange(0, 300).Draw(t, "in flight"))
				if l.places() > before {
					t.Fatalf("from %d, a latency led to %d", before, l.places())
				}
			}
			if l.places() < least || l.places() > greatest {
				t.Fatalf("%d is not between %d and %d", l.places(), least, greatest)
			}
		}
	})
}

func TestLawGrowsByOneForARound(t *testing.T) {
	l := newLaw(1, 20, 100, 3)
	for range 20 {
		l.grow()
	}
	if l.places() != 40 {
		t.Errorf("before any complaint: %d places, want twice as many", l.places())
	}
	l.cut(0.5)
	for range 20 {
		l.grow()
	}
	if got := l.places(); got != 20 {
		t.Errorf("after one round: %d places, want not quite 21", got)
	}
	l.grow()
	if got := l.places(); got != 21 {
		t.Errorf("after a round and one: %d places", got)
	}
}

func TestLawIsCautiousWhereItWasToldNo(t *testing.T) {
	l := newLaw(1, 20, 100, 3)
	l.complain()
	successes := func(places int) (n int) {
		for l.places() < places {
			l.grow()
			n++
		}
		return n
	}
	if n := successes(19); n > 19*6 {
		t.Errorf("%d successes from 14 to 19 places", n)
	}
	if n := successes(20); n < 19*9 || n > 20*10 {
		t.Errorf("%d successes for the place that was too much", n)
	}
	if n := successes(22); n > 22*2 {
		t.Errorf("%d successes for two more, when it had taken that", n)
	}
}

func TestLawHeedsLatency(t *testing.T) {
	quick, slow := 300*time.Millisecond, 3*time.Second
	learned := func() law {
		l := newLaw(4, 100, 100, 3)
		l.rounds(2, quick, 100)
		return l
	}
	t.Run("far above what is usual lowers the limit to what was quick", func(t *testing.T) {
		l := learned()
		if !l.rounds(1, 2*time.Second, 100) || l.places() > 30 || l.places() < 10 {
			t.Errorf("%d places", l.places())
		}
	})
	t.Run("somewhat above does not", func(t *testing.T) {
		if l := learned(); l.rounds(5, 2*quick, 100) || l.places() != 100 {
			t.Errorf("%d places", l.places())
		}
	})
	t.Run("a single slow answer does not", func(t *testing.T) {
		l := learned()
		for range 10 * most {
			if l.sample(quick, 100) {
				t.Fatal("lowered")
			}
		}
		if l.sample(time.Minute, 100); l.rounds(3, quick, 100) || l.places() != 100 {
			t.Errorf("%d places", l.places())
		}
	})
	t.Run("not when it cannot be our load", func(t *testing.T) {
		l := learned()
		l.rounds(1, quick, 10) // the peak of the round before is forgotten
		if l.rounds(20, slow, 10) || l.places() != 100 {
			t.Errorf("%d places", l.places())
		}
	})
	t.Run("what is slow at the lowest limit is what is usual", func(t *testing.T) {
		l := learned()
		l.rounds(20, slow, 100)
		if usual := duration(l.base); l.places() != 4 || usual < slow*9/10 || usual > slow*11/10 {
			t.Errorf("%d places, %s is taken for usual", l.places(), usual)
		}
		for range 96 {
			l.grow()
		}
		if l.rounds(5, slow, 100) || l.places() != 100 {
			t.Errorf("%d places: it did not come back", l.places())
		}
	})
}

func TestLawIsLoweredBelowWhatWasQuickAtMost(t *testing.T) {
	l := newLaw(1, 64, 64, 3)
	l.rounds(1, time.Millisecond, 64)
	for range most {
		if l.sample(time.Hour, 64) {
			break
		}
	}
	if l.places() != 16 {
		t.Errorf("one round left %d places of 64", l.places())
	}
}
