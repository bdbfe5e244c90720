package sim

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// ServerOptions say how the simulated upstream behaves on the wire. The zero
// value answers everybody, without faults.
type ServerOptions struct {
	// Options are the model's.
	Options
	// Handler answers in place of the simulated model; nil is the model.
	Handler weir.Handler `json:"-"`
	// Keys are the credentials that are accepted, as a bearer token or in
	// x-api-key or api-key. Empty accepts everybody.
	Keys []string `json:"keys,omitempty"`
	// Models are the names that GET /v1/models lists; any other is answered
	// too. Empty: "sim".
	Models []string `json:"models,omitempty"`
	// Faults are played from the start; see Rule.
	Faults []Rule `json:"faults,omitempty"`
	// Keep is how many requests the statistics remember: 0 is 32, below 0 none.
	Keep int `json:"keep,omitempty"`
	// MaxBodyBytes bounds a request's body; 0 is 64 MiB.
	MaxBodyBytes int64 `json:"max_body_bytes,omitempty"`
}

// Validate checks what NewServer takes for granted: the words of the faults.
func (o *ServerOptions) Validate() error { return newRules(0).add(o.Faults) }

// A Server is the simulated upstream as an http.Handler. Under any prefix it
// serves
//
//	POST …/chat/completions, …/responses, …/completions, …/embeddings
//	POST …/messages, …/messages/count_tokens
//	POST …/models/{model}:generateContent and its like
//	POST …/api/chat, …/api/generate, …/api/embed
//	POST …/model/{model}/converse, …/converse-stream
//	GET  …/models
//
// and for control GET, POST and DELETE /_sim/faults, GET and DELETE
// /_sim/stats. It is safe for concurrent use; it starts no goroutine, and every
// answer ends with its request's context.
type Server struct {
	o       ServerOptions
	handler weir.Handler
	rules   *rules
	stats   *recorder
	invalid error // of the options' faults
}

// NewServer makes a Server. Where o.Faults do not parse, every call is answered
// with a 400 that says so; see ServerOptions.Validate.
func NewServer(o ServerOptions) *Server {
	s := &Server{o: o, handler: o.Handler, rules: newRules(o.Seed)}
	if s.handler == nil {
		s.handler = New(o.Options)
	}
	if s.o.MaxBodyBytes <= 0 {
		s.o.MaxBodyBytes = 64 << 20
	}
	switch o.Keep {
	case 0:
		s.stats = newRecorder(32)
	default:
		s.stats = newRecorder(max(o.Keep, 0))
	}
	s.invalid = s.rules.add(o.Faults)
	return s
}

// Stats are what the Server has seen so far.
func (s *Server) Stats() Stats { return s.stats.snapshot() }

// AddFaults appends rules, all or none. An error names the word at fault.
func (s *Server) AddFaults(list ...Rule) error { return s.rules.add(list) }

// ClearFaults forgets all rules, and how often faults with times=N were played.
func (s *Server) ClearFaults() { s.rules.clear() }

// ServeHTTP answers a call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := r.URL.Path
	switch {
	case strings.HasPrefix(p, "/_sim/"):
		s.control(w, r)
	case r.Method == http.MethodGet && strings.HasSuffix(p, "/models"):
		s.models(w, r)
	case s.endpoint(w, r):
	default:
		writeError(w, faceOf(r), weir.Errorf(weir.KindNotFound, "the simulated upstream has no %s", p))
	}
}

// serve answers one call of a protocol.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, c codec.Codec, op weir.Operation) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		e := weir.Errorf(weir.KindInvalid, "the method must be POST")
		e.Status = http.StatusMethodNotAllowed
		writeError(w, c, e)
		return
	}
	if !s.admits(r.Header) {
		writeError(w, c, weir.Errorf(weir.KindUnauthenticated, "the API key is missing or wrong"))
		return
	}
	body, err := readBody(w, r, s.o.MaxBodyBytes)
	if err != nil {
		writeError(w, c, err)
		return
	}
	req, openErr := c.OpenRequest(op, &weir.Wire{
		Protocol: c.Protocol(), Body: body, Header: pick(r.Header, c.RequestHeaders()),
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, ContentType: r.Header.Get("Content-Type"),
	})
	seen := Seen{Method: r.Method, Path: r.URL.Path, Query: redactQuery(r.URL.RawQuery), Header: redact(r.Header)}
	seen.keepBody(body)
	if openErr == nil {
		seen.Model = req.Model
	}
	s.stats.begin(seen)
	defer func() { s.stats.end(r.Context().Err() != nil) }()
	if openErr != nil {
		writeError(w, c, weir.AsError(openErr))
		return
	}
	s.play(w, r, c, req)
}

// play chooses the fault, and answers with it.
func (s *Server) play(w http.ResponseWriter, r *http.Request, c codec.Codec, req *weir.Request) {
	fault, err := s.rules.choose(r.Header.Get("X-Sim-Fault"), req.Model, r.URL.Path)
	if err == nil {
		err = s.invalid
	}
	if err != nil {
		writeError(w, c, weir.Invalid("x-sim-fault", "%w", err))
		return
	}
	if fault != nil {
		s.stats.fault(fault)
	} else {
		fault = new(Fault)
	}
	newPlayer(w, r, c, req, fault).run(s.handler)
}

// admits checks the client's credential, in constant time for each key.
func (s *Server) admits(h http.Header) bool {
	if len(s.o.Keys) == 0 {
		return true
	}
	given := h.Get("X-Api-Key")
	if given == "" {
		given = h.Get("Api-Key")
	}
	if scheme, token, ok := strings.Cut(h.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		given = strings.TrimSpace(token)
	}
	sum, found := sha256.Sum256([]byte(given)), 0
	for _, k := range s.o.Keys {
		want := sha256.Sum256([]byte(k))
		found |= subtle.ConstantTimeCompare(sum[:], want[:])
	}
	return found == 1
}

func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, *weir.Error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, weir.Errorf(weir.KindTooLarge, "the body is longer than %d bytes", limit)
	}
	if err != nil {
		return nil, weir.Errorf(weir.KindInvalid, "read the body: %w", err)
	}
	return body, nil
}

// pick copies the headers named, in canonical form.
func pick(h http.Header, names []string) http.Header {
	out := http.Header{}
	for _, n := range names {
		if v := h.Values(n); len(v) > 0 {
			out[http.CanonicalHeaderKey(n)] = v
		}
	}
	return out
}

// writeError answers with an error in the protocol's shape.
func writeError(w http.ResponseWriter, c codec.Codec, e *weir.Error) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	w.WriteHeader(e.HTTPStatus(c.Protocol()))
	_, _ = w.Write(c.AppendError(nil, e))
}
