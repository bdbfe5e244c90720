package catalog_test

import (
	"slices"
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
	if n := len(catalog.Default().Providers()); n < 30 {
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
	for _, p := range catalog.Default().Providers() {
		for _, e := range p.Endpoints {
			suffix := "/chat/completions"
			if e.Protocol == weir.AnthropicMessages {
				suffix = "/v1/messages"
			}
			for _, raw := range []string{e.BaseURL + suffix, e.BaseURL + "/" + suffix[1:] + "/"} {
				q, err := p.WithBaseURL(raw)
				if err != nil {
					t.Errorf("%s: %v", p.ID, err)
				} else if got := q.Endpoint(e.Protocol).BaseURL; got != e.BaseURL {
					t.Errorf("%s: %s became %s", p.ID, raw, got)
				}
			}
		}
	}
}

func BenchmarkLoadEmbedded(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := catalog.LoadEmbedded(); err != nil {
			b.Fatal(err)
		}
	}
}
