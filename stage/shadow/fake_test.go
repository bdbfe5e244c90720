package shadow_test

import (
	"context"
	"iter"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/shadow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A model answers a text after a while, and remembers what it was asked.
type model struct {
	text  string
	delay time.Duration
	err   error // in place of an answer
	panic any

	mu  sync.Mutex
	got []*weir.Request
}

func (m *model) Handle(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		m.mu.Lock()
		m.got = append(m.got, req)
		m.mu.Unlock()
		if m.panic != nil {
			panic(m.panic)
		}
		if m.delay > 0 {
			select {
			case <-time.After(m.delay):
			case <-ctx.Done():
			}
		}
		if m.err != nil {
			yield(weir.Event{}, m.err)
			return
		}
		for _, ev := range m.events() {
			if err := ctx.Err(); err != nil {
				yield(weir.Event{}, err)
				return
			}
			if !yield(ev, nil) {
				return
			}
		}
	}
}

func (m *model) events() []weir.Event {
	u := &weir.Usage{}
	u.Set(weir.UsageInput, 7)
	u.Set(weir.UsageOutput, 3)
	return []weir.Event{
		weir.NoteEvent(&weir.Attempt{Number: 1, Deployment: "p/" + m.text, Provider: "p"}),
		{Type: weir.EventStart, Start: &weir.Start{}},
		{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockReasoning}},
		{Type: weir.EventDelta, Text: "I think, "},
		{Type: weir.EventBlockEnd},
		{Type: weir.EventBlockStart, Index: 1, Block: &weir.Block{Type: weir.BlockText}},
		{Type: weir.EventDelta, Index: 1, Text: m.text},
		{Type: weir.EventBlockEnd, Index: 1},
		{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}},
		{Type: weir.EventUsage, Usage: u},
	}
}

func (m *model) asked() []*weir.Request {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.got
}

// A sink keeps the results.
type sink struct {
	mu  sync.Mutex
	got []*shadow.Result
}

func (s *sink) tell(r *shadow.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, r)
}

func (s *sink) results() []*shadow.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got
}

// always is options that copy everything to second.
func always(second weir.Handler, to *sink) shadow.Options {
	return shadow.Options{Handler: second, Sink: to.tell, Targets: []shadow.Target{{Model: "second", Percent: 100}}}
}

// open makes a Shadow that is closed with the test.
func open(t testing.TB, o shadow.Options) *shadow.Shadow {
	t.Helper()
	s, err := shadow.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

// call asks once and waits for the copies of what has been asked until then.
func call(t testing.TB, s *shadow.Shadow, first weir.Handler, req *weir.Request) *weir.Completion {
	t.Helper()
	done, err := weir.Collect(s.Middleware()(first).Handle(t.Context(), req))
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func asks(id string) *weir.Request {
	req := weir.NewRequest("first", &weir.Body{Messages: []weir.Message{weir.UserText("a question")}})
	req.ID = id
	return req
}
