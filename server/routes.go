package server

import (
	"net/http"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// A face is one operation of one protocol as clients see it.
type face struct {
	codec   codec.Codec
	op      weir.Operation
	headers []string // of the client, that belong to the protocol
}

// paths lists what each protocol's operations are called. Every path is also
// served under the prefix of its protocol, and the OpenAI ones without /v1,
// since clients disagree about where a base URL ends (P-14).
var paths = []struct {
	protocol weir.Protocol
	op       weir.Operation
	paths    []string
}{
	{weir.OpenAIChat, weir.Generate, []string{"/v1/chat/completions", "/openai/v1/chat/completions", "/chat/completions", "/v1/v1/chat/completions"}},
	{weir.AnthropicMessages, weir.Generate, []string{"/v1/messages", "/anthropic/v1/messages", "/v1/v1/messages"}},
	{weir.AnthropicMessages, weir.CountTokens, []string{"/v1/messages/count_tokens", "/anthropic/v1/messages/count_tokens", "/v1/v1/messages/count_tokens"}},
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, p := range paths {
		c := s.codecs[p.protocol]
		if c == nil {
			continue
		}
		f := &face{codec: c, op: p.op, headers: c.RequestHeaders()}
		for _, path := range p.paths {
			mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) { s.generate(w, r, f) })
			mux.HandleFunc(path, s.methodNotAllowed)
		}
	}
	for _, prefix := range []string{"", "/v1", "/openai/v1", "/anthropic/v1"} {
		mux.HandleFunc("GET "+prefix+"/models", s.models)
		mux.HandleFunc("GET "+prefix+"/models/{id...}", s.model)
	}
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /metrics", s.metrics)
	mux.HandleFunc("GET /{$}", s.welcome)
	mux.HandleFunc("/", s.notFound)
	return mux
}

// protocolOf is the protocol that a client of a shared path speaks: Anthropic's
// SDKs always send anthropic-version, and may send x-api-key alone.
func protocolOf(r *http.Request) weir.Protocol {
	switch {
	case r.Header.Get("Anthropic-Version") != "":
		return weir.AnthropicMessages
	case len(r.URL.Path) > 11 && r.URL.Path[:11] == "/anthropic/":
		return weir.AnthropicMessages
	case r.Header.Get("X-Api-Key") != "" && r.Header.Get("Authorization") == "":
		return weir.AnthropicMessages
	}
	return weir.OpenAIChat
}
