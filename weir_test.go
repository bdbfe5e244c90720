package weir

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func events(list ...Event) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for _, ev := range list {
			if !yield(ev, nil) {
				return
			}
		}
	}
}

func TestChainMeetsStagesInTheOrderInWhichTheyAreWritten(t *testing.T) {
	var met []string
	stage := func(name string) Middleware {
		return func(next Handler) Handler {
			return HandlerFunc(func(ctx context.Context, req *Request) iter.Seq2[Event, error] {
				met = append(met, name)
				return next.Handle(ctx, req)
			})
		}
	}
	last := HandlerFunc(func(context.Context, *Request) iter.Seq2[Event, error] { return events() })
	Chain(last, stage("outer"), nil, stage("inner")).Handle(context.Background(), &Request{})
	if !slices.Equal(met, []string{"outer", "inner"}) {
		t.Errorf("met %v", met)
	}
}

func TestCollectPutsInterleavedBlocksTogether(t *testing.T) { // S-01
	call := func(id string) *Block { return &Block{Type: BlockToolCall, Call: &ToolCall{ID: id, Name: "f"}} }
	c, err := Collect(events(
		Event{Type: EventStart, Start: &Start{ID: "x"}},
		Event{Type: EventBlockStart, Index: 0, Block: call("a")},
		Event{Type: EventBlockStart, Index: 1, Block: call("b")},
		Event{Type: EventDelta, Part: PartArguments, Index: 0, Text: `{"n"`},
		Event{Type: EventDelta, Part: PartArguments, Index: 1, Text: `{"m"`},
		Event{Type: EventDelta, Part: PartArguments, Index: 0, Text: `:1}`},
		Event{Type: EventDelta, Part: PartArguments, Index: 1, Text: `:2}`},
		Event{Type: EventBlockStart, Index: 2, Block: call("c")},
		Event{Type: EventFinish, Finish: &Finish{Reason: FinishToolCalls}},
	))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`{"n":1}`, `{"m":2}`, `{}`} // S-04: no arguments are an empty object
	for i, call := range c.ToolCalls() {
		if call.Arguments != want[i] {
			t.Errorf("call %d has arguments %s, want %s", i, call.Arguments, want[i])
		}
	}
}

func TestUsageMergeKeepsTheLastExplicitValue(t *testing.T) { // U-02, U-03
	var u, first, second Usage
	first.Set(UsageInput, 10)
	first.Set(UsageCacheRead, 4)
	second.Set(UsageOutput, 0)
	second.Set(UsageInput, 12)
	u.Merge(&first)
	u.Merge(&second)
	if u.InputTokens != 12 || u.CacheReadTokens != 4 || !u.Has(UsageOutput) || u.Has(UsageReasoning) {
		t.Errorf("merged %+v", u)
	}
}

func TestUsageRefusesCountsThatCannotBe(t *testing.T) { // U-08
	rapid.Check(t, func(t *rapid.T) {
		var u Usage
		n := rapid.Int64().Draw(t, "n")
		u.Set(UsageOutput, n)
		if ok := n >= 0 && n < 1<<53; ok != u.Has(UsageOutput) || u.OutputTokens < 0 {
			t.Fatalf("Set(%d) gives %+v", n, u)
		}
	})
}

func TestEditForgetsTheReceivedBytesAndLeavesTheRequestAlone(t *testing.T) {
	decoded := 0
	req := NewWireRequest(&Wire{Protocol: OpenAIChat, Body: []byte("{}")}, func() (*Body, error) {
		decoded++
		return &Body{Messages: []Message{UserText("secret")}}, nil
	})
	edited, err := req.Edit(func(b *Body) error { b.Messages[0].Blocks[0].Text = "***"; return nil })
	if err != nil {
		t.Fatal(err)
	}
	before, _ := req.Body()
	after, _ := edited.Body()
	if req.Wire == nil || edited.Wire != nil || before.Messages[0].Text() != "secret" || after.Messages[0].Text() != "***" || decoded != 1 {
		t.Errorf("before %q, after %q, decoded %d times", before.Messages[0].Text(), after.Messages[0].Text(), decoded)
	}
}

func TestBodyIsDecodedOnceByManyReaders(t *testing.T) {
	decoded := 0
	req := NewWireRequest(&Wire{}, func() (*Body, error) { decoded++; return nil, Invalid("messages", "missing") })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := req.Clone().Body(); !errors.Is(err, KindInvalid) {
				t.Errorf("error %v", err)
			}
		})
	}
	wg.Wait()
	if decoded != 1 {
		t.Errorf("decoded %d times", decoded)
	}
}

func TestAllowanceGivesNoMoreThanItHas(t *testing.T) {
	a := NewAllowance(5)
	var mu sync.Mutex
	taken := 0
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if a.Take() {
				mu.Lock()
				taken++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if taken != 5 || a.Left() != 0 {
		t.Errorf("%d taken, %d left", taken, a.Left())
	}
}

func TestEveryKindHasARowInTheTable(t *testing.T) {
	for k := range kindCount {
		i := k.info()
		if i.name == "" || i.status < 400 || i.openaiType == "" || i.openaiCode == "" || i.anthropicType == "" {
			t.Errorf("kind %d has the row %+v", k, *i)
		}
	}
	if Kind(200).String() != KindInternal.String() {
		t.Error("a kind out of range is not internal")
	}
}

func TestErrorsKeepTheUpstreamsStatus(t *testing.T) { // E-04
	e := &Error{Kind: KindInvalid, Status: 422}
	if got := e.HTTPStatus(OpenAIChat); got != 422 {
		t.Errorf("status %d", got)
	}
	if got := KindOverloaded.Status(AnthropicMessages); got != 529 {
		t.Errorf("overloaded is %d for Anthropic's clients", got)
	}
	wrapped := fmt.Errorf("call: %w", e)
	if AsError(wrapped) != e || !errors.Is(wrapped, KindInvalid) || errors.Is(wrapped, KindTimeout) {
		t.Error("a wrapped Error is not found")
	}
	if AsError(context.Canceled).Kind != KindCanceled || AsError(context.DeadlineExceeded).Kind != KindTimeout || AsError(nil) != nil {
		t.Error("the context's errors have the wrong kinds")
	}
}

func TestFrameClonerKeepsEventsOfOneFrameTogether(t *testing.T) {
	frame := &Frame{Raw: []byte("data: 1\n\n"), Events: 2}
	var c FrameCloner
	a := c.Clone(Event{Frame: frame})
	b := c.Clone(Event{Frame: frame, FrameSeq: 1})
	frame.Raw[0] = 'X'
	if a.Frame != b.Frame || string(a.Frame.Raw) != "data: 1\n\n" {
		t.Errorf("clones have %q and %q", a.Frame.Raw, b.Frame.Raw)
	}
}

func TestFieldsWith(t *testing.T) {
	f := Fields{{Name: "a", Value: []byte("1")}, {Name: "b", Value: []byte("2")}}
	if got := f.With("b", []byte("3")).With("c", []byte("4")).With("a", nil); len(got) != 2 || string(got.Value("b")) != "3" || got.Value("a") != nil {
		t.Errorf("With gives %v", got)
	}
	if string(f.Value("b")) != "2" {
		t.Error("With changed its receiver")
	}
}
