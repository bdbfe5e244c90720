package shadow

import (
	"context"
	"iter"
	"time"

	"github.com/weir-gateway/weir"
)

// Middleware is the stage that watches requests go by and sends copies of some.
// It belongs outside of route, and inside of whatever answers in the place of
// the models (a cache, a degraded answer). A request that is not sampled costs
// its hash.
func (s *Shadow) Middleware() weir.Middleware {
	return func(next weir.Handler) weir.Handler {
		if len(s.targets) == 0 {
			return next
		}
		return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
			hits := s.sampled(req)
			if hits == nil || isShadow(ctx) {
				return next.Handle(ctx, req)
			}
			return func(yield func(weir.Event, error) bool) { s.watch(ctx, next, req, hits, yield) }
		})
	}
}

// watch hands the answer on, and copies the request when it was answered.
func (s *Shadow) watch(ctx context.Context, next weir.Handler, req *weir.Request, hits []*target, yield func(weir.Event, error) bool) {
	inner := req
	if s.options.Compare != nil && req.Relay {
		inner = req.Clone()
		inner.Relay = false
	}
	m := s.meter(req.Model)
	for ev, err := range next.Handle(ctx, inner) {
		if err != nil {
			yield(weir.Event{}, err)
			return
		}
		m.see(&ev)
		if !yield(ev, nil) {
			return
		}
	}
	first := m.end(nil)
	for _, t := range hits {
		s.send(ctx, req, t, first, m.text.String())
	}
}

type shadowKey struct{}

// mark makes ctx that of a copy, which is not copied again even if the chain
// that answers it has this stage.
func mark(ctx context.Context) context.Context { return context.WithValue(ctx, shadowKey{}, true) }

func isShadow(ctx context.Context) bool { return ctx.Value(shadowKey{}) != nil }

// A meter measures an answer.
type meter struct {
	out     Outcome
	started time.Time
	usage   weir.Usage
	seen    bool // usage was reported
	// room is how many more bytes of text are gathered.
	room  int
	text  builder
	texts map[int32]bool // the blocks that are text
}

func (s *Shadow) meter(model string) *meter {
	m := &meter{started: time.Now()}
	m.out.Model = model
	if s.options.Compare != nil {
		m.room = s.options.MaxText
	}
	return m
}

func (m *meter) see(ev *weir.Event) {
	if m.out.TTFT == 0 && ev.IsContent() {
		m.out.TTFT = time.Since(m.started)
	}
	switch ev.Type {
	case weir.EventNote:
		if a, ok := ev.Note.(*weir.Attempt); ok {
			m.out.Deployment, m.out.Provider = a.Deployment, a.Provider
		}
	case weir.EventUsage:
		m.usage.Merge(ev.Usage)
		m.seen = true
	case weir.EventFinish:
		if m.out.Finish == "" && ev.Finish != nil {
			m.out.Finish = ev.Finish.Reason
		}
	case weir.EventBlockStart, weir.EventDelta:
		if m.room > 0 && ev.Choice == 0 {
			m.gather(ev)
		}
	}
}

// gather adds the text of the first choice.
func (m *meter) gather(ev *weir.Event) {
	text := ev.Text
	if ev.Type == weir.EventBlockStart {
		if ev.Block == nil || ev.Block.Type != weir.BlockText {
			return
		}
		if m.texts == nil {
			m.texts = map[int32]bool{}
		}
		m.texts[ev.Index] = true
		text = ev.Block.Text
	} else if ev.Part != weir.PartText || !m.texts[ev.Index] {
		return
	}
	text = cut(text, m.room)
	m.room -= len(text)
	m.text.WriteString(text)
}

// end is what the answer came to.
func (m *meter) end(err *weir.Error) Outcome {
	m.out.Duration, m.out.Err = time.Since(m.started), err
	if m.seen {
		u := m.usage
		m.out.Usage = &u
	}
	return m.out
}
