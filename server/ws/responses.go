package ws

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/weir-gateway/weir"
)

// Defaults of Options.
const (
	DefaultMaxMessage     = 64 << 20
	DefaultMaxWaiting     = 256 << 20
	DefaultMaxConnections = 1024
	DefaultMaxLanes       = 16
	DefaultMaxQueue       = 32
	DefaultLife           = time.Hour // as OpenAI's (protocols.md §5)
	DefaultGrace          = 5 * time.Minute
	DefaultPing           = 30 * time.Second
	DefaultWriteLimit     = time.Minute
)

// Options set up a Responses. Handler is required; the zero value of everything
// else is its default.
type Options struct {
	// Handler serves one turn: a POST of a create request with stream set, to
	// the path of the connection and with its headers, but for those of the
	// connection itself. It answers with a stream of events, or with another
	// status and an error body.
	Handler http.Handler
	// Authorize is asked before the upgrade; Handler is to look again for each
	// turn. Nil lets everybody in.
	Authorize func(*http.Request) error
	// Refuse answers a request that does not become a connection. Nil: as the
	// protocol does.
	Refuse func(http.ResponseWriter, *http.Request, *weir.Error)
	// Header are the headers for the turns of a connection; nil is those of r.
	Header func(r *http.Request) http.Header
	// Session makes the context of a connection, from which those of its turns
	// come: what the connection is to remember goes into it. Nil: nothing.
	Session func(context.Context) context.Context
	// AnyOrigin lets pages of other origins connect, where keys decide who may.
	// Nil: only those of the gateway's own.
	AnyOrigin func() bool
	// Logger is told of panics. Nil: nobody is.
	Logger *slog.Logger

	// MaxMessage is the longest event of a client, in bytes; after a longer one
	// the connection ends.
	MaxMessage int64
	// MaxWaiting bounds the bytes of all events that wait for their turn, over
	// all connections.
	MaxWaiting int64
	// MaxConnections is how many there may be at once.
	MaxConnections int
	// MaxLanes is how many lanes of one connection may be in use at once.
	MaxLanes int
	// MaxQueue is how many events of one connection may wait, over its lanes.
	MaxQueue int
	// Life is how long a connection lasts. Then turns that run have Grace to
	// end, and no new one begins.
	Life, Grace time.Duration
	// Ping is how long a connection may be silent before the client is asked
	// whether it is still there. It has WriteLimit to answer.
	Ping time.Duration
	// WriteLimit is how long a client may take to accept one event.
	WriteLimit time.Duration
}

func (o Options) withDefaults() Options {
	if o.Refuse == nil {
		o.Refuse = refuse
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.MaxMessage, o.MaxWaiting = or(o.MaxMessage, DefaultMaxMessage), or(o.MaxWaiting, DefaultMaxWaiting)
	o.MaxConnections = or(o.MaxConnections, DefaultMaxConnections)
	o.MaxLanes, o.MaxQueue = or(o.MaxLanes, DefaultMaxLanes), or(o.MaxQueue, DefaultMaxQueue)
	o.Life, o.Grace = or(o.Life, DefaultLife), or(o.Grace, DefaultGrace)
	o.Ping, o.WriteLimit = or(o.Ping, DefaultPing), or(o.WriteLimit, DefaultWriteLimit)
	return o
}

func or[T int | int64 | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}

// Responses serves the WebSocket mode of the Responses API. It must be shut
// down, since an http.Server knows nothing of connections that were upgraded.
// Safe for concurrent use.
type Responses struct {
	options Options
	waiting atomic.Int64 // bytes of events that wait for their turn
	wg      sync.WaitGroup

	mu       sync.Mutex // guards what follows
	conns    map[*conn]struct{}
	draining bool
}

// New makes a Responses.
func New(o Options) *Responses {
	return &Responses{options: o.withDefaults(), conns: map[*conn]struct{}{}}
}

// IsUpgrade reports whether r wants to become a WebSocket.
func IsUpgrade(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// subprotocols are those that clients are known to ask for.
var subprotocols = []string{"openai-beta.responses.v1", "responses", "realtime"}

// ServeHTTP makes a connection of a request and serves it to its end.
func (s *Responses) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := s.admit(r); err != nil {
		s.options.Refuse(w, r, err)
		return
	}
	c := s.enter(r)
	if c == nil {
		s.options.Refuse(w, r, s.full())
		return
	}
	defer s.leave(c)
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: subprotocols, InsecureSkipVerify: s.options.AnyOrigin != nil && s.options.AnyOrigin(),
	})
	if err != nil {
		return // it has been answered
	}
	c.serve(r, ws) //nolint:contextcheck // a connection outlives the request that it came from
}

// admit is why r does not become a connection; nil when it may.
func (s *Responses) admit(r *http.Request) *weir.Error {
	if s.options.Authorize != nil {
		if err := s.options.Authorize(r); err != nil {
			return weir.AsError(err)
		}
	}
	if !IsUpgrade(r) {
		return &weir.Error{
			Kind: weir.KindInvalid, Status: http.StatusUpgradeRequired, Message: "GET is served here for WebSockets only",
			Hint: "connect with a WebSocket client, or POST a create request",
		}
	}
	return nil
}

// enter makes room for a connection, nil when there is none.
func (s *Responses) enter(r *http.Request) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining || len(s.conns) >= s.options.MaxConnections {
		return nil
	}
	// The client's connection is this package's from now on: when it ends is
	// learned by reading it, and what r's context says ends with the upgrade.
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	if s.options.Session != nil {
		ctx = s.options.Session(ctx)
	}
	c := &conn{server: s, ctx: ctx, cancel: cancel, lanes: map[string]*lane{}, settled: make(chan struct{}, 1), drain: make(chan struct{})}
	s.conns[c] = struct{}{}
	s.wg.Add(1)
	return c
}

func (s *Responses) leave(c *conn) {
	c.cancel()
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	s.wg.Done()
}

func (s *Responses) full() *weir.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return shuttingDown()
	}
	e := weir.Errorf(weir.KindOverloaded, "there are %d WebSocket connections already", len(s.conns))
	e.RetryAfter = time.Second
	return e
}

// Connections is how many there are.
func (s *Responses) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Shutdown ends all connections: no new turn begins, those that run or wait come
// to their end, then each connection is closed with code 1012, so that clients
// connect again elsewhere. What is left when ctx is done is cut. It returns when
// no goroutine is left.
func (s *Responses) Shutdown(ctx context.Context) {
	s.mu.Lock()
	s.draining = true
	all := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
		c.goAway()
	}
	s.mu.Unlock()
	idle := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-ctx.Done():
		for _, c := range all {
			c.cancel()
		}
		<-idle
	}
}

func shuttingDown() *weir.Error {
	e := weir.Errorf(weir.KindUnavailable, "the gateway is shutting down: connect again")
	e.RetryAfter = time.Second
	return e
}
