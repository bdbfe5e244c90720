package limit_test

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/limit"
)

// A server takes so many calls at a time. With patient it takes more, and
// becomes slower by as much as it has too many; else it says 429 to them.
type server struct {
	capacity atomic.Int64
	patient  bool
	first    time.Duration // to the first content
	whole    time.Duration // to the end

	open, served, complaints, most atomic.Int64
}

func (s *server) Handle(ctx context.Context, _ *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		n, capacity := s.open.Add(1), s.capacity.Load()
		defer s.open.Add(-1)
		s.most.Store(max(s.most.Load(), n))
		first := s.first
		if n > capacity {
			if !s.patient {
				s.complaints.Add(1)
				yield(weir.Event{}, upstreamError(429))
				return
			}
			first = first * time.Duration(n) / time.Duration(capacity)
		}
		time.Sleep(first)
		if !yield(weir.Event{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}}, nil) {
			return
		}
		time.Sleep(s.whole - s.first)
		s.served.Add(1)
		yield(weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}}, nil)
	}
}

// besiege has so many callers call h without rest until ctx ends.
func besiege(ctx context.Context, callers int, h weir.Handler) {
	for range callers {
		go func() {
			for ctx.Err() == nil {
				if streamed(ctx, h) != nil {
					time.Sleep(50 * time.Millisecond)
				}
			}
		}()
	}
}

// within watches the limit for a minute, and tells where it left the bounds.
func within(a *limit.Adaptive, least, greatest int) string {
	for range 600 {
		time.Sleep(100 * time.Millisecond)
		if s := a.Stats(); s.Limit < least || s.Limit > greatest {
			return fmt.Sprintf("not between %d and %d: %+v", least, greatest, s)
		}
	}
	return ""
}

// The limit at a deployment that says 429 above its capacity C comes to lie
// between 0.7·(C+1) and C+2, from above and from below, within C+30 rounds.
func TestAdaptiveFindsTheCapacity(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		before, after := rapid.IntRange(2, 30).Draw(r, "capacity"), rapid.IntRange(2, 30).Draw(r, "later")
		start := rapid.IntRange(1, 100).Draw(r, "start")
		problem := ""
		synctest.Test(t, func(t *testing.T) {
			s := &server{first: 200 * time.Millisecond, whole: time.Second}
			a := limit.NewAdaptive(limit.AdaptiveOptions{Max: 100, Start: start, Queue: 200, MaxWait: time.Hour})
			ctx, cancel := context.WithCancel(t.Context())
			besiege(ctx, 120, a.Middleware()(s))
			for _, capacity := range []int{before, after} {
				s.capacity.Store(int64(capacity))
				time.Sleep(time.Duration(capacity+30) * s.whole)
				served, complaints := s.served.Load(), s.complaints.Load()
				if problem = within(a, 7*(capacity+1)/10, capacity+2); problem != "" {
					break
				}
				served, complaints = s.served.Load()-served, s.complaints.Load()-complaints
				if part := float64(served) / float64(60*capacity); part < 0.8 || complaints*10 > served {
					problem = fmt.Sprintf("capacity %d: used to %.2f, with %d complaints for %d answers", capacity, part, complaints, served)
					break
				}
			}
			cancel()
			time.Sleep(time.Minute)
			quiet(t, a)
		})
		if problem != "" {
			r.Fatal(problem)
		}
	})
}

// A deployment that becomes slow above its capacity C gets no more than Tolerance
// times of it, or of Start where that was more already, and no less than half.
func TestAdaptiveFindsWhereItBecomesSlow(t *testing.T) {
	for _, capacity := range []int{4, 10, 25} {
		for _, start := range []int{1, 8} {
			t.Run(fmt.Sprintf("capacity %d from %d", capacity, start), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &server{patient: true, first: time.Second, whole: 2 * time.Second}
					s.capacity.Store(int64(capacity))
					a := limit.NewAdaptive(limit.AdaptiveOptions{Max: 400, Start: start, Queue: 1000, MaxWait: time.Hour})
					ctx, cancel := context.WithCancel(t.Context())
					besiege(ctx, 500, a.Middleware()(s))
					time.Sleep(5 * time.Minute)
					for range 20 {
						if problem := within(a, capacity/2, 3*max(capacity, start)+5); problem != "" {
							t.Error(problem)
							break
						}
					}
					cancel()
					time.Sleep(time.Minute)
					quiet(t, a)
				})
			})
		}
	}
}

func TestAdaptiveReachesMaxWhereNothingComplains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{first: 200 * time.Millisecond, whole: time.Second}
		s.capacity.Store(1000)
		a := limit.NewAdaptive(limit.AdaptiveOptions{Max: 100, Start: 1, Queue: 200, MaxWait: time.Hour})
		ctx, cancel := context.WithCancel(t.Context())
		besiege(ctx, 120, a.Middleware()(s))
		time.Sleep(10 * time.Second) // it doubles every second at least
		if got := a.Stats().Limit; got != 100 || s.most.Load() != 100 {
			t.Errorf("the limit is %d, at most %d were in flight", got, s.most.Load())
		}
		cancel()
		time.Sleep(time.Minute)
		quiet(t, a)
	})
}

// A caller is one call of a random story.
type caller struct {
	after, patience, takes, leaves time.Duration
	fails                          bool
}

var callers = rapid.Custom(func(r *rapid.T) caller {
	ms := func(what string, most int) time.Duration {
		return time.Duration(rapid.IntRange(0, most).Draw(r, what)) * 10 * time.Millisecond
	}
	c := caller{after: ms("after", 20), takes: ms("takes", 100), fails: rapid.IntRange(0, 5).Draw(r, "fails") == 0}
	if rapid.Bool().Draw(r, "hurries") {
		c.patience = 10*time.Millisecond + ms("patience", 200)
	}
	if rapid.IntRange(0, 3).Draw(r, "leaves") == 0 {
		c.leaves = 10*time.Millisecond + ms("leaves after", 200)
	}
	return c
})

// watched counts what is in flight, and the calls that begin above Max.
type watched struct {
	open, exceeded atomic.Int64
}

type callerKey struct{}

func (w *watched) Handle(ctx context.Context, _ *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		if w.open.Add(1) > 12 {
			w.exceeded.Add(1)
		}
		defer w.open.Add(-1)
		c := ctx.Value(callerKey{}).(caller)
		select {
		case <-time.After(c.takes):
		case <-ctx.Done():
			yield(weir.Event{}, ctx.Err())
			return
		}
		if c.fails {
			yield(weir.Event{}, upstreamError(503))
			return
		}
		yield(weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}}, nil)
	}
}

// tell runs a story, and returns what was wrong with it.
func tell(t *testing.T, story []caller) string {
	a := limit.NewAdaptive(limit.AdaptiveOptions{Min: 2, Max: 12, Start: 3, Queue: 10, MaxWait: 3 * time.Second})
	up := &watched{}
	h := a.Middleware()(up)
	var over atomic.Int64
	before := a.Stats()
	for _, c := range story {
		time.Sleep(c.after)
		go func() {
			defer over.Add(1)
			ctx := context.WithValue(t.Context(), callerKey{}, c)
			if c.patience > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, c.patience)
				defer cancel()
			}
			if c.leaves > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithCancel(ctx)
				defer time.AfterFunc(c.leaves, cancel).Stop()
				defer cancel()
			}
			_ = streamed(ctx, h)
		}()
		synctest.Wait()
		s := a.Stats()
		switch {
		case s.Waiting > 0 && s.InFlight < s.Limit:
			return fmt.Sprintf("one waits beside a free place: %+v", s)
		case s.Waiting > 10 || s.Limit < 2 || s.Limit > 12 || up.open.Load() != int64(s.InFlight):
			return fmt.Sprintf("out of bounds, with %d in flight: %+v", up.open.Load(), s)
		case s.Lowered == before.Lowered && s.InFlight > max(s.Limit, before.InFlight):
			return fmt.Sprintf("one was let in above the limit: %+v", s) // when lowered, more may be left from before
		}
		before = s
	}
	time.Sleep(10 * time.Second) // longer than MaxWait and any call
	switch s := a.Stats(); {
	case over.Load() != int64(len(story)):
		return fmt.Sprintf("%d of %d calls are over: %+v", over.Load(), len(story), s)
	case s.InFlight != 0 || s.Waiting != 0:
		return fmt.Sprintf("left behind: %+v", s)
	case up.exceeded.Load() != 0:
		return fmt.Sprintf("%d calls began above Max", up.exceeded.Load())
	}
	return ""
}

func TestAdaptiveServesOrRefusesEverybody(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		story := rapid.SliceOfN(callers, 1, 80).Draw(r, "story")
		problem := ""
		synctest.Test(t, func(t *testing.T) { problem = tell(t, story) })
		if problem != "" {
			r.Fatal(problem)
		}
	})
}
