package weirtest

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weir-gateway/weir"
)

// TestHandler proves the contract of weir.Handler for the answer to req; see
// HandlerSuite for handlers that hold connections or have effects to watch.
func TestHandler(t *testing.T, newHandler func() weir.Handler, req *weir.Request) {
	t.Helper()
	HandlerSuite{New: newHandler, Request: req}.Run(t)
}

// A HandlerSuite is the contract of weir.Handler as tests. The answer that it
// is run with should be short: it is asked for several times for each event.
type HandlerSuite struct {
	// New makes the handler; it is called for every part of the suite.
	New func() weir.Handler
	// Request must be answered without an error.
	Request *weir.Request
	// Probe counts the handler's effects (calls made, slots taken). Nil: there
	// are none to watch. It must not move before a sequence is ranged over.
	Probe func() int64
	// Open is how much is held at the moment (bodies, slots, reservations). Nil:
	// nothing is. It must be 0 whenever a range statement has ended.
	Open func() int64
	// Settle is called before goroutines are counted, to close idle connections.
	// Nil: those of http.DefaultTransport.
	Settle func()
	// Buffered accepts that after a cancellation the rest of an answer that had
	// arrived already is delivered to its end.
	Buffered bool
}

// patience is how long something may take that must happen by itself: a
// watchdog against hangs, not a measurement.
const patience = 20 * time.Second

// Run runs the suite.
func (s HandlerSuite) Run(t *testing.T) {
	t.Helper()
	whole := s.rehearse(t)
	t.Run("does nothing before it is ranged over", s.testLazy)
	t.Run("lets the consumer stop after every event", func(t *testing.T) { s.testStop(t, len(whole)) })
	t.Run("ends with a canceled error when the context has ended before", s.testCanceledBefore)
	t.Run("ends with a canceled error at every event", func(t *testing.T) { s.testCanceled(t, whole) })
	t.Run("ends with a timeout error when the deadline has passed", s.testDeadline)
	t.Run("does not modify the request", s.testRequestUntouched)
	t.Run("serves many at once", s.testConcurrent)
}

// rehearse ranges once over the whole answer and checks it.
func (s HandlerSuite) rehearse(t *testing.T) []weir.Event {
	t.Helper()
	events, err := s.collect(t, t.Context(), s.New())
	if err != nil {
		t.Fatalf("the suite needs a request that is answered; the handler says: %v", err)
	}
	if err := CheckEvents(events); err != nil {
		t.Fatalf("the answer is not well-formed: %v", err)
	}
	s.released(t)
	return events
}

// collect ranges over one call to its end, and checks that an error is the last
// pair and comes without an event.
func (s HandlerSuite) collect(t *testing.T, ctx context.Context, h weir.Handler) ([]weir.Event, error) {
	t.Helper()
	var events []weir.Event
	var last error
	var frames weir.FrameCloner
	for ev, err := range h.Handle(ctx, s.Request) {
		if last != nil {
			t.Error("the error was not the last pair")
		}
		if err != nil {
			last = err
			checkErrorPair(t, ev)
			continue
		}
		events = append(events, frames.Clone(ev))
	}
	return events, last
}

func checkErrorPair(t *testing.T, ev weir.Event) {
	t.Helper()
	if !reflect.DeepEqual(ev, weir.Event{}) {
		t.Errorf("the error came with an event of type %s", ev.Type)
	}
}

func (s HandlerSuite) testLazy(t *testing.T) {
	h := s.New()
	before := s.probe()
	for range 3 {
		_ = h.Handle(t.Context(), s.Request)
	}
	if after := s.probe(); after != before {
		t.Errorf("there were %d effects before the sequence was ranged over", after-before)
	}
	s.released(t)
}

func (s HandlerSuite) testStop(t *testing.T, n int) {
	leaks := s.watchLeaks()
	for stop := range n {
		h, seen := s.New(), 0
		for _, err := range h.Handle(t.Context(), s.Request) {
			if err != nil {
				t.Fatalf("stopping after event %d: error before it: %v", stop, err)
			}
			if seen == stop {
				break
			}
			seen++
		}
		s.released(t)
	}
	leaks(t)
}

func (s HandlerSuite) testCanceledBefore(t *testing.T) {
	leaks := s.watchLeaks()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	events, err := s.collect(t, ctx, s.New())
	if err == nil {
		t.Fatal("a call whose context had ended was answered")
	}
	s.checkKind(t, err, weir.KindCanceled)
	if err := CheckPartial(events); err != nil {
		t.Error(err)
	}
	s.released(t)
	leaks(t)
}

func (s HandlerSuite) testDeadline(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, err := s.collect(t, ctx, s.New())
	if err == nil {
		t.Fatal("a call whose deadline had passed was answered")
	}
	s.checkKind(t, err, weir.KindTimeout)
	s.released(t)
}

func (s HandlerSuite) testCanceled(t *testing.T, whole []weir.Event) {
	leaks := s.watchLeaks()
	for at := range whole {
		s.cancelAt(t, at, whole)
		s.released(t)
	}
	leaks(t)
}

// cancelAt cancels after event at and goes on ranging.
func (s HandlerSuite) cancelAt(t *testing.T, at int, whole []weir.Event) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	watchdog := time.AfterFunc(patience, func() { panic("weirtest: the handler did not end after its context had") })
	defer watchdog.Stop()
	var last error
	n := 0
	for ev, err := range s.New().Handle(ctx, s.Request) {
		if err != nil {
			last = err
			checkErrorPair(t, ev)
			continue
		}
		if n == at {
			cancel()
		}
		n++
	}
	if last != nil {
		s.checkKind(t, last, weir.KindCanceled)
		return
	}
	if !s.Buffered && !contentOver(whole[:at+1], whole) {
		t.Errorf("canceled after event %d of %d (%s), the call ended without an error", at, len(whole), whole[at].Type)
	}
}

// contentOver reports whether nothing of the client's answer is left after seen.
func contentOver(seen, whole []weir.Event) bool {
	for _, ev := range whole[len(seen):] {
		if ev.IsContent() {
			return false
		}
	}
	return true
}

func (s HandlerSuite) checkKind(t *testing.T, err error, want weir.Kind) {
	t.Helper()
	if got := weir.AsError(err).Kind; got != want {
		t.Errorf("the error is of kind %s, not %s: %v", got, want, err)
	}
}

func (s HandlerSuite) testRequestUntouched(t *testing.T) {
	before := snapshot(t, s.Request)
	if _, err := s.collect(t, t.Context(), s.New()); err != nil {
		t.Fatal(err)
	}
	if after := snapshot(t, s.Request); !reflect.DeepEqual(before, after) {
		t.Errorf("the handler modified its request:\nbefore %+v\nafter  %+v", before, after)
	}
}

func (s HandlerSuite) testConcurrent(t *testing.T) {
	leaks := s.watchLeaks()
	h := s.New()
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			events, err := s.collect(t, t.Context(), h)
			errs[i] = errors.Join(err, CheckEvents(events))
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	s.released(t)
	leaks(t)
}

func (s HandlerSuite) probe() int64 {
	if s.Probe == nil {
		return 0
	}
	return s.Probe()
}

// released checks that nothing is held after a range statement.
func (s HandlerSuite) released(t *testing.T) {
	t.Helper()
	if s.Open == nil {
		return
	}
	if n := s.Open(); n != 0 {
		t.Errorf("%d things are still held after the range statement", n)
	}
}

// watchLeaks notes the goroutines of now, and gives the check against them.
func (s HandlerSuite) watchLeaks() func(*testing.T) {
	s.settle()
	now := goleak.IgnoreCurrent()
	return func(t *testing.T) {
		t.Helper()
		s.settle()
		if err := goleak.Find(now); err != nil {
			t.Errorf("goroutines were left behind: %v", err)
		}
	}
}

func (s HandlerSuite) settle() {
	if s.Settle != nil {
		s.Settle()
		return
	}
	if tr, ok := http.DefaultTransport.(*http.Transport); ok {
		tr.CloseIdleConnections()
	}
}
