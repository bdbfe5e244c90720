package provider

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/weir-gateway/weir/internal/h1"
)

// DefaultConnectTimeout bounds making a connection where TransportOptions say
// nothing.
const DefaultConnectTimeout = 10 * time.Second

// TransportOptions are how connections to upstreams are made and kept. The
// zero value is good for most.
type TransportOptions struct {
	// ConnectTimeout bounds the name look-up and the connection, and the TLS
	// handshake once more. 0 is DefaultConnectTimeout.
	ConnectTimeout time.Duration
	// TLS is used for https; nil is the system's defaults.
	TLS *tls.Config
	// Proxy tells the proxy for a request; nil takes HTTP_PROXY, HTTPS_PROXY
	// and NO_PROXY from the environment.
	Proxy func(*http.Request) (*url.URL, error)
	// MaxConnsPerHost bounds the connections to one host, so that an upstream
	// that stalls cannot take everything. Calls beyond it wait, as long as
	// their context allows. 0 is no bound.
	MaxConnsPerHost int
	// MaxIdlePerHost is how many unused connections to one host are kept; 0
	// is 512.
	MaxIdlePerHost int
	// IdleTimeout is how long an unused connection is kept; 0 is 90 seconds.
	IdleTimeout time.Duration
	// HTTP1 speaks only HTTP/1.1 to https hosts: less work on each request,
	// but a connection for each one in progress.
	HTTP1 bool
}

func (o *TransportOptions) defaults() {
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = DefaultConnectTimeout
	}
	if o.Proxy == nil {
		o.Proxy = http.ProxyFromEnvironment
	}
	if o.MaxIdlePerHost <= 0 {
		o.MaxIdlePerHost = 512
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = 90 * time.Second
	}
}

// A Transport carries the calls of any number of deployments. It sets no time
// limit but that of connecting: how long an answer may take is for the stage
// that makes attempts, which gives it in the context. It never follows a
// redirect and does not ask for compression. Safe for concurrent use.
//
// Hosts of plain HTTP are called by a lean client of Weir's own, which makes a
// third of net/http's allocations and switches no goroutines (see the benchmark
// in internal/h1). Proxies, HTTP/2, and https unless HTTP1 is set, are left to
// net/http.
type Transport struct {
	lean  *h1.Transport
	std   *http.Transport
	proxy func(*http.Request) (*url.URL, error)
	https bool // is spoken by lean too
}

// NewTransport makes a Transport.
func NewTransport(o TransportOptions) *Transport {
	o.defaults()
	return &Transport{lean: leanTransport(&o), std: stdTransport(&o), proxy: o.Proxy, https: o.HTTP1}
}

// Shared is the Transport of everything that names none.
var Shared = sync.OnceValue(func() http.RoundTripper { return NewTransport(TransportOptions{}) })

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if (t.https || r.URL.Scheme == "http") && h1.Handles(r.URL) {
		if via, err := t.proxy(r); via == nil && err == nil {
			return t.lean.RoundTrip(r)
		}
	}
	return t.std.RoundTrip(r)
}

// CloseIdleConnections closes what no call uses. Calls in progress go on.
func (t *Transport) CloseIdleConnections() {
	t.lean.CloseIdleConnections()
	t.std.CloseIdleConnections()
}

func leanTransport(o *TransportOptions) *h1.Transport {
	return h1.New(h1.Options{
		TLS: o.TLS, ConnectTimeout: o.ConnectTimeout, MaxConnsPerHost: o.MaxConnsPerHost,
		MaxIdlePerHost: o.MaxIdlePerHost, IdleTimeout: o.IdleTimeout,
	})
}

func stdTransport(o *TransportOptions) *http.Transport {
	dialer := &net.Dialer{Timeout: o.ConnectTimeout, KeepAlive: 30 * time.Second}
	t := &http.Transport{
		Proxy:               o.Proxy,
		DialContext:         dialer.DialContext,
		TLSClientConfig:     o.TLS.Clone(),
		TLSHandshakeTimeout: o.ConnectTimeout,
		DisableCompression:  true,
		MaxIdleConnsPerHost: o.MaxIdlePerHost,
		MaxConnsPerHost:     o.MaxConnsPerHost,
		IdleConnTimeout:     o.IdleTimeout,
		ReadBufferSize:      16 << 10,
		WriteBufferSize:     16 << 10,
		Protocols:           new(http.Protocols),
		// A dead HTTP/2 connection would hold all its streams until the
		// kernel gives up on it.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}
	t.Protocols.SetHTTP1(true)
	t.Protocols.SetHTTP2(!o.HTTP1)
	return t
}
