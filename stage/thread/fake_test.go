package thread_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"iter"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/thread"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A model is a fake upstream. Its answer follows from all that it was told, so
// that two requests that say the same are answered the same, and others are not.
type model struct {
	native bool // it speaks the Responses API, with frames
	bare   bool // its answers have no id
	fail   error
	after  int           // events before fail
	wait   time.Duration // before the end of the answer
	reason weir.FinishReason

	calls atomic.Int64
	open  atomic.Int64
	mu    sync.Mutex // guards what follows
	got   []*weir.Request
}

func (m *model) Handle(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		n := m.calls.Add(1)
		m.open.Add(1)
		defer m.open.Add(-1)
		m.mu.Lock()
		m.got = append(m.got, req)
		m.mu.Unlock()
		body, err := req.Body()
		if err != nil {
			yield(weir.Event{}, err)
			return
		}
		for i, ev := range m.answer(n, req, body) {
			if ev.Type == weir.EventFinish && m.wait > 0 {
				select {
				case <-time.After(m.wait):
				case <-ctx.Done():
				}
			}
			if ctx.Err() != nil {
				yield(weir.Event{}, ctx.Err())
				return
			}
			if m.fail != nil && i == m.after {
				yield(weir.Event{}, m.fail)
				return
			}
			if !yield(ev, nil) {
				return
			}
		}
	}
}

func (m *model) answer(n int64, req *weir.Request, body *weir.Body) []weir.Event {
	u := &weir.Usage{}
	u.Set(weir.UsageInput, int64(len(body.Messages)))
	u.Set(weir.UsageOutput, 3)
	reason := m.reason
	if reason == "" {
		reason = weir.FinishStop
	}
	start := &weir.Start{ID: fmt.Sprintf("resp_up%d", n), Model: "up", Created: 1}
	if m.bare {
		start.ID = ""
	}
	text := []weir.Event{
		{Type: weir.EventBlockStart, Block: &weir.Block{Type: weir.BlockText}},
		{Type: weir.EventDelta, Text: "seen "}, {Type: weir.EventDelta, Text: digest(body.Messages)},
		{Type: weir.EventBlockEnd},
	}
	finish := &weir.Finish{Reason: reason}
	if !m.native {
		return slices.Concat([]weir.Event{{Type: weir.EventStart, Start: start}}, text,
			[]weir.Event{{Type: weir.EventFinish, Finish: finish}, {Type: weir.EventUsage, Usage: u}})
	}
	start.From, finish.From = weir.OpenAIResponses, weir.OpenAIResponses
	start.Extra = weir.Fields{
		{Name: "previous_response_id", Value: []byte("null")}, {Name: "store", Value: []byte("false")},
		{Name: "truncation", Value: []byte(`"disabled"`)},
	}
	if req.Relay {
		text = []weir.Event{{Type: weir.EventRelay}, {Type: weir.EventRelay}}
	}
	progress := weir.Event{Type: weir.EventRelay}
	return slices.Concat(framed("created", weir.Event{Type: weir.EventStart, Start: start}), framed("in_progress", progress),
		framed("text", text[0]), framed("text", text[1:]...),
		framed("completed", weir.Event{Type: weir.EventUsage, Usage: u}, weir.Event{Type: weir.EventFinish, Finish: finish}))
}

// framed are events of one frame.
func framed(name string, events ...weir.Event) []weir.Event {
	f := &weir.Frame{Protocol: weir.OpenAIResponses, Raw: []byte(name), Events: int32(len(events))}
	for i := range events {
		events[i].Frame, events[i].FrameSeq = f, int32(i)
	}
	return events
}

// digest is what messages say, wherever they stood.
func digest(messages []weir.Message) string {
	h := fnv.New64a()
	for i := range messages {
		m := messages[i]
		m.At = ""
		m.Blocks = anywhere(m.Blocks)
		b, _ := json.Marshal(m)
		h.Write(b)
	}
	return strconv.FormatUint(h.Sum64(), 16)
}

// anywhere is blocks without the place where they stood.
func anywhere(blocks []weir.Block) []weir.Block {
	out := slices.Clone(blocks)
	for i := range out {
		out[i].At = ""
		if r := out[i].Result; r != nil {
			c := *r
			c.Content = anywhere(c.Content)
			out[i].Result = &c
		}
	}
	return out
}

func (m *model) last() *weir.Request {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.got[len(m.got)-1]
}

// said are the texts of the messages that arrived last.
func (m *model) said() []string {
	body, _ := m.last().Body()
	var out []string
	for i := range body.Messages {
		out = append(out, body.Messages[i].Text())
	}
	return out
}

// An ask is a request as a client of the Responses API makes it.
type ask struct {
	instructions string
	input        []weir.Message
	thread       weir.Thread
	tenant       string
	extra        weir.Fields
	op           weir.Operation
}

func says(texts ...string) ask {
	var a ask
	for _, s := range texts {
		a.input = append(a.input, weir.UserText(s))
	}
	return a
}

func (a ask) after(id string) ask      { a.thread.Previous = id; return a }
func (a ask) within(id string) ask     { a.thread.Conversation = id; return a }
func (a ask) by(tenant string) ask     { a.tenant = tenant; return a }
func (a ask) store(yes bool) ask       { a.thread.Store = &yes; return a }
func (a ask) told(what string) ask     { a.instructions = what; return a }
func (a ask) with(n, v string) ask     { a.extra = a.extra.With(n, []byte(v)); return a }
func (a ask) to(op weir.Operation) ask { a.op = op; return a }

func (a ask) request() *weir.Request {
	wire := &weir.Wire{Protocol: weir.OpenAIResponses, Body: []byte("{}")}
	req := weir.NewWireRequest(wire, func() (*weir.Body, error) {
		body := &weir.Body{From: weir.OpenAIResponses, Extra: a.extra}
		if a.instructions != "" {
			m := weir.SystemText(a.instructions)
			m.At = "instructions"
			body.Messages = append(body.Messages, m)
		}
		for i, m := range a.input {
			m.At = fmt.Sprintf("input[%d]", i)
			body.Messages = append(body.Messages, m)
		}
		if a.thread != (weir.Thread{}) {
			body.Thread = &a.thread
		}
		return body, nil
	})
	req.Model, req.Stream, req.Relay, req.Op = "m", true, true, a.op
	if a.tenant != "" {
		req.Principal = &weir.Principal{Name: a.tenant}
	}
	return req
}

// An outcome is what a client saw.
type outcome struct {
	*weir.Completion
	events []weir.Event
	err    *weir.Error
	kept   *thread.Kept
}

func answerTo(ctx context.Context, h weir.Handler, a ask) outcome {
	var out outcome
	var c weir.Collector
	var frames weir.FrameCloner
	for ev, err := range h.Handle(ctx, a.request()) {
		if err != nil {
			out.err = weir.AsError(err)
			break
		}
		if k, ok := ev.Note.(*thread.Kept); ok {
			out.kept = k
		}
		c.Add(ev)
		out.events = append(out.events, frames.Clone(ev))
	}
	out.Completion = c.Completion()
	return out
}

// mustAnswer is an answer without an error.
func mustAnswer(t *testing.T, h weir.Handler, a ask) outcome {
	t.Helper()
	out := answerTo(t.Context(), h, a)
	if out.err != nil {
		t.Fatalf("no answer: %v", out.err)
	}
	return out
}

func newKeeper() *thread.Keeper {
	return thread.NewKeeper(thread.KeeperOptions{Store: thread.NewMemory(thread.MemoryOptions{})})
}

// stand is a deployment of a provider that speaks another protocol.
func stand(k *thread.Keeper, m *model) weir.Handler {
	return thread.New(thread.Options{Keeper: k, Deployment: "p/m", Provider: "p", Keep: true})(m)
}

func nativeStand(k *thread.Keeper, m *model, name string, stores bool) weir.Handler {
	m.native = true
	return thread.New(thread.Options{Keeper: k, Deployment: name, Provider: "openai", Native: true, NativeStore: stores, Keep: true})(m)
}
