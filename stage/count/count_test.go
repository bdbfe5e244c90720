package count_test

import (
	"cmp"
	"context"
	"iter"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/count"
	"github.com/weir-gateway/weir/tokens"
	"github.com/weir-gateway/weir/weirtest"
)

func body() *weir.Body {
	return &weir.Body{Messages: []weir.Message{weir.UserText("How many tokens are in this sentence, roughly?")}}
}

func counting() *weir.Request {
	req := weir.NewRequest("m", body())
	req.Op = weir.CountTokens
	return req
}

// says is a Handler that sends events and then fails, or ends.
func says(err error, events ...weir.Event) weir.Handler {
	return weir.HandlerFunc(func(ctx context.Context, _ *weir.Request) iter.Seq2[weir.Event, error] {
		return func(yield func(weir.Event, error) bool) {
			for _, ev := range events {
				if ctx.Err() == nil && !yield(ev, nil) {
					return
				}
			}
			if end := cmp.Or(ctx.Err(), err); end != nil {
				yield(weir.Event{}, end)
			}
		}
	})
}

func TestCountKeepsTheContractOfWhatItWraps(t *testing.T) {
	u := &weir.Usage{InputTokens: 9, Known: weir.UsageInput}
	inner := says(nil, weir.Event{Type: weir.EventStart, Start: &weir.Start{}},
		weir.Event{Type: weir.EventUsage, Usage: u}, weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}})
	weirtest.TestHandler(t, func() weir.Handler { return count.New()(inner) }, counting())
}

func TestCountEstimatesWhereTheUpstreamCannot(t *testing.T) { // C-05
	loss := weir.NoteEvent(&weir.Loss{Field: "x"})
	for _, kind := range []weir.Kind{weir.KindUnsupported, weir.KindNotFound} {
		done, err := weir.Collect(count.New()(says(weir.Errorf(kind, "no"), loss)).Handle(t.Context(), counting()))
		if err != nil {
			t.Fatal(err)
		}
		u := done.Usage
		if !u.Has(weir.UsageInput) || u.Has(weir.UsageOutput) || !u.Estimated || u.InputTokens != tokens.EstimateBody(body()) || u.InputTokens == 0 {
			t.Errorf("%s: usage %+v", kind, u)
		}
		if len(done.Choices) != 1 || done.Choices[0].Finish.Reason != weir.FinishStop || done.Start.Model != "m" || len(done.Notes) != 1 {
			t.Errorf("%s: %+v", kind, done)
		}
	}
}

func TestCountLeavesOthersAlone(t *testing.T) {
	usage := weir.Event{Type: weir.EventUsage, Usage: &weir.Usage{InputTokens: 9, Known: weir.UsageInput}}
	generating := weir.NewRequest("m", body())
	tests := []struct {
		name  string
		inner weir.Handler
		req   *weir.Request
		kind  weir.Kind // of the error; 0: none
		input int64
	}{
		{"an exact count", says(nil, usage), counting(), 0, 9},
		{"a failure", says(weir.Errorf(weir.KindOverloaded, "no")), counting(), weir.KindOverloaded, 0},
		{"an error after the count", says(weir.Errorf(weir.KindNotFound, "no"), usage), counting(), weir.KindNotFound, 9},
		{"a completion that is not supported", says(weir.Errorf(weir.KindUnsupported, "no")), generating, weir.KindUnsupported, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			done, err := weir.Collect(count.New()(test.inner).Handle(t.Context(), test.req))
			if (err == nil) != (test.kind == 0) || err != nil && weir.AsError(err).Kind != test.kind {
				t.Errorf("error %v", err)
			}
			if done.Usage.Has(weir.UsageInput) != (test.input > 0) || done.Usage != nil && done.Usage.InputTokens != test.input {
				t.Errorf("usage %+v", done.Usage)
			}
		})
	}
}

func TestCountReportsABodyThatCannotBeRead(t *testing.T) {
	req := weir.NewWireRequest(&weir.Wire{}, func() (*weir.Body, error) { return nil, weir.Invalid("messages", "missing") })
	req.Op = weir.CountTokens
	_, err := weir.Collect(count.New()(says(weir.KindUnsupported)).Handle(t.Context(), req))
	if weir.AsError(err).Param != "messages" {
		t.Errorf("error %v", err)
	}
}
