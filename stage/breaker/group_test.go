package breaker_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/breaker"
)

// A field is a group of deployments whose upstreams can be made slow.
type field struct {
	board *breaker.Board
	group *breaker.Group
	up    map[string]*upstream
	log   told
}

func newField(o breaker.Options, names ...string) *field {
	f := &field{up: map[string]*upstream{}}
	o.OnChange = f.log.hear
	f.board = breaker.NewBoard(o)
	f.group = f.board.NewGroup("smart", names...)
	f.board.Install(f.group)
	for _, n := range names {
		f.up[n] = replies(taking(500 * time.Millisecond))
	}
	return f
}

// ask makes n calls at a deployment that take d each.
func (f *field) ask(t *testing.T, name string, n int, d time.Duration) []breaker.Change {
	t.Helper()
	f.up[name].next(taking(d))
	return times(t, n, f.board.Health(name).Wrap(f.up[name]))
}

// settle has all deployments answer twenty times in half a second.
func (f *field) settle(t *testing.T) {
	t.Helper()
	for name := range f.up {
		f.ask(t, name, 20, 500*time.Millisecond)
	}
}

// slowDown makes a deployment slow until it is ejected, or ten times.
func (f *field) slowDown(t *testing.T, name string) (ejected []breaker.Change) {
	t.Helper()
	for range 10 {
		if ejected = f.ask(t, name, 1, 10*time.Second); len(ejected) > 0 {
			return ejected
		}
	}
	return nil
}

func (f *field) standing(name string) breaker.Standing { return f.group.Member(name).Standing() }

func TestASlowDeploymentIsEjectedFromItsGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newField(breaker.Options{}, "a", "b", "c")
		f.settle(t)
		if changes := f.ask(t, "a", 1, 10*time.Second); len(changes) != 0 {
			t.Errorf("one slow answer ejects: %+v", changes)
		}
		changes := f.slowDown(t, "a")
		if len(changes) != 1 || changes[0].To != breaker.Ejected || changes[0].Group != "smart" || !strings.Contains(changes[0].Reason, "peers 500ms") {
			t.Fatalf("changes %+v", changes)
		}
		if !slices.Equal(f.log.states(), []breaker.State{breaker.Ejected}) {
			t.Errorf("told %v", f.log.states())
		}
		s := status(f.board, "a")
		if s.State != breaker.Ejected || s.Weight != 0 || !slices.Equal(s.EjectedFrom, []string{"smart"}) || f.standing("a") != breaker.Slow {
			t.Errorf("%+v", s)
		}
		if f.board.Health("a").Standing() != breaker.Ready {
			t.Error("outside of the group it is as good as ever")
		}
		if _, err := call(t.Context(), f.board.Health("a").Wrap(f.up["a"])); err != nil {
			t.Errorf("an ejected deployment refuses: %v", err)
		}
	})
}

func TestAnEjectedDeploymentComesBackByProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newField(breaker.Options{}, "a", "b")
		f.settle(t)
		if f.group.Member("a").Probe() {
			t.Error("a probe of what is not ejected")
		}
		if f.slowDown(t, "a") == nil {
			t.Fatal("it was not ejected")
		}
		probes := 0
		for range 10 * 60 { // ten minutes at most
			if f.standing("a") == breaker.Ready {
				break
			}
			if f.group.Member("a").Probe() {
				probes++
				f.ask(t, "a", 1, 500*time.Millisecond)
				if f.group.Member("a").Probe() {
					t.Fatal("two probes in a row")
				}
			}
			time.Sleep(time.Second)
		}
		if f.standing("a") != breaker.Ready || probes < 2 || probes > 10 {
			t.Errorf("after %d probes it is %s: %+v", probes, f.standing("a"), status(f.board, "a"))
		}
		if !slices.Equal(f.log.states(), []breaker.State{breaker.Ejected, breaker.Closed}) {
			t.Errorf("told %v", f.log.states())
		}
	})
}

func TestWhoIsNotEjected(t *testing.T) {
	tests := []struct {
		name  string
		o     breaker.EjectOptions
		names []string
		do    func(t *testing.T, f *field)
	}{
		{"the only one", breaker.EjectOptions{}, []string{"a"}, func(t *testing.T, f *field) { f.settle(t) }},
		{"one that was asked too seldom", breaker.EjectOptions{}, []string{"a", "b"}, func(t *testing.T, f *field) { f.ask(t, "b", 30, 500*time.Millisecond) }},
		{"one whose peers were asked too seldom", breaker.EjectOptions{}, []string{"a", "b"}, func(t *testing.T, f *field) { f.ask(t, "a", 30, 500*time.Millisecond) }},
		{"one that is quick enough", breaker.EjectOptions{Floor: time.Minute}, []string{"a", "b"}, func(t *testing.T, f *field) { f.settle(t) }},
		{"one among others as slow", breaker.EjectOptions{Factor: 100}, []string{"a", "b"}, func(t *testing.T, f *field) { f.settle(t) }},
		{"anyone when it is off", breaker.EjectOptions{Off: true}, []string{"a", "b"}, func(t *testing.T, f *field) { f.settle(t) }},
		{"the last that works", breaker.EjectOptions{}, []string{"a", "b"}, func(t *testing.T, f *field) {
			f.settle(t)
			f.up["b"].next(broken(weir.KindUpstream))
			times(t, 30, f.board.Health("b").Wrap(f.up["b"]))
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newField(breaker.Options{Eject: test.o}, test.names...)
				test.do(t, f)
				if changes := f.slowDown(t, "a"); changes != nil || f.standing("a") != breaker.Ready {
					t.Errorf("%+v", changes)
				}
			})
		})
	}
}

func TestAtMostHalfOfAGroupIsEjected(t *testing.T) {
	for _, names := range [][]string{{"a", "b"}, {"a", "b", "c"}, {"a", "b", "c", "d"}, {"a", "b", "c", "d", "e"}} {
		synctest.Test(t, func(t *testing.T) {
			f := newField(breaker.Options{}, names...)
			f.settle(t)
			out := 0
			for _, name := range names {
				if f.slowDown(t, name) != nil {
					out++
				}
			}
			if out == 0 || out > len(names)/2 {
				t.Errorf("%d of %d are ejected", out, len(names))
			}
		})
	}
}

func TestGroupsSurviveAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newField(breaker.Options{}, "a", "b", "c")
		f.settle(t)
		f.slowDown(t, "a")
		next := f.board.NewGroup("smart", "d", "a", "b")
		if next.Member("a").Standing() != breaker.Ready || next.Member("x") != nil {
			t.Error("a group knows something before it is installed")
		}
		if s := status(f.board, "a"); s.State != breaker.Ejected {
			t.Error("a group that is not installed yet changes what is")
		}
		f.board.Install(next)
		if next.Member("a").Standing() != breaker.Slow {
			t.Error("who was ejected was let in by a reload")
		}
		f.board.Install(f.board.NewGroup("smart", "a"))
		if s := status(f.board, "a"); s.State != breaker.Closed {
			t.Errorf("the only one is ejected: %+v", s)
		}
		f.board.Install()
		if changes := f.slowDown(t, "b"); changes != nil {
			t.Errorf("a group that is gone ejects: %+v", changes)
		}
	})
}

func TestEjectionEndsWhenItIsSwitchedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newField(breaker.Options{}, "a", "b")
		f.settle(t)
		f.slowDown(t, "a")
		f.board.Configure(breaker.Options{Eject: breaker.EjectOptions{Off: true}})
		f.ask(t, "a", 1, 10*time.Second)
		if f.standing("a") != breaker.Ready {
			t.Error("still ejected")
		}
	})
}
