package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
)

// B-11: the embedded copy works offline, so it must load; Default is empty
// when it does not.
func TestTheEmbeddedDataIsValid(t *testing.T) {
	if _, err := catalog.LoadEmbedded(); err != nil {
		t.Fatal(err)
	}
	if n := len(catalog.Default().Providers()); n < 40 {
		t.Fatalf("%d providers", n)
	}
}

func TestEveryFactHasASourceAndADate(t *testing.T) {
	for _, p := range catalog.Default().Providers() {
		if p.Source == "" || p.Date == "" || p.Docs == "" || p.Name == "" {
			t.Errorf("%s: source, date, docs or name is missing", p.ID)
		}
		for _, m := range p.Models {
			if m.Source == "" || m.Date == "" {
				t.Errorf("%s/%s: source or date is missing", p.ID, m.ID)
			}
		}
	}
}

func TestTheUsualVariablesTurnProvidersOn(t *testing.T) {
	for id, key := range map[string]string{
		"deepseek": "DEEPSEEK_API_KEY", "openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY",
		"gemini": "GEMINI_API_KEY", "qwen": "DASHSCOPE_API_KEY", "zhipu": "ZHIPU_API_KEY",
		"moonshot": "MOONSHOT_API_KEY", "qianfan": "QIANFAN_API_KEY", "doubao": "ARK_API_KEY",
		"xai": "XAI_API_KEY", "openrouter": "OPENROUTER_API_KEY",
	} {
		p := catalog.Default().Provider(id)
		if p == nil || len(p.Keys()) == 0 || p.Keys()[0] != key {
			t.Errorf("%s: the key is not read from %s first", id, key)
		}
	}
	if p := catalog.Default().Provider("ollama"); p.HostEnv != "OLLAMA_HOST" || !p.Keyless {
		t.Error("ollama does not work by OLLAMA_HOST alone")
	}
}

// Two providers that read one variable would both be turned on by one key, and
// one of them would be sent a key of the other.
func TestNoVariableBelongsToTwoProviders(t *testing.T) {
	seen := map[string]string{}
	for _, p := range catalog.Default().Providers() {
		for _, v := range append(slices.Clone(p.Keys()), p.BaseURLEnv(), p.HostEnv) {
			if other, ok := seen[v]; ok && v != "" {
				t.Errorf("%s belongs to %s and %s", v, other, p.ID)
			}
			seen[v] = p.ID
		}
	}
}

func TestVendorsWithBothProtocolsListBoth(t *testing.T) {
	for _, id := range []string{"deepseek", "moonshot", "moonshot-intl", "zhipu", "zai", "qwen", "qwen-intl", "minimax",
		"siliconflow", "openrouter", "xai", "ollama", "vllm", "llamacpp", "lmstudio"} {
		p := catalog.Default().Provider(id)
		if p.Endpoint(weir.OpenAIChat) == nil || p.Endpoint(weir.AnthropicMessages) == nil {
			t.Errorf("%s lacks one of its protocols", id)
		}
	}
}

// Addresses in the catalogue are in the form that NormalizeBaseURL makes, or
// are left alone by WithBaseURL.
func TestAProviderCanBeGivenItsOwnAddress(t *testing.T) {
	calls := map[weir.Protocol]string{
		weir.OpenAIChat: "/chat/completions", weir.OpenAIResponses: "/responses", weir.OpenAICompletions: "/completions",
		weir.OpenAIREST: "/rerank", weir.AnthropicMessages: "/v1/messages", weir.OllamaChat: "/api/chat",
		weir.GeminiGenerate: "/models/m:generateContent", weir.BedrockConverse: "/model/m/converse",
	}
	for _, p := range catalog.Default().Providers() {
		p := known(t, p)
		for i := range p.Endpoints {
			e := &p.Endpoints[i]
			if p.Endpoint(e.Protocol) != e {
				continue // an address tells the protocol, and not the model
			}
			call := calls[e.Protocol]
			for _, raw := range []string{e.BaseURL + call, e.BaseURL + call + "/"} {
				q, err := p.WithBaseURL(raw)
				if err != nil {
					t.Errorf("%s: %v", p.ID, err)
				} else if got := q.Endpoint(e.Protocol); got == nil || got.BaseURL != e.BaseURL {
					t.Errorf("%s: %s became %v", p.ID, raw, got)
				}
			}
		}
	}
}

// known is a provider with a value for every variable.
func known(t *testing.T, p *catalog.Provider) *catalog.Provider {
	t.Helper()
	out, err := p.WithVariables(func(name string) (string, bool) {
		if strings.HasSuffix(name, "_ENDPOINT") || strings.HasSuffix(name, "_BASE") {
			return "https://" + strings.ToLower(name) + ".example", true
		}
		return "us-east-1", true
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func BenchmarkLoadEmbedded(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := catalog.LoadEmbedded(); err != nil {
			b.Fatal(err)
		}
	}
}

// The first endpoint is the one that everything is translated for: a vendor's own
// protocol where the OpenAI face of it loses something, else Chat.
func TestThePreferredProtocolIsFirst(t *testing.T) {
	own := map[string]weir.Protocol{
		"anthropic": weir.AnthropicMessages, "azure-anthropic": weir.AnthropicMessages, "bedrock": weir.AnthropicMessages,
		"gemini": weir.GeminiGenerate, "vertex": weir.GeminiGenerate, "ollama": weir.OllamaChat,
		"jina": weir.OpenAIREST, "voyage": weir.OpenAIREST,
	}
	for _, p := range catalog.Default().Providers() {
		want := own[p.ID]
		if want == "" {
			want = weir.OpenAIChat
		}
		if got := p.Endpoints[0].Protocol; got != want {
			t.Errorf("%s is translated for %s, want %s", p.ID, got, want)
		}
	}
}

// A response's id only goes up to those who kept the response (recordings and
// vendors' documents, 2026-11-20); for the others the gateway keeps it.
func TestResponsesAreKeptByThoseWhoSaySo(t *testing.T) {
	keepers := []string{"azure", "azure-classic", "lmstudio", "openai", "xai"}
	for _, p := range catalog.Default().Providers() {
		e := p.Endpoint(weir.OpenAIResponses)
		if want := slices.Contains(keepers, p.ID); e != nil && p.QuirksOf(e, nil).KeepsResponses != want || e == nil && want {
			t.Errorf("%s: keeping responses is not %v", p.ID, want)
		}
	}
}

// S-13: free-text tools are OpenAI's; who else speaks Chat gets functions.
func TestCustomToolsGoToThoseWhoKnowThem(t *testing.T) {
	for _, p := range catalog.Default().Providers() {
		knows := p.ID == "openai" || p.ID == "azure" || p.ID == "azure-classic"
		for i := range p.Endpoints {
			e := &p.Endpoints[i]
			if e.Protocol == weir.OpenAIChat && p.QuirksOf(e, nil).NoCustomTools == knows {
				t.Errorf("%s: no_custom_tools is %v", p.ID, !knows)
			}
		}
	}
}

// Where a model is served, and in which protocol a client that speaks it is.
func TestModelsOfCloudsAreServedWhereTheyAre(t *testing.T) {
	for model, want := range map[string][]weir.Protocol{
		"bedrock/anthropic.claude-opus-5-5":                    {weir.AnthropicMessages, weir.BedrockConverse},
		"bedrock/eu.anthropic.claude-sonnet-4-5-20250929-v1:0": {weir.AnthropicMessages, weir.BedrockConverse},
		"bedrock/amazon.nova-pro-v1:0":                         {weir.BedrockConverse},
		"bedrock/openai.gpt-oss-20b":                           {weir.OpenAIChat, weir.OpenAIResponses},
		"bedrock/openai.gpt-oss-20b-1:0":                       {weir.BedrockConverse},
		"bedrock/openai.gpt-5.5":                               {weir.OpenAIResponses},
		"vertex/gemini-2.5-pro":                                {weir.GeminiGenerate},
		"vertex/claude-haiku-4-5@20251001":                     {weir.AnthropicMessages},
		"vertex/zai-org/glm-5-maas":                            {weir.OpenAIChat},
		"mistral/codestral-latest":                             {weir.OpenAIChat, weir.OpenAICompletions},
		"mistral/mistral-large-2512":                           {weir.OpenAIChat},
		"deepseek/deepseek-flash":                              {weir.OpenAIChat, weir.AnthropicMessages, weir.OpenAIResponses, weir.OpenAICompletions},
		"cohere/rerank-v3.5":                                   {weir.OpenAIChat, weir.OpenAIREST},
		"openai/gpt-3.5-turbo-instruct":                        {weir.OpenAIChat, weir.OpenAIResponses, weir.OpenAICompletions},
	} {
		id, name, _ := strings.Cut(model, "/")
		var got []weir.Protocol
		for _, e := range catalog.Default().Provider(id).Endpoints {
			if e.Serves(name) && !slices.Contains(got, e.Protocol) {
				got = append(got, e.Protocol)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is served in %v, want %v", model, got, want)
		}
	}
}

// A name that says what a model is for must not be at odds with its output.
func TestModelsForVectorsSaySo(t *testing.T) {
	n := 0
	for _, p := range catalog.Default().Providers() {
		for _, m := range p.Models {
			name, out := strings.ToLower(m.ID), "text"
			switch {
			case strings.Contains(name, "rerank"):
				out = "score"
			case strings.Contains(name, "embed"):
				out, n = "embedding", n+1
			}
			if out != "text" && !slices.Equal(m.Output, []string{out}) {
				t.Errorf("%s/%s puts out %v, want %s", p.ID, m.ID, m.Output, out)
			}
		}
	}
	if n < 30 {
		t.Errorf("%d models make vectors", n)
	}
}
