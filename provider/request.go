package provider

import (
	"cmp"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/weir-gateway/weir"
)

// newRequest is the HTTP request of one attempt.
func (c *call) newRequest(ctx context.Context, k *key) (*http.Request, error) {
	u, err := c.endpoint.url(c.out.Path, c.out.Query)
	if err != nil {
		return nil, err
	}
	r := http.Request{
		Method: cmp.Or(c.out.Method, http.MethodPost), URL: u, Host: u.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: c.requestHeader(), Body: http.NoBody,
	}
	if c.body.Len() > 0 {
		r.Body, r.ContentLength = c.body.Reader(), c.body.Len()
		r.GetBody = func() (io.ReadCloser, error) { return c.body.Reader(), nil }
	}
	out := r.WithContext(ctx)
	if err := c.authorise(ctx, out, k); err != nil {
		return nil, err
	}
	return out, nil
}

// authorise puts the credential on a request, and remembers it for scrub.
func (c *call) authorise(ctx context.Context, r *http.Request, k *key) error {
	secret, err := k.reveal(ctx)
	c.secret = secret
	if err == nil {
		err = c.endpoint.auth.Apply(r, secret)
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return c.own(clone(weir.AsError(err))) // a Source gives the same error to all who wait
}

// url is where a call goes: the base, the protocol's path and both queries.
func (e *endpoint) url(path, query string) (*url.URL, error) {
	u := e.base
	if strings.IndexByte(path, '%') < 0 && u.RawPath == "" {
		u.Path += path
	} else if err := appendEscaped(&u, path); err != nil {
		return nil, err
	}
	switch {
	case query == "":
	case u.RawQuery == "":
		u.RawQuery = query
	default:
		u.RawQuery += "&" + query
	}
	return &u, nil
}

// appendEscaped appends a path that is already escaped, keeping it as it is.
func appendEscaped(u *url.URL, path string) error {
	raw := u.EscapedPath() + path
	plain, err := url.PathUnescape(raw)
	if err != nil {
		return weir.Errorf(weir.KindInternal, "the path of the call is not well escaped")
	}
	u.Path, u.RawPath = plain, raw
	return nil
}

// Values that all requests share; a Transport does not modify a Header.
var (
	contentJSON  = []string{"application/json"}
	acceptJSON   = []string{"application/json"}
	acceptAll    = []string{"*/*"}
	acceptStream = []string{"text/event-stream"}
	userAgent    = sync.OnceValue(func() []string { return []string{"weir/" + version()} })
)

// requestHeader is what goes up: what the protocol says, then what the
// operator says. Nothing else of the client's is there to begin with.
func (c *call) requestHeader() http.Header {
	h := make(http.Header, len(c.out.Header)+len(c.header)+4)
	if c.body.Len() > 0 {
		h["Content-Type"] = contentJSON
	}
	h["Accept"] = acceptJSON
	switch {
	case c.out.Stream:
		h["Accept"] = acceptStream
	case c.req.Op.IsRelayed():
		h["Accept"] = acceptAll // a sound, a file
	}
	h["User-Agent"] = userAgent()
	for name, values := range c.out.Header {
		if mayForward(name) {
			h[name] = values
		}
	}
	h[weir.HopsHeader] = hopsValue(c.req.Hops + 1)
	maps.Copy(h, c.header)
	return h
}

// hopsValues spare nearly every call an allocation.
var hopsValues = [...][]string{{"0"}, {"1"}, {"2"}, {"3"}, {"4"}, {"5"}, {"6"}, {"7"}, {"8"}}

func hopsValue(n int) []string {
	if n >= 0 && n < len(hopsValues) {
		return hopsValues[n]
	}
	return []string{strconv.Itoa(n)}
}

// version is the module's version as it was built, "devel" when not known.
func version() string {
	const module = "github.com/weir-gateway/weir"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	found := ""
	if info.Main.Path == module {
		found = info.Main.Version
	}
	for _, d := range info.Deps {
		if d.Path == module {
			found = d.Version
		}
	}
	if found == "" || found == "(devel)" {
		return "devel"
	}
	return strings.TrimPrefix(found, "v")
}
