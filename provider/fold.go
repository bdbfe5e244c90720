package provider

import (
	"github.com/weir-gateway/weir"
)

// What follows asks for a stream where the client wants a whole answer, for
// upstreams that are too slow to be silent until they are done (P-13). The
// answer's events are the same either way, so that the client's encoder makes a
// whole answer of them; the limits on the first token and on silence then hold
// for it as for every stream, and what is held is bounded as a whole answer is.

// fold turns a call that is not streamed into one that is, where the endpoint's
// quirks want that.
func (c *call) fold() error {
	if c.req.Stream || c.req.Op != weir.Generate || !c.endpoint.target.Quirks.FoldStreams {
		return nil
	}
	req, err := c.req.Edit(func(*weir.Body) error { return nil })
	if err != nil {
		return err
	}
	req.Stream, req.Relay = true, false
	c.req, c.folds = req, true
	return nil
}

// folded is an event of a stream as one of a whole answer: without the bytes
// that it came in.
func (c *call) folded(ev weir.Event) (weir.Event, error) {
	c.held += len(ev.Text)
	if ev.Block != nil && ev.Block.Media != nil {
		c.held += len(ev.Block.Media.Data)
	}
	if c.held > c.maxBody {
		return ev, c.own(weir.Errorf(weir.KindUpstream, "the answer is longer than is allowed (%d bytes)", c.maxBody))
	}
	return ev.Detach(), nil
}
