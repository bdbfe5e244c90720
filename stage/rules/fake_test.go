package rules_test

import (
	"context"
	"encoding/json"
	"iter"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A next remembers the request that it was given last, and answers a word.
type next struct{ got atomic.Pointer[weir.Request] }

func (n *next) Handle(_ context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		n.got.Store(req)
		_ = yield(weir.Event{Type: weir.EventStart, Start: &weir.Start{}}, nil) &&
			yield(weir.Event{Type: weir.EventFinish, Finish: &weir.Finish{Reason: weir.FinishStop}}, nil)
	}
}

// compile makes rules that must be right.
func compile(t testing.TB, o rules.Options) *rules.Rules {
	t.Helper()
	r, err := rules.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// when is a general list of one rule with that condition.
func when(conditions ...string) rules.Options {
	l := rules.List{}
	for _, c := range conditions {
		l.Rules = append(l.Rules, rules.Rule{When: c, Use: "chosen"})
	}
	return rules.Options{Lists: []rules.List{l}}
}

// judged runs req through the stage: what came out of it, and the note.
func judged(t testing.TB, r *rules.Rules, req *weir.Request) (*weir.Request, *rules.Note) {
	t.Helper()
	var n next
	done, err := weir.Collect(r.Middleware()(&n).Handle(t.Context(), req))
	if err != nil {
		t.Fatal(err)
	}
	for _, note := range done.Notes {
		if note, ok := note.(*rules.Note); ok {
			return n.got.Load(), note
		}
	}
	return n.got.Load(), nil
}

// asks is a request for a model with a prompt.
func asks(model, prompt string) *weir.Request {
	return weir.NewRequest(model, &weir.Body{Messages: []weir.Message{weir.UserText(prompt)}})
}

// received is a request with bytes, whose decoding is counted.
func received(body *weir.Body, raw string) (req *weir.Request, decoded *atomic.Int32) {
	decoded = new(atomic.Int32)
	w := &weir.Wire{Protocol: weir.OpenAIChat, Body: []byte(raw)}
	return weir.NewWireRequest(w, func() (*weir.Body, error) {
		decoded.Add(1)
		if body == nil {
			return nil, weir.Invalid("messages", "it is no list")
		}
		return body, nil
	}), decoded
}

// chatOf is the bytes of a request of one prompt.
func chatOf(prompt string) string {
	raw, _ := json.Marshal(map[string]any{"model": "auto", "messages": []any{map[string]string{"role": "user", "content": prompt}}})
	return string(raw)
}
