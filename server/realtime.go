package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/server/ws"
)

// What follows is the face of realtime conversations: a WebSocket at
// /v1/realtime?model=…, relayed through the same chain as every call, so that
// keys, limits and the ledger hold for it too (U-09).

// realtimeMessage bounds one message of a client, in bytes: sound comes in
// pieces of seconds at most.
const realtimeMessage = 16 << 20

// realtimeWrite is how long a client may take to accept one message.
const realtimeWrite = time.Minute

func (s *Server) realtimeRoutes(mux *http.ServeMux) {
	f := s.face(weir.OpenAIREST, weir.Realtime)
	if f == nil {
		return
	}
	for _, path := range openAI("/realtime") {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { s.realtime(w, r, f) })
	}
}

// subprotocolKey is how browsers, which cannot set headers, send their key.
const subprotocolKey = "openai-insecure-api-key."

// realtime is one conversation. Until the provider has accepted it an error is
// an HTTP answer; from then on it is a close code.
func (s *Server) realtime(w http.ResponseWriter, r *http.Request, f *face) {
	a := newAnswer(s, w, r, f)
	defer a.recover()
	current := s.gateway.Current()
	principal, err := current.Keys.Authenticate(withSubprotocolKey(r), query(r))
	if err == nil && !ws.IsUpgrade(r) {
		err = &weir.Error{Kind: weir.KindInvalid, Status: http.StatusUpgradeRequired, Message: "a realtime conversation is a WebSocket", Hint: "connect with a WebSocket client"}
	}
	model := r.URL.Query().Get("model")
	if err == nil && model == "" {
		err = weir.Invalid("model", "the query has no model")
	}
	through := 0
	if err == nil {
		through, err = hops(r)
	}
	if err != nil {
		a.refuse(err)
		return
	}
	up := newUplink()
	defer close(up.over)
	req := weir.NewWireRequest(f.wire(r, nil), func() (*weir.Body, error) { return &weir.Body{}, nil })
	req.ID, req.Principal, req.Op, req.Model = a.id, principal, weir.Realtime, model
	req.Hops = through
	req.Stream, req.Relay, req.Uplink = true, true, up
	a.req = req
	s.conversations.Add(1)
	defer s.conversations.Done()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.conversing, cancel)()   //nolint:contextcheck // the server's end is another reason to end
	s.converse(a, up, current.Chain.Handle(ctx, req)) //nolint:contextcheck // a connection outlives the request that it came from
}

// withSubprotocolKey are the request's headers with the key of a browser where a
// key belongs.
func withSubprotocolKey(r *http.Request) http.Header {
	for value := range strings.SplitSeq(r.Header.Get("Sec-Websocket-Protocol"), ",") {
		if key, ok := strings.CutPrefix(strings.TrimSpace(value), subprotocolKey); ok && r.Header.Get("Authorization") == "" {
			h := r.Header.Clone()
			h.Set("Authorization", "Bearer "+key)
			return h
		}
	}
	return r.Header
}

// converse writes what the provider says.
func (s *Server) converse(a *answer, up *uplink, events func(func(weir.Event, error) bool)) {
	for ev, err := range events {
		switch {
		case err != nil && up.conn == nil:
			a.refuse(err)
			return
		case err != nil:
			up.close(weir.AsError(err))
			return
		case ev.Type == weir.EventNote:
			a.facts.note(ev.Note)
			continue
		case ev.Type == weir.EventStart && !a.upgrade(up):
			return
		}
		if ev.Type == weir.EventRelay && up.send(a.r.Context(), ev.Frame) != nil {
			_ = up.conn.CloseNow()
			return
		}
	}
	if up.conn != nil {
		_ = up.conn.Close(websocket.StatusNormalClosure, "")
	}
}

// upgrade makes the client's connection a WebSocket; false when it cannot.
func (a *answer) upgrade(up *uplink) bool {
	a.facts.headers(a.w.Header(), a)
	conn, err := websocket.Accept(a.w, a.r, &websocket.AcceptOptions{
		Subprotocols: []string{"realtime"},
		// With keys, those decide who may call. Without, no page of another
		// origin that somebody happens to have open may use the gateway.
		InsecureSkipVerify: a.server.gateway.Current().Keys.Len() > 0,
	})
	if err != nil {
		return false // it has been answered
	}
	conn.SetReadLimit(realtimeMessage)
	up.conn = conn
	go up.read(a.r.Context())
	return true
}

// An uplink is the client's side of a conversation. Its reader is a goroutine of
// its own, since a WebSocket does not outlive a read that was given up.
type uplink struct {
	conn     *websocket.Conn
	messages chan clientMessage // closed when the client has gone
	over     chan struct{}      // closed when nobody wants messages any more
}

type clientMessage struct {
	data []byte
	text bool
}

func newUplink() *uplink {
	return &uplink{messages: make(chan clientMessage), over: make(chan struct{})}
}

// read hands on what the client says, until the connection is closed.
func (u *uplink) read(ctx context.Context) {
	defer close(u.messages)
	for {
		kind, data, err := u.conn.Read(ctx)
		if err != nil {
			return
		}
		select {
		case u.messages <- clientMessage{data, kind == websocket.MessageText}:
		case <-u.over:
			return
		}
	}
}

// Receive implements weir.Uplink.
func (u *uplink) Receive(ctx context.Context) ([]byte, bool, error) {
	select {
	case m, ok := <-u.messages:
		if !ok {
			return nil, false, io.EOF // said goodbye, or gone
		}
		return m.data, m.text, nil
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
}

func (u *uplink) send(ctx context.Context, frame *weir.Frame) error {
	ctx, cancel := context.WithTimeout(ctx, realtimeWrite)
	defer cancel()
	kind := websocket.MessageText
	if frame.Binary {
		kind = websocket.MessageBinary
	}
	return u.conn.Write(ctx, kind, frame.Raw)
}

// close ends the conversation with the provider's own code, where it gave one.
func (u *uplink) close(err *weir.Error) {
	code := websocket.StatusInternalError
	if n, convErr := strconv.Atoi(strings.TrimPrefix(err.Code, "ws_")); convErr == nil && n >= 3000 && n < 5000 {
		code = websocket.StatusCode(n)
	}
	if errors.Is(err, weir.KindCanceled) {
		_ = u.conn.CloseNow()
		return
	}
	_ = u.conn.Close(code, err.Message[:min(len(err.Message), 120)])
}
