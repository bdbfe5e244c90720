package ledger

import (
	"context"
	"iter"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/price"
)

// DefaultDrain is a good Options.Drain for a gateway.
const DefaultDrain = 2 * time.Second

// A Sink takes entries. Record must not block, must not modify the entry and
// is called from many goroutines at once.
type Sink interface{ Record(*Entry) }

// Options set up the stage.
type Options struct {
	// Sink gets every entry. Nil: entries are told in notes only.
	Sink Sink
	// Drain is how long the upstream of a client that left is read on for its
	// final usage, once there was content; 0 cancels at once.
	Drain time.Duration
	// Price is what usage of a provider's model cost at a time, and whether
	// that is known. Nil: no price is known.
	Price func(provider, model string, u *weir.Usage, at time.Time) (price.Money, bool)
}

// New is the stage. It belongs outside of all others but telemetry.
func New(o Options) weir.Middleware {
	return func(next weir.Handler) weir.Handler {
		return weir.HandlerFunc(func(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
			return func(yield func(weir.Event, error) bool) {
				c := newCall(&o, req)
				defer c.record()
				c.run(ctx, next, yield)
			}
		})
	}
}

// run ranges over the inner call on behalf of a client that may leave.
func (c *call) run(ctx context.Context, next weir.Handler, yield func(weir.Event, error) bool) {
	inner := c.client.attach(ctx, c.options.Drain)
	defer c.client.detach()
	if ctx.Err() == nil {
		c.call(inner, next, yield)
	} else {
		c.fail(ctx.Err())
	}
	c.settle()
	if !c.stopped {
		c.close(yield)
	}
}

// call hands on the inner events while the client is there, and reads on
// without it for as long as that is worth something.
func (c *call) call(inner context.Context, next weir.Handler, yield func(weir.Event, error) bool) {
	c.called = true
	for ev, err := range next.Handle(inner, c.req) {
		if err != nil {
			c.fail(err)
			break
		}
		if c.client.gone() {
			c.leave()
		}
		c.see(&ev)
		if !c.left && !yield(ev, nil) {
			c.stopped = true
			c.leave()
		}
		if c.left && (c.meter.final() || !c.client.leave()) {
			break
		}
	}
	if c.client.gone() {
		c.leave()
	}
	if c.err == nil && !c.left {
		c.meter.finished = true // what has no finish of its own ends with the sequence
	}
}

// close tells the consumer that is still there what the call came to.
func (c *call) close(yield func(weir.Event, error) bool) {
	if yield(weir.NoteEvent(&Settled{c.entry}), nil) && c.err != nil {
		yield(weir.Event{}, c.err)
	}
}
