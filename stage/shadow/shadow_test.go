package shadow_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/shadow"
	"github.com/weir-gateway/weir/weirtest"
)

func TestTheSecondModelIsAskedAndCompared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second, to := &model{text: "one answer", delay: time.Second}, &model{text: "another", delay: 3 * time.Second}, &sink{}
		o := always(second, to)
		o.Compare = func(a, b string) float64 {
			if a != "one answer" || b != "another" { // thinking is no text
				t.Errorf("compared %q and %q", a, b)
			}
			return 0.25
		}
		s := open(t, o)
		req := asks("r1")
		req.Principal = &weir.Principal{Name: "ada"}
		began := time.Now()
		if got := call(t, s, first, req).Text(); got != "one answer" {
			t.Errorf("the client got %q", got)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("the client waited for %v", took)
		}
		time.Sleep(4 * time.Second)
		if len(to.results()) != 1 {
			t.Fatalf("%d results", len(to.results()))
		}
		r := to.results()[0]
		if r.Target != "second" || r.ID != "r1" || r.Principal != "ada" || r.Op != weir.Generate || !r.Scored || r.Score != 0.25 {
			t.Errorf("the result is %+v", r)
		}
		for name, o := range map[string]shadow.Outcome{"first": r.First, "second": r.Second} {
			want := map[string]shadow.Outcome{
				"first":  {Model: "first", Deployment: "p/one answer", Duration: time.Second},
				"second": {Model: "second", Deployment: "p/another", Duration: 3 * time.Second},
			}[name]
			if o.Model != want.Model || o.Deployment != want.Deployment || o.Duration != want.Duration || o.TTFT != want.Duration ||
				o.Finish != weir.FinishStop || o.Err != nil || !o.Usage.Has(weir.UsageInput|weir.UsageOutput) || o.Usage.Total() != 10 {
				t.Errorf("%s: %+v", name, o)
			}
		}
	})
}

func TestACopyIsMadeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second, to := &model{}, &sink{}
		s := open(t, always(second, to))
		req := asks("r1")
		req.Labels = map[string]string{"team": "search"}
		req.Stream, req.Strict, req.Principal = true, true, &weir.Principal{Name: "ada", Models: []string{"first"}}
		req.Allowance, req.Deployments = weir.NewAllowance(9), []weir.Deployment{{Name: "p/first"}}
		call(t, s, &model{}, req)
		synctest.Wait()
		got := second.asked()[0]
		if got.ID != "r1-shadow1" || got.Model != "second" || !got.Stream || !got.Strict || !got.Relay {
			t.Errorf("the copy is %+v", got)
		}
		if got.Principal.Name != shadow.DefaultPrincipal || got.Principal.Models != nil {
			t.Errorf("the copy is for %+v", got.Principal)
		}
		if len(got.Labels) != 3 || got.Labels["team"] != "search" || got.Labels[shadow.LabelTarget] != "second" || got.Labels[shadow.LabelOf] != "r1" {
			t.Errorf("labels %q", got.Labels)
		}
		if len(req.Labels) != 1 {
			t.Errorf("the client's labels became %q", req.Labels)
		}
		if got.Deployments != nil || got.Uplink != nil || got.Allowance == req.Allowance || got.Allowance.Left() != 1 {
			t.Errorf("the copy brings %v, %v attempts", got.Deployments, got.Allowance.Left())
		}
	})
}

func TestTheOptionsOfACopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second, to := &model{}, &sink{}
		o := always(second, to)
		o.Principal, o.Attempts = &weir.Principal{Name: "evaluation"}, 3
		o.Compare = func(string, string) float64 { return 1 }
		s := open(t, o)
		first := &model{}
		req := asks("r1")
		req.Relay = true
		call(t, s, first, req)
		synctest.Wait()
		got := second.asked()[0]
		if got.Principal.Name != "evaluation" || got.Allowance.Left() != 3 || got.Relay || first.asked()[0].Relay {
			t.Errorf("the copy is %+v", got)
		}
	})
}

// The bytes of a request are used again when its call is over; those of the copy
// are its own.
func TestTheBytesOfACopyAreItsOwn(t *testing.T) {
	for _, reopened := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			second, to := &model{}, &sink{}
			o := always(second, to)
			decode := func(w *weir.Wire) *weir.Request {
				return weir.NewWireRequest(w, func() (*weir.Body, error) {
					return &weir.Body{Tools: []weir.Tool{{Name: "f", Schema: w.Body}}}, nil
				})
			}
			if reopened {
				o.Open = func(op weir.Operation, w *weir.Wire) (*weir.Request, error) {
					if op != weir.Generate || w.Index != nil {
						t.Errorf("opened for %v with the scan %v", op, w.Index)
					}
					return decode(w), nil
				}
			}
			s := open(t, o)
			raw := []byte(`{"type":"object"}`)
			req := decode(&weir.Wire{Protocol: weir.OpenAIChat, Body: raw, Index: 1, Path: "/v1/x"})
			req.Model = "first"
			call(t, s, &model{}, req)
			for i := range raw {
				raw[i] = 'x'
			}
			synctest.Wait()
			got := second.asked()[0]
			body, _ := got.Body()
			if string(body.Tools[0].Schema) != `{"type":"object"}` {
				t.Errorf("the copy's schema is %s", body.Tools[0].Schema)
			}
			if (got.Wire != nil) != reopened || reopened && (got.Wire.Protocol != weir.OpenAIChat || got.Wire.Path != "/v1/x") {
				t.Errorf("the copy's wire is %+v", got.Wire)
			}
		})
	}
}

func TestWhatMayNotBeAskedTwiceIsNot(t *testing.T) {
	text := []weir.Message{weir.UserText("hi")}
	for _, c := range []struct {
		name string
		op   weir.Operation
		body *weir.Body
		want bool
	}{
		{"a chat", weir.Generate, &weir.Body{Messages: text}, true},
		{"a chat with tools", weir.Generate, &weir.Body{Messages: text, Tools: []weir.Tool{{Type: weir.ToolFunction}, {Type: weir.ToolCustom}}}, true},
		{"vectors", weir.Embed, &weir.Body{Messages: text}, true},
		{"a response that is not kept", weir.Generate, &weir.Body{From: weir.OpenAIResponses, Thread: &weir.Thread{Store: new(false)}}, true},
		{"a response", weir.Generate, &weir.Body{From: weir.OpenAIResponses}, false},
		{"a response that is kept", weir.Generate, &weir.Body{From: weir.OpenAIResponses, Thread: &weir.Thread{Store: new(true)}}, false},
		{"a chat that is kept", weir.Generate, &weir.Body{From: weir.OpenAIChat, Thread: &weir.Thread{Store: new(true)}}, false},
		{"what goes on from what is kept", weir.Generate, &weir.Body{Thread: &weir.Thread{Previous: "resp_1", Store: new(false)}}, false},
		{"a conversation", weir.Generate, &weir.Body{Thread: &weir.Thread{Conversation: "conv_1"}}, false},
		{"in the background", weir.Generate, &weir.Body{Thread: &weir.Thread{Background: new(true), Store: new(false)}}, false},
		{"with tools of the upstream", weir.Generate, &weir.Body{Tools: []weir.Tool{{Type: weir.ToolHosted}}}, false},
		{"without a body", weir.Generate, nil, false},
		{"counting", weir.CountTokens, &weir.Body{Messages: text}, false},
		{"a picture", weir.Image, &weir.Body{Messages: text}, false},
		{"files", weir.Files, &weir.Body{}, false},
		{"batches", weir.Batches, &weir.Body{}, false},
		{"realtime", weir.Realtime, &weir.Body{}, false},
		{"anything else", weir.Other, &weir.Body{}, false},
	} {
		for _, wired := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				second, to := &model{}, &sink{}
				o := always(second, to)
				request := func(w *weir.Wire) *weir.Request {
					if !wired {
						return weir.NewRequest("first", c.body)
					}
					return weir.NewWireRequest(w, func() (*weir.Body, error) { return c.body, nil })
				}
				o.Open = func(_ weir.Operation, w *weir.Wire) (*weir.Request, error) { return request(w), nil }
				s := open(t, o)
				req := request(&weir.Wire{Body: []byte("{}")})
				req.Op = c.op
				call(t, s, &model{}, req)
				synctest.Wait()
				if got := len(second.asked()) == 1; got != c.want {
					t.Errorf("%s (wire %v): asked twice: %v, want %v", c.name, wired, got, c.want)
				}
				if st := s.Stats(); st.Done+st.Skipped != st.Sampled || st.Dropped != 0 {
					t.Errorf("%s: %+v", c.name, st)
				}
			})
		}
	}
}

func TestWhatCannotBeCopiedIsSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second, to := &model{}, &sink{}
		broken := errors.New("no such request")
		o := always(second, to)
		s := open(t, o)
		call(t, s, &model{}, weir.NewWireRequest(&weir.Wire{}, func() (*weir.Body, error) { return nil, broken }))
		o.Open = func(weir.Operation, *weir.Wire) (*weir.Request, error) { return nil, broken }
		other := open(t, o)
		call(t, other, &model{}, weir.NewWireRequest(&weir.Wire{}, nil))
		synctest.Wait()
		if s.Stats().Skipped != 1 || other.Stats().Skipped != 1 || len(second.asked()) != 0 {
			t.Errorf("%+v, %+v", s.Stats(), other.Stats())
		}
	})
}

func TestAFailedOrAbandonedCallIsNotCopied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second, to := &model{}, &sink{}
		s := open(t, always(second, to))
		_, err := weir.Collect(s.Middleware()(&model{err: weir.KindUpstream}).Handle(t.Context(), asks("r")))
		if !errors.Is(err, weir.KindUpstream) {
			t.Errorf("the client got %v", err)
		}
		for range s.Middleware()(&model{}).Handle(t.Context(), asks("r")) {
			break
		}
		synctest.Wait()
		if st := s.Stats(); st.Sampled != 0 || len(second.asked()) != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestAShadowHasNoShadow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *shadow.Shadow
		second, to := &model{}, &sink{}
		o := always(nil, to)
		var whole weir.Handler
		o.Handler = weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
			return whole.Handle(ctx, req)
		})
		s = open(t, o)
		whole = s.Middleware()(second)
		if _, err := weir.Collect(whole.Handle(t.Context(), asks("r"))); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(second.asked()) != 2 || len(to.results()) != 1 {
			t.Errorf("%d calls, %d results", len(second.asked()), len(to.results()))
		}
	})
}

func TestASecondAnswerThatFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		second *model
		kind   weir.Kind
		panics uint64
	}{
		{"it fails", &model{err: weir.KindOverloaded}, weir.KindOverloaded, 0},
		{"it takes too long", &model{delay: time.Hour}, weir.KindTimeout, 0},
		{"it panics", &model{panic: "a secret"}, weir.KindInternal, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			to := &sink{}
			o := always(c.second, to)
			if c.kind == weir.KindOverloaded {
				c.second.err = weir.Errorf(c.kind, "busy")
			}
			o.Compare = func(string, string) float64 {
				t.Errorf("%s: compared", c.name)
				return 0
			}
			s := open(t, o)
			if got := call(t, s, &model{text: "yes"}, asks("r")).Text(); got != "yes" {
				t.Errorf("%s: the client got %q", c.name, got)
			}
			time.Sleep(shadow.DefaultTimeout)
			synctest.Wait()
			r := to.results()[0]
			if r.Second.Err == nil || r.Second.Err.Kind != c.kind || r.Scored || r.First.Err != nil {
				t.Errorf("%s: %+v", c.name, r.Second)
			}
			if r.Second.Err != nil && strings.Contains(r.Second.Err.Error(), "secret") {
				t.Errorf("%s: the error tells %v", c.name, r.Second.Err)
			}
			if st := s.Stats(); st.Failed != 1 || st.Done != 1 || st.Panics != c.panics || st.Running != 0 {
				t.Errorf("%s: %+v", c.name, st)
			}
		})
	}
}

func TestAPanickingSinkEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := always(&model{}, nil)
		o.Sink = func(*shadow.Result) { panic("full") }
		s := open(t, o)
		call(t, s, &model{}, asks("a"))
		call(t, s, &model{}, asks("b"))
		synctest.Wait()
		if st := s.Stats(); st.Panics != 2 || st.Running != 0 || st.Done != 2 {
			t.Errorf("%+v", st)
		}
	})
}

// What runs and waits is bounded, in number and bytes; the rest is dropped and
// counted, and the clients notice nothing.
func TestCopiesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second, to := &model{delay: time.Second}, &sink{}
		o := always(second, to)
		o.MaxRunning, o.MaxQueued = 2, 3
		s := open(t, o)
		for i := range 10 {
			call(t, s, &model{}, asks(strconv.Itoa(i)))
		}
		synctest.Wait()
		if st := s.Stats(); st.Running != 2 || st.Queued != 3 || st.Dropped != 5 || st.Sampled != 10 {
			t.Errorf("at first: %+v", st)
		}
		time.Sleep(1100 * time.Millisecond)
		if st := s.Stats(); st.Running != 2 || st.Queued != 1 || st.Done != 2 {
			t.Errorf("after a second: %+v", st)
		}
		time.Sleep(3 * time.Second)
		if st := s.Stats(); st.Running != 0 || st.Queued != 0 || st.Done != 5 {
			t.Errorf("at last: %+v", st)
		}
		if waited := to.results()[4].Waited; waited != 2*time.Second {
			t.Errorf("the last one waited for %v", waited)
		}
		call(t, s, &model{}, asks("again"))
		time.Sleep(2 * time.Second)
		if st := s.Stats(); st.Done != 6 {
			t.Errorf("afterwards: %+v", st)
		}
	})
}

func TestTheBytesOfCopiesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second, to := &model{delay: time.Second}, &sink{}
		o := always(second, to)
		o.MaxBytes = 2500
		o.Open = func(_ weir.Operation, w *weir.Wire) (*weir.Request, error) {
			return weir.NewWireRequest(w, func() (*weir.Body, error) { return &weir.Body{}, nil }), nil
		}
		s := open(t, o)
		for range 3 {
			req := weir.NewWireRequest(&weir.Wire{Body: bytes.Repeat([]byte(" "), 1000)}, nil)
			call(t, s, &model{}, req)
		}
		call(t, s, &model{}, weir.NewRequest("m", &weir.Body{ // without bytes its texts count
			Messages: []weir.Message{weir.UserText(strings.Repeat("x", 1000))},
		}))
		if st := s.Stats(); st.Dropped != 2 {
			t.Errorf("%+v", st)
		}
		time.Sleep(2 * time.Second)
		call(t, s, &model{}, weir.NewWireRequest(&weir.Wire{Body: bytes.Repeat([]byte(" "), 2500)}, nil))
		time.Sleep(2 * time.Second)
		if st := s.Stats(); st.Dropped != 2 || st.Done != 3 {
			t.Errorf("the room was not given back: %+v", st)
		}
	})
}

func TestCloseWaitsForWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second, to := &model{delay: time.Second}, &sink{}
		o := always(second, to)
		o.MaxRunning = 1
		s := open(t, o)
		call(t, s, &model{}, asks("runs"))
		call(t, s, &model{}, asks("waits"))
		began := time.Now()
		s.Close(context.Background())
		if took := time.Since(began); took != time.Second {
			t.Errorf("it took %v", took)
		}
		call(t, s, &model{}, asks("comes too late"))
		if st := s.Stats(); st.Done != 1 || st.Failed != 0 || st.Dropped != 2 || st.Running+st.Queued != 0 {
			t.Errorf("%+v", st)
		}
		s.Close(context.Background())
	})
}

func TestCloseCutsWhatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second, to := &model{delay: time.Minute}, &sink{}
		s := open(t, always(second, to))
		call(t, s, &model{}, asks("r"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		s.Close(ctx)
		if took := time.Since(began); took != time.Second {
			t.Errorf("it took %v", took)
		}
		if r := to.results(); len(r) != 1 || r[0].Second.Err == nil || r[0].Second.Err.Kind != weir.KindCanceled {
			t.Errorf("results %+v", r)
		}
	})
}

// The client's context ends with its call; the copy's does not.
func TestACopyOutlivesItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second, to := &model{delay: time.Second}, &sink{}
		s := open(t, always(second, to))
		type key struct{}
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "trace"))
		if _, err := weir.Collect(s.Middleware()(&model{}).Handle(ctx, asks("r"))); err != nil {
			t.Fatal(err)
		}
		cancel()
		time.Sleep(2 * time.Second)
		if r := to.results(); len(r) != 1 || r[0].Second.Err != nil {
			t.Errorf("results %+v", r)
		}
	})
}

func TestTextsAreCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := always(&model{text: "好好好"}, &sink{})
		o.MaxText = 5
		var a, b string
		o.Compare = func(first, second string) float64 { a, b = first, second; return 0 }
		call(t, open(t, o), &model{text: "aaaaaaaaa"}, asks("r"))
		synctest.Wait()
		if a != "aaaaa" || b != "好" {
			t.Errorf("compared %q and %q", a, b)
		}
	})
}

// What is in at some per cent is in at more; nothing is in at 0, everything at
// 100; the same id has the same fate in another process, and two targets have
// theirs by themselves.
func TestSamplingIsStable(t *testing.T) {
	in := func(percent float64, id, name string) bool {
		to, second := &sink{}, &model{}
		o := always(second, to)
		o.Targets[0].Percent, o.Targets[0].Name = percent, name
		s, err := shadow.New(o)
		if err != nil {
			t.Fatal(err)
		}
		call(t, s, &model{}, asks(id))
		s.Close(context.Background())
		return s.Stats().Sampled == 1
	}
	rapid.Check(t, func(rt *rapid.T) {
		id := rapid.StringN(1, 40, -1).Draw(rt, "id")
		p := rapid.Float64Range(0, 100).Draw(rt, "percent")
		more := rapid.Float64Range(p, 100).Draw(rt, "more")
		was := in(p, id, "a")
		if was != in(p, id, "a") {
			rt.Fatal("the same request has two fates")
		}
		if was && !in(more, id, "a") {
			rt.Fatalf("it is in at %v and not at %v", p, more)
		}
		if in(0, id, "a") || !in(100, id, "a") {
			rt.Fatal("0 and 100 per cent are no limits")
		}
	})
	var hits, both int
	const n = 4000
	for i := range n {
		a, b := in(10, "req-"+strconv.Itoa(i), "a"), in(10, "req-"+strconv.Itoa(i), "b")
		if a {
			hits++
		}
		if a && b {
			both++
		}
	}
	if math.Abs(float64(hits)/n-0.1) > 0.02 || math.Abs(float64(both)/n-0.01) > 0.007 {
		t.Errorf("%d of %d are in, %d twice", hits, n, both)
	}
}

func TestWhatDecidesAboutTheSample(t *testing.T) {
	count := func(o shadow.Options, requests ...*weir.Request) uint64 {
		o.MaxQueued = 100_000
		s := open(t, o)
		for _, req := range requests {
			call(t, s, &model{}, req)
		}
		s.Close(context.Background())
		return s.Stats().Sampled
	}
	var same, none []*weir.Request
	for i := range 1000 {
		same = append(same, asks(strconv.Itoa(i)))
		none = append(none, asks(""))
	}
	half := always(&model{}, &sink{})
	half.Targets[0].Percent = 50
	if n := count(half, none...); n < 400 || n > 600 {
		t.Errorf("without an id %d of 1000", n)
	}
	half.Key = func(*weir.Request) string { return "one user" }
	if n := count(half, same...); n != 0 && n != 1000 {
		t.Errorf("with the same key %d of 1000", n)
	}
	some := always(&model{}, &sink{})
	some.Targets[0].Models = []string{"other"}
	if n := count(some, same[0]); n != 0 {
		t.Error("another model's request was sampled")
	}
	some.Targets[0].Models = []string{"other", "first"}
	some.Targets = append(some.Targets, shadow.Target{Name: "twice", Model: "second", Percent: 100}, shadow.Target{Model: "off"})
	if n := count(some, same[0]); n != 2 {
		t.Errorf("two targets sampled %d copies", n)
	}
}

func TestMistakesAreTold(t *testing.T) {
	o := always(&model{}, &sink{})
	o.Targets = []shadow.Target{{Percent: 1}, {Model: "m", Percent: 101}, {Model: "m", Percent: -1}, {Model: "m", Percent: math.NaN()}, {Model: "m"}, {Name: "m", Model: "n"}}
	_, err := shadow.New(o)
	want := []string{
		"target 1: model is missing", "target 2: percent is 101, and must be between 0 and 100", "target 3: percent is -1, and must be between 0 and 100",
		"target 4: percent is NaN, and must be between 0 and 100", `target 6: there is a target "m" already`,
	}
	if err == nil || !slices.Equal(strings.Split(err.Error(), "\n"), want) {
		t.Errorf("the error is %v", err)
	}
	for _, o := range []shadow.Options{{Handler: &model{}}, {Sink: func(*shadow.Result) {}}} {
		if _, err := shadow.New(o); err == nil {
			t.Errorf("accepted %+v", o)
		}
	}
	if s := open(t, shadow.Options{Handler: &model{}, Sink: func(*shadow.Result) {}}); s.Middleware()(nil) != nil {
		t.Error("without targets there is a stage")
	}
}

func TestTheStageIsAHandler(t *testing.T) {
	s := open(t, always(&model{text: "second"}, &sink{}))
	weirtest.HandlerSuite{
		New:     func() weir.Handler { return s.Middleware()(&model{text: "first"}) },
		Request: asks("r"), Buffered: true,
	}.Run(t)
}
