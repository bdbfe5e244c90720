package thread_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/thread"
)

// An encoder writes a stream in the manner of the Responses API.
type encoder struct {
	seq int
	id  string
}

func (e *encoder) frame(dst []byte, kind, status string) []byte {
	response := ""
	if status != "" {
		response = fmt.Sprintf(`,"response":{"id":%q,"status":%q}`, e.id, status)
	}
	dst = fmt.Appendf(dst, "event: %s\ndata: {\"type\":%q,\"sequence_number\":%d%s}\n\n", kind, kind, e.seq, response)
	e.seq++
	return dst
}

func (e *encoder) Encode(dst []byte, ev weir.Event) []byte {
	switch ev.Type {
	case weir.EventStart:
		e.id = ev.Start.ID
		return e.frame(e.frame(dst, "response.created", "queued"), "response.in_progress", "in_progress")
	case weir.EventDelta:
		return e.frame(append(dst, ": alive\n\n"...), "response.output_text.delta", "")
	}
	return dst
}

func (e *encoder) Close(dst []byte, err *weir.Error) []byte {
	if err != nil {
		return e.frame(dst, "response.failed", "failed")
	}
	return append(e.frame(dst, "response.completed", "completed"), "data: [DONE]\n\n"...)
}

func queuedBody(id string, _ time.Time) []byte {
	return fmt.Appendf(nil, `{"id":%q,"status":"queued"}`, id)
}

func finalBody(latest []byte, rec *thread.Record) []byte {
	if rec.Status != thread.Cancelled {
		return latest
	}
	return fmt.Appendf(nil, `{"id":%q,"status":"cancelled"}`, rec.ID)
}

func jobFor(h weir.Handler, a ask) thread.Job {
	return thread.Job{Handler: h, Request: a.request(), Encoder: &encoder{}, Queued: queuedBody, Final: finalBody}
}

// background runs test in a bubble with a runner, and ends the runner after it.
func background(t *testing.T, o thread.RunnerOptions, test func(*testing.T, *thread.Runner, *thread.Keeper)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		o.Keeper = k
		r := thread.NewRunner(o)
		test(t, r, k)
		r.Shutdown(context.Background())
	})
}

func mustStart(t *testing.T, r *thread.Runner, j thread.Job) *thread.Record {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	rec, err := r.Start(ctx, j)
	cancel() // the client goes away at once
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func status(t *testing.T, k *thread.Keeper, id string) thread.Status {
	t.Helper()
	rec, err := k.Response(t.Context(), "", id)
	if err != nil {
		t.Fatal(err)
	}
	return rec.Status
}

func body(t *testing.T, r *thread.Runner, id string) string {
	t.Helper()
	b, err := r.Body(t.Context(), "", id)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func stream(t *testing.T, events iter.Seq2[[]byte, error]) (string, error) {
	t.Helper()
	var out strings.Builder
	for b, err := range events {
		if err != nil {
			return out.String(), err
		}
		out.Write(b)
	}
	return out.String(), nil
}

func TestBackgroundFromQueuedToCompleted(t *testing.T) {
	background(t, thread.RunnerOptions{MaxRunning: 1}, func(t *testing.T, r *thread.Runner, k *thread.Keeper) {
		m := &model{wait: time.Minute}
		h := stand(k, m)
		one, two := mustStart(t, r, jobFor(h, says("one"))), mustStart(t, r, jobFor(h, says("two")))
		if one.Status != thread.Queued || !one.Background || !strings.HasPrefix(one.ID, "resp_") {
			t.Errorf("record %+v", one)
		}
		synctest.Wait()
		ids := map[thread.Status]string{status(t, k, one.ID): one.ID, status(t, k, two.ID): two.ID}
		running, waiting := ids[thread.InProgress], ids[thread.Queued]
		if running == "" || waiting == "" {
			t.Fatalf("statuses %v", ids)
		}
		if got := body(t, r, waiting); !strings.Contains(got, "queued") {
			t.Errorf("body %s", got)
		}
		if got := body(t, r, running); !strings.Contains(got, "in_progress") {
			t.Errorf("body %s", got)
		}
		early := answerTo(t.Context(), h, says("x").after(running))
		if early.err == nil || early.err.Kind != weir.KindConflict {
			t.Errorf("continued before its end: %v", early.err)
		}
		time.Sleep(3 * time.Minute)
		for _, rec := range []*thread.Record{one, two} {
			got, err := k.Response(t.Context(), "", rec.ID)
			if err != nil || got.Status != thread.Completed || !got.Background || len(got.Output) != 1 || len(got.Input) != 1 {
				t.Errorf("record %+v, %v", got, err)
			}
			if b := body(t, r, rec.ID); !strings.Contains(b, "completed") || !strings.Contains(b, rec.ID) {
				t.Errorf("body %s", b)
			}
		}
		next := mustAnswer(t, h, says("go on").after(one.ID))
		if len(m.said()) != 3 || next.Start.ID == one.ID {
			t.Errorf("the upstream was told %q", m.said())
		}
	})
}

func TestBackgroundStreamIsReadAgain(t *testing.T) {
	background(t, thread.RunnerOptions{}, func(t *testing.T, r *thread.Runner, k *thread.Keeper) {
		rec := mustStart(t, r, jobFor(stand(k, &model{wait: time.Minute}), says("one")))
		synctest.Wait()
		live, err := stream(t, r.Events(t.Context(), "", rec.ID, -1)) // from the middle of the answer to its end
		if err != nil || strings.Count(live, "event: ") != 5 || !strings.Contains(live, `"sequence_number":0`) ||
			!strings.HasSuffix(live, "\n\n") || !strings.Contains(live, "response.completed") ||
			strings.Contains(live, "DONE") || strings.Contains(live, "alive") {
			t.Errorf("the live stream is %q, %v", live, err)
		}
		time.Sleep(time.Hour)
		for _, runner := range []*thread.Runner{r, thread.NewRunner(thread.RunnerOptions{Keeper: k})} { // after a restart too
			again, err := stream(t, runner.Events(t.Context(), "", rec.ID, -1))
			if err != nil || again != live {
				t.Errorf("read again it is %q, %v", again, err)
			}
			rest, err := stream(t, runner.Events(t.Context(), "", rec.ID, 2))
			if err != nil || strings.Count(rest, "event: ") != 2 || !strings.Contains(rest, `"sequence_number":3`) || !strings.HasSuffix(live, rest) {
				t.Errorf("behind event 2 it is %q, %v", rest, err)
			}
			if end, err := stream(t, runner.Events(t.Context(), "", rec.ID, 99)); err != nil || end != "" {
				t.Errorf("behind its end it is %q, %v", end, err)
			}
		}
		if _, err := stream(t, r.Events(t.Context(), "other", rec.ID, -1)); !errors.Is(err, weir.KindNotFound) {
			t.Errorf("another key reads: %v", err)
		}
		plain := mustAnswer(t, stand(k, &model{}), says("x"))
		if _, err := stream(t, r.Events(t.Context(), "", plain.Start.ID, -1)); !errors.Is(err, weir.KindInvalid) {
			t.Errorf("of a response that was no background one: %v", err)
		}
	})
}

func TestReaderOfABackgroundStreamMayLeave(t *testing.T) {
	background(t, thread.RunnerOptions{}, func(t *testing.T, r *thread.Runner, k *thread.Keeper) {
		rec := mustStart(t, r, jobFor(stand(k, &model{wait: time.Minute}), says("one")))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := stream(t, r.Events(ctx, "", rec.ID, -1)); !errors.Is(err, weir.KindTimeout) {
			t.Errorf("%v", err)
		}
		for range r.Events(t.Context(), "", rec.ID, -1) {
			break
		}
		time.Sleep(time.Hour)
		if got := status(t, k, rec.ID); got != thread.Completed {
			t.Errorf("it is %s", got)
		}
	})
}

func TestCancel(t *testing.T) {
	background(t, thread.RunnerOptions{MaxRunning: 1}, func(t *testing.T, r *thread.Runner, k *thread.Keeper) {
		m := &model{wait: time.Hour / 2}
		h := stand(k, m)
		running := mustStart(t, r, jobFor(h, says("one")))
		synctest.Wait()
		waiting := mustStart(t, r, jobFor(h, says("two")))
		synctest.Wait()
		if _, err := r.Cancel(t.Context(), "other", running.ID); !errors.Is(err, weir.KindNotFound) {
			t.Errorf("another key cancels: %v", err)
		}
		for _, id := range []string{waiting.ID, running.ID, strings.TrimPrefix(running.ID, "resp_")} {
			rec, err := r.Cancel(t.Context(), "", id)
			if err != nil || rec.Status != thread.Cancelled || rec.Failure != nil || rec.Output != nil {
				t.Errorf("record %+v, %v", rec, err)
			}
			if b := body(t, r, id); !strings.Contains(b, "cancelled") {
				t.Errorf("body %s", b)
			}
		}
		if m.open.Load() != 0 || m.calls.Load() != 1 {
			t.Errorf("%d calls, %d still open", m.calls.Load(), m.open.Load())
		}
		if s, err := stream(t, r.Events(t.Context(), "", running.ID, -1)); err != nil || !strings.Contains(s, "response.failed") {
			t.Errorf("the stream is %q, %v", s, err)
		}
		done := mustStart(t, r, jobFor(stand(k, &model{}), says("three")))
		synctest.Wait()
		if rec, err := r.Cancel(t.Context(), "", done.ID); err != nil || rec.Status != thread.Completed {
			t.Errorf("cancelled after its end: %+v, %v", rec, err)
		}
		plain := mustAnswer(t, stand(k, &model{}), says("x"))
		if _, err := r.Cancel(t.Context(), "", plain.Start.ID); !errors.Is(err, weir.KindInvalid) {
			t.Errorf("a response that was no background one: %v", err)
		}
		if _, err := r.Cancel(t.Context(), "", "resp_x"); !errors.Is(err, weir.KindNotFound) {
			t.Errorf("an unknown one: %v", err)
		}
	})
}

func TestBackgroundFailures(t *testing.T) {
	refuses := weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		return weir.Fail(weir.Errorf(weir.KindModelNotFound, "no such model"))
	})
	background(t, thread.RunnerOptions{MaxDuration: 10 * time.Minute}, func(t *testing.T, r *thread.Runner, k *thread.Keeper) {
		for name, test := range map[string]struct {
			h    weir.Handler
			code string
		}{
			"before the stage": {refuses, "model_not_found"},
			"in the answer":    {stand(k, &model{fail: weir.Errorf(weir.KindRateLimit, "slow down"), after: 3}), "rate_limit_exceeded"},
			"too long":         {stand(k, &model{wait: time.Hour}), "timeout"},
		} {
			rec := mustStart(t, r, jobFor(test.h, says("x")))
			time.Sleep(11 * time.Minute)
			got, err := k.Response(t.Context(), "", rec.ID)
			if err != nil || got.Status != thread.Failed || got.Failure == nil || got.Failure.Code != test.code {
				t.Errorf("%s: record %+v, %v", name, got, err)
			}
			s, err := stream(t, r.Events(t.Context(), "", rec.ID, -1))
			if err != nil || !strings.Contains(s, rec.ID) || !strings.Contains(s, "response.failed") {
				t.Errorf("%s: the stream is %q, %v", name, s, err)
			}
		}
	})
}

func TestRunnerIsBounded(t *testing.T) {
	background(t, thread.RunnerOptions{MaxRunning: 2, MaxQueued: 3}, func(t *testing.T, r *thread.Runner, k *thread.Keeper) {
		m := &model{wait: time.Minute}
		for range 5 {
			mustStart(t, r, jobFor(stand(k, m), says("x")))
		}
		synctest.Wait()
		if m.open.Load() != 2 {
			t.Errorf("%d run at once", m.open.Load())
		}
		if _, err := r.Start(t.Context(), jobFor(stand(k, m), says("x"))); !errors.Is(err, weir.KindOverloaded) {
			t.Errorf("one too many: %v", err)
		}
		time.Sleep(10 * time.Minute)
		if m.calls.Load() != 5 {
			t.Errorf("%d calls", m.calls.Load())
		}
	})
}

func TestEventsAreBounded(t *testing.T) {
	background(t, thread.RunnerOptions{MaxEventBytes: 300}, func(t *testing.T, r *thread.Runner, k *thread.Keeper) {
		rec := mustStart(t, r, jobFor(stand(k, &model{wait: time.Minute}), says("x")))
		synctest.Wait()
		for _, when := range []string{"meanwhile", "afterwards"} {
			if _, err := stream(t, r.Events(t.Context(), "", rec.ID, -1)); !errors.Is(err, weir.KindInvalid) {
				t.Errorf("%s, what had to make room: %v", when, err)
			}
			time.Sleep(10 * time.Minute)
		}
		if s, err := stream(t, r.Events(t.Context(), "", rec.ID, 3)); err != nil || !strings.Contains(s, "response.completed") {
			t.Errorf("the end is %q, %v", s, err)
		}
	})
}

func TestShutdown(t *testing.T) {
	background(t, thread.RunnerOptions{MaxRunning: 2}, func(t *testing.T, r *thread.Runner, k *thread.Keeper) {
		quick := mustStart(t, r, jobFor(stand(k, &model{wait: time.Minute}), says("x")))
		slow := mustStart(t, r, jobFor(stand(k, &model{wait: 20 * time.Minute}), says("x")))
		synctest.Wait()
		waiting := mustStart(t, r, jobFor(stand(k, &model{}), says("x")))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		began := time.Now()
		r.Shutdown(ctx)
		if took := time.Since(began); took != 5*time.Minute {
			t.Errorf("it took %s", took)
		}
		for id, want := range map[string]thread.Status{quick.ID: thread.Completed, slow.ID: thread.Failed, waiting.ID: thread.Failed} {
			rec, err := k.Response(t.Context(), "", id)
			if err != nil || rec.Status != want || want == thread.Failed && !strings.Contains(rec.Failure.Message, "shut down") {
				t.Errorf("record %+v, %v", rec, err)
			}
		}
		if _, err := r.Start(t.Context(), jobFor(stand(k, &model{}), says("x"))); !errors.Is(err, weir.KindUnavailable) {
			t.Errorf("one more: %v", err)
		}
	})
}

func TestResponseOfADeadProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := thread.NewMemory(thread.MemoryOptions{})
		k := thread.NewKeeper(thread.KeeperOptions{Store: store})
		r := thread.NewRunner(thread.RunnerOptions{Keeper: k, MaxDuration: time.Hour})
		rec := mustStart(t, r, jobFor(stand(k, &model{wait: 50 * time.Minute}), says("x")))
		synctest.Wait()
		// Another process with the same store, which never hears of the end.
		dead := thread.NewMemory(thread.MemoryOptions{})
		key := thread.Key{Kind: thread.KindResponse, ID: strings.TrimPrefix(rec.ID, "resp_")}
		b, err := store.Get(t.Context(), key, 0)
		if err != nil || b == nil {
			t.Fatal("no record", err)
		}
		if err := dead.Put(t.Context(), key, b, 24*time.Hour); err != nil {
			t.Fatal(err)
		}
		other := thread.NewKeeper(thread.KeeperOptions{Store: dead})
		elsewhere := thread.NewRunner(thread.RunnerOptions{Keeper: other})
		if _, err := elsewhere.Cancel(t.Context(), "", rec.ID); !errors.Is(err, weir.KindConflict) {
			t.Errorf("cancelled elsewhere: %v", err)
		}
		if _, err := stream(t, elsewhere.Events(t.Context(), "", rec.ID, -1)); !errors.Is(err, weir.KindConflict) {
			t.Errorf("read elsewhere: %v", err)
		}
		time.Sleep(2 * time.Hour)
		if got := status(t, other, rec.ID); got != thread.Failed {
			t.Errorf("after all that time it is %s", got)
		}
		r.Shutdown(t.Context())
	})
}

func TestDeleteEndsARunningResponse(t *testing.T) {
	background(t, thread.RunnerOptions{}, func(t *testing.T, r *thread.Runner, k *thread.Keeper) {
		m := &model{wait: time.Hour / 2}
		rec := mustStart(t, r, jobFor(stand(k, m), says("x")))
		synctest.Wait()
		if err := r.Delete(t.Context(), "", rec.ID, nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if _, err := k.Response(t.Context(), "", rec.ID); !errors.Is(err, weir.KindNotFound) || m.open.Load() != 0 {
			t.Errorf("%v, %d calls open", err, m.open.Load())
		}
		if _, err := stream(t, r.Events(t.Context(), "", rec.ID, -1)); !errors.Is(err, weir.KindNotFound) {
			t.Errorf("its stream: %v", err)
		}
	})
}

func TestBackgroundAtAProviderThatStores(t *testing.T) {
	background(t, thread.RunnerOptions{}, func(t *testing.T, r *thread.Runner, k *thread.Keeper) {
		m := &model{}
		a := says("x")
		yes := true
		a.thread.Background = &yes
		rec := mustStart(t, r, jobFor(nativeStand(k, m, "openai/m", true), a))
		synctest.Wait()
		if b, _ := m.last().Body(); b.Thread != nil {
			t.Errorf("the upstream is told %+v", b.Thread)
		}
		got, err := k.Response(t.Context(), "", rec.ID)
		if err != nil || got.Native || got.Status != thread.Completed {
			t.Errorf("record %+v, %v", got, err)
		}
		mustAnswer(t, nativeStand(k, m, "openai/m", true), says("y").after(rec.ID))
		if len(m.said()) != 3 {
			t.Errorf("the upstream, which knows another id, was told %q", m.said())
		}
	})
}
