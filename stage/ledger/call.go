package ledger

import (
	"cmp"
	"context"
	"time"

	"github.com/weir-gateway/weir"
)

// A call is one pass through the stage.
type call struct {
	options *Options
	req     *weir.Request
	client  client
	meter   meter
	entry   *Entry
	err     *weir.Error
	// stopped tells that the consumer has left its range statement and must
	// not be called again.
	stopped bool
	called  bool // the inner Handler was called
	left    bool // stopped, or gone
	cut     bool // left before the answer was complete
	settled bool
	// refused counts attempts that an upstream answered with an error status,
	// which are not billed.
	refused int
	free    bool    // the answer cost nothing: it was made for another call, or by nobody
	parts   []Spent // what others than the last deployment wrote of the answer
}

func newCall(o *Options, req *weir.Request) *call {
	e := &Entry{
		ID: req.ID, Time: time.Now(), Labels: req.Labels, Op: req.Op,
		Streamed: req.Stream, Model: req.Model,
	}
	if req.Principal != nil {
		e.Principal = req.Principal.Name
	}
	if req.Wire != nil {
		e.Protocol = req.Wire.Protocol
	}
	return &call{options: o, req: req, entry: e}
}

// see takes note of what passes.
func (c *call) see(ev *weir.Event) {
	switch ev.Type {
	case weir.EventNote:
		c.note(ev.Note)
		return
	case weir.EventPing:
		return
	case weir.EventFinish:
		if c.entry.Finish == "" && ev.Finish != nil {
			c.entry.Finish = ev.Finish.Reason
		}
	}
	c.meter.add(ev)
	if !c.entry.Committed && ev.IsContent() {
		c.entry.Committed = true
		c.entry.TTFT = time.Since(c.entry.Time)
		c.client.flowing.Store(true)
	}
}

// spent is a note about usage of an attempt that was discarded.
type spent interface {
	SpentUsage() (u *weir.Usage, deployment, provider, model string)
}

// parted is the note of an answer that another deployment went on with: what the
// first one cost, which the usage behind it includes.
type parted interface {
	PartUsage() (u *weir.Usage, deployment, provider, model string)
}

// sourced is the note of an answer that no upstream gave, and the error in whose
// place it stands, if there is one.
type sourced interface {
	AnswerSource() (source string, cause *weir.Error)
}

func (c *call) note(n weir.Note) {
	switch n := n.(type) {
	case *weir.Attempt:
		c.entry.Attempts++
		c.served(n.Deployment, n.Provider, n.Model)
		if n.Err != nil {
			c.meter.accepted = false // the next attempt starts anew
			if n.Err.Status >= 400 {
				c.refused++
			}
		}
	case *weir.Upstream:
		c.served(n.Deployment, n.Provider, n.Model)
		c.entry.UpstreamID = n.RequestID
		c.meter.accepted = n.Status < 300
	case *weir.Loss:
		c.entry.Losses = append(c.entry.Losses, *n)
	case sourced:
		source, cause := n.AnswerSource()
		c.entry.Source, c.free = source, true
		if cause != nil {
			c.entry.Instead = cause.Kind
		}
	case parted:
		u, deployment, provider, model := n.PartUsage()
		c.parts = append(c.parts, Spent{u, deployment, provider, model})
	case weir.Emulated:
		if s := n.Emulated(); s != "" {
			c.entry.Emulated = append(c.entry.Emulated, s)
		}
	case spent:
		u, deployment, provider, model := n.SpentUsage()
		c.entry.Spent = append(c.entry.Spent, Spent{u, deployment, provider, model})
	}
}

func (c *call) served(deployment, provider, model string) {
	c.entry.Deployment, c.entry.Provider, c.entry.UpstreamModel = deployment, provider, model
}

func (c *call) fail(err error) { c.err = c.client.cause(err) }

// leave notes that the client has left, and whether it had its answer by then.
func (c *call) leave() {
	if !c.left {
		c.left, c.cut = true, c.entry.Finish == ""
	}
}

// settle completes the entry, once.
func (c *call) settle() {
	if c.settled {
		return
	}
	c.settled = true
	c.end()
	c.account()
	c.entry.Duration = time.Since(c.entry.Time)
}

// end says how the call ended.
func (c *call) end() {
	e := c.entry
	switch {
	case c.left && c.cut:
		c.err = weir.AsError(context.Canceled)
	case c.left || c.err == nil:
		e.Outcome, e.Status, e.Source = Answered, 200, cmp.Or(e.Source, "upstream")
		return
	}
	e.Outcome = Failed
	if c.err.Kind == weir.KindCanceled {
		e.Outcome = Canceled
	}
	e.Kind, e.Code, e.Status = c.err.Kind, c.err.Code, c.err.HTTPStatus(e.Protocol)
	if !c.err.IsUpstream() {
		e.Message = c.err.Message
	}
	if e.Deployment == "" {
		e.Deployment = c.err.Deployment
	}
}

// record hands the entry to the sink. It runs on every path, a panic of an
// inner stage included, which must not lose the entry.
func (c *call) record() {
	if !c.settled {
		c.err = weir.Errorf(weir.KindInternal, "the call did not end in order")
		c.settle()
	}
	if c.options.Sink != nil {
		c.options.Sink.Record(c.entry)
	}
}
