package thread_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/thread"
	"github.com/weir-gateway/weir/weirtest"
)

func TestStageKeepsTheContract(t *testing.T) {
	k := newKeeper()
	first := mustAnswer(t, stand(k, &model{}), says("one"))
	for name, a := range map[string]ask{
		"kept": says("hi"), "not kept": says("hi").store(false), "continued": says("two").after(first.Start.ID),
	} {
		t.Run(name, func(t *testing.T) {
			for _, native := range []bool{false, true} {
				m := &model{native: native}
				weirtest.HandlerSuite{
					New: func() weir.Handler {
						if native {
							return nativeStand(k, m, "openai/m", true)
						}
						return stand(k, m)
					},
					Request: a.request(), Probe: m.calls.Load, Open: m.open.Load,
				}.Run(t)
			}
		})
	}
}

func TestOtherProtocolsCostNothing(t *testing.T) {
	decoded := false
	req := weir.NewWireRequest(&weir.Wire{Protocol: weir.OpenAIChat}, func() (*weir.Body, error) {
		decoded = true
		return &weir.Body{}, nil
	})
	events := weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		return func(func(weir.Event, error) bool) {}
	})
	h := thread.New(thread.Options{Keeper: newKeeper(), Keep: true})(events)
	if n := testing.AllocsPerRun(100, func() { _ = h.Handle(t.Context(), req) }); n > 0 || decoded {
		t.Errorf("a request of another protocol cost %v allocations, decoded %t", n, decoded)
	}
	if thread.New(thread.Options{}) != nil {
		t.Error("without a keeper there is a stage")
	}
}

func TestContinuingIsSendingTheWholeConversation(t *testing.T) {
	k, m := newKeeper(), &model{}
	h := stand(k, m)
	one := mustAnswer(t, h, says("my name is Ada").told("be brief"))
	two := mustAnswer(t, h, says("what is my name?").told("be kind").after(one.Start.ID))
	if got, want := m.said(), []string{"be kind", "my name is Ada", one.Text(), "what is my name?"}; !slices.Equal(got, want) {
		t.Errorf("the upstream was told %q, want %q", got, want)
	}
	mustAnswer(t, h, says("again").after(two.Start.ID))
	if got, want := m.said(), []string{"my name is Ada", one.Text(), "what is my name?", two.Text(), "again"}; !slices.Equal(got, want) {
		t.Errorf("the upstream was told %q, want %q", got, want)
	}
	req := m.last()
	body, err := req.Body()
	if err != nil || body.Thread != nil || req.Wire != nil {
		t.Errorf("the upstream sees %+v", body.Thread)
	}
	if body.Messages[0].At != "previous_response_id" || body.Messages[4].At != "input[0]" {
		t.Errorf("places %q and %q", body.Messages[0].At, body.Messages[4].At)
	}
	if !strings.HasPrefix(one.Start.ID, "resp_") || one.Start.ID == two.Start.ID || len(one.Start.ID) < 25 {
		t.Errorf("ids %q and %q", one.Start.ID, two.Start.ID)
	}
}

// TestAnyChainIsTheWholeConversation: whatever deployments serve the turns of a
// tree of responses, each is answered as if all had been sent.
func TestAnyChainIsTheWholeConversation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := newKeeper()
		foreign, ours, theirs := &model{}, &model{}, &model{}
		hs := []weir.Handler{stand(k, foreign), nativeStand(k, ours, "vllm/m", false), nativeStand(k, theirs, "openai/m", true)}
		type turn struct {
			id      string
			history []weir.Message
		}
		turns := []turn{{}}
		for i := range rapid.IntRange(1, 12).Draw(t, "turns") {
			from := turns[rapid.IntRange(0, len(turns)-1).Draw(t, "from")]
			a := says(fmt.Sprint("question ", i))
			if rapid.Bool().Draw(t, "tool") {
				a.input = append(a.input, weir.ToolResultText("call", fmt.Sprint("result ", i)))
			}
			a = a.after(from.id)
			at := rapid.IntRange(0, 1).Draw(t, "deployment")
			if rapid.Bool().Draw(t, "bare id") {
				a.thread.Previous = strings.TrimPrefix(from.id, "resp_")
			}
			out := answerTo(context.Background(), hs[at], a)
			if out.err != nil {
				t.Fatal(out.err)
			}
			whole := slices.Concat(from.history, a.input)
			if out.Text() != "seen "+digest(whole) {
				t.Fatalf("turn %d at %d was answered otherwise than with the whole conversation", i, at)
			}
			id := out.Start.ID
			if at == 1 {
				// A real upstream's ids are unique; this model counts.
				id = fmt.Sprintf("resp_up%d", ours.calls.Load())
			}
			turns = append(turns, turn{id, append(whole, weir.Message{Role: weir.RoleAssistant, Blocks: out.Choices[0].Message.Blocks})})
		}
		last := turns[len(turns)-1]
		out := answerTo(context.Background(), hs[2], says("end").after(last.id))
		if out.err != nil || out.Text() != "seen "+digest(append(slices.Clone(last.history), weir.UserText("end"))) {
			t.Fatalf("the provider that keeps responses itself was not told of those that others made: %v", out.err)
		}
	})
}

func TestUnknownIDs(t *testing.T) {
	k, m := newKeeper(), &model{}
	h := stand(k, m)
	mine := mustAnswer(t, h, says("secret").by("a"))
	for name, a := range map[string]ask{
		"never there":    says("x").after("resp_none"),
		"of another key": says("x").by("b").after(mine.Start.ID),
		"of nobody":      says("x").after(mine.Start.ID),
		"very long":      says("x").after(strings.Repeat("x", 100_000)),
	} {
		out := answerTo(t.Context(), h, a)
		if out.err == nil || out.err.Kind != weir.KindInvalid || out.err.Code != "previous_response_not_found" ||
			out.err.Param != "previous_response_id" || out.err.HTTPStatus(weir.OpenAIResponses) != 400 {
			t.Errorf("%s: %+v", name, out.err)
		}
		if out.err != nil && len(out.err.Message) > 300 {
			t.Errorf("%s: a message of %d bytes", name, len(out.err.Message))
		}
	}
	if m.calls.Load() != 1 {
		t.Errorf("%d upstream calls", m.calls.Load())
	}
	out := answerTo(t.Context(), h, says("x").after(mine.Start.ID).within("conv_1"))
	if out.err == nil || out.err.Kind != weir.KindInvalid {
		t.Errorf("both kinds of state at once: %v", out.err)
	}
}

func TestStoreFalseIsNotKept(t *testing.T) {
	k, m := newKeeper(), &model{}
	h := stand(k, m)
	out := mustAnswer(t, h, says("x").store(false))
	if out.kept != nil {
		t.Error("it was kept")
	}
	if body, _ := m.last().Body(); body.Thread != nil { // the gateway has taken it in: nothing is lost
		t.Errorf("the upstream is told %+v", body.Thread)
	}
	if again := answerTo(t.Context(), h, says("y").after(out.Start.ID)); again.err == nil {
		t.Error("it could be continued")
	}
}

func TestRecord(t *testing.T) {
	k, m := newKeeper(), &model{reason: weir.FinishLength}
	a := says("in").by("key").told("be brief")
	out := mustAnswer(t, stand(k, m), a)
	rec, err := k.Response(t.Context(), "key", out.Start.ID)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Model != "m" || rec.Deployment != "p/m" || rec.Provider != "p" || rec.Status != thread.Incomplete ||
		rec.Finish != weir.FinishLength || rec.Usage.Total() != 5 || len(rec.Input) != 1 || rec.Input[0].Text() != "in" ||
		len(rec.Output) != 1 || rec.Output[0].Text() != out.Text() || rec.Native || rec.Created.IsZero() {
		t.Errorf("record %+v", rec)
	}
	if out.kept == nil || out.kept.ID != out.Start.ID {
		t.Fatalf("note %+v", out.kept)
	}
	if err := out.kept.KeepBody(t.Context(), []byte(`{"id":1}`)); err != nil {
		t.Fatal(err)
	}
	if b, err := k.Body(t.Context(), "key", out.Start.ID); err != nil || string(b) != `{"id":1}` {
		t.Errorf("body %q, %v", b, err)
	}
	if b, _ := k.Body(t.Context(), "other", out.Start.ID); b != nil {
		t.Errorf("another key reads %q", b)
	}
	if d, ok := k.DeploymentOf(t.Context(), "key", out.Start.ID); !ok || d != "p/m" { // T-06
		t.Errorf("made at %q, %t", d, ok)
	}
	if _, ok := k.DeploymentOf(t.Context(), "other", out.Start.ID); ok {
		t.Error("another key learns where it was made")
	}
	items, more, err := k.InputItems(t.Context(), "key", out.Start.ID, thread.Page{Limit: 1})
	if err != nil || more || len(items) != 1 || !strings.HasPrefix(items[0].ID, "msg_") {
		t.Errorf("items %+v, %t, %v", items, more, err)
	}
	if err := k.Delete(t.Context(), "other", out.Start.ID); !errors.Is(err, weir.KindNotFound) {
		t.Errorf("another key deletes: %v", err)
	}
	if err := k.Delete(t.Context(), "key", out.Start.ID); err != nil {
		t.Errorf("delete: %v", err)
	}
	for range 2 {
		if err := k.Delete(t.Context(), "key", out.Start.ID); !errors.Is(err, weir.KindNotFound) {
			t.Errorf("delete again: %v", err)
		}
	}
	if b, _ := k.Body(t.Context(), "key", out.Start.ID); b != nil {
		t.Error("the body is still there")
	}
}

func TestEndWaitsUntilTheAnswerIsKept(t *testing.T) {
	k, m := newKeeper(), &model{}
	h := stand(k, m)
	id := ""
	for ev, err := range h.Handle(t.Context(), says("x").request()) {
		if err != nil {
			t.Fatal(err)
		}
		switch ev.Type {
		case weir.EventStart:
			id = ev.Start.ID
		case weir.EventFinish, weir.EventUsage:
			if rec, err := k.Response(t.Context(), "", id); err != nil || rec.Usage == nil {
				t.Errorf("at the %s event the response is %+v, %v", ev.Type, rec, err)
			}
		}
	}
}

func TestNativeAnswersStayVerbatim(t *testing.T) {
	k, m := newKeeper(), &model{}
	h := nativeStand(k, m, "openai/m", true)
	out := mustAnswer(t, h, says("x"))
	if m.last().Wire == nil || m.last().Relay {
		t.Error("the request was edited, or the answer not decoded")
	}
	wantFrames(t, out, "created", "in_progress", "text", "text", "completed")
	if out.Start.ID != "resp_up1" {
		t.Errorf("id %q", out.Start.ID)
	}
	next := mustAnswer(t, h, says("y").after(out.Start.ID))
	if m.last().Wire == nil || len(m.said()) != 1 {
		t.Error("what the provider keeps itself was sent again")
	}
	wantFrames(t, next, "created", "in_progress", "text", "text", "completed")
	mustAnswer(t, h, says("y").after("resp_elsewhere"))
	if m.last().Wire == nil {
		t.Error("an id that only the provider can know did not go up")
	}
	if n := mustAnswer(t, h, says("y").after(out.Start.ID).to(weir.CountTokens)); n.kept != nil {
		t.Error("a count was kept")
	}
}

// wantFrames checks that the frames came whole and as they were.
func wantFrames(t *testing.T, out outcome, names ...string) {
	t.Helper()
	var got []string
	var at *weir.Frame
	for _, ev := range out.events {
		if ev.Type == weir.EventNote {
			continue
		}
		if ev.Frame == nil {
			t.Errorf("%s has no frame", ev.Type)
			continue
		}
		if ev.FrameSeq == 0 {
			at = ev.Frame
			got = append(got, string(ev.Frame.Raw))
		} else if ev.Frame != at {
			t.Errorf("%s was torn from its frame", ev.Type)
		}
	}
	if !slices.Equal(got, names) {
		t.Errorf("frames %v, want %v", got, names)
	}
}

func TestNativeAnswerToAnExpandedRequestIsRetold(t *testing.T) {
	k, m := newKeeper(), &model{}
	one := mustAnswer(t, stand(k, &model{}), says("one"))
	for _, stores := range []bool{true, false} {
		h := nativeStand(k, m, "native/m", stores)
		two := mustAnswer(t, h, says("two").after(one.Start.ID))
		if got := m.said(); len(got) != 3 {
			t.Errorf("the upstream was told %q", got)
		}
		body, err := m.last().Body()
		if err != nil {
			t.Fatal(err)
		}
		if stores != (body.Thread == nil) || !stores && (body.Thread.Previous != "" || *body.Thread.Store) {
			t.Errorf("stores %t: the upstream is told %+v", stores, body.Thread)
		}
		for _, ev := range two.events {
			if ev.Frame != nil || ev.Type == weir.EventRelay {
				t.Errorf("%s of an answer to another request is sent on", ev.Type)
			}
		}
		x := two.Start.Extra
		if string(x.Value("previous_response_id")) != fmt.Sprintf("%q", one.Start.ID) || string(x.Value("store")) != "true" ||
			string(x.Value("truncation")) != `"disabled"` {
			t.Errorf("members %+v", x)
		}
		rec, err := k.Response(t.Context(), "", two.Start.ID)
		if err != nil || rec.Native != stores {
			t.Errorf("record %+v, %v", rec, err)
		}
	}
}

func TestKeepOff(t *testing.T) {
	k := newKeeper()
	theirs := &model{native: true}
	off := thread.New(thread.Options{Keeper: k, Deployment: "openai/m", Native: true, NativeStore: true})(theirs)
	out := mustAnswer(t, off, says("x"))
	if !theirs.last().Relay || theirs.last().Wire == nil {
		t.Error("what is not kept was decoded")
	}
	wantFrames(t, out, "created", "in_progress", "text", "text", "completed")
	if d, ok := k.DeploymentOf(t.Context(), "", out.Start.ID); !ok || d != "openai/m" { // T-06
		t.Errorf("made at %q", d)
	}
	if _, err := k.Response(t.Context(), "", out.Start.ID); !errors.Is(err, weir.KindNotFound) {
		t.Errorf("it can be fetched: %v", err)
	}
	elsewhere := answerTo(t.Context(), stand(k, &model{}), says("y").after(out.Start.ID))
	if elsewhere.err == nil || elsewhere.err.Code != "previous_response_not_found" {
		t.Errorf("continued elsewhere: %v", elsewhere.err)
	}
	foreign := thread.New(thread.Options{Keeper: k, Deployment: "p/m"})(&model{})
	kept := mustAnswer(t, foreign, says("x"))
	if kept.kept != nil {
		t.Error("it was kept")
	}
}

func TestFailures(t *testing.T) {
	broken := weir.Errorf(weir.KindUpstream, "cut")
	for name, test := range map[string]struct {
		after int
		err   error
		want  thread.Status // empty: nothing is kept
	}{
		"before anything":          {0, broken, ""},
		"after the start":          {1, broken, ""},
		"in the middle":            {3, broken, thread.Failed},
		"after the finish":         {6, broken, thread.Failed},
		"the client left":          {3, context.Canceled, thread.Cancelled},
		"the time limit was there": {3, context.DeadlineExceeded, thread.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			k, m := newKeeper(), &model{fail: test.err, after: test.after}
			out := answerTo(t.Context(), stand(k, m), says("x"))
			if out.err == nil || out.err.Kind != weir.AsError(test.err).Kind {
				t.Errorf("the client was told %v", out.err)
			}
			rec, err := k.Response(t.Context(), "", out.Start.ID)
			if test.want == "" {
				if out.Start.ID != "" && err == nil {
					t.Errorf("record %+v", rec)
				}
				return
			}
			if err != nil || rec.Status != test.want || rec.Output != nil || (rec.Status == thread.Failed) != (rec.Failure != nil) {
				t.Fatalf("record %+v, %v", rec, err)
			}
			next := answerTo(t.Context(), stand(k, &model{}), says("y").after(out.Start.ID))
			if next.err == nil || next.err.Code != "previous_response_not_found" {
				t.Errorf("it could be continued: %v", next.err)
			}
		})
	}
}

func TestConsumerThatStops(t *testing.T) {
	k, m := newKeeper(), &model{}
	h, id := stand(k, m), ""
	for ev := range h.Handle(t.Context(), says("x").request()) {
		if ev.Type == weir.EventStart {
			id = ev.Start.ID
		}
		if ev.Type == weir.EventDelta {
			break
		}
	}
	if rec, err := k.Response(t.Context(), "", id); err != nil || rec.Status != thread.Cancelled {
		t.Errorf("record %+v, %v", rec, err)
	}
	for ev := range h.Handle(t.Context(), says("x").request()) {
		if ev.Type == weir.EventStart {
			id = ev.Start.ID
		}
		if ev.Type == weir.EventFinish {
			break
		}
	}
	if rec, err := k.Response(t.Context(), "", id); err != nil || rec.Status != thread.Completed {
		t.Errorf("record %+v, %v", rec, err)
	}
}

// brokenStore fails to write.
type brokenStore struct{ thread.Store }

func (brokenStore) Put(context.Context, thread.Key, []byte, time.Duration) error {
	return weir.Errorf(weir.KindUnavailable, "the store is down")
}

func TestStoreThatIsDown(t *testing.T) {
	told := 0
	k := thread.NewKeeper(thread.KeeperOptions{
		Store: brokenStore{thread.NewMemory(thread.MemoryOptions{})}, OnError: func(error) { told++ },
	})
	out := mustAnswer(t, stand(k, &model{}), says("x"))
	if out.Choices[0].Finish.Reason != weir.FinishStop || out.kept == nil || out.kept.Err == nil || told != 1 {
		t.Errorf("note %+v, told %d times", out.kept, told)
	}
	if err := out.kept.KeepBody(t.Context(), []byte("x")); err != nil {
		t.Errorf("the body of an answer that is not kept: %v", err)
	}
}

func TestResponsesLiveAsLongAsTheyAreUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := thread.NewKeeper(thread.KeeperOptions{Store: thread.NewMemory(thread.MemoryOptions{}), TTL: time.Hour})
		h := stand(k, &model{})
		id := mustAnswer(t, h, says("first")).Start.ID
		first := id
		for range 10 {
			time.Sleep(50 * time.Minute)
			id = mustAnswer(t, h, says("next").after(id)).Start.ID
		}
		if _, err := k.Response(t.Context(), "", first); err != nil {
			t.Errorf("what is continued all the time is gone: %v", err)
		}
		time.Sleep(61 * time.Minute)
		if out := answerTo(t.Context(), h, says("x").after(id)); out.err == nil || out.err.Code != "previous_response_not_found" {
			t.Errorf("after its time it could be continued: %v", out.err)
		}
	})
}

func TestChainsAreBounded(t *testing.T) {
	k := thread.NewKeeper(thread.KeeperOptions{Store: thread.NewMemory(thread.MemoryOptions{}), MaxChain: 3})
	h, id := stand(k, &model{}), ""
	for range 4 {
		id = mustAnswer(t, h, says("x").after(id)).Start.ID
	}
	if out := answerTo(t.Context(), h, says("x").after(id)); out.err == nil || out.err.Kind != weir.KindInvalid {
		t.Errorf("a chain of four: %v", out.err)
	}
}

func TestDeletedLinkBreaksTheChain(t *testing.T) {
	k := newKeeper()
	h := stand(k, &model{})
	one := mustAnswer(t, h, says("one")).Start.ID
	two := mustAnswer(t, h, says("two").after(one)).Start.ID
	if err := k.Delete(t.Context(), "", one); err != nil {
		t.Fatal(err)
	}
	out := answerTo(t.Context(), h, says("three").after(two))
	if out.err == nil || out.err.Code != "previous_response_not_found" || !strings.Contains(out.err.Message, one) {
		t.Errorf("%v", out.err)
	}
}

func TestMembersOfAnotherProtocolAreNotTheClients(t *testing.T) {
	k := newKeeper()
	block := &weir.Block{
		Type: weir.BlockToolCall, Extra: weir.Fields{{Name: "index", Value: []byte("0")}},
		Call: &weir.ToolCall{ID: "c", Name: "f", Signature: "sig", Extra: weir.Fields{{Name: "x", Value: []byte("1")}}},
	}
	signed := &weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{Format: "anthropic-claude-v1", Signature: "s", Encrypted: "e"}}
	h := stand(k, &model{})
	scripted := thread.New(thread.Options{Keeper: k, Deployment: "p/m", Keep: true})(weir.HandlerFunc(
		func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
			return func(yield func(weir.Event, error) bool) {
				for i, b := range []*weir.Block{signed, block} {
					if i == 0 {
						yield(weir.Event{Type: weir.EventStart, Start: &weir.Start{From: weir.OpenAIChat}}, nil)
					}
					yield(weir.Event{Type: weir.EventBlockStart, Index: int32(i), Block: b}, nil)
					yield(weir.Event{Type: weir.EventBlockEnd, Index: int32(i)}, nil)
				}
				yield(weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishToolCalls}}, nil)
			}
		}))
	out := mustAnswer(t, scripted, says("x"))
	rec, err := k.Response(t.Context(), "", out.Start.ID)
	if err != nil {
		t.Fatal(err)
	}
	kept := rec.Output[0].Blocks
	if kept[0].Reasoning.Signature != "s" || kept[0].Reasoning.Encrypted != "e" || kept[0].Reasoning.Format != "anthropic-claude-v1" || kept[1].Call.Signature != "sig" {
		t.Errorf("state that goes back to its provider was lost: %+v", kept) // T-06
	}
	if kept[1].Extra != nil || kept[1].Call.Extra != nil {
		t.Errorf("members of another protocol: %+v", kept[1])
	}
	mustAnswer(t, h, says("y").after(out.Start.ID))
}
