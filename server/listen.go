package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Run serves l until ctx is done, then goes away gracefully: /readyz
// fails for delay, then the listener closes, and requests in flight have
// timeout, counted from then, to finish. When force is done, they are cut.
// The result is nil after a clean end.
func (s *Server) Run(ctx, force context.Context, l net.Listener, delay, timeout time.Duration, maxHeader int) error {
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       5 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	srv.Protocols = protocols
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	s.Drain()
	select {
	case <-time.After(delay):
	case <-force.Done():
	}
	return s.shutdown(force, srv, served, timeout)
}

func (s *Server) shutdown(force context.Context, srv *http.Server, served <-chan error, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(force, timeout)
	defer cancel()
	err := srv.Shutdown(ctx)
	s.endSockets(ctx)
	s.gateway.Drain(ctx)
	if err != nil {
		s.logger.Warn("requests were cut while shutting down", "reason", err)
		err = errors.Join(srv.Close())
	}
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		return e
	}
	return err
}
