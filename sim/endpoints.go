package sim

import (
	"net/http"
	"strings"

	"github.com/weir-gateway/weir"
)

// An endpoint is what the end of a path stands for.
type endpoint struct {
	suffix   string
	protocol weir.Protocol
	op       weir.Operation
}

// endpoints are tried in order: the longer of two endings comes first.
var endpoints = []endpoint{
	{"/chat/completions", weir.OpenAIChat, weir.Generate},
	{"/completions", weir.OpenAICompletions, weir.Generate},
	{"/responses/input_tokens", weir.OpenAIResponses, weir.CountTokens},
	{"/responses", weir.OpenAIResponses, weir.Generate},
	{"/messages/count_tokens", weir.AnthropicMessages, weir.CountTokens},
	{"/messages", weir.AnthropicMessages, weir.Generate},
	{":generateContent", weir.GeminiGenerate, weir.Generate},
	{":streamGenerateContent", weir.GeminiGenerate, weir.Generate},
	{":countTokens", weir.GeminiGenerate, weir.CountTokens},
	{":embedContent", weir.GeminiGenerate, weir.Embed},
	{":batchEmbedContents", weir.GeminiGenerate, weir.Embed},
	{"/api/chat", weir.OllamaChat, weir.Generate},
	{"/api/generate", weir.OllamaChat, weir.Generate},
	{"/api/embed", weir.OllamaChat, weir.Embed},
	{"/api/embeddings", weir.OllamaChat, weir.Embed},
	{"/embeddings", weir.OpenAIREST, weir.Embed},
	{"/converse", weir.BedrockConverse, weir.Generate},
	{"/converse-stream", weir.BedrockConverse, weir.Generate},
	{"/count-tokens", weir.BedrockConverse, weir.CountTokens},
}

// endpoint serves what the path stands for; false when that is nothing.
func (s *Server) endpoint(w http.ResponseWriter, r *http.Request) bool {
	for _, e := range endpoints {
		if !strings.HasSuffix(r.URL.Path, e.suffix) {
			continue
		}
		if c := protocolCodec(e.protocol); c != nil {
			s.serve(w, r, c, e.op)
			return true
		}
	}
	return false
}
