package replay_test

import (
	"context"
	"iter"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/replay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An upstream gives one answer and remembers the request that it last got.
type upstream struct {
	answer []weir.Event
	got    atomic.Pointer[weir.Request]
	calls  atomic.Int64
	open   atomic.Int64
}

func (u *upstream) Handle(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		u.calls.Add(1)
		u.open.Add(1)
		defer u.open.Add(-1)
		u.got.Store(req)
		for _, ev := range u.answer {
			if ctx.Err() != nil {
				yield(weir.Event{}, ctx.Err())
				return
			}
			if !yield(ev, nil) {
				return
			}
		}
	}
}

// messages are what the upstream was last sent.
func (u *upstream) messages(t *testing.T) []weir.Message {
	t.Helper()
	body, err := u.got.Load().Body()
	if err != nil {
		t.Fatal(err)
	}
	return body.Messages
}

// answers are the events of an answer of these blocks, each in pieces.
func answers(blocks ...weir.Block) []weir.Event {
	events := []weir.Event{{Type: weir.EventStart, Start: &weir.Start{ID: "a"}}}
	reason := weir.FinishStop
	for i, b := range blocks {
		at := func(t weir.EventType, p weir.Part, text string) weir.Event {
			return weir.Event{Type: t, Index: int32(i), Part: p, Text: text}
		}
		start := at(weir.EventBlockStart, 0, "")
		begun := b.Clone()
		begun.Text = ""
		start.Block = &begun
		events = append(events, start)
		for _, half := range halves(b.Text) {
			events = append(events, at(weir.EventDelta, weir.PartText, half))
		}
		if r := begun.Reasoning; r != nil {
			for _, half := range halves(r.Signature) {
				events = append(events, at(weir.EventDelta, weir.PartSignature, half))
			}
			for _, half := range halves(r.Encrypted) {
				events = append(events, at(weir.EventDelta, weir.PartEncrypted, half))
			}
			r.Signature, r.Encrypted = "", ""
		}
		if c := begun.Call; c != nil {
			reason = weir.FinishToolCalls
			for _, half := range halves(c.Arguments) {
				events = append(events, at(weir.EventDelta, weir.PartArguments, half))
			}
			begun, rest := c.Signature[:len(c.Signature)/2], c.Signature[len(c.Signature)/2:]
			if c.Arguments, c.Signature = "", begun; rest != "" {
				events = append(events, at(weir.EventDelta, weir.PartSignature, rest))
			}
		}
		events = append(events, at(weir.EventBlockEnd, 0, ""))
	}
	return append(events, weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: reason}})
}

func halves(s string) []string {
	if len(s) < 2 {
		if s == "" {
			return nil
		}
		return []string{s}
	}
	return []string{s[:len(s)/2], s[len(s)/2:]}
}

func text(s string) weir.Block { return weir.Block{Type: weir.BlockText, Text: s} }

func thinks(s string) weir.Block { return weir.Block{Type: weir.BlockReasoning, Text: s} }

func signed(s, signature string) weir.Block {
	return weir.Block{Type: weir.BlockReasoning, Text: s, Reasoning: &weir.Reasoning{Signature: signature, Format: "anthropic-claude-v1"}}
}

func encrypted(payload string) weir.Block {
	return weir.Block{Type: weir.BlockReasoning, Reasoning: &weir.Reasoning{Encrypted: payload, ID: "rs_1", Format: "openai-responses-v1"}}
}

func calls(id string) weir.Block { return callsWith(id, `{"q":1}`, "") }

func callsWith(id, arguments, signature string) weir.Block {
	return weir.Block{Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: id, Name: "search", Arguments: arguments, Signature: signature}}
}

func assistant(blocks ...weir.Block) weir.Message {
	return weir.Message{Role: weir.RoleAssistant, Blocks: blocks}
}

// asks is a request of a tenant with tools.
func asks(tenant string, messages ...weir.Message) *weir.Request {
	req := weir.NewRequest("m", &weir.Body{Messages: messages, Tools: []weir.Tool{{Type: weir.ToolFunction, Name: "search"}}})
	req.Principal = &weir.Principal{Name: tenant}
	return req
}

func question() weir.Message { return weir.UserText("find it") }

// stageOf is the stage around an upstream of a provider.
func stageOf(store replay.Store, provider string, needs replay.Needs, u weir.Handler) weir.Handler {
	return replay.New(replay.Options{Provider: provider, Deployment: provider + "/m", Needs: needs, Store: store})(u)
}

// says lets an upstream of a provider give an answer, to be kept.
func says(t *testing.T, store replay.Store, provider string, needs replay.Needs, req *weir.Request, blocks ...weir.Block) {
	t.Helper()
	collect(t, stageOf(store, provider, needs, &upstream{answer: answers(blocks...)}), req)
}

// sends lets an upstream of a provider get a request, and is what came of it.
func sends(t *testing.T, store replay.Store, provider string, needs replay.Needs, req *weir.Request) ([]weir.Message, *replay.Note) {
	t.Helper()
	u := &upstream{answer: answers(text("ok"))}
	done := collect(t, stageOf(store, provider, needs, u), req)
	return u.messages(t), noteOf(done)
}

func collect(t *testing.T, h weir.Handler, req *weir.Request) *weir.Completion {
	t.Helper()
	done, err := weir.Collect(h.Handle(t.Context(), req))
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func noteOf(done *weir.Completion) *replay.Note {
	for _, n := range done.Notes {
		if n, ok := n.(*replay.Note); ok {
			return n
		}
	}
	return nil
}
