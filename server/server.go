package server

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/gateway"
	"github.com/weir-gateway/weir/server/ws"
)

// Options are what a Server needs. Gateway is required.
type Options struct {
	Gateway *gateway.Gateway
	// Codecs are the protocols to serve.
	Codecs []codec.Codec
	// Logger nil logs nothing.
	Logger *slog.Logger
	// Version is shown at / and in /healthz.
	Version string
}

// A Server is the http.Handler of all faces. Safe for concurrent use.
type Server struct {
	gateway *gateway.Gateway
	logger  *slog.Logger
	version string
	started time.Time
	mux     *http.ServeMux
	codecs  map[weir.Protocol]codec.Codec
	// socket serves Responses by WebSocket; nil when that protocol is not served.
	socket *ws.Responses
	// conversations are the realtime ones, which end with conversing.
	conversations    sync.WaitGroup
	conversing       context.Context //nolint:containedctx // the life of the server, not of a call
	cutConversations context.CancelFunc
	// draining makes /readyz fail, so that load balancers turn away before
	// listeners close.
	draining atomic.Bool
}

// New makes a Server.
func New(o Options) *Server {
	s := &Server{gateway: o.Gateway, logger: o.Logger, version: o.Version, started: time.Now(), codecs: map[weir.Protocol]codec.Codec{}}
	s.conversing, s.cutConversations = context.WithCancel(context.Background())
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	for _, c := range o.Codecs {
		s.codecs[c.Protocol()] = c
	}
	s.mux = s.routes()
	return s
}

// Drain makes the server say that it is going away: /readyz fails from now on,
// everything else is still served.
func (s *Server) Drain() { s.draining.Store(true) }

// ServeHTTP implements http.Handler. A panic below is answered with a 500 in
// the client's protocol and does not take the process down.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mux.ServeHTTP(w, r)
}
