package provider

import (
	"github.com/weir-gateway/weir"
)

// A Plan is what a deployment would be sent.
type Plan struct {
	// Protocol is that of the endpoint.
	Protocol weir.Protocol
	// Address is where the call would go, without query and credentials.
	Address string
	// Translated tells that the endpoint speaks another protocol than the client.
	Translated bool
	// Stream tells that a stream would be asked for.
	Stream bool
	// Losses are what of the request could not be carried over.
	Losses []weir.Loss
}

// An Explainer says what would be sent, and calls nothing: no address is looked
// up, and no credential is taken or made. The Handlers of New are Explainers.
type Explainer interface {
	// Explain is the Plan of a request. Errors are those with which the call
	// would be refused before anything is sent; a request for
	// Realtime has no Plan and is KindUnsupported.
	Explain(req *weir.Request) (*Plan, error)
}

// Explain implements Explainer.
func (u *upstream) Explain(req *weir.Request) (*Plan, error) {
	if req.Op == weir.Realtime {
		return nil, weir.Errorf(weir.KindUnsupported, "what a realtime conversation will send is not known beforehand")
	}
	from, err := spoken(req)
	if err != nil {
		return nil, err
	}
	c := &call{upstream: u, req: req}
	if err := c.encode(); err != nil {
		return nil, u.own(err)
	}
	at, err := c.endpoint.url(c.out.Path, "")
	if err != nil {
		return nil, u.own(err)
	}
	at.RawQuery = "" // of the base
	p := c.endpoint.codec.Protocol()
	return &Plan{Protocol: p, Address: at.String(), Translated: p != from, Stream: c.out.Stream, Losses: c.out.Losses}, nil
}
