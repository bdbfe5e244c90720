package catalog_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/codec"
)

func names(refs []catalog.Ref) (out []string) {
	for _, r := range refs {
		known := ""
		if r.Model == nil {
			known = "?"
		}
		out = append(out, r.String()+known)
	}
	return out
}

// B-12: a model that is not listed can be called.
func TestNamesAreResolved(t *testing.T) {
	c := catalog.Default()
	for _, test := range []struct {
		name, asked string
		want        []string
	}{
		{"provider and model", "deepseek/deepseek-flash", []string{"deepseek/deepseek-flash"}},
		{"a model's old name", "deepseek/deepseek-v4-flash-vision-exp", []string{"deepseek/deepseek-flash"}},
		{"a provider's other name", "kimi/kimi-k3", []string{"moonshot/kimi-k3"}},
		{"a provider's name in capitals", "DeepSeek/deepseek-flash", []string{"deepseek/deepseek-flash"}},
		{"a model that is not listed", "deepseek/deepseek-v9", []string{"deepseek/deepseek-v9?"}},
		{"an aggregator's name", "openrouter/anthropic/claude-opus-5", []string{"openrouter/anthropic/claude-opus-5"}},
		{"a bare name", "claude-opus-5-5", []string{"anthropic/claude-opus-5-5", "azure-anthropic/claude-opus-5-5"}},
		{"a bare alias", "gpt-5.6", []string{"openai/gpt-5.6-sol", "azure/gpt-5.6-sol"}},
		{"the maker before the hosts", "deepseek-v4-pro", []string{"deepseek/deepseek-v4-pro", "qwen/deepseek-v4-pro", "qwen-intl/deepseek-v4-pro"}},
		{"a bare name that nobody lists", "nonsense", nil},
		{"nothing", "", nil},
		{"no model", "deepseek/", nil},
		{"no provider", "/deepseek-flash", nil},
	} {
		if got := names(c.Resolve(test.asked)); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q is %v, want %v", test.name, test.asked, got, test.want)
		}
	}
	// A name with a slash can be a provider's and a model's, or a model's id.
	if got := names(c.Resolve("openai/gpt-oss-120b")); got[0] != "openai/gpt-oss-120b?" || !slices.Contains(got, "groq/openai/gpt-oss-120b") {
		t.Errorf("%v", got)
	}
}

// B-12: what the catalogue does not know of a model is unknown, not absent.
func TestUnknownCapabilitiesAreNotDenied(t *testing.T) {
	c, err := catalog.Default().With(&catalog.Provider{ID: "deepseek", Models: []*catalog.Model{{ID: "new"}}})
	if err != nil {
		t.Fatal(err)
	}
	m := c.Provider("deepseek").Model("new")
	if m.Tools != nil || m.Reasoning != nil || m.StructuredOutput != nil || m.Sheet(time.Now(), "") != nil {
		t.Errorf("%+v", m)
	}
}

func TestMistypedNamesAreSuggested(t *testing.T) {
	c := catalog.Default()
	for asked, want := range map[string]string{
		"claude-opus-5.5":          "claude-opus-5-5",
		"gtp-4o":                   "gpt-4o",
		"deepseek/deepseek-flahs":  "deepseek/deepseek-flash",
		"OpenAI/GPT-4.1-mini-2025": "openai/gpt-4.1-mini",
	} {
		if got := c.Nearest(asked, 3); len(got) == 0 || got[0] != want {
			t.Errorf("%q: %v, want %q", asked, got, want)
		}
	}
	for _, asked := range []string{"", "completely-different-thing", strings.Repeat("a", 10_000)} {
		if got := c.Nearest(asked, 3); len(got) != 0 {
			t.Errorf("%.40q: %v", asked, got)
		}
	}
	if got := c.Nearest("gpt-5", 2); len(got) > 2 {
		t.Errorf("%v", got)
	}
}

// B-11: an updated catalogue never resets what the user set.
func TestOverridesSurviveANewerCatalogue(t *testing.T) {
	rate, _ := catalog.ParseRate("7")
	mine := &catalog.Provider{
		ID:     "deepseek",
		Quirks: &codec.Quirks{Thinking: "none"},
		Endpoints: []catalog.Endpoint{
			{Protocol: weir.OpenAIChat, BaseURL: "https://mine.example"},
			{Protocol: "mine.own", BaseURL: "https://mine.example/v1"},
		},
		Models: []*catalog.Model{
			{ID: "deepseek-v4-flash", Context: 5, Prices: []catalog.PriceSheet{{Currency: "USD", Rates: catalog.Rates{Input: rate}}}},
			{ID: "mine"},
		},
	}
	newer, err := catalog.Default().With(&catalog.Provider{ID: "deepseek", Name: "Newer", Models: []*catalog.Model{{ID: "deepseek-flash", MaxOutput: 9, Context: 9}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, base := range []*catalog.Catalog{catalog.Default(), newer} {
		c, err := base.With(mine)
		if err != nil {
			t.Fatal(err)
		}
		p, was := c.Provider("deepseek"), base.Provider("deepseek")
		m := p.Model("deepseek-flash") // the override named it by an alias
		if m.Context != 5 || m.Prices[0].Input != rate || m.MaxOutput != was.Model("deepseek-flash").MaxOutput || m.ID != "deepseek-flash" {
			t.Errorf("%+v", m)
		}
		if p.Name != was.Name || p.Quirks.Thinking != "none" || p.Quirks.PrefillPath != "/beta" || p.Model("mine") == nil {
			t.Errorf("%+v", p)
		}
		if p.Endpoint(weir.OpenAIChat).BaseURL != "https://mine.example" || len(p.Endpoints) != len(was.Endpoints)+1 || p.Endpoints[0].Protocol != weir.OpenAIChat {
			t.Errorf("%+v", p.Endpoints)
		}
		if was.Model("deepseek-flash").Context == 5 || was.Quirks.Thinking != "type_effort" || was.Endpoint("mine.own") != nil {
			t.Error("the catalogue below has changed")
		}
	}
}

func TestOverridesAreValidated(t *testing.T) {
	for _, c := range []struct {
		name string
		over *catalog.Provider
		want string
	}{
		{"a new provider without an endpoint", &catalog.Provider{ID: "new"}, "provider new: endpoints"},
		{"an alias that is taken", &catalog.Provider{ID: "deepseek", Aliases: []string{"openai"}}, `"openai" is already a name`},
		{"a wrong quirk", &catalog.Provider{ID: "deepseek", Quirks: &codec.Quirks{Thinking: "x"}}, "quirks.thinking"},
		{"a wrong name", &catalog.Provider{ID: "New One"}, "is not a provider's name"},
		{"nothing of a model", &catalog.Provider{ID: "deepseek", Models: []*catalog.Model{nil}}, ""},
	} {
		got, err := catalog.Default().With(c.over)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if !errors.Is(err, weir.KindInvalid) || !strings.Contains(err.Error(), c.want) || got != nil {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestQuirksAndAuthComeFromTheNearest(t *testing.T) {
	c := catalog.Default()
	p := c.Provider("zhipu")
	chat, messages := p.Endpoint(weir.OpenAIChat), p.Endpoint(weir.AnthropicMessages)
	if a := p.AuthOf(chat); a.Scheme != catalog.AuthZhipuJWT {
		t.Errorf("%+v", a)
	}
	if a := p.AuthOf(messages); a.Scheme != catalog.AuthHeader || a.Header != "x-api-key" {
		t.Errorf("%+v", a)
	}
	if q := p.QuirksOf(messages, p.Model("glm-5.3")); q.Thinking != "effort" || len(q.ThinkingModes) != 2 || *q.TopPMax != .99 {
		t.Errorf("%+v", q)
	}
	if q := p.QuirksOf(nil, nil); q.Thinking != "type" || q == p.Quirks {
		t.Errorf("%+v", q)
	}
	if q := c.Provider("moonshot").QuirksOf(nil, c.Provider("moonshot").Model("moonshot-v1-8k")); len(q.DropParams) != 0 {
		t.Errorf("an empty list does not override: %v", q.DropParams)
	}
}

func TestEndpointsAreChosenByProtocolAndModel(t *testing.T) {
	p := catalog.Default().Provider("minimax")
	for model, want := range map[string]weir.Protocol{"MiniMax-M3": weir.AnthropicMessages, "abab6.5s-chat": weir.OpenAIChat} {
		if e := p.EndpointFor(weir.AnthropicMessages, model); e == nil || e.Protocol != want {
			t.Errorf("%s: %+v", model, e)
		}
	}
	if e := p.EndpointFor("gemini.generate", "MiniMax-M3"); e != &p.Endpoints[0] {
		t.Errorf("%+v", e)
	}
	if p.Endpoint("gemini.generate") != nil {
		t.Error("an endpoint of an unknown protocol")
	}
}

func TestRetirementIsADate(t *testing.T) {
	m := catalog.Default().Provider("moonshot").Model("kimi-k2.6")
	if m.IsRetired(time.Date(2026, 12, 30, 23, 0, 0, 0, time.UTC)) || !m.IsRetired(time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)) {
		t.Error(m.Retired)
	}
}

func ExampleCatalog_Resolve() {
	for _, ref := range catalog.Default().Resolve("glm-5.3") {
		fmt.Println(ref)
	}
	// Output:
	// zai/glm-5.3
	// zhipu/glm-5.3
}

func ExampleCatalog_With() {
	c, err := catalog.Default().With(&catalog.Provider{
		ID: "house", EnvPrefix: "HOUSE",
		Endpoints: []catalog.Endpoint{{Protocol: weir.OpenAIChat, BaseURL: "https://llm.example/v1"}},
	})
	fmt.Println(c.Provider("house").Keys(), err)
	// Output: [HOUSE_API_KEY] <nil>
}
