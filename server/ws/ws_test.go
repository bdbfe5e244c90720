package ws_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/server/ws"
)

func types(events []event) []string {
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = e.Type
	}
	return out
}

var whole = []string{"response.created", "response.output_text.delta", "response.completed"}

func TestTurns(t *testing.T) { // P-17
	s := newStand(t, ws.Options{})
	c := s.connect(http.Header{
		"Authorization": {"Bearer key"}, "Openai-Beta": {"responses_websockets=2026-02-06"},
		"X-Request-Id": {"one"}, "Idempotency-Key": {"one"},
	})
	for i := range 3 {
		c.create("m", fmt.Sprintf(`,"store":false , "stream" : false,"metadata":{"turn":"%d"}`, i))
		got := c.turn()
		if !slices.Equal(types(got), whole) {
			t.Fatalf("events %v", types(got))
		}
		for n, e := range got {
			if e.StreamID != "" || e.Sequence != n || strings.Contains(e.raw, "data:") {
				t.Errorf("event %s", e.raw)
			}
		}
	}
	want := `{"model":"m","input":"hi","store":false , "stream" : true,"metadata":{"turn":"0"}}`
	if got := s.gate.bodies(); got[0] != want {
		t.Errorf("the request is %s, want %s", got[0], want)
	}
	h := s.gate.heads[0]
	if h.Get("Authorization") != "Bearer key" || h.Get("Openai-Beta") == "" || h.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", h)
	}
	for name := range h {
		if strings.HasPrefix(name, "Sec-") || slices.Contains([]string{"Upgrade", "Connection", "X-Request-Id", "Idempotency-Key"}, name) {
			t.Errorf("a turn has the header %s", name)
		}
	}
}

func TestErrorsAreEvents(t *testing.T) {
	s := newStand(t, ws.Options{MaxQueue: 4})
	c := s.connect(nil)
	tests := []struct {
		name, send   string
		status       int
		code, param  string
		events       int
		stream, more string
	}{
		{"no JSON", `{`, 400, "invalid_value", "", 1, "", ""},
		{"no object", `[]`, 400, "invalid_value", "", 1, "", ""},
		{"a member twice", `{"type":"response.create","type":"x"}`, 400, "invalid_value", "type", 1, "", ""},
		{"no type", `{}`, 400, "unknown_event", "type", 1, "", ""},
		{"an unknown type", `{"type":"session.update","stream_id":"a"}`, 400, "unknown_event", "type", 1, "a", ""},
		{"an odd stream", create("m", `,"stream_id":"a b"`), 400, "invalid_value", "stream_id", 1, "", ""},
		{"an empty stream", create("m", `,"stream_id":""`), 400, "invalid_value", "stream_id", 1, "", ""},
		{"a stream that is no string", create("m", `,"stream_id":7`), 400, "invalid_value", "stream_id", 1, "", ""},
		{"a long stream", create("m", `,"stream_id":"`+strings.Repeat("a", 257)+`"`), 400, "invalid_value", "stream_id", 1, "", ""},
		{"background", create("m", `,"background":true`), 400, "unsupported_parameter", "background", 1, "", ""},
		{"refused by the gateway", create("refuse", `,"stream_id":"a"`), 429, "rate_limit_exceeded", "", 1, "a", "7"},
		{"no error of the protocol", create("html", ""), 502, "upstream_error", "", 1, "", ""},
		{"a panic", create("panic", ""), 502, "upstream_error", "", 1, "", ""},
		{"an aborted handler", create("abort", ""), 502, "upstream_error", "", 1, "", ""},
		{"nothing", create("silent", ""), 502, "upstream_error", "", 1, "", ""},
		{"a stream without an end", create("cut", `,"stream_id":"a"`), 502, "upstream_error", "", 2, "a", ""},
		{"an error in the stream", create("fail", `,"stream_id":"a"`), 429, "rate_limit_exceeded", "", 2, "a", ""},
	}
	for _, test := range tests {
		c.send(test.send)
		got := c.turn()
		e := got[len(got)-1]
		if len(got) != test.events || e.Type != "error" || e.Status != test.status || e.Error.Code != test.code ||
			e.Error.Param != test.param || e.StreamID != test.stream || e.Error.Type == "" || e.Error.Headers["retry-after"] != test.more {
			t.Errorf("%s: %d events, the last %s", test.name, len(got), e.raw)
		}
	}
	if err := c.conn.Write(t.Context(), websocket.MessageBinary, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if e := c.next(); e.Type != "error" || e.Status != 400 {
		t.Errorf("a binary message: %s", e.raw)
	}
	c.send(`{"type":"response.processed","response_id":"resp_1"}`) // needs no answer
	c.create("m", `,"background":false`)
	if got := c.turn(); !slices.Equal(types(got), whole) {
		t.Errorf("after all that: %v", types(got))
	}
}

func TestBetaEventsAreDeclined(t *testing.T) {
	c := newStand(t, ws.Options{}).connect(nil)
	c.send(`{"type":"response.inject","response_id":"resp_1","input":[{"a": 1}],"stream_id":"x"}`)
	if e := c.next(); e.Type != "response.inject.failed" || e.Error.Code != "not_supported" || e.StreamID != "x" || !strings.Contains(e.raw, `"input":[{"a": 1}]`) {
		t.Errorf("inject: %s", e.raw)
	}
	c.send(`{"type":"response.steer","previous_response_id":"resp_1","input":"left"}`)
	if e := c.next(); e.Type != "response.steer.failed" || e.Error.Code != "not_supported" ||
		!strings.Contains(e.raw, `"steer":{"previous_response_id":"resp_1","input":"left"}`) {
		t.Errorf("steer: %s", e.raw)
	}
}

func TestOneResponseAtATimeWithoutAStream(t *testing.T) {
	s := newStand(t, ws.Options{})
	c := s.connect(nil)
	c.create("wait", "")
	if e := c.next(); e.Type != "response.created" {
		t.Fatal(e.raw)
	}
	c.create("m", "")
	if e := c.next(); e.Type != "error" || e.Status != 400 || e.Error.Code != "response_already_in_flight" {
		t.Errorf("a second one: %s", e.raw)
	}
	close(s.gate.gate)
	for range 20 { // who has seen the end may go on at once
		if got := c.turn(); got[len(got)-1].Type != "response.completed" {
			t.Fatalf("%v", got)
		}
		c.create("m", "")
	}
	c.turn()
}

func TestLanes(t *testing.T) {
	s := newStand(t, ws.Options{MaxLanes: 2, MaxQueue: 3})
	c := s.connect(nil)
	c.create("wait", `,"stream_id":"a"`)
	c.next()
	for i := range 2 {
		c.send(fmt.Sprintf(`{"type":"response.create","model":"m","input":"a%d","stream_id":"a"}`, i))
	}
	c.create("m", `,"stream_id":"b"`)
	if got := c.turn(); !slices.Equal(types(got), whole) || got[0].StreamID != "b" || got[2].StreamID != "b" {
		t.Errorf("another lane waits: %v", got)
	}
	until(t, "lane b is free", func() bool { return s.gate.open.Load() == 1 })
	c.create("wait", `,"stream_id":"c"`)
	if e := c.next(); e.StreamID != "c" || e.Type != "response.created" {
		t.Fatal(e.raw)
	}
	c.create("m", `,"stream_id":"d"`)
	if e := c.next(); e.Error.Code != "websocket_stream_limit_reached" || e.StreamID != "d" || e.Error.Param != "stream_id" || e.Status != 400 {
		t.Errorf("one lane too many: %s", e.raw)
	}
	c.create("m", `,"stream_id":"c"`)
	c.create("m", `,"stream_id":"c"`)
	if e := c.next(); e.Status != 429 || e.StreamID != "c" {
		t.Errorf("one too many in the queue: %s", e.raw)
	}
	close(s.gate.gate)
	var deltas, ends int
	var order []string
	for ends < 5 {
		switch e := c.next(); e.Type {
		case "response.completed":
			ends++
		case "response.output_text.delta":
			deltas++
			if e.StreamID == "a" {
				order = append(order, e.raw[strings.Index(e.raw, "delta\":\"")+8:][:2])
			}
		}
	}
	if !slices.Equal(order, []string{"hi", "a0", "a1"}) {
		t.Errorf("lane a ran in the order %v", order)
	}
}

func TestClientThatLeavesEndsItsTurns(t *testing.T) {
	for _, how := range []string{"says goodbye", "vanishes"} {
		t.Run(how, func(t *testing.T) {
			s := newStand(t, ws.Options{})
			c := s.connect(nil)
			for _, lane := range []string{"a", "b"} {
				c.create("wait", `,"stream_id":"`+lane+`"`)
				c.create("m", `,"stream_id":"`+lane+`"`)
			}
			until(t, "two turns run", func() bool { return s.gate.open.Load() == 2 })
			if how == "vanishes" {
				_ = c.conn.CloseNow()
			} else {
				go func() { _ = c.conn.Close(websocket.StatusNormalClosure, "") }()
			}
			until(t, "everything is released", func() bool { return s.gate.open.Load() == 0 && s.face.Connections() == 0 })
			if n := s.gate.calls.Load(); n != 2 {
				t.Errorf("%d turns were begun", n)
			}
		})
	}
}

func TestClientThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inMemory(t, ws.Options{WriteLimit: time.Minute, Ping: time.Hour})
		c := s.connect(nil)
		c.create("flood", "")
		time.Sleep(59 * time.Second)
		if s.gate.open.Load() != 1 {
			t.Error("it was given up too early")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if s.gate.open.Load() != 0 || s.face.Connections() != 0 {
			t.Errorf("%d turns and %d connections are held", s.gate.open.Load(), s.face.Connections())
		}
	})
}

func TestClientThatIsGoneWithoutAWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inMemory(t, ws.Options{})
		s.connect(nil) // nobody reads, so nobody answers a ping
		time.Sleep(29 * time.Second)
		if s.face.Connections() != 1 {
			t.Error("it was given up too early")
		}
		time.Sleep(62 * time.Second)
		synctest.Wait()
		if s.face.Connections() != 0 {
			t.Error("it is still there")
		}
	})
}

func TestLifeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inMemory(t, ws.Options{})
		c := s.connect(nil)
		began := time.Now()
		code, last := c.closed()
		if took := time.Since(began); code != websocket.StatusTryAgainLater || took != time.Hour ||
			last.Error.Code != "websocket_connection_limit_reached" || last.Status != 400 {
			t.Errorf("closed with %d after %s, the last event %s", code, took, last.raw)
		}
	})
}

func TestLifeEndsAfterTheTurnThatRuns(t *testing.T) { // P-17: no turn is billed twice
	synctest.Test(t, func(t *testing.T) {
		s := inMemory(t, ws.Options{})
		c := s.connect(nil)
		began := time.Now()
		c.create("wait", "")
		time.AfterFunc(61*time.Minute, func() { c.create("m", "") })
		time.AfterFunc(62*time.Minute, func() { close(s.gate.gate) })
		c.next()
		if e := c.next(); e.Error.Code != "websocket_connection_limit_reached" || time.Since(began) != 61*time.Minute {
			t.Errorf("a new turn after its time: %s", e.raw)
		}
		if got := c.turn(); got[len(got)-1].Type != "response.completed" {
			t.Errorf("the turn that ran: %v", types(got))
		}
		if code, _ := c.closed(); code != websocket.StatusTryAgainLater || time.Since(began) != 62*time.Minute {
			t.Errorf("closed with %d after %s", code, time.Since(began))
		}
	})
}

func TestGraceIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inMemory(t, ws.Options{Life: time.Hour, Grace: 10 * time.Minute})
		c := s.connect(nil)
		began := time.Now()
		c.create("wait", "")
		if code, _ := c.closed(); code != websocket.StatusTryAgainLater || time.Since(began) != 70*time.Minute {
			t.Errorf("closed with %d after %s", code, time.Since(began))
		}
		synctest.Wait()
		if s.gate.open.Load() != 0 {
			t.Error("the turn still runs")
		}
	})
}

func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inMemory(t, ws.Options{})
		idle, busy := s.connect(nil), s.connect(nil)
		busy.create("wait", `,"stream_id":"a"`)
		busy.next()
		busy.create("m", `,"stream_id":"a"`)
		busy.send(`{"type":"response.inject"}`) // once it is answered, what came before has its place
		busy.next()
		time.AfterFunc(time.Minute, func() { close(s.gate.gate) })
		began := time.Now()
		done := make(chan struct{})
		go func() {
			s.face.Shutdown(context.Background())
			close(done)
		}()
		if code, last := idle.closed(); code != websocket.StatusServiceRestart || time.Since(began) != 0 || last.Status != 503 {
			t.Errorf("the idle one is closed with %d after %s: %s", code, time.Since(began), last.raw)
		}
		busy.create("m", "")
		if e := busy.next(); e.Status != 503 {
			t.Errorf("a new turn: %s", e.raw)
		}
		for range 2 {
			if got := busy.turn(); got[len(got)-1].Type != "response.completed" {
				t.Errorf("a turn that was there: %v", types(got))
			}
		}
		if code, _ := busy.closed(); code != websocket.StatusServiceRestart || time.Since(began) != time.Minute {
			t.Errorf("closed with %d after %s", code, time.Since(began))
		}
		<-done
		_, resp, err := websocket.Dial(t.Context(), s.url, &websocket.DialOptions{HTTPClient: s.dial})
		if err == nil || resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
			t.Errorf("a new connection: %v", err)
		}
	})
}

func TestShutdownThatIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inMemory(t, ws.Options{})
		c := s.connect(nil)
		c.create("wait", "")
		c.next()
		go c.closed()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		s.face.Shutdown(ctx)
		if took := time.Since(began); took != time.Minute || s.gate.open.Load() != 0 || s.face.Connections() != 0 {
			t.Errorf("after %s %d turns are open", took, s.gate.open.Load())
		}
	})
}

func TestSizes(t *testing.T) {
	big := create("m", `,"x":"`+strings.Repeat("x", 300<<10)+`"`)
	t.Run("a long event is served", func(t *testing.T) {
		s := newStand(t, ws.Options{})
		c := s.connect(nil)
		c.send(big)
		if got := c.turn(); !slices.Equal(types(got), whole) || len(s.gate.bodies()[0]) < 300<<10 {
			t.Errorf("%v", types(got))
		}
	})
	t.Run("too long an event ends the connection", func(t *testing.T) {
		c := newStand(t, ws.Options{MaxMessage: 200 << 10}).connect(nil)
		_ = c.conn.Write(t.Context(), websocket.MessageText, []byte(big))
		if code, last := c.closed(); code != websocket.StatusMessageTooBig || last.Status != 413 {
			t.Errorf("closed with %d, the last event %s", code, last.raw)
		}
	})
	t.Run("what waits is bounded over all connections", func(t *testing.T) {
		s := newStand(t, ws.Options{MaxWaiting: 700 << 10})
		one, two := s.connect(nil), s.connect(nil)
		one.create("wait", `,"stream_id":"a"`)
		one.next()
		one.send(strings.Replace(big, `"x"`, `"stream_id":"a","x"`, 1))
		one.send(strings.Replace(big, `"x"`, `"stream_id":"a","x"`, 1))
		one.send(`{"type":"response.inject","stream_id":"a"}`)
		if e := one.next(); e.Type != "response.inject.failed" {
			t.Fatal(e.raw)
		}
		_ = two.conn.Write(t.Context(), websocket.MessageText, []byte(big))
		if _, last := two.closed(); last.Status != 503 || last.Error.Headers["retry-after"] == "" {
			t.Errorf("the last event %s", last.raw)
		}
		close(s.gate.gate)
		for range 3 {
			one.turn()
		}
		for range 5 { // what was read is given back
			one.send(big)
			if got := one.turn(); !slices.Equal(types(got), whole) {
				t.Errorf("%v", got[len(got)-1].raw)
			}
		}
	})
}

func TestWhoMayConnect(t *testing.T) {
	refused := weir.Errorf(weir.KindUnauthenticated, "no key")
	s := newStand(t, ws.Options{MaxConnections: 1, Authorize: func(r *http.Request) error {
		if r.Header.Get("Authorization") == "" {
			return refused
		}
		return nil
	}})
	dial := func(h http.Header) int {
		conn, resp, err := websocket.Dial(t.Context(), s.url, &websocket.DialOptions{HTTPHeader: h})
		if err == nil {
			_ = conn.CloseNow()
		}
		return resp.StatusCode
	}
	if got := dial(nil); got != 401 {
		t.Errorf("without a key: %d", got)
	}
	key := http.Header{"Authorization": {"Bearer x"}}
	if got := dial(http.Header{"Authorization": {"x"}, "Origin": {"https://elsewhere.test"}}); got != 403 {
		t.Errorf("a page of another origin: %d", got)
	}
	until(t, "that one is gone", func() bool { return s.face.Connections() == 0 })
	s.connect(key)
	if got := dial(key); got != 503 {
		t.Errorf("one connection too many: %d", got)
	}
	rec := httptest.NewRecorder()
	plain := httptest.NewRequest(http.MethodGet, "/v1/responses", nil)
	plain.Header = key
	s.face.ServeHTTP(rec, plain)
	if rec.Code != http.StatusUpgradeRequired || !strings.Contains(rec.Body.String(), `"error"`) {
		t.Errorf("no upgrade: %d %s", rec.Code, rec.Body)
	}
}

type sessionKey struct{}

func TestConnectionHasASession(t *testing.T) {
	n := 0
	var seen []any
	o := ws.Options{
		Session: func(ctx context.Context) context.Context {
			n++
			return context.WithValue(ctx, sessionKey{}, n)
		},
		Header:    func(*http.Request) http.Header { return http.Header{"X-Key": {"1"}} },
		AnyOrigin: func() bool { return true },
	}
	g := newGateway()
	o.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Context().Value(sessionKey{}), r.Header.Get("X-Key"))
		g.ServeHTTP(w, r)
	})
	face := ws.New(o)
	srv := httptest.NewServer(face)
	defer srv.Close()
	for range 2 {
		conn, _, err := websocket.Dial(t.Context(), srv.URL, &websocket.DialOptions{
			HTTPHeader: http.Header{"Origin": {"https://elsewhere.test"}}, Subprotocols: []string{"openai-beta.responses.v1"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if conn.Subprotocol() != "openai-beta.responses.v1" {
			t.Errorf("subprotocol %q", conn.Subprotocol())
		}
		c := &client{t, conn}
		for range 2 {
			c.create("m", "")
			c.turn()
		}
		if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
	}
	face.Shutdown(t.Context())
	if want := []any{1, "1", 1, "1", 2, "1", 2, "1"}; !slices.Equal(seen, want) {
		t.Errorf("the turns saw %v", seen)
	}
}

// FuzzEvent sends anything as an event: the connection answers, and lives on.
func FuzzEvent(f *testing.F) {
	for _, s := range []string{create("m", ""), create("cut", `,"stream_id":"a"`), `{"type":"response.steer","input":[`, `{"type":"response.inject"}`, `{"type":7,"stream_id":null}`, ``, `null`, "\xff"} {
		f.Add([]byte(s))
	}
	g := newGateway()
	face := ws.New(ws.Options{Handler: g})
	srv := httptest.NewServer(face)
	f.Cleanup(func() {
		face.Shutdown(context.Background())
		srv.Close()
	})
	f.Fuzz(func(t *testing.T, message []byte) {
		if strings.Contains(string(message), "flood") || strings.Contains(string(message), "wait") {
			return // these have no end
		}
		conn, _, err := websocket.Dial(t.Context(), srv.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.CloseNow()
		c := &client{t, conn}
		if err := conn.Write(t.Context(), websocket.MessageText, message); err != nil {
			t.Fatal(err)
		}
		c.create("m", `,"stream_id":"last"`)
		for {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			_, b, err := conn.Read(ctx)
			cancel()
			if errors.As(err, new(websocket.CloseError)) && websocket.CloseStatus(err) == websocket.StatusInvalidFramePayloadData {
				return
			}
			if err != nil {
				t.Fatalf("after %q: %v", message, err)
			}
			if strings.Contains(string(b), "response.completed") && strings.Contains(string(b), `"last"`) {
				return
			}
		}
	})
}

func TestSlowClientIsNotGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inMemory(t, ws.Options{})
		c := s.connect(nil)
		c.create("flood", "")
		for range 30 {
			time.Sleep(20 * time.Second)
			c.next()
		}
		if s.face.Connections() != 1 {
			t.Error("a client that reads slowly was cut off")
		}
	})
}

// BenchmarkEvents is the way of an event of 100 bytes through the face to its
// client over a socket; ns/op is for one event.
func BenchmarkEvents(b *testing.B) {
	frame := []byte("event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":1,\"delta\":\"word\"}\n\n")
	last := []byte("event: response.completed\ndata: {\"type\":\"response.completed\"}\n\n")
	n := b.N
	face := ws.New(ws.Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range n {
			_, _ = w.Write(frame)
		}
		_, _ = w.Write(last)
	})})
	srv := httptest.NewServer(face)
	defer srv.Close()
	defer face.Shutdown(b.Context())
	conn, _, err := websocket.Dial(b.Context(), srv.URL, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.CloseNow()
	b.ReportAllocs()
	b.ResetTimer()
	if err := conn.Write(b.Context(), websocket.MessageText, []byte(create("m", `,"stream_id":"a"`))); err != nil {
		b.Fatal(err)
	}
	for range n + 1 {
		if _, _, err := conn.Read(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
