package breaker_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/breaker"
)

func TestABoardFindsADeploymentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, _ := opened(t, breaker.Options{})
		b.Configure(breaker.Options{Open: time.Hour})
		if b.Health("d").Standing() != breaker.Down || b.Health("other").Standing() != breaker.Ready {
			t.Error("the health of a deployment is found by its name")
		}
		b.Health("c")
		if list := b.List(); len(list) != 3 || list[0].Deployment != "c" || list[2].Deployment != "other" {
			t.Errorf("%+v", list)
		}
		b.Retain(func(name string) bool { return name == "c" })
		if list := b.List(); len(list) != 1 || b.Health("d").Standing() != breaker.Ready {
			t.Errorf("what is forgotten begins anew: %+v", list)
		}
	})
}

func TestABoardIsBounded(t *testing.T) { // O-04
	synctest.Test(t, func(t *testing.T) {
		b := breaker.NewBoard(breaker.Options{MaxDeployments: 16})
		b.Install(b.NewGroup("g", "a", "b"))
		down := b.Health("down").Wrap(replies(broken(weir.KindUpstream)))
		times(t, 10, down)
		for i := range 200 {
			time.Sleep(time.Second)
			times(t, 1, b.Health(fmt.Sprintf("junk-%d", i)).Wrap(replies(reply{})))
		}
		list := b.List()
		known := map[string]bool{}
		for _, s := range list {
			known[s.Deployment] = true
		}
		if len(list) > 16 || !known["a"] || !known["down"] || !known["junk-199"] || known["junk-100"] {
			t.Errorf("%d are kept: %v", len(list), known)
		}
	})
}

func TestABoardThatIsFullStillServes(t *testing.T) { // O-04
	b := breaker.NewBoard(breaker.Options{MaxDeployments: 1})
	b.Install(b.NewGroup("g", "a"))
	h := b.Health("b")
	if _, err := call(t.Context(), h.Wrap(replies(reply{}))); err != nil || len(b.List()) != 1 {
		t.Errorf("error %v, %d are kept", err, len(b.List()))
	}
}

func TestOnChangeMayReadTheBoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b *breaker.Board
		seen := 0
		b = breaker.NewBoard(breaker.Options{OnChange: func(c breaker.Change) {
			seen++
			b.Health(c.Deployment).Status()
			if b.List()[0].State != c.To {
				t.Errorf("told of %s, it is %s", c.To, b.List()[0].State)
			}
		}})
		times(t, 10, b.Health("d").Wrap(replies(broken(weir.KindUpstream))))
		if seen != 1 {
			t.Errorf("told %d times", seen)
		}
	})
}

func TestAStatusHoldsNothingOfAnError(t *testing.T) {
	b := breaker.NewBoard(breaker.Options{})
	times(t, 10, b.Health("d").Wrap(replies(reply{err: &weir.Error{Kind: weir.KindUpstream, Status: 500, Message: "key sk-secret"}})))
	if text := fmt.Sprintf("%+v", b.List()); strings.Contains(text, "secret") {
		t.Error(text)
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	var log told
	b := breaker.NewBoard(breaker.Options{Open: time.Microsecond, MaxOpen: time.Microsecond, FailureRate: 0.1, OnChange: log.hear})
	b.Install(b.NewGroup("g", "d", "e"))
	u := replies(reply{})
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			h := b.Health("d").Wrap(u)
			for i := range 300 {
				switch i % 40 {
				case 0:
					u.next(broken(weir.KindUpstream))
				case 20:
					u.next(reply{})
				}
				call(t.Context(), h)
				b.Health("d").Standing()
				if n == 0 {
					b.List()
				}
			}
		})
	}
	wg.Wait()
	from := breaker.Closed
	for i, c := range log.changes {
		if c.From != from {
			t.Fatalf("change %d is from %s, the one before was to %s", i, c.From, from)
		}
		from = c.To
	}
	if s := status(b, "d"); s.InFlight != 0 || len(log.changes) == 0 || s.State != from {
		t.Errorf("%+v after %d changes", s, len(log.changes))
	}
}
