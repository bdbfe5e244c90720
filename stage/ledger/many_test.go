package ledger_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/ledger"
)

// gathered is a sink that counts; the stage itself holds no lock over it.
type gathered struct {
	mu     sync.Mutex
	ids    map[string]int
	tokens int64
}

// Record implements ledger.Sink.
func (g *gathered) Record(e *ledger.Entry) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ids[e.ID]++
	g.tokens += e.Usage.Total()
}

// whatever number of calls end at once, each is recorded once and none waits
// for another.
func TestManyCallsAreRecordedOnceEach(t *testing.T) {
	u := new(weir.Usage)
	u.Set(weir.UsageInput, 2)
	u.Set(weir.UsageOutput, 3)
	up := plays(
		step{ev: weir.Event{Type: weir.EventStart, Start: &weir.Start{ID: "a"}}},
		step{ev: weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}}},
		step{ev: weir.Event{Type: weir.EventUsage, Usage: u}},
	)
	sink := &gathered{ids: map[string]int{}}
	h := weir.Chain(up, ledger.New(ledger.Options{Sink: sink}))
	const n = 500
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			req := weir.NewRequest("m", &weir.Body{Messages: []weir.Message{weir.UserText("hi")}})
			req.ID = fmt.Sprint("req_", i)
			for _, err := range h.Handle(t.Context(), req) {
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if len(sink.ids) != n || sink.tokens != 5*n {
		t.Errorf("%d entries with %d tokens", len(sink.ids), sink.tokens)
	}
	for id, times := range sink.ids {
		if times != 1 {
			t.Errorf("%s is recorded %d times", id, times)
		}
	}
}
