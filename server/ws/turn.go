package ws

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/internal/sse"
)

// A turn is one response, from the event that asks for it to its last.
type turn struct {
	*conn
	stream string // the lane, empty for none
	body   []byte // until the handler has read it
	held   int64  // bytes that are accounted for as waiting
	// ended tells that the client has seen a last event.
	ended bool
}

// run serves the turn: the handler writes a stream on a goroutine of its own,
// its events are sent as they come, and a client that is slow slows both down.
func (t *turn) run() {
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	r, w := io.Pipe()
	answer := newAnswer(w)
	req := t.request(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = w.Close() }() // it never fails
		defer t.survive()
		t.server.options.Handler.ServeHTTP(answer, req)
	}()
	t.relay(r)
	if t.ended {
		_, _ = io.Copy(io.Discard, r) // an end mark; the handler ends in peace
	} else {
		cancel()
		_ = r.CloseWithError(io.ErrClosedPipe)
	}
	<-done
	t.spend()
	if !t.ended && t.ctx.Err() == nil {
		t.last()
		t.send(withStream(answer.verdict(), t.stream))
	}
}

// survive keeps one turn that panics from ending all others.
func (t *turn) survive() {
	if p := recover(); p != nil && p != http.ErrAbortHandler { //nolint:errorlint // net/http panics with it as it is
		t.server.options.Logger.Error("panic while serving a turn", "panic", p, "stack", string(debug.Stack()))
	}
}

// request is the turn as a request of its own.
func (t *turn) request(ctx context.Context) *http.Request {
	req := t.open.Clone(ctx)
	req.Method, req.Header = http.MethodPost, t.header.Clone()
	req.Body, req.ContentLength = &body{turn: t}, int64(len(t.body))
	return req
}

// relay sends the events of a stream until one is the last, the stream ends or
// the client has left.
func (t *turn) relay(r io.Reader) {
	events := sse.NewReader(r, 0)
	defer events.Release()
	for !t.ended {
		f, err := events.Next()
		if err != nil {
			return
		}
		data := bytes.TrimSpace(f.Data)
		if f.Truncated || len(data) == 0 || data[0] != '{' || data[len(data)-1] != '}' {
			continue // a sign of life, or an end mark that is not sent here
		}
		if !t.relayEvent(data) {
			return
		}
	}
}

// relayEvent sends one event; false when the client is gone.
func (t *turn) relayEvent(data []byte) bool {
	switch jsonx.StringOr(jsonx.Get(data, "type"), "") {
	case "response.completed", "response.failed", "response.incomplete":
		t.last()
	case "error":
		t.last()
		data = wrapError(data)
	}
	return t.send(withStream(data, t.stream))
}

// last notes that the next event is the last one, before it is sent: who has seen
// it may go on at once.
func (t *turn) last() {
	t.ended = true
	t.finished(t.stream)
}

// spend lets go of the body, which somebody else accounts for from now on, or
// nobody needs any more.
func (t *turn) spend() {
	t.let(t.held)
	t.body, t.held = nil, 0
}

// A body is the turn's body for the handler. Once it has been read to its end,
// who has read it accounts for it.
type body struct {
	turn *turn
	at   int
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n := copy(p, b.turn.body[min(b.at, len(b.turn.body)):])
	if b.at += n; b.at < len(b.turn.body) {
		return n, nil
	}
	b.turn.spend()
	return n, io.EOF
}

// Close implements io.Closer.
func (b *body) Close() error { return nil }

// turnHeader are the headers of a connection that a turn has too: none of those
// that speak of the connection, or of one request among several.
func turnHeader(of func(*http.Request) http.Header, r *http.Request) http.Header {
	h := r.Header
	if of != nil {
		h = of(r)
	}
	h = h.Clone()
	for name := range h {
		if strings.HasPrefix(name, "Sec-Websocket-") {
			h.Del(name)
		}
	}
	for _, name := range []string{
		"Connection", "Upgrade", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Accept-Encoding",
		"X-Request-Id", "Idempotency-Key", "Origin",
	} {
		h.Del(name)
	}
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "text/event-stream")
	return h
}
