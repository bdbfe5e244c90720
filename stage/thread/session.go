package thread

import "context"

// A Session is the memory of one connection on which a client sends request
// after request (protocols.md §5): responses that are not to be stored can still
// be continued on it, and are gone with it. Safe for concurrent use.
type Session struct{ store *Memory }

// NewSession makes a Session that keeps up to maxBytes, the latest used; 0 is
// DefaultSessionBytes.
func NewSession(maxBytes int64) *Session {
	if maxBytes <= 0 {
		maxBytes = DefaultSessionBytes
	}
	return &Session{NewMemory(MemoryOptions{MaxBytes: maxBytes, MaxPerTenant: maxBytes})}
}

type sessionKey struct{}

// WithSession makes ctx that of a request on a connection. The stage reads it;
// a context is the only thing that comes from the connection to it.
func WithSession(ctx context.Context, s *Session) context.Context {
	return context.WithValue(ctx, sessionKey{}, s)
}

func sessionOf(ctx context.Context) *Session {
	s, _ := ctx.Value(sessionKey{}).(*Session)
	return s
}
