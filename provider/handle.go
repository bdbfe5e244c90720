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
		if req.Op == weir.Realtime {
			u.realtime(ctx, req, yield)
			return
		}
		c := &call{upstream: u, req: req, yield: yield}
		if err := c.encode(); err != nil {
			yield(weir.Event{}, u.own(err))
			return
		}
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

// encode chooses the endpoint and writes the request for it. A protocol that does
// not have the operation is passed over for one that has.
func (c *call) encode() error {
	first, err := c.choose(c.req)
	if err != nil {
		return err
	}
	c.endpoint = first
	if err := c.fold(); err != nil {
		return err
	}
	c.out, err = first.encode(c.req)
	if err == nil || c.req.Op == weir.Generate || !errors.Is(err, weir.KindUnsupported) {
		return err
	}
	for _, ep := range c.endpoints {
		if ep == first {
			continue
		}
		if out, other := ep.encode(c.req); other == nil {
			c.endpoint, c.out = ep, out
			return nil
		}
	}
	return &weir.Error{
		Kind: weir.KindUnsupported, Param: "model", Provider: c.provider,
		Message: "the provider of this model has no endpoint for " + c.req.Op.String(),
		Hint:    "ask for a model of another provider, or give this one an endpoint that has it (providers.NAME.endpoints, openai.rest for most)",
	}
}

// A call is one range over Handle's sequence.
type call struct {
	*upstream
	endpoint *endpoint
	req      *weir.Request
	out      *codec.Call
	body     *h1.Body
	yield    func(weir.Event, error) bool
	// secret is what the attempt in progress was sent with; for scrub.
	secret string
	// broken is how the connection failed inside the answer, nil if it did not.
	broken error
	// sanitised tells that reasoning has been taken out of the request.
	sanitised bool
	// folds tells that the answer comes as a stream although nobody asked for
	// one, and held how much of it the client's encoder holds, in bytes.
	folds bool
	held  int
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
		if turn.refused(k, c.secret, err) && !c.began && ctx.Err() == nil && c.mayRepeat() {
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
