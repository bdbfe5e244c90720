package weirtest

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// An Upstream is a fake upstream on a socket of this machine. It remembers the
// requests that it was sent, and is closed with the test.
type Upstream struct {
	*httptest.Server
	captured
}

// NewUpstream starts an Upstream that answers with h. Answers in progress are
// cut off when the test ends.
func NewUpstream(tb testing.TB, h http.Handler) *Upstream {
	tb.Helper()
	u := new(Upstream)
	u.Server = httptest.NewServer(u.capture(h))
	tb.Cleanup(func() {
		u.Client().CloseIdleConnections()
		u.CloseClientConnections()
		u.Close()
	})
	return u
}

// A Captured is a request as an Upstream received it.
type Captured struct {
	Method, Path, Query string
	Header              http.Header
	Body                []byte
}

// captured gathers requests. Safe for concurrent use.
type captured struct {
	mu   sync.Mutex // guards list
	list []Captured
}

// Requests are those received so far, in order of their arrival.
func (c *captured) Requests() []Captured {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Captured(nil), c.list...)
}

// Last is the latest request; the zero value when there was none.
func (c *captured) Last() Captured {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.list) == 0 {
		return Captured{}
	}
	return c.list[len(c.list)-1]
}

// capture notes every request before h answers it; h can read the body again.
func (c *captured) capture(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client has gone
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		c.mu.Lock()
		c.list = append(c.list, Captured{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
			Header: r.Header.Clone(), Body: body})
		c.mu.Unlock()
		h.ServeHTTP(w, r)
	})
}

// Replay answers every request with the recorded answer, all at once.
func Replay(rec *Recording) http.Handler { return ReplayPieces(rec, 0) }

// ReplayPieces answers with the recorded answer in pieces of size bytes, each
// flushed; size below 1 is all at once.
func ReplayPieces(rec *Recording, size int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), rec.Response.Headers)
		w.WriteHeader(rec.Response.Status)
		body := rec.Response.Body
		step := size
		if step < 1 {
			step = len(body)
		}
		for len(body) > 0 && r.Context().Err() == nil {
			n := min(step, len(body))
			if _, err := w.Write(body[:n]); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			body = body[n:]
		}
	})
}
