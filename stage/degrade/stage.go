package degrade

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/weir-gateway/weir"
)

// stage is the compiled Options.
type stage struct {
	rules   []rule
	kinds   []weir.Kind
	maxText int
	zone    *time.Location
}

// Note is a note: what follows is a degraded answer.
type Note struct {
	Rule int    // from 1
	Name string // of the rule, if it has one
	// Err is the error that the client would have got. It is not to be modified.
	Err *weir.Error
	// Attempts are the upstream calls that failed, as far as they were told.
	Attempts []*weir.Attempt
}

// NoteKind implements weir.Note.
func (*Note) NoteKind() string { return Source }

// AnswerSource is Source, and the error that the answer stands for: for headers
// and a ledger, which know this package only by its notes.
func (n *Note) AnswerSource() (source string, cause *weir.Error) { return Source, n.Err }

func (s *stage) middleware(next weir.Handler) weir.Handler {
	return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
		if req.Op != weir.Generate || req.Strict {
			return next.Handle(ctx, req)
		}
		return func(yield func(weir.Event, error) bool) { s.run(ctx, next, req, yield) }
	})
}

// run hands everything on, the error included unless a rule answers.
func (s *stage) run(ctx context.Context, next weir.Handler, req *weir.Request, yield func(weir.Event, error) bool) {
	begun := false
	var failed []*weir.Attempt
	for ev, err := range next.Handle(ctx, req) {
		switch {
		case err != nil:
			if begun || ctx.Err() != nil || !s.answer(req, weir.AsError(err), failed, yield) {
				yield(weir.Event{}, err)
			}
			return
		case begun:
		case ev.Type != weir.EventNote:
			begun = true // the client may have seen it
		default:
			if a, ok := ev.Note.(*weir.Attempt); ok && a.Err != nil {
				failed = append(failed, a)
			}
		}
		if !yield(ev, nil) {
			return
		}
	}
}

// answer answers in the place of err, and reports whether it did.
func (s *stage) answer(req *weir.Request, err *weir.Error, failed []*weir.Attempt, yield func(weir.Event, error) bool) bool {
	if len(err.Attempts) > 0 {
		failed = err.Attempts
	}
	if !s.outage(err, failed) {
		return false
	}
	body, bad := req.Body()
	if bad != nil || body == nil || forcesTool(body) {
		return false
	}
	r, caught := s.choose(s.question(req, body))
	if r == nil {
		return false
	}
	a := answer{req: req, body: body, text: r.answer.render(s.values(req, err, r, caught))}
	note := &Note{Rule: r.number, Name: r.name, Err: err, Attempts: failed}
	if yield(weir.NoteEvent(note), nil) {
		a.give(yield)
	}
	return true
}

// outage reports whether err means that the models cannot be reached. One
// refusal for safety among the attempts is enough for a no: a text of ours in
// its place would hide it.
func (s *stage) outage(err *weir.Error, failed []*weir.Attempt) bool {
	refused := func(a *weir.Attempt) bool { return a.Err != nil && a.Err.Kind == weir.KindContentFilter }
	if !slices.Contains(s.kinds, err.Kind) || slices.ContainsFunc(failed, refused) {
		return false
	}
	if err.Kind == weir.KindRateLimit || err.Kind == weir.KindQuota {
		return err.IsUpstream() || len(failed) > 0
	}
	return true
}

// forcesTool reports whether the client waits for a call of a tool: a text in
// its place would be taken for a broken answer.
func forcesTool(b *weir.Body) bool {
	c := b.ToolChoice
	return c != nil && (c.Mode == weir.ToolModeRequired || c.Mode == weir.ToolModeNamed)
}
