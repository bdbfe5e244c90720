package ws_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/weir-gateway/weir/server/ws"
	"github.com/weir-gateway/weir/weirtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A gateway answers create requests as POST /v1/responses does. What it does is
// told in the model's name.
type gateway struct {
	open  atomic.Int64
	calls atomic.Int64
	gate  chan struct{} // "wait" answers wait for it
	mu    sync.Mutex    // guards what follows
	got   []string      // bodies
	heads []http.Header
}

func newGateway() *gateway { return &gateway{gate: make(chan struct{})} }

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.open.Add(1)
	defer g.open.Add(-1)
	n := g.calls.Add(1)
	b, err := io.ReadAll(r.Body)
	g.mu.Lock()
	g.got, g.heads = append(g.got, string(b)), append(g.heads, r.Header)
	g.mu.Unlock()
	var asked struct{ Model, Input string }
	if err != nil || json.Unmarshal(b, &asked) != nil || r.Method != http.MethodPost || int64(len(b)) != r.ContentLength {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s := &stream{w: w}
	id := fmt.Sprint("resp_", n)
	switch asked.Model {
	case "refuse":
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}`)
		return
	case "html":
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, `<html>`)
		return
	case "panic":
		panic("a stage broke")
	case "abort":
		panic(http.ErrAbortHandler)
	case "silent":
		return
	}
	s.event("response.created", `,"response":{"id":"`+id+`","output":[]}`)
	switch asked.Model {
	case "cut":
		return
	case "fail":
		s.raw("event: error\ndata: {\"type\":\"error\",\"code\":\"rate_limit_exceeded\",\"message\":\"slow\",\"param\":null,\"sequence_number\":1}\n\n")
		return
	case "wait":
		select {
		case <-g.gate:
		case <-r.Context().Done():
			return
		}
	case "flood":
		for s.event("response.output_text.delta", `,"delta":"`+strings.Repeat("x", 1<<16)+`"`) {
			if r.Context().Err() != nil {
				return
			}
		}
		return
	}
	s.raw(": alive\n\n")
	s.event("response.output_text.delta", `,"delta":"`+asked.Input+`"`)
	s.event("response.completed", `,"response":{"id":"`+id+`","status":"completed"}`)
	s.raw("data: [DONE]\n\n")
}

// bodies are those that arrived.
func (g *gateway) bodies() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.got...)
}

type stream struct {
	w   http.ResponseWriter
	seq int
}

func (s *stream) event(kind, more string) bool {
	ok := s.raw(fmt.Sprintf("event: %s\ndata: {\"type\":%q,\"sequence_number\":%d%s}\n\n", kind, kind, s.seq, more))
	s.seq++
	return ok
}

func (s *stream) raw(text string) bool {
	_, err := io.WriteString(s.w, text)
	return err == nil && http.NewResponseController(s.w).Flush() == nil
}

// A stand is a server with the face, on a socket.
type stand struct {
	t    *testing.T
	gate *gateway
	face *ws.Responses
	url  string
	dial *http.Client
}

func newStand(t *testing.T, o ws.Options) *stand {
	t.Helper()
	g := newGateway()
	o.Handler = g
	s := &stand{t: t, gate: g, face: ws.New(o)}
	srv := httptest.NewServer(s.face)
	s.url = srv.URL
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.face.Shutdown(ctx)
		srv.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		if n := g.open.Load(); n != 0 {
			t.Errorf("%d turns are still open", n)
		}
	})
	return s
}

// inMemory is a stand without sockets, for a bubble; the caller closes it.
func inMemory(t *testing.T, o ws.Options) *stand {
	t.Helper()
	g := newGateway()
	o.Handler = g
	s := &stand{t: t, gate: g, face: ws.New(o)}
	m := weirtest.NewMemory(t, s.face)
	s.url, s.dial = m.URL(), m.Client()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.face.Shutdown(ctx)
		m.Close()
	})
	return s
}

// A client is a connection.
type client struct {
	t    *testing.T
	conn *websocket.Conn
}

func (s *stand) connect(header http.Header) *client {
	s.t.Helper()
	conn, resp, err := websocket.Dial(s.t.Context(), s.url+"/v1/responses", &websocket.DialOptions{HTTPHeader: header, HTTPClient: s.dial})
	if err != nil {
		s.t.Fatalf("connect: %v (%+v)", err, resp)
	}
	conn.SetReadLimit(-1)
	s.t.Cleanup(func() { _ = conn.CloseNow() })
	return &client{s.t, conn}
}

func (c *client) send(event string) {
	c.t.Helper()
	if err := c.conn.Write(c.t.Context(), websocket.MessageText, []byte(event)); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

func (c *client) create(model, more string) { c.t.Helper(); c.send(create(model, more)) }

func create(model, more string) string {
	return fmt.Sprintf(`{"type":"response.create","model":%q,"input":"hi"%s}`, model, more)
}

// An event is what the client reads.
type event struct {
	Type     string
	StreamID string `json:"stream_id"`
	Status   int
	Sequence int `json:"sequence_number"`
	Error    struct {
		Type, Code, Message, Param string
		Headers                    map[string]string
	}
	raw string
}

func (c *client) next() event {
	c.t.Helper()
	kind, b, err := c.conn.Read(c.t.Context())
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	var e event
	if err := json.Unmarshal(b, &e); err != nil || kind != websocket.MessageText {
		c.t.Fatalf("%s: %v", b, err)
	}
	e.raw = string(b)
	return e
}

// turn reads one response to its end.
func (c *client) turn() []event {
	c.t.Helper()
	var all []event
	for {
		e := c.next()
		all = append(all, e)
		if e.Type == "response.completed" || e.Type == "error" {
			return all
		}
	}
}

// closed reads until the connection ends, and is why, and the last event.
func (c *client) closed() (websocket.StatusCode, event) {
	c.t.Helper()
	var last event
	for {
		_, b, err := c.conn.Read(c.t.Context())
		if err != nil {
			return websocket.CloseStatus(err), last
		}
		last = event{raw: string(b)}
		_ = json.Unmarshal(b, &last)
	}
}

// until waits for something that must happen by itself.
func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came to this: %s", what)
		}
	}
}
