package thread_test

import (
	"slices"
	"testing"

	"github.com/weir-gateway/weir/stage/thread"
)

func TestConnectionRemembersWhatIsNotStored(t *testing.T) { // P-17
	k, m := newKeeper(), &model{}
	h := stand(k, m)
	ctx := thread.WithSession(t.Context(), thread.NewSession(0))
	one := answerTo(ctx, h, says("one").store(false))
	if one.err != nil || one.kept == nil {
		t.Fatalf("%v, %+v", one.err, one.kept)
	}
	if err := one.kept.KeepBody(ctx, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if b, _ := k.Body(ctx, "", one.Start.ID); b != nil {
		t.Error("the body of what is not to be stored was")
	}
	two := answerTo(ctx, h, says("two").store(false).after(one.Start.ID))
	if got := m.said(); two.err != nil || !slices.Equal(got, []string{"one", one.Text(), "two"}) {
		t.Errorf("the upstream was told %q, %v", got, two.err)
	}
	if d, ok := k.DeploymentOf(ctx, "", one.Start.ID); !ok || d != "p/m" {
		t.Errorf("made at %q, %t", d, ok)
	}
	for name, where := range map[string]bool{"without a connection": false, "on another connection": true} {
		other := t.Context()
		if where {
			other = thread.WithSession(other, thread.NewSession(0))
		}
		if out := answerTo(other, h, says("x").after(two.Start.ID)); out.err == nil || out.err.Code != "previous_response_not_found" {
			t.Errorf("%s: %v", name, out.err)
		}
	}
	// What is stored must be whole without the connection.
	three := answerTo(ctx, h, says("three").after(two.Start.ID))
	if three.err != nil {
		t.Fatal(three.err)
	}
	four := mustAnswer(t, h, says("four").after(three.Start.ID))
	if got := m.said(); len(got) != 7 || got[0] != "one" || got[5] != three.Text() {
		t.Errorf("the upstream was told %q", got)
	}
	five := answerTo(ctx, h, says("five").after(four.Start.ID))
	if got := m.said(); five.err != nil || len(got) != 9 {
		t.Errorf("the upstream was told %q, %v", got, five.err)
	}
}

func TestConnectionWithAProviderThatStores(t *testing.T) {
	k, m := newKeeper(), &model{}
	h := nativeStand(k, m, "openai/m", true)
	ctx := thread.WithSession(t.Context(), thread.NewSession(0))
	one := answerTo(ctx, h, says("one").store(false))
	wantFrames(t, one, "created", "in_progress", "text", "text", "completed")
	two := answerTo(ctx, h, says("two").store(false).after(one.Start.ID))
	if got := m.said(); two.err != nil || len(got) != 3 {
		t.Errorf("the upstream, which has stored nothing, was told %q, %v", got, two.err)
	}
}

func TestWarmUp(t *testing.T) {
	for _, native := range []bool{false, true} {
		k, m := newKeeper(), &model{}
		h := stand(k, m)
		if native {
			h = nativeStand(k, m, "openai/m", true)
		}
		ctx := thread.WithSession(t.Context(), thread.NewSession(0))
		warm := answerTo(ctx, h, says("context").store(false).with("generate", " false "))
		if warm.err != nil || m.calls.Load() != 0 || warm.Start.ID == "" || warm.Text() != "" || warm.Usage.Total() != 0 {
			t.Fatalf("warm-up: %v, %d calls, %+v", warm.err, m.calls.Load(), warm.Start)
		}
		next := answerTo(ctx, h, says("go").store(false).with("generate", "true").after(warm.Start.ID))
		if got := m.said(); next.err != nil || !slices.Equal(got, []string{"context", "go"}) {
			t.Errorf("the upstream was told %q, %v", got, next.err)
		}
		if body, _ := m.last().Body(); body.Extra.Value("generate") != nil {
			t.Error("the member went up")
		}
	}
	m := &model{}
	mustAnswer(t, stand(newKeeper(), m), says("x").with("generate", "false"))
	if body, _ := m.last().Body(); m.calls.Load() != 1 || body.Extra.Value("generate") == nil {
		t.Error("without a connection the member means something")
	}
}
