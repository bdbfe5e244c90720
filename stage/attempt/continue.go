package attempt

import (
	"context"
	"iter"

	"github.com/weir-gateway/weir"
)

// ContinueOptions say which answers are continued, and where. The zero value
// continues none.
type ContinueOptions struct {
	// Enabled reports whether the answer to a request may be continued: the
	// mode is explicit, per model. Nil: none may.
	Enabled func(req *weir.Request) bool
	// Prefill reports whether a deployment goes on with an assistant's message
	// that ends the conversation. Nil: none does.
	Prefill func(d *weir.Deployment) bool
	// Times is how often one answer is continued at most. 0 is 2.
	Times int
	// Attempts is how many upstream calls one request may cause, the first
	// answer's included, where it brings no Allowance. 0 is 4.
	Attempts int
	// Structured continues answers that must have a form (JSON, a schema) too.
	Structured bool
	// Reasoning continues answers with reasoning too, once that is complete.
	// What the next model thinks is not shown.
	Reasoning bool
	// Same tries the deployment that broke too, after those behind it.
	Same bool
	// MaxText is how many bytes of text an answer may have to be continued. 0
	// is 1 MiB.
	MaxText int
}

// Continue goes on with an answer that breaks in the middle, after it has been
// committed, in place of passing on the error: the conversation with the text so
// far as the beginning of the assistant's answer (a "prefill") is sent to the
// next deployment that can go on with it, and the client sees one answer, with
// one id and one text. It belongs around Fallback.
//
// An answer is continued when it consists of text only, nothing of a tool call,
// and the error is one that another deployment may mend. Otherwise, and where
// no continuation commits to an answer either, the error is the one that broke
// it (requirements ).
//
// The seam is made good: white space at the end of the text is not sent, since
// models do not go on well after it and some refuse it, and does not appear
// twice; a continuation that begins with the end of the text over again is cut.
// Usage from there on is the sum of all calls. A Continued note tells where the
// answer broke and what it had cost by then.
//
// A model's answer that may be continued is decoded, whatever Request.Relay says.
func Continue(o ContinueOptions) weir.Middleware {
	o.Times, o.Attempts, o.MaxText = orInt(o.Times, 2), orInt(o.Attempts, 4), orInt(o.MaxText, 1<<20)
	return func(next weir.Handler) weir.Handler {
		if o.Enabled == nil || o.Prefill == nil {
			return next
		}
		return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
			if req.Op != weir.Generate || !o.Enabled(req) {
				return next.Handle(ctx, req)
			}
			return func(yield func(weir.Event, error) bool) {
				c := &continuation{ContinueOptions: &o, next: next, yield: yield, req: req.Clone()}
				c.req.Relay = false
				if c.req.Allowance == nil {
					c.req.Allowance = weir.NewAllowance(o.Attempts)
				}
				c.run(ctx)
			}
		})
	}
}

// Continued is a note: an answer broke after it had been committed, and another
// deployment goes on with it. It is sent once that one has begun to answer.
type Continued struct {
	// Deployment, Provider and Model name where the answer broke.
	Deployment, Provider, Model string
	To                          string      // the deployment that goes on
	Err                         *weir.Error // what broke it
	Bytes                       int         // of text that the client had by then
	// Usage is what the call that broke had cost, estimated as far as it was
	// not reported. The usage events behind this note include it.
	Usage *weir.Usage
}

// NoteKind implements weir.Note.
func (*Continued) NoteKind() string { return "continued" }

// PartUsage is the part of the answer's usage that arose elsewhere, and where,
// for a ledger that prices each part by itself.
func (n *Continued) PartUsage() (u *weir.Usage, deployment, provider, model string) {
	return n.Usage, n.Deployment, n.Provider, n.Model
}

// A continuation is one pass through the stage.
type continuation struct {
	*ContinueOptions
	next  weir.Handler
	req   *weir.Request
	yield func(weir.Event, error) bool

	said   said         // what the client has of the answer
	spent  weir.Usage   // of the calls that broke
	served weir.Attempt // who answers
	call   callUsage    // of the call that runs
	broke  *weir.Error  // why the last committed call ended
}

func (c *continuation) run(ctx context.Context) {
	if c.begin(ctx) {
		return
	}
	for times := 0; times < c.Times && c.continuable(ctx); times++ {
		req := c.resume()
		if req == nil {
			break
		}
		over, begun := c.goOn(ctx, req)
		if over {
			return
		}
		if !begun {
			break // all that could go on have been asked
		}
	}
	c.yield(weir.Event{}, c.broke)
}

// begin passes the first call through and reports whether the call is over.
func (c *continuation) begin(ctx context.Context) (over bool) {
	c.call.req = c.req
	for ev, err := range c.next.Handle(ctx, c.req) {
		if err != nil {
			c.broke = weir.AsError(err)
			return false
		}
		if ev.Type == weir.EventNote {
			c.note(ev.Note)
		} else {
			c.said.see(&ev, c.MaxText)
			c.call.see(&ev)
		}
		if !c.yield(ev, nil) {
			return true
		}
	}
	return true
}

func (c *continuation) note(n weir.Note) {
	if a, ok := n.(*weir.Attempt); ok && a.Err == nil {
		c.served = *a
	}
}

// continuable reports whether the answer may go on elsewhere.
func (c *continuation) continuable(ctx context.Context) bool {
	if ctx.Err() != nil || !c.broke.Kind.Retryable() || c.req.Allowance.Left() <= 0 || !c.said.whole(c.Reasoning) {
		return false
	}
	body, err := c.req.Body()
	return err == nil && !kept(body) && (body.N == nil || *body.N <= 1) && (c.Structured || !formed(body))
}

// formed reports whether the answer must have a form.
func formed(b *weir.Body) bool { return b.Format != nil && b.Format.Type != weir.FormatText }

// resume is the request for the rest of the answer; nil when nobody can go on.
func (c *continuation) resume() *weir.Request {
	text, _ := cutPrefill(c.said.text.String())
	targets := c.targets(text != "")
	if len(targets) == 0 {
		return nil
	}
	saidTokens := c.call.output()
	if c.spent.Has(weir.UsageOutput) {
		saidTokens += c.spent.OutputTokens
	}
	req, err := c.req.Edit(func(b *weir.Body) error {
		prefill(b, text)
		if b.MaxTokens != nil {
			left := max(*b.MaxTokens-saidTokens, 1)
			b.MaxTokens = &left
		}
		return nil
	})
	if err != nil {
		return nil
	}
	req.Deployments = targets
	return req
}

// targets are the deployments that can go on, best first.
func (c *continuation) targets(prefilled bool) []weir.Deployment {
	all := c.req.Deployments
	at := -1
	for i := range all {
		if all[i].Name == c.served.Deployment {
			at = i
			break
		}
	}
	var out []weir.Deployment
	for i := range all[at+1:] {
		if d := &all[at+1+i]; d.Name != c.served.Deployment && (!prefilled || c.Prefill(d)) {
			out = append(out, *d)
		}
	}
	if c.Same && at >= 0 && (!prefilled || c.Prefill(&all[at])) {
		out = append(out, all[at])
	}
	return out
}

// prefill makes text the beginning of the assistant's answer. Where the client
// had begun that answer itself, it goes on from there.
func prefill(b *weir.Body, text string) {
	if text == "" {
		return
	}
	if n := len(b.Messages); n > 0 && b.Messages[n-1].Role == weir.RoleAssistant {
		m := &b.Messages[n-1]
		if last := len(m.Blocks) - 1; last >= 0 && m.Blocks[last].Type == weir.BlockText {
			m.Blocks[last].Text += text
			return
		}
		m.Plain = false
		m.Blocks = append(m.Blocks, weir.Block{Type: weir.BlockText, Text: text})
		return
	}
	b.Messages = append(b.Messages, weir.AssistantText(text))
}
