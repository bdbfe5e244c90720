package structured

import (
	"context"
	"strings"

	"github.com/weir-gateway/weir"
)

// A call is one pass through the stage.
type call struct {
	o     *Options
	next  weir.Handler
	req   *weir.Request // as it came
	yield func(weir.Event, error) bool

	mode   Mode
	tool   string // the name of the one tool, in ModeTool
	field  string // what the client calls the format
	strict bool
	single bool // one choice is asked for
	check  *checker

	asks    int
	cost    total
	aside   *answer // the last whole answer that does not match, while another is asked for
	stopped bool    // the consumer has left
}

// newCall is nil when the request is to be left alone.
func (o *Options) newCall(next weir.Handler, req *weir.Request, yield func(weir.Event, error) bool) (*call, error) {
	body, err := req.Body()
	if err != nil {
		return nil, err
	}
	mode := o.mode(body)
	if mode == "" {
		return nil, nil
	}
	f := body.Format
	c := &call{
		o: o, next: next, req: req, yield: yield, mode: mode, field: wordFor(body.From),
		strict: req.Strict || f.Strict != nil && *f.Strict, single: body.N == nil || *body.N <= 1,
	}
	if mode == ModeTool {
		c.tool = toolName(f.Name)
	}
	c.check, err = newChecker(f, c.field)
	return c, err
}

// run asks until an answer matches, or nothing more may be done about it.
func (c *call) run(ctx context.Context) {
	req, err := c.o.rewrite(c.req, c.mode)
	if err != nil {
		c.yield(weir.Event{}, err)
		return
	}
	for {
		a := c.ask(ctx, req)
		switch {
		case c.stopped:
			return
		case a.err != nil:
			c.failed(ctx, a)
			return
		case a.live != nil:
			return
		}
		c.countAttempt(a)
		if a.judge(); a.violation == nil || !c.mayAsk(ctx, a) {
			c.conclude(a)
			return
		}
		if !c.putAside(a) {
			return
		}
		if req, err = again(req, a, c.tool); err != nil {
			c.yield(weir.Event{}, err)
			return
		}
	}
}

// say yields, and remembers when the consumer leaves.
func (c *call) say(ev weir.Event) bool {
	c.stopped = c.stopped || !c.yield(ev, nil)
	return !c.stopped
}

// mayAsk reports whether an answer that does not match may be asked for again.
// As after a failure, every deployment that is still to be tried keeps an attempt.
func (c *call) mayAsk(ctx context.Context, a *answer) bool {
	if ctx.Err() != nil || !c.single || c.asks > c.o.Reasks || a.violation.final {
		return false
	}
	return c.req.Allowance == nil || c.req.Allowance.Left() > max(len(c.req.Deployments)-1, 0)
}

// putAside keeps an answer that does not match: the next one may be none at
// all. What was kept before is given up.
func (c *call) putAside(a *answer) bool {
	c.cost = c.cost.add(a.gathered.Completion().Usage)
	ok := c.giveUp()
	c.aside = a
	return ok
}

// giveUp tells that the attempt which was put aside has failed, for its form.
func (c *call) giveUp() bool {
	a := c.aside
	c.aside = nil
	return a == nil || c.tellFailed(a, c.mismatch(a.violation))
}

// tellFailed tells of an attempt whose answer nobody gets. Its note, which says
// that it answers, was held until now.
func (c *call) tellFailed(a *answer, err *weir.Error) bool {
	for _, commit := range a.commits {
		told := *commit
		told.Err = err
		if !c.say(weir.NoteEvent(&told)) {
			return false
		}
	}
	return true
}

// countAttempt takes an ask off the Allowance, if no stage inside has.
func (c *call) countAttempt(a *answer) {
	if l := c.req.Allowance; l != nil && l.Used() == a.used {
		l.Take()
	}
}

// mismatch is the error of an answer that does not match.
func (c *call) mismatch(v *violation) *weir.Error {
	e := c.upstream("the answer does not match the schema of %s: %s", c.field, v.where)
	e.Code, e.Hint = "schema_mismatch", "ask without strict to get the last answer as it is"
	return e
}

func (c *call) upstream(format string, args ...any) *weir.Error {
	e := weir.Errorf(weir.KindUpstream, format, args...)
	e.Deployment, e.Provider = c.o.Deployment, c.o.Provider
	return e
}

// failed ends a call whose last ask failed. An answer that was put aside is
// better than none, unless the client is strict or has gone.
func (c *call) failed(ctx context.Context, a *answer) {
	if a.live != nil {
		c.yield(weir.Event{}, a.err)
		return
	}
	if u := a.gathered.Completion().Usage; u != nil {
		c.cost = c.cost.add(u)
	}
	aside := c.aside
	if aside != nil && !c.strict && ctx.Err() == nil {
		if c.tellFailed(a, weir.AsError(a.err)) {
			c.give(aside)
		}
		return
	}
	if c.giveUp() && c.tellFailed(a, weir.AsError(a.err)) {
		c.fail(a.err)
	}
}

// conclude gives the last answer, or says that it is none.
func (c *call) conclude(a *answer) {
	c.cost = c.cost.add(a.gathered.Completion().Usage)
	if !c.giveUp() {
		return
	}
	if !c.strict || a.violation == nil {
		c.give(a)
		return
	}
	err := c.mismatch(a.violation)
	if c.tellFailed(a, err) && c.say(weir.NoteEvent(c.note(a))) {
		c.fail(err)
	}
}

// fail tells what the asks have cost, and ends the call.
func (c *call) fail(err error) {
	if u := c.cost.usage(); u != nil {
		spent := &Spent{Usage: u, Deployment: c.o.Deployment, Provider: c.o.Provider, Model: c.o.Model}
		if !c.say(weir.NoteEvent(spent)) {
			return
		}
	}
	c.yield(weir.Event{}, err)
}

func (c *call) note(a *answer) *Note {
	return &Note{
		Mode: c.mode, Asks: c.asks, Checked: a.checked, Valid: a.checked && a.violation == nil,
		Cleaned: a.cleaned, Dropped: a.dropped, Unchecked: c.check.unchecked,
	}
}

// loss says that an answer is given although it does not match.
func (c *call) loss() *weir.Loss {
	return &weir.Loss{Field: c.field, Action: weir.LossApproximated, Detail: "the answer does not match the schema"}
}

// again is the request with the answer and what is wrong with it.
func again(req *weir.Request, a *answer, tool string) (*weir.Request, error) {
	return req.Edit(func(b *weir.Body) error {
		if text := a.said(); strings.TrimSpace(text) != "" {
			b.Messages = append(b.Messages, weir.AssistantText(text))
		}
		b.Messages = append(b.Messages, weir.UserText(complaint(a.violation, tool)))
		return nil
	})
}

// complaint says to the model what is wrong.
func complaint(v *violation, tool string) string {
	var s strings.Builder
	s.WriteString("That answer does not have the form that was asked for:\n")
	for _, told := range v.told {
		s.WriteString("- " + told + "\n")
	}
	if tool != "" {
		s.WriteString("Call the tool " + tool + " again, with the whole corrected answer.")
	} else {
		s.WriteString("Answer again with the whole corrected JSON and nothing else.")
	}
	return s.String()
}
