package catalog_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
)

// P-14: with or without /v1 or a trailing path, both work.
func TestBaseURLsAreNormalised(t *testing.T) {
	const chat, messages = weir.OpenAIChat, weir.AnthropicMessages
	for _, c := range []struct {
		proto     weir.Protocol
		raw, want string
	}{
		{chat, "https://api.openai.com", "https://api.openai.com/v1"},
		{chat, "https://api.openai.com/", "https://api.openai.com/v1"},
		{chat, "https://api.openai.com/v1", "https://api.openai.com/v1"},
		{chat, "https://api.openai.com/v1/", "https://api.openai.com/v1"},
		{chat, " https://API.openai.com/v1/chat/completions ", "https://api.openai.com/v1"},
		{chat, "https://api.openai.com/v1/chat/completions/", "https://api.openai.com/v1"},
		{chat, "https://api.openai.com/v1/models", "https://api.openai.com/v1"},
		{chat, "https://open.bigmodel.cn/api/paas/v4", "https://open.bigmodel.cn/api/paas/v4"},
		{chat, "https://generativelanguage.googleapis.com/v1beta/openai/", "https://generativelanguage.googleapis.com/v1beta/openai"},
		{chat, "https://gateway.example/llm", "https://gateway.example/llm/v1"},
		{chat, "https://api.perplexity.ai/chat/completions", "https://api.perplexity.ai"},
		{chat, "http://localhost:11434", "http://localhost:11434/v1"},
		{chat, "http://[::1]:8000/v1", "http://[::1]:8000/v1"},
		{messages, "https://api.anthropic.com", "https://api.anthropic.com"},
		{messages, "https://api.anthropic.com/v1", "https://api.anthropic.com"},
		{messages, "https://api.anthropic.com/v1/messages", "https://api.anthropic.com"},
		{messages, "https://api.anthropic.com/v1/messages/count_tokens", "https://api.anthropic.com"},
		{messages, "https://api.deepseek.com/anthropic/", "https://api.deepseek.com/anthropic"},
		{messages, "https://api.minimax.io/anthropic/v1/messages", "https://api.minimax.io/anthropic"},
		{weir.OpenAIResponses, "https://api.openai.com/v1/responses", "https://api.openai.com/v1"},
		{weir.OpenAICompletions, "https://api.mistral.ai/v1/fim/completions", "https://api.mistral.ai/v1"},
		{weir.OpenAIREST, "https://api.openai.com/", "https://api.openai.com/v1"},
		{weir.GeminiGenerate, "https://generativelanguage.googleapis.com/", "https://generativelanguage.googleapis.com/v1beta"},
		{weir.GeminiGenerate, "https://generativelanguage.googleapis.com/v1beta", "https://generativelanguage.googleapis.com/v1beta"},
		{weir.GeminiGenerate, "https://proxy.example/v1/models/gemini-3.8-flash:generateContent", "https://proxy.example/v1"},
		{weir.OllamaChat, "http://gpu:11434/api/chat", "http://gpu:11434"},
		{weir.OllamaChat, "http://gpu:11434/v1/", "http://gpu:11434"},
		{weir.OllamaChat, "https://ollama.com/api", "https://ollama.com"},
		{weir.BedrockConverse, "https://proxy.example/aws/model/m/converse", "https://proxy.example/aws"},
		{"acme.talk", "https://acme.example/x/", "https://acme.example/x"},
	} {
		got, err := catalog.NormalizeBaseURL(c.proto, c.raw)
		if err != nil || got != c.want {
			t.Errorf("%s %q: %q %v, want %q", c.proto, c.raw, got, err, c.want)
		}
		if c.raw == "https://api.perplexity.ai/chat/completions" {
			continue // without the call's path it means something else
		}
		if again, err := catalog.NormalizeBaseURL(c.proto, got); err != nil || again != got {
			t.Errorf("%s %q is normalised to %q", c.proto, got, again)
		}
	}
}

// P-14: what cannot be meant is refused, with the expected form.
func TestOtherBaseURLsAreRefused(t *testing.T) {
	for _, raw := range []string{"", "api.openai.com", "api.openai.com/v1", "ftp://x.example", "https://", "https:///v1",
		"https://user:sk-secret@x.example", "https://x.example/v1?api-version=sk-secret", "https://x.example/#sk-secret",
		"https://x.example/v1?", "https://x.example//v1", "https://x.example/a/../b", "https://x.example:port", "https://x.example/%zz"} {
		_, err := catalog.NormalizeBaseURL(weir.OpenAIChat, raw)
		if !errors.Is(err, weir.KindInvalid) || !strings.Contains(err.Error(), "https://host") {
			t.Errorf("%q: %v", raw, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error holds a secret: %v", err)
		}
	}
}

func TestAProviderMovesWithItsAddress(t *testing.T) {
	const chat, messages = weir.OpenAIChat, weir.AnthropicMessages
	for _, c := range []struct {
		name, provider, raw string
		chat, messages      string // empty: left out
	}{
		{"a bare host keeps all paths", "deepseek", "https://mirror.example", "https://mirror.example", "https://mirror.example/anthropic"},
		{"the vendor's own host with /v1", "deepseek", "https://api.deepseek.com/v1", "https://api.deepseek.com", "https://api.deepseek.com/anthropic"},
		{"another path", "deepseek", "https://proxy.example/ds/v1", "https://proxy.example/ds/v1", ""},
		{"Anthropic's face by its path", "deepseek", "https://proxy.example/anthropic", "https://proxy.example", "https://proxy.example/anthropic"},
		{"Anthropic's face by its call", "deepseek", "https://proxy.example/ds/v1/messages", "", "https://proxy.example/ds"},
		{"GLM has no v1", "zhipu", "https://mirror.example", "https://mirror.example/api/paas/v4", "https://mirror.example/api/anthropic"},
		{"a local server", "vllm", "http://10.0.0.1:9000", "http://10.0.0.1:9000/v1", "http://10.0.0.1:9000"},
		{"a local server with /v1", "vllm", "http://10.0.0.1:9000/v1/", "http://10.0.0.1:9000/v1", "http://10.0.0.1:9000"},
		{"one protocol only", "anthropic", "https://proxy.example/v1", "", "https://proxy.example"},
		{"a face of its own path", "gemini", "https://proxy.example/v1beta/openai", "https://proxy.example/v1beta/openai", ""},
		{"Ollama's own face", "ollama", "http://gpu:11434/api", "http://gpu:11434/v1", "http://gpu:11434"},
		{"a resource that is a variable", "azure", "https://r.example/openai/v1/", "https://r.example/openai/v1", ""},
		{"a path with variables", "vertex", "https://proxy.example", "https://proxy.example/v1/projects/{GOOGLE_CLOUD_PROJECT}/locations/{GOOGLE_CLOUD_LOCATION}/endpoints/openapi",
			"https://proxy.example/v1/projects/{GOOGLE_CLOUD_PROJECT}/locations/{GOOGLE_CLOUD_LOCATION}/publishers/anthropic"},
	} {
		p, err := catalog.Default().Provider(c.provider).WithBaseURL(c.raw)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for proto, want := range map[weir.Protocol]string{chat: c.chat, messages: c.messages} {
			got := ""
			if e := p.Endpoint(proto); e != nil {
				got = e.BaseURL
			}
			if got != want {
				t.Errorf("%s: %s is %q, want %q", c.name, proto, got, want)
			}
		}
	}
	if e := catalog.Default().Provider("deepseek").Endpoint(chat); e.BaseURL != "https://api.deepseek.com" {
		t.Error("the catalogue itself has changed")
	}
}

func TestOllamaHostIsRead(t *testing.T) {
	p := catalog.Default().Provider("ollama")
	for host, want := range map[string]string{
		"127.0.0.1":                "http://127.0.0.1:11434",
		"gpu.example:8080":         "http://gpu.example:8080",
		":9000":                    "http://127.0.0.1:9000",
		"0.0.0.0":                  "http://127.0.0.1:11434",
		"0.0.0.0:9000":             "http://127.0.0.1:9000",
		"::":                       "http://[::1]:11434",
		"::1":                      "http://[::1]:11434",
		"[::1]:9000":               "http://[::1]:9000",
		"https://ollama.example/":  "https://ollama.example",
		"http://ollama.example:80": "http://ollama.example:80",
	} {
		q, err := p.WithHost(host)
		if err != nil {
			t.Errorf("%s: %v", host, err)
		} else if got := q.Endpoints[0].BaseURL; got != want || q.Endpoint(weir.OpenAIChat).BaseURL != want+"/v1" {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
	for _, host := range []string{"http://", "a b", "host:port:port"} {
		if q, err := p.WithHost(host); err == nil && host != "http://" {
			t.Errorf("%q is read as %s", host, q.Endpoints[0].BaseURL)
		}
	}
}

func FuzzNormalizeBaseURL(f *testing.F) {
	for _, s := range []string{"https://a.example/v1/chat/completions", "http://[::1]:80/v1/messages", "https://a/v1/v1/messages/models", "h", "https://a/%2f/..", "https://a/v1?x", "https://a/ü"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		for _, proto := range []weir.Protocol{weir.OpenAIChat, weir.AnthropicMessages, weir.OllamaChat, weir.GeminiGenerate, weir.BedrockConverse} {
			got, err := catalog.NormalizeBaseURL(proto, raw)
			if err != nil {
				continue
			}
			if strings.HasSuffix(got, "/") || strings.ContainsAny(got, "?# ") {
				t.Fatalf("%q becomes %q", raw, got)
			}
			if _, err := catalog.NormalizeBaseURL(proto, got); err != nil {
				t.Fatalf("%q becomes %q: %v", raw, got, err)
			}
		}
		for _, id := range []string{"deepseek", "ollama", "gemini", "vertex", "azure"} {
			p := catalog.Default().Provider(id)
			for _, move := range []func(string) (*catalog.Provider, error){p.WithBaseURL, p.WithHost} {
				if q, err := move(raw); err == nil && q.Validate() != nil {
					t.Fatalf("%q makes %s invalid: %v", raw, id, q.Validate())
				}
			}
		}
	})
}
