package thread

import (
	"context"

	"github.com/weir-gateway/weir"
)

// save keeps the answer as it is now, complete or not. Of one that failed before
// anything of it went out, the client knows no id, and nothing is kept.
func (c *call) save(ctx context.Context) {
	if c.record == nil || c.id == "" {
		return
	}
	if c.stopped && c.finish == "" {
		c.err = weir.AsError(context.Canceled)
	}
	if c.err != nil && !c.content {
		return
	}
	c.complete()
	ctx, cancel := c.options.Keeper.detached(ctx)
	defer cancel()
	err := c.append(ctx)
	if err == nil && c.store != nil {
		err = c.options.Keeper.put(ctx, c.store, c.tenant, c.record)
	}
	c.options.Keeper.report(err)
	if c.store == nil || c.stopped {
		return
	}
	note := &Kept{ID: c.record.ID, Err: weir.AsError(err), tenant: c.tenant}
	if err == nil && !c.local {
		note.keeper = c.options.Keeper
	}
	c.stopped = !c.yield(weir.NoteEvent(note), nil)
}

// complete fills in what the answer has become.
func (c *call) complete() {
	rec := c.record
	rec.ID, rec.Status = c.id, statusOf(c.finish, c.options.Native)
	if rec.Bare {
		if c.err != nil {
			rec.fail(c.err)
		}
		return
	}
	done := c.answer.Completion()
	rec.Finish, rec.Usage = c.finish, done.Usage
	if len(done.Choices) > 0 && len(done.Choices[0].Message.Blocks) > 0 {
		rec.Output = []weir.Message{c.own(done.Choices[0].Message)}
	}
	switch {
	case c.err != nil:
		rec.fail(c.err)
	case rec.Status == Failed:
		rec.fail(weir.Errorf(weir.KindUpstream, "the upstream gave up"))
	}
}

// own is an answer as part of a later request: members that another protocol
// than the client's has put on it would be taken for the client's.
func (c *call) own(m weir.Message) weir.Message {
	body, err := c.req.Body()
	if err == nil && c.from == body.From {
		return m
	}
	m.Extra = nil
	for i := range m.Blocks {
		b := &m.Blocks[i]
		b.Extra = nil
		if b.Media != nil {
			b.Media.Extra = nil
		}
		if b.Reasoning != nil {
			b.Reasoning.Extra = nil
		}
		if b.Call != nil {
			b.Call.Extra = nil
		}
	}
	return m
}

// append adds a complete turn to its conversation, input and output together.
// A conversation that was deleted meanwhile stays deleted.
func (c *call) append(ctx context.Context) error {
	rec := c.record
	if c.conversation == "" || !rec.answered() {
		return nil
	}
	turn := append(append([]weir.Message(nil), rec.Input...), rec.Output...)
	entries, err := encodeItems(splitItems(turn, func(prefix string) string { return prefix + randomID() }))
	if err != nil || len(entries) == 0 {
		return err
	}
	there, err := c.options.Keeper.Store.Append(ctx, conversationKey(c.tenant, c.conversation), entries, c.options.Keeper.TTL)
	if there {
		rec.Last = entries[len(entries)-1].ID
	}
	return err
}
