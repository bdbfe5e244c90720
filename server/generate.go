package server

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/gateway"
)

// generate is one call, first byte to last: authenticate, read, decode, range,
// encode.
func (s *Server) generate(w http.ResponseWriter, r *http.Request, f *face) {
	a := newAnswer(s, w, r, f)
	defer a.recover()
	current := s.gateway.Current()
	principal, err := current.Keys.Authenticate(r.Header, query(r))
	if err != nil {
		a.refuse(err)
		return
	}
	body, err := s.readBody(w, r, current)
	if err != nil {
		a.refuse(err)
		return
	}
	defer body.release()
	req, err := f.open(r, body.bytes)
	if err == nil {
		err = s.providerFor(req, r)
	}
	if err != nil {
		a.refuse(err)
		return
	}
	if req.Hops, err = hops(r); err != nil {
		a.refuse(err)
		return
	}
	req.ID, req.Principal, req.Relay = a.id, principal, !a.wantsParts(req)
	if req.Labels, err = labels(r); err != nil {
		a.refuse(err)
		return
	}
	req.IdempotencyKey = r.Header.Get("Idempotency-Key")
	req.Strict = current.Strict || r.Header.Get("X-Weir-Strict") == "true"
	if inBackground(req) {
		s.background(a, req, current) //nolint:contextcheck // it outlives the request
		return
	}
	a.begin(req, current)
	defer a.end()
	for ev, err := range current.Chain.Handle(r.Context(), req) { //nolint:contextcheck // what was said is kept, even for a client that has gone
		if err != nil {
			a.fail(weir.AsError(err))
			return
		}
		if !a.event(ev) {
			return
		}
	}
	a.done() //nolint:contextcheck // the same
}

// maxHops is how many gateways in a row make sense. More of them call each other
// in a circle, which would never end.
const maxHops = 8

// hops is how many gateways a request has come through, which each tells the next
// one in x-weir-hops.
func hops(r *http.Request) (int, error) {
	v := r.Header.Get(weir.HopsHeader)
	if v == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return 0, weir.Invalid(weir.HopsHeader, "%s is no number", weir.HopsHeader)
	}
	if n >= maxHops {
		return 0, &weir.Error{
			Kind: weir.KindInvalid, Status: http.StatusLoopDetected, Message: "the request has come through " + strconv.Itoa(n) + " gateways",
			Hint: "look whether a provider's base_url is the address of this gateway",
		}
	}
	return n, nil
}

// readLimit is how long a body may take to arrive: a client that trickles must
// not hold memory for ever.
var readLimit = 5 * time.Minute

// open makes a Request of a body and of the headers that belong to the protocol.
func (f *face) open(r *http.Request, body []byte) (*weir.Request, error) {
	return f.codec.OpenRequest(f.op, f.wire(r, body))
}

// wire is the request as it was received, as far as the protocol looks at it.
func (f *face) wire(r *http.Request, body []byte) *weir.Wire {
	wire := &weir.Wire{Protocol: f.codec.Protocol(), Body: body}
	for _, name := range f.headers {
		if v, ok := r.Header[name]; ok {
			if wire.Header == nil {
				wire.Header = http.Header{}
			}
			wire.Header[name] = v
		}
	}
	if f.path {
		wire.Method, wire.Path, wire.Query = r.Method, r.URL.EscapedPath(), withoutKey(r.URL)
		wire.ContentType = r.Header.Get("Content-Type")
	}
	return wire
}

// withoutKey is the query without the credential that Google's clients put there.
func withoutKey(u *url.URL) string {
	if !strings.Contains(u.RawQuery, "key=") {
		return u.RawQuery
	}
	kept := strings.Split(u.RawQuery, "&")
	return strings.Join(slices.DeleteFunc(kept, func(pair string) bool { return strings.HasPrefix(pair, "key=") }), "&")
}

// readBody reads the body whole, within the limits of one body and of all
// bodies in flight together.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request, g *gateway.Snapshot) (*body, error) {
	limit := g.MaxBody
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return nil, &weir.Error{Kind: weir.KindInvalid, Status: http.StatusUnsupportedMediaType,
			Message: "a request body must not be compressed", Param: "Content-Encoding", Hint: "send it as it is"}
	}
	if r.ContentLength > limit {
		return nil, tooLarge(r.ContentLength, limit)
	}
	reserve := r.ContentLength
	if reserve < 0 {
		reserve = limit
	}
	release, err := g.Bytes.Acquire(r.Context(), reserve)
	if err != nil {
		return nil, err
	}
	src := io.Reader(r.Body)
	if r.ContentLength < 0 {
		src = http.MaxBytesReader(w, r.Body, limit)
	}
	limited := false
	b, err := readAll(src, r.ContentLength, func() {
		limited = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readLimit)) == nil
	})
	if limited && err == nil {
		// From here on the connection is read only to learn that the client left.
		// After an error the limit stays: the server discards what is left of the
		// body before it answers, which must not take for ever either.
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	}
	if err != nil {
		release()
		return nil, readError(err, limit)
	}
	b.admitted = release
	return b, nil
}

// query is the request's query, nil for the many that have none.
func query(r *http.Request) url.Values {
	if r.URL.RawQuery == "" {
		return nil
	}
	return r.URL.Query()
}

func tooLarge(size, limit int64) *weir.Error {
	e := weir.Errorf(weir.KindTooLarge, "the body of %d bytes is over the limit of %d bytes", size, limit)
	e.Hint = "limits.body in weir.yaml raises it"
	return e
}

func readError(err error, limit int64) error {
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		e := weir.Errorf(weir.KindTooLarge, "the body is over the limit of %d bytes", limit)
		e.Hint = "limits.body in weir.yaml raises it"
		return e
	case errors.Is(err, os.ErrDeadlineExceeded):
		e := weir.Errorf(weir.KindTimeout, "the body did not arrive within %s", readLimit)
		e.Status = http.StatusRequestTimeout
		return e
	case errors.Is(err, io.ErrUnexpectedEOF):
		return weir.Errorf(weir.KindInvalid, "the body ended before its Content-Length")
	}
	return weir.Errorf(weir.KindInvalid, "the body could not be read")
}
