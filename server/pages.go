package server

import (
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// healthz answers as long as the process does.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("status", "ok")
	b.StringField("version", s.version)
	b.StringField("config", s.gateway.Current().Version)
	b.EndObject()
	writeJSON(w, http.StatusOK, b.B)
}

// readyz fails while the server drains.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if s.draining.Load() {
		writeJSON(w, http.StatusServiceUnavailable, []byte(`{"status":"draining"}`))
		return
	}
	writeJSON(w, http.StatusOK, []byte(`{"status":"ready"}`))
}

// metrics are for whoever may see them: anybody on this machine, and elsewhere
// holders of a key where keys are in use.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	if !fromLoopback(r) {
		if _, err := s.gateway.Current().Keys.Authenticate(r.Header, query(r)); err != nil {
			s.writeError(w, weir.OpenAIChat, weir.AsError(err))
			return
		}
	}
	s.gateway.Metrics().ServeHTTP(w, r)
}

func fromLoopback(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

// welcome says to whoever opens the address in a browser what this is.
func (s *Server) welcome(w http.ResponseWriter, r *http.Request) {
	var b strings.Builder
	b.WriteString("Weir " + s.version + " is running.\n\n")
	b.WriteString("  OpenAI clients     base URL  http://" + r.Host + "/v1\n")
	b.WriteString("  Anthropic clients  base URL  http://" + r.Host + "\n")
	b.WriteString("  Google clients     base URL  http://" + r.Host + "\n")
	b.WriteString("  Ollama clients     base URL  http://" + r.Host + "\n\n")
	b.WriteString("  GET /v1/models         what can be called\n  GET /v1/capabilities   what every protocol can say to every other\n")
	b.WriteString("  GET /healthz           is it alive\n  GET /readyz            does it want requests\n  GET /metrics           Prometheus metrics\n")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write([]byte(b.String()))
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	err := weir.Errorf(weir.KindNotFound, "there is nothing at %s %s", r.Method, bounded(r.URL.Path))
	err.Hint = "GET / says what is served"
	s.writeError(w, protocolOf(r), err)
}

func (s *Server) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	err := weir.Errorf(weir.KindInvalid, "%s is not served at %s", r.Method, bounded(r.URL.Path))
	err.Status, err.Hint = http.StatusMethodNotAllowed, "use POST"
	w.Header().Set("Allow", http.MethodPost)
	s.writeError(w, protocolOf(r), err)
}

func bounded(path string) string { return path[:min(len(path), 200)] }

func (s *Server) writeError(w http.ResponseWriter, p weir.Protocol, err *weir.Error) {
	c := s.codecs[p]
	if c == nil {
		for _, c = range s.codecs {
			break
		}
	}
	errorHeaders(w.Header(), err)
	writeJSON(w, err.HTTPStatus(p), c.AppendError(nil, err))
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
