package provider

import (
	"context"
	"errors"
	"iter"
	"net/http"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/h1"
)

// upstream is the Handler of one deployment. It is not modified once built.
type upstream struct {
	name, provider, model string

	endpoints         []*endpoint
	credentials       *Credentials
	transport         http.RoundTripper
	header            http.Header
	maxFrame, maxBody int
}

// Handle implements weir.Handler.
func (u *upstream) Handle(ctx context.Context, req *weir.Request) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(weir.Event{}, err)
			return
		}
		ep, out, err := u.encode(req)
		if err != nil {
			yield(weir.Event{}, u.own(err))
			return
		}
		c := &call{upstream: u, endpoint: ep, req: req, out: out, yield: yield}
		if c.reportLosses() {
			c.run(ctx)
		}
	}
}

// own marks an error that was made here and not by the provider.
func (u *upstream) own(err error) error {
	if e, ok := errors.AsType[*weir.Error](err); ok && e.Deployment == "" {
		e.Deployment = u.name
	}
	return err
}

// encode chooses the endpoint and writes the request for it. A protocol that
// cannot count tokens is passed over for one that can.
func (u *upstream) encode(req *weir.Request) (*endpoint, *codec.Call, error) {
	first, err := u.choose(req)
	if err != nil {
		return nil, nil, err
	}
	out, err := first.codec.EncodeRequest(req, &first.target)
	if err == nil || req.Op == weir.Generate || !errors.Is(err, weir.KindUnsupported) {
		return first, out, err
	}
	for _, ep := range u.endpoints {
		if ep == first {
			continue
		}
		if out, other := ep.codec.EncodeRequest(req, &ep.target); other == nil {
			return ep, out, nil
		}
	}
	return nil, nil, err
}

// choose prefers the endpoint that speaks what the client spoke: nothing is
// lost where nothing is translated. An edited request has no bytes any more,
// but its body still knows its protocol.
func (u *upstream) choose(req *weir.Request) (*endpoint, error) {
	if len(u.endpoints) == 1 {
		return u.endpoints[0], nil
	}
	var from weir.Protocol
	if req.Wire != nil {
		from = req.Wire.Protocol
	} else {
		body, err := req.Body()
		if err != nil {
			return nil, err
		}
		from = body.From
	}
	for _, ep := range u.endpoints {
		if ep.codec.Protocol() == from {
			return ep, nil
		}
	}
	return u.endpoints[0], nil
}

// A call is one range over Handle's sequence.
type call struct {
	*upstream
	endpoint *endpoint
	req      *weir.Request
	out      *codec.Call
	body     *h1.Body
	yield    func(weir.Event, error) bool
	// broken is how the connection failed inside the answer, nil if it did not.
	broken error
	// sanitised tells that reasoning has been taken out of the request.
	sanitised bool
	// began tells that events of an answer have gone out: from there on
	// nothing can be tried again.
	began bool
}

func (c *call) reportLosses() bool {
	for i := range c.out.Losses {
		if !c.yield(weir.NoteEvent(&c.out.Losses[i]), nil) {
			return false
		}
	}
	return true
}

// errStopped tells that the consumer has left; it is never yielded.
var errStopped = errors.New("the consumer stopped")

// run makes attempts until one ends other than by a refused key.
func (c *call) run(ctx context.Context) {
	c.body = h1.NewBody(c.out.Body)
	// A transport may still be reading the body when it has answered. The
	// bytes are borrowed for the time of this call only.
	defer func() { c.body.Release() }()
	turn := c.credentials.begin()
	for {
		k := turn.next()
		err := c.attempt(ctx, k)
		if err == nil {
			turn.accepted(k)
			return
		}
		if errors.Is(err, errStopped) {
			return
		}
		if signatureRefused(err) && ctx.Err() == nil && c.sanitise() {
			continue
		}
		if turn.refused(k, err) && !c.began && ctx.Err() == nil && c.mayRepeat() {
			continue
		}
		c.yield(weir.Event{}, err)
		return
	}
}

// mayRepeat draws one more attempt from what the whole call is allowed. A call
// without such a limit is bounded by the number of keys.
func (c *call) mayRepeat() bool {
	return c.req.Allowance == nil || c.req.Allowance.Take()
}
