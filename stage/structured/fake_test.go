package structured_test

import (
	"context"
	"iter"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/structured"
	"github.com/weir-gateway/weir/weirtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An upstream gives one answer after another, the last one for ever, and
// remembers what it was asked.
type upstream struct {
	answers [][]step
	calls   atomic.Int64
	open    atomic.Int64
	got     chan *weir.Request // nil: not remembered
	// frameless leaves the frames out.
	frameless bool
}

// A step is an event or an error.
type step struct {
	ev  weir.Event
	err error
}

func gives(answers ...[]step) *upstream {
	return &upstream{answers: answers, got: make(chan *weir.Request, 100)}
}

func (u *upstream) Handle(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		n := int(u.calls.Add(1))
		u.open.Add(1)
		defer u.open.Add(-1)
		if u.got != nil {
			u.got <- req
		}
		for _, s := range u.answers[min(n, len(u.answers))-1] {
			if ctx.Err() != nil {
				yield(weir.Event{}, ctx.Err())
				return
			}
			if s.err != nil {
				yield(weir.Event{}, s.err)
				return
			}
			if u.frameless {
				s.ev = s.ev.Detach()
			}
			if !yield(s.ev, nil) {
				return
			}
		}
	}
}

// asked is the body of the next request that the upstream was sent.
func (u *upstream) asked(t *testing.T) *weir.Body {
	t.Helper()
	body, err := (<-u.got).Body()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// answer is the steps of an answer of these blocks, with an attempt's notes, as
// a provider's chain tells them: what it is, a ping, pieces, 10 tokens in and 5 out.
func answer(reason weir.FinishReason, blocks ...weir.Block) []step {
	steps := []step{
		{ev: weir.NoteEvent(&weir.Upstream{Deployment: "p/m", Status: 200})},
		{ev: weir.Event{Type: weir.EventStart, Start: &weir.Start{ID: "id", Model: "m"}}},
		{ev: weir.Event{Type: weir.EventPing}},
		{ev: weir.NoteEvent(&weir.Attempt{Deployment: "p/m"})},
	}
	for i, b := range blocks {
		at := func(t weir.EventType, p weir.Part, text string) {
			steps = append(steps, step{ev: weir.Event{
				Type: t, Index: int32(i), Part: p, Text: text, Frame: &weir.Frame{Raw: []byte("x"), Events: 1},
			}})
		}
		begun := b.Clone()
		begun.Text = ""
		if begun.Call != nil {
			begun.Call.Arguments = ""
		}
		at(weir.EventBlockStart, 0, "")
		steps[len(steps)-1].ev.Block = &begun
		for _, piece := range halves(b.Text) {
			at(weir.EventDelta, weir.PartText, piece)
		}
		if b.Call != nil {
			for _, piece := range halves(b.Call.Arguments) {
				at(weir.EventDelta, weir.PartArguments, piece)
			}
		}
		at(weir.EventBlockEnd, 0, "")
	}
	u := &weir.Usage{Extra: weir.Fields{{Name: "cost", Value: []byte("1")}}, From: weir.OpenAIChat}
	u.Set(weir.UsageInput, 10)
	u.Set(weir.UsageOutput, 5)
	return append(steps,
		step{ev: weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: reason, Native: "native", From: weir.OpenAIChat}}},
		step{ev: weir.Event{Type: weir.EventUsage, Usage: u}})
}

// says is an answer of a text.
func says(s string) []step { return answer(weir.FinishStop, text(s)) }

// calls is an answer that calls the tool.
func calls(arguments string) []step { return answer(weir.FinishToolCalls, call("person", arguments)) }

// breaks is an answer that fails after n of its steps.
func breaks(steps []step, n int, err error) []step {
	return append(steps[:n:n], step{err: err})
}

func halves(s string) []string {
	if len(s) < 2 {
		return []string{s}[:len(s)]
	}
	return []string{s[:len(s)/2], s[len(s)/2:]}
}

func text(s string) weir.Block { return weir.Block{Type: weir.BlockText, Text: s} }

func thinks(s string) weir.Block { return weir.Block{Type: weir.BlockReasoning, Text: s} }

func call(name, arguments string) weir.Block {
	return weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "call_1", Name: name, Arguments: arguments}}
}

const (
	schema = `{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0}},` +
		`"required":["name"],"additionalProperties":false}`
	good = `{"name":"Ada","age":36}`
	bad  = `{"name":"Ada","age":"secret"}`
)

func person() *weir.Format {
	return &weir.Format{Type: weir.FormatJSONSchema, Name: "person", Schema: []byte(schema)}
}

func strictly() *weir.Format {
	f := person()
	f.Strict = new(true)
	return f
}

// asks is a request with a format.
func asks(f *weir.Format) *weir.Request {
	req := weir.NewRequest("m", &weir.Body{Messages: []weir.Message{weir.UserText("who?")}, Format: f, From: weir.OpenAIChat})
	req.Relay = true
	return req
}

func stage(o structured.Options, h weir.Handler) weir.Handler {
	o.Deployment, o.Provider, o.Model = "p/m", "p", "m"
	return structured.New(o)(h)
}

// An outcome is what a consumer saw.
type outcome struct {
	events   []weir.Event // notes and pings left out
	done     *weir.Completion
	note     *structured.Note
	attempts []*weir.Attempt
	losses   []*weir.Loss
	spent    *structured.Spent
	pings    int
	err      *weir.Error
}

func consume(t *testing.T, h weir.Handler, req *weir.Request) *outcome {
	t.Helper()
	var o outcome
	var all weir.Collector
	var whole []weir.Event
	for ev, err := range h.Handle(t.Context(), req) {
		if err != nil {
			o.err = weir.AsError(err)
			break
		}
		whole = append(whole, ev)
		all.Add(ev)
		switch n := ev.Note.(type) {
		case *structured.Note:
			o.note = n
		case *structured.Spent:
			o.spent = n
		case *weir.Attempt:
			o.attempts = append(o.attempts, n)
		case *weir.Loss:
			o.losses = append(o.losses, n)
		}
		switch ev.Type {
		case weir.EventPing:
			o.pings++
		case weir.EventNote:
		default:
			if ev.Frame != nil {
				t.Errorf("a %s event has the frame of something else", ev.Type)
			}
			o.events = append(o.events, ev)
		}
	}
	o.done = all.Completion()
	check := weirtest.CheckEvents
	if o.err != nil {
		check = weirtest.CheckPartial
	}
	if err := check(whole); err != nil {
		t.Error(err)
	}
	return &o
}

func (o *outcome) finish() weir.FinishReason {
	if len(o.done.Choices) == 0 {
		return ""
	}
	return o.done.Choices[0].Finish.Reason
}
