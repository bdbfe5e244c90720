package thread

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/weir-gateway/weir"
)

// A call is one pass of an answer through the stage.
type call struct {
	*plan
	options *Options
	yield   func(weir.Event, error) bool

	answer  weir.Collector
	tail    tail
	id      string // that the client knows the response by; empty before the start
	from    weir.Protocol
	finish  weir.FinishReason
	content bool        // something of the answer has gone out
	stopped bool        // the consumer has left and must not be called again
	err     *weir.Error // why the answer ended early
}

// run ranges over the inner call. The end of the answer waits until the answer
// is kept: who has seen the end may refer to it at once, from anywhere.
func (c *call) run(ctx context.Context, next weir.Handler) {
	for ev, err := range next.Handle(ctx, c.req) {
		if err != nil {
			c.err = weir.AsError(err)
			break
		}
		if !c.take(ev) {
			c.stopped = true
			break
		}
	}
	c.save(ctx)
	if c.stopped || !c.tail.release(c.whileThere(ctx)) {
		return
	}
	if c.err != nil {
		c.yield(weir.Event{}, c.err)
	}
}

// whileThere is yield for a caller who may have left meanwhile.
func (c *call) whileThere(ctx context.Context) func(weir.Event, error) bool {
	return func(ev weir.Event, err error) bool {
		if ctx.Err() != nil {
			c.yield(weir.Event{}, weir.AsError(ctx.Err()))
			return false
		}
		return c.yield(ev, err)
	}
}

// take takes one event over and reports whether the consumer is still there.
func (c *call) take(ev weir.Event) bool {
	if ev.Type == weir.EventNote {
		return c.yield(ev, nil)
	}
	if c.anew || c.plan.id != "" {
		if ev.Type == weir.EventRelay {
			return true // a frame without meaning, of an answer that is written anew
		}
		ev = ev.Detach()
	}
	switch ev.Type {
	case weir.EventStart:
		ev = c.start(ev)
	case weir.EventFinish:
		if c.finish == "" {
			c.finish = ev.Finish.Reason
		}
		if c.anew && ev.Finish.From == weir.OpenAIResponses {
			f := *ev.Finish
			f.Extra = c.retold(f.Extra)
			ev.Finish = &f
		}
	}
	if c.record != nil && !c.record.Bare {
		c.answer.Add(ev)
	}
	c.content = c.content || ev.IsContent()
	return c.tail.pass(ev, c.yield)
}

// start gives the answer its id.
func (c *call) start(ev weir.Event) weir.Event {
	s := *ev.Start
	if c.record != nil && c.keptUpstream {
		c.record.Upstream = s.ID
	}
	if rec := c.record; rec != nil && c.plan.id == "" && s.ID == "" && !rec.Bare {
		c.plan.id, rec.Native = NewResponseID(), false
	}
	if c.plan.id != "" {
		s.ID = c.plan.id
		ev = ev.Detach()
	}
	if c.anew && s.From == weir.OpenAIResponses {
		s.Extra = c.retold(s.Extra)
	}
	s.Tools = slices.Concat(s.Tools, c.tools)
	ev.Start = &s
	c.id, c.from = s.ID, s.From
	return ev
}

// retold is members of a response as they are for the client, whose request was
// not the one that the upstream answered.
func (c *call) retold(extra weir.Fields) weir.Fields {
	set := func(name string, value any) {
		if extra.Value(name) == nil {
			return
		}
		if raw, err := json.Marshal(value); err == nil {
			extra = extra.With(name, raw)
		}
	}
	if c.asked.Previous != "" {
		set("previous_response_id", c.asked.Previous)
	}
	if c.asked.Conversation != "" {
		set("conversation", map[string]string{"id": c.asked.Conversation})
	}
	set("store", c.asked.Store == nil || *c.asked.Store)
	if c.record != nil && c.record.Background {
		set("background", true)
	}
	if c.plan.id != "" {
		set("id", c.plan.id)
	}
	return extra
}
