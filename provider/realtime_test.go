package provider

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec/all"
)

// uplink is a client that says its lines and then waits, or says goodbye.
type uplink struct {
	lines []string
	stays bool
}

func (u *uplink) Receive(ctx context.Context) ([]byte, bool, error) {
	if len(u.lines) > 0 {
		line := u.lines[0]
		u.lines = u.lines[1:]
		return []byte(line), true, nil
	}
	if u.stays {
		<-ctx.Done()
		return nil, false, ctx.Err()
	}
	return nil, false, io.EOF
}

// talker is a provider of conversations; talk has the connection to itself.
func talker(t *testing.T, check func(*http.Request), talk func(context.Context, *websocket.Conn)) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		check(r)
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.CloseNow() }()
		talk(r.Context(), conn)
	}))
	t.Cleanup(s.Close)
	return s
}

func talking(t *testing.T, s *httptest.Server, keys ...string) weir.Handler {
	t.Helper()
	return must(t, Options{
		Name: "acme/m", Provider: "acme", Model: "gpt-realtime", Credentials: Keys(keys...), Header: http.Header{"X-Team": {"blue"}},
		Endpoints: []Endpoint{{Codec: all.For(weir.OpenAIChat), BaseURL: s.URL + "/v1"}},
	})
}

func conversation(u *uplink) *weir.Request {
	req := &weir.Request{Op: weir.Realtime, Model: "x", Uplink: u, Stream: true, Relay: true}
	req.Wire = &weir.Wire{Protocol: weir.OpenAIREST, Header: http.Header{"Openai-Beta": {"realtime=v1"}, "Cookie": {"canary"}}}
	return req
}

func usage(in, out, cached int) string {
	return fmt.Sprintf(`{"type":"response.done","response":{"usage":{"input_tokens":%d,"output_tokens":%d,"input_token_details":{"cached_tokens":%d,"audio_tokens":2}}}}`, in, out, cached)
}

// U-09: every message comes as it was, and the tokens of all answers are added up.
func TestARealtimeConversationIsRelayedAndCounted(t *testing.T) {
	s := talker(t, func(r *http.Request) {
		if r.RequestURI != "/v1/realtime?model=gpt-realtime" || r.Header.Get("Authorization") != "Bearer k-1" ||
			r.Header.Get("Openai-Beta") != "realtime=v1" || r.Header.Get("X-Team") != "blue" || r.Header.Get("Cookie") != "" {
			t.Errorf("the handshake was %s %v", r.RequestURI, r.Header)
		}
	}, func(ctx context.Context, conn *websocket.Conn) {
		for {
			kind, message, err := conn.Read(ctx)
			if err != nil {
				return
			}
			if string(message) == "bytes" {
				kind = websocket.MessageBinary
			}
			if err := conn.Write(ctx, kind, message); err != nil {
				return
			}
			if string(message) == "bye" {
				_ = conn.Close(websocket.StatusNormalClosure, "")
				return
			}
		}
	})
	said := []string{usage(5, 3, 1), "bytes", `{"type":"response.done"}`, usage(7, 4, 0), "bye"}
	var heard []string
	var total weir.Usage
	started := false
	for ev, err := range talking(t, s, "k-1").Handle(t.Context(), conversation(&uplink{lines: said, stays: true})) {
		if err != nil {
			t.Fatal(err)
		}
		switch ev.Type {
		case weir.EventStart:
			started = true
		case weir.EventRelay:
			heard = append(heard, string(ev.Frame.Raw))
			if binary := string(ev.Frame.Raw) == "bytes"; ev.Frame.Binary != binary {
				t.Errorf("%s: binary is %v", ev.Frame.Raw, ev.Frame.Binary)
			}
		case weir.EventUsage:
			total.Merge(ev.Usage)
		}
	}
	if !started || strings.Join(heard, "\n") != strings.Join(said, "\n") {
		t.Errorf("started %v, heard %q", started, heard)
	}
	if total.InputTokens != 12 || total.OutputTokens != 7 || total.CacheReadTokens != 1 || total.AudioInputTokens != 4 || total.Has(weir.UsageReasoning) {
		t.Errorf("the usage is %+v", total)
	}
}

func TestTheEndOfAConversationIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		client *uplink
		talk   func(context.Context, *websocket.Conn)
		code   string // of the error; empty: there is none
	}{
		"the client leaves": {&uplink{}, func(ctx context.Context, conn *websocket.Conn) { _, _, _ = conn.Read(ctx) }, ""},
		"the provider ends": {&uplink{stays: true}, func(_ context.Context, conn *websocket.Conn) { _ = conn.Close(websocket.StatusNormalClosure, "") }, ""},
		"a session expires": {&uplink{stays: true}, func(_ context.Context, conn *websocket.Conn) {
			_ = conn.Close(websocket.StatusPolicyViolation, "too long")
		}, "ws_1008"},
		"it is cut": {&uplink{stays: true}, func(_ context.Context, conn *websocket.Conn) { _ = conn.CloseNow() }, "cut"},
	} {
		t.Run(name, func(t *testing.T) {
			s := talker(t, func(*http.Request) {}, c.talk)
			out := ask(t, talking(t, s, "k-1"), conversation(c.client))
			if c.code == "" {
				if out.err != nil {
					t.Error(out.err)
				}
				return
			}
			if e := out.error(t); e.Kind != weir.KindUpstream || c.code != "cut" && e.Code != c.code || e.Deployment != "acme/m" {
				t.Errorf("it ended with %+v", e)
			}
		})
	}
}

// W-09: the consumer may stop at any event, and a call's context ends it.
func TestAConversationCanBeLeft(t *testing.T) {
	chatty := func(ctx context.Context, conn *websocket.Conn) {
		for conn.Write(ctx, websocket.MessageText, []byte("hello")) == nil {
			time.Sleep(time.Millisecond)
		}
	}
	s := talker(t, func(*http.Request) {}, chatty)
	for at := range 4 {
		n := 0
		for range talking(t, s, "k-1").Handle(t.Context(), conversation(&uplink{stays: true})) {
			if n++; n > at {
				break
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var last error
	for ev, err := range talking(t, s, "k-1").Handle(ctx, conversation(&uplink{stays: true})) {
		if ev.Type == weir.EventRelay {
			cancel()
		}
		last = err
	}
	cancel()
	if last != context.Canceled {
		t.Errorf("it ended with %v", last)
	}
}

func TestARefusedHandshakeIsAnError(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer canary-key-1" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"message":"bad canary-key-1"}}`)
			return
		}
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"error":{"message":"slow down"}}`)
	}))
	defer s.Close()
	// The refused key is set aside, and the other one tried.
	e := ask(t, talking(t, s, "canary-key-1", "k-2"), conversation(&uplink{stays: true})).error(t)
	if e.Kind != weir.KindRateLimit || e.Status != http.StatusTooManyRequests {
		t.Errorf("it ended with %+v", e)
	}
	e = ask(t, talking(t, s, "canary-key-1"), conversation(&uplink{stays: true})).error(t)
	if e.Kind != weir.KindUpstreamAuth || strings.Contains(fmt.Sprintf("%+v", e), "canary") {
		t.Errorf("it ended with %+v", e)
	}
	h := must(t, Options{Model: "m", Credentials: Keys("k"), Endpoints: []Endpoint{{Codec: all.For(weir.AnthropicMessages), BaseURL: s.URL}}})
	if e := ask(t, h, conversation(&uplink{})).error(t); e.Kind != weir.KindUnsupported {
		t.Errorf("a provider without conversations: %+v", e)
	}
}
