package ws

import (
	"time"

	"github.com/weir-gateway/weir"
)

// A lane is the turns of one stream_id, which run one after the other. It is
// there while there are any.
type lane struct {
	// over tells that the client has seen the end of the turn that runs.
	over  bool
	queue []*turn // that wait
}

// enqueue runs a turn, now or in its lane's order. The error is what the client
// is told when there is no room.
func (c *conn) enqueue(t *turn) *weir.Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := &c.server.options
	if c.ending != nil {
		return c.ending
	}
	l := c.lanes[t.stream]
	switch {
	case l == nil && t.stream != "" && len(c.lanes) >= o.MaxLanes:
		return streamLimit(o.MaxLanes)
	case l == nil:
		c.lanes[t.stream] = new(lane)
		c.wg.Go(func() { c.run(t) })
		return nil
	case t.stream == "" && (!l.over || len(l.queue) > 0):
		return inFlight()
	case c.queued >= o.MaxQueue:
		return queueLimit(o.MaxQueue)
	}
	l.queue = append(l.queue, t)
	c.queued++
	return nil
}

// run is the turns of a lane, from the first to the last.
func (c *conn) run(t *turn) {
	for t != nil {
		t.run()
		t = c.next(t.stream)
	}
}

// next is the lane's next turn; without one, or when the client has left, the
// lane is gone.
func (c *conn) next(stream string) *turn {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.lanes[stream]
	if c.ctx.Err() != nil {
		for _, t := range l.queue {
			t.spend()
		}
		l.queue = nil
	}
	if len(l.queue) == 0 {
		delete(c.lanes, stream)
		if len(c.lanes) == 0 {
			select {
			case c.settled <- struct{}{}:
			default:
			}
		}
		return nil
	}
	t := l.queue[0]
	l.queue[0] = nil
	l.queue, l.over = l.queue[1:], false
	c.queued--
	return t
}

// finished notes that the turn that runs has come to its end for the client,
// who may send the next one at once, before its event is sent.
func (c *conn) finished(stream string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lanes[stream].over = true
}

func streamLimit(n int) *weir.Error {
	e := weir.Invalid("stream_id", "this WebSocket connection has reached its limit of %d streams at once", n)
	e.Code = "websocket_stream_limit_reached"
	return e
}

func inFlight() *weir.Error {
	e := weir.Errorf(weir.KindInvalid, "a response is in progress on this connection: wait for its end, or use a stream_id for each that is to run at once")
	e.Code = "response_already_in_flight"
	return e
}

func queueLimit(n int) *weir.Error {
	e := weir.Errorf(weir.KindRateLimit, "%d events of this connection wait already", n)
	e.Code, e.RetryAfter = "websocket_queue_limit_reached", time.Second
	return e
}
