// Command baseline is the yardstick of the benchmarks: the least that a Go
// program has to do to stand between a client and an upstream. It is
// httputil.ReverseProxy over one tuned Transport. It knows no key, no model, no
// usage and no log, so that what Weir costs above it is what Weir does.
//
// What it is tuned with is what a careful user would set: many idle
// connections, no compression, buffers of 32 KiB that are used again. Streams
// are flushed at once by ReverseProxy's own rule for text/event-stream.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:9200", "address to listen on")
	upstream := flag.String("upstream", "http://127.0.0.1:9100", "where everything is sent to")
	flag.Parse()
	if err := run(*listen, *upstream); err != nil {
		fmt.Fprintln(os.Stderr, "baseline:", err)
		os.Exit(1)
	}
}

func run(listen, upstream string) error {
	to, err := url.Parse(upstream)
	if err != nil {
		return err
	}
	srv := &http.Server{
		Addr:              listen,
		Handler:           newProxy(to),
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       5 * time.Minute,
	}
	return srv.ListenAndServe()
}

func newProxy(to *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:    func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport:  newTransport(),
		BufferPool: newBuffers(),
		// A client that hangs up in the middle is what happens at the end of
		// every measurement.
		ErrorLog:     log.New(io.Discard, "", 0),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
}

func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		MaxIdleConns:        0, // no limit over all hosts
		MaxIdleConnsPerHost: 2048,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true,
	}
}

// buffers is a httputil.BufferPool.
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10

func newBuffers() *buffers {
	return &buffers{sync.Pool{New: func() any { return new([bufferSize]byte) }}}
}

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte { return b.pool.Get().(*[bufferSize]byte)[:] }

// Put implements httputil.BufferPool.
func (b *buffers) Put(p []byte) { b.pool.Put((*[bufferSize]byte)(p)) }
