package weir

import (
	"context"
	"net/http"
	"sync"
)

// A Request is one call as it travels inward: who asks, for what, and how it
// is to be treated. Stages pass on a changed copy ([Request.Clone],
// [Request.Edit]) and never modify the one that they were given.
type Request struct {
	// ID names the call in logs, headers and the ledger. Empty: nobody gave one.
	ID string
	// Op is what is wanted. The zero value is Generate.
	Op Operation
	// Model is the name that the client asked for.
	Model string
	// Stream tells that the client wants the answer piece by piece. Events come
	// in pieces either way; an upstream is asked for a stream accordingly.
	Stream bool
	// Strict refuses what a translation would have to drop or approximate,
	// with a KindUnsupported error that names the field.
	Strict bool
	// Relay tells that whoever called needs no content: where client and
	// upstream speak the same protocol, content frames may flow by undecoded
	// as EventRelay. A stage that reads content passes on a copy with Relay
	// false. The zero value decodes everything.
	Relay bool
	// Principal is who asks; nil when nobody was identified.
	Principal *Principal
	// Labels are the caller's own, for the ledger and for routing.
	Labels map[string]string
	// Deployments are the places that may serve the call, best first. Route
	// sets them, attempt reads them.
	Deployments []Deployment
	// Allowance bounds the upstream attempts of the whole call, over retry,
	// fallback and hedge together. Nil: the outermost of those stages makes one.
	Allowance *Allowance
	// Stretch makes the time limits of an attempt that many times longer, set
	// by a retry after one was reached. 0 is 1.
	Stretch float64
	// IdempotencyKey is the client's name for what it wants done once, however
	// often it asks; empty is none.
	IdempotencyKey string
	// Hops is how many gateways the request has come through before this one.
	Hops int
	// Wire is the request as it was received, nil when it was made in Go or
	// has been edited since.
	Wire *Wire
	// Uplink is what the client goes on sending while the call runs, for
	// Realtime; nil for every other operation.
	Uplink Uplink

	lazy *lazyBody
}

// HopsHeader tells the next gateway Request.Hops, so that gateways which call each
// other in a circle find out.
const HopsHeader = "X-Weir-Hops"

// An Uplink is the client's side of a conversation in both directions.
type Uplink interface {
	// Receive waits for the client's next message. text tells a message of text
	// from one of bytes. The error is io.EOF when the client has ended the
	// conversation, and ctx's when that ends. One goroutine at a time.
	Receive(ctx context.Context) (message []byte, text bool, err error)
}

// Wire is a request's bytes as they were received. They are valid until the
// range statement of the call ends, are shared, and must not be modified.
type Wire struct {
	Protocol Protocol
	Body     []byte
	// Method is that of HTTP; empty is POST.
	Method string
	// Path is that of the request, escaped as received, where it says
	// something: "/v1beta/models/gemini-3.8-flash:generateContent",
	// "/v1/files/file-1/content". What stands in front of a protocol's own
	// segments depends on where it is served. Empty where it says nothing.
	Path string
	// Query is what followed the "?", without the credentials of the client.
	Query string
	// ContentType is that of Body; empty is application/json.
	ContentType string
	// Header holds the client's headers that belong to the protocol and not to
	// the connection (anthropic-version, anthropic-beta …), in canonical form.
	Header http.Header
	// Index is the codec's scan of Body, kept so that it is made only once.
	Index any
}

// A Deployment is one callable thing: a model at a provider under one credential.
type Deployment struct {
	Name     string // as in notes, headers and metrics: "deepseek/deepseek-flash"
	Provider string // "deepseek"
	Model    string // the provider's own name of the model
	Handler  Handler
	// Unfit says in a few words why the deployment cannot serve a request
	// ("takes no images"); empty when it can, or when that is not known. Nil:
	// nothing is known. Where there is a choice, the unfit are passed over.
	Unfit func(*Request) string
	// Prefills tells that the deployment goes on with an assistant's message at
	// the end of a conversation. False: it does not, or that is not known.
	Prefills bool
}

// A Principal is who asks: a gateway key.
type Principal struct {
	Name   string   // the key's name, never the key
	Models []string // names or globs of the models it may use; empty: all
	Admin  bool     // may look at what belongs to the operator
}

type lazyBody struct {
	once   sync.Once
	decode func() (*Body, error)
	body   *Body
	err    error
}

// NewRequest makes a Request from a canonical body. The body is not copied and
// must not be modified afterwards.
func NewRequest(model string, body *Body) *Request {
	return &Request{Model: model, lazy: &lazyBody{body: body}}
}

// NewWireRequest makes a Request from received bytes. decode is called at most
// once, on the first use of the canonical body.
func NewWireRequest(w *Wire, decode func() (*Body, error)) *Request {
	return &Request{Wire: w, lazy: &lazyBody{decode: decode}}
}

// Body is the canonical body, decoded on first use and shared by all copies of
// the Request. It must not be modified: see Edit. The error is a KindInvalid
// *Error that names the field. Safe for concurrent use.
func (r *Request) Body() (*Body, error) {
	l := r.lazy
	if l == nil {
		return &Body{}, nil
	}
	l.once.Do(func() {
		if l.body == nil && l.decode != nil {
			l.body, l.err = l.decode()
		}
		l.decode = nil
	})
	return l.body, l.err
}

// Clone is a shallow copy of the Request, to set fields on.
func (r *Request) Clone() *Request {
	c := *r
	return &c
}

// Edit is a copy of the Request whose canonical body has been changed by fn.
// It forgets the received bytes: this is the one way to change what is sent.
func (r *Request) Edit(fn func(*Body) error) (*Request, error) {
	body, err := r.Body()
	if err != nil {
		return nil, err
	}
	edited := body.Clone()
	if err := fn(edited); err != nil {
		return nil, err
	}
	c := r.Clone()
	c.Wire, c.lazy = nil, &lazyBody{body: edited}
	return c, nil
}
