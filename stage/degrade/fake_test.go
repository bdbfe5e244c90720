package degrade_test

import (
	"context"
	"iter"
	"testing"

	"go.uber.org/goleak"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/degrade"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A call yields events, and then ends or fails.
type call struct {
	events []weir.Event
	err    error
}

func (c call) Handle(ctx context.Context, _ *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		for i := range c.events {
			if err := ctx.Err(); err != nil {
				yield(weir.Event{}, err)
				return
			}
			if !yield(c.events[i], nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(weir.Event{}, err)
		} else if c.err != nil {
			yield(weir.Event{}, c.err)
		}
	}
}

// fails is a call that fails before anything else.
func fails(kind weir.Kind) call { return call{err: weir.Errorf(kind, "it is not to be")} }

// answers is a call that succeeds.
func answers(text string) call {
	return call{events: []weir.Event{
		{Type: weir.EventStart, Start: &weir.Start{}},
		{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}},
		{Type: weir.EventDelta, Text: text},
		{Type: weir.EventBlockEnd},
		{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}},
	}}
}

// stage makes a stage that must be right.
func stage(t testing.TB, o degrade.Options) weir.Middleware {
	t.Helper()
	m, err := degrade.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sorry is one rule that fits everything.
func sorry() degrade.Options {
	return degrade.Options{Rules: []degrade.Rule{{Name: "always", Answer: "Sorry."}}}
}

func asks(text string) *weir.Request {
	req := weir.NewRequest("gpt-5", &weir.Body{From: weir.OpenAIChat, Messages: []weir.Message{weir.UserText(text)}})
	req.ID = "r1"
	return req
}

// note is the note of a degraded answer; nil when it is none.
func note(done *weir.Completion) *degrade.Note {
	for _, n := range done.Notes {
		if n, ok := n.(*degrade.Note); ok {
			return n
		}
	}
	return nil
}

// collect is everything that a call yields.
func collect(events iter.Seq2[weir.Event, error]) (out []weir.Event, err error) {
	for ev, err := range events {
		if err != nil {
			return out, err
		}
		out = append(out, ev)
	}
	return out, nil
}
