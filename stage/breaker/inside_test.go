package breaker

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestSketchIsOffByASixteenthAtMost(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var s sketch
		ms := rapid.SliceOfN(rapid.Int64Range(1, 1_000_000), 1, 200).Draw(r, "ms")
		for _, d := range ms {
			s.add(time.Duration(d)*time.Millisecond, 5, 100)
		}
		slices.Sort(ms)
		for _, q := range []float64{0.01, 0.5, 0.95, 1} {
			rank := max(1, int(q*float64(len(ms))+0.999999))
			want := float64(ms[rank-1])
			if got := float64(s.quantile(q, 5, 100)) / 1e6; got < want*15/16-1 || got > want*17/16+1 {
				r.Fatalf("quantile %g of %v is %g, want %g", q, ms, got, want)
			}
		}
	})
}

func TestSketchTakesAnyDuration(t *testing.T) {
	var s sketch
	for _, d := range []time.Duration{-1, 0, 1, 1 << 62} {
		s.add(d, 0, 100)
	}
	if got := s.quantile(1, 0, 100); got < 16*time.Minute {
		t.Errorf("the longest is %s", got)
	}
	if got := s.quantile(0, 0, 100); got > time.Millisecond {
		t.Errorf("the shortest is %s", got)
	}
}

func TestWindowHoldsWhatIsInIt(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		const length = slots * 10
		var w window
		var at []int64
		now := int64(0)
		for range rapid.IntRange(1, 60).Draw(r, "calls") {
			now += rapid.Int64Range(0, 70).Draw(r, "pause")
			w.at(now, length).add(failed)
			at = append(at, now)
			want := uint32(0)
			for _, x := range at {
				if x/10 > now/10-slots {
					want++
				}
			}
			if got := w.sum(now, length); got.failed != want || got.good != 0 {
				r.Fatalf("at %d it holds %+v, want %d of %v", now, got, want, at)
			}
		}
	})
}

func TestFadeIsExactEnough(t *testing.T) {
	for _, x := range []int64{0, 1, 1e3, 19_999, 20_000, 20_001, 1e6, 1e9} {
		near, far := fade(x, 1e6), fade(x*10_000, 1e10)
		if diff := near - far; diff > 1e-9 || diff < -1e-9 {
			t.Errorf("fade(%d) is %g and %g", x, near, far)
		}
	}
	if below, above := fade(19_999, 1e6), fade(20_001, 1e6); below <= above || below-above > 5e-6 {
		t.Errorf("there is a step where the formula changes: %g, %g", below, above)
	}
	if fade(-5, 1e6) != 1 {
		t.Error("a clock that goes back makes a peak larger")
	}
}
