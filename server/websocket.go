package server

import (
	"context"
	"net/http"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/server/ws"
	"github.com/weir-gateway/weir/stage/thread"
)

// responsesSocket is the WebSocket mode of the Responses API (P-17): each turn is
// a request by HTTP to the path of the connection.
func (s *Server) responsesSocket() *ws.Responses {
	create := s.face(weir.OpenAIResponses, weir.Generate)
	return ws.New(ws.Options{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.generate(w, r, create) }),
		Authorize: func(r *http.Request) error {
			_, err := s.gateway.Current().Keys.Authenticate(withSubprotocolKey(r), query(r))
			return err
		},
		Header: withSubprotocolKey,
		Refuse: func(w http.ResponseWriter, _ *http.Request, err *weir.Error) {
			s.writeError(w, weir.OpenAIResponses, err)
		},
		Session: func(ctx context.Context) context.Context {
			return thread.WithSession(ctx, thread.NewSession(0))
		},
		MaxMessage: s.gateway.Current().MaxBody,
		AnyOrigin:  func() bool { return s.gateway.Current().Keys.Len() > 0 },
		Logger:     s.logger,
	})
}

// endSockets lets connections that the http.Server no longer knows come to their
// end, until ctx is done.
func (s *Server) endSockets(ctx context.Context) {
	if s.socket != nil {
		s.socket.Shutdown(ctx)
	}
	idle := make(chan struct{})
	go func() {
		s.conversations.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-ctx.Done():
		s.cutConversations()
		<-idle
	}
}
