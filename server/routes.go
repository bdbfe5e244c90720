package server

import (
	"net/http"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// A face is one operation of one protocol as clients see it.
type face struct {
	codec   codec.Codec
	op      weir.Operation
	headers []string // of the client, that belong to the protocol
	// path tells that the protocol says something in the path and the query.
	path bool
}

// A mount is where operations of a protocol are found.
type mount struct {
	protocol weir.Protocol
	op       weir.Operation
	paths    []string
}

// mounts lists what each protocol's operations are called. Every path is also
// served under the prefix of its protocol, and the OpenAI ones without /v1,
// since clients disagree about where a base URL ends (P-14).
var mounts = []mount{
	{weir.OpenAIChat, weir.Generate, openAI("/chat/completions")},
	{weir.OpenAIResponses, weir.Generate, openAI("/responses")},
	{weir.OpenAIResponses, weir.CountTokens, openAI("/responses/input_tokens")},
	{weir.OpenAICompletions, weir.Generate, append(openAI("/completions"), "/v1/fim/completions")},
	{weir.AnthropicMessages, weir.Generate, anthropic("/messages")},
	{weir.AnthropicMessages, weir.CountTokens, anthropic("/messages/count_tokens")},
	{weir.OllamaChat, weir.Generate, ollama("/chat", "/generate")},
	{weir.OllamaChat, weir.Embed, ollama("/embed", "/embeddings")},
	{weir.OpenAIREST, weir.Embed, openAI("/embeddings")},
	{weir.OpenAIREST, weir.Moderate, openAI("/moderations")},
	{weir.OpenAIREST, weir.Rerank, append(openAI("/rerank"), "/v2/rerank")},
	{weir.OpenAIREST, weir.Image, openAI("/images/generations", "/images/edits", "/images/variations")},
	{weir.OpenAIREST, weir.Speech, openAI("/audio/speech")},
	{weir.OpenAIREST, weir.Transcribe, openAI("/audio/transcriptions", "/audio/translations")},
	{weir.OpenAIREST, weir.Other, openAI("/responses/compact")},
}

func openAI(paths ...string) (out []string) {
	for _, p := range paths {
		out = append(out, "/v1"+p, "/openai/v1"+p, p, "/v1/v1"+p)
	}
	return out
}

func anthropic(paths ...string) (out []string) {
	for _, p := range paths {
		out = append(out, "/v1"+p, "/anthropic/v1"+p, "/v1/v1"+p)
	}
	return out
}

func ollama(paths ...string) (out []string) {
	for _, p := range paths {
		out = append(out, "/api"+p, "/ollama/api"+p)
	}
	return out
}

// geminiBases are where Google's clients look for models: the Gemini API and,
// with a project and a place in front, Vertex.
var geminiBases = []string{
	"/v1beta", "/gemini/v1beta", "/gemini/v1", "/v1",
	"/v1beta1/projects/{project}/locations/{location}/publishers/google", "/v1beta1/publishers/google",
	"/v1/projects/{project}/locations/{location}/publishers/google", "/v1/publishers/google",
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, m := range mounts {
		f := s.face(m.protocol, m.op)
		if f == nil {
			continue
		}
		for _, path := range m.paths {
			mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) { s.generate(w, r, f) })
			// Below /responses another method may be one for a response's id.
			if !strings.Contains(path, "/responses/") {
				mux.HandleFunc(path, s.methodNotAllowed)
			}
		}
	}
	s.geminiRoutes(mux)
	s.ollamaRoutes(mux)
	s.responsesRoutes(mux)
	s.accountRoutes(mux)
	s.realtimeRoutes(mux)
	s.modelRoutes(mux)
	s.adminRoutes(mux)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /metrics", s.metrics)
	mux.HandleFunc("GET /v1/capabilities", s.matrix)
	mux.HandleFunc("GET /{$}", s.welcome)
	mux.HandleFunc("/", s.notFound)
	return mux
}

// face is an operation of a protocol; nil when the protocol is not served.
func (s *Server) face(p weir.Protocol, op weir.Operation) *face {
	c := s.codecs[p]
	if c == nil {
		return nil
	}
	f := &face{codec: c, op: op, headers: c.RequestHeaders()}
	switch p {
	case weir.GeminiGenerate, weir.OllamaChat, weir.OpenAIREST, weir.OpenAICompletions:
		f.path = true
	}
	return f
}

func (s *Server) modelRoutes(mux *http.ServeMux) {
	for _, prefix := range []string{"", "/v1", "/openai/v1", "/anthropic/v1"} {
		mux.HandleFunc("GET "+prefix+"/models", s.models)
		mux.HandleFunc("GET "+prefix+"/models/{id...}", s.model)
	}
}

// protocolOf is the protocol that a client of a shared path speaks: Google's and
// Ollama's paths are their own, and Anthropic's SDKs always send
// anthropic-version, and may send x-api-key alone.
func protocolOf(r *http.Request) weir.Protocol {
	switch path := r.URL.Path; {
	case r.Header.Get("Anthropic-Version") != "" || strings.HasPrefix(path, "/anthropic/"):
		return weir.AnthropicMessages
	case strings.HasPrefix(path, "/v1beta") || strings.HasPrefix(path, "/gemini/") || r.Header.Get("X-Goog-Api-Key") != "":
		return weir.GeminiGenerate
	case strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/ollama/"):
		return weir.OllamaChat
	case r.Header.Get("X-Api-Key") != "" && r.Header.Get("Authorization") == "":
		return weir.AnthropicMessages
	}
	return weir.OpenAIChat
}
