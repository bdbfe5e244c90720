package provider

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/codec/all"
)

// testCatalog is hand-made, so that these tests do not follow vendors' data.
func testCatalog(t *testing.T) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Load(fstest.MapFS{
		"acme.json": {Data: []byte(`{"id":"acme","env_prefix":"ACME","source":"made by hand","date":"2026-11-20",
			"auth":{"scheme":"bearer"},
			"endpoints":[{"protocol":"openai.chat","base_url":"https://acme.example/v1"},
				{"protocol":"anthropic.messages","base_url":"https://acme.example/anthropic","auth":{"scheme":"header","header":"x-api-key"}},
				{"protocol":"acme.native","base_url":"https://acme.example/native"}],
			"quirks":{"max_stop":4},
			"models":[{"id":"acme-big-1","aliases":["acme-big"],"max_output":512,"quirks":{"max_stop":2},"source":"made by hand","date":"2026-11-20"}]}`)},
		"local.json": {Data: []byte(`{"id":"local","env_prefix":"LOCAL","host_env":"LOCAL_HOST","keyless":true,"source":"made by hand","date":"2026-11-20",
			"auth":{"scheme":"none"},"endpoints":[{"protocol":"openai.chat","base_url":"http://127.0.0.1:9999/v1"}]}`)},
		"odd.json": {Data: []byte(`{"id":"odd","env_prefix":"ODD","source":"made by hand","date":"2026-11-20",
			"endpoints":[{"protocol":"odd.native","base_url":"https://odd.example"}]}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func TestTheCatalogueFillsOptionsIn(t *testing.T) {
	p := testCatalog(t).Provider("acme")
	o, err := FromCatalog(p, "acme-big", Keys("k"))
	if err != nil {
		t.Fatal(err)
	}
	if o.Name != "acme/acme-big-1" || o.Model != "acme-big-1" || o.Provider != "acme" || o.MaxOutput != 512 || len(o.Endpoints) < 2 {
		t.Errorf("the options are %+v", o)
	}
	if e := o.Endpoints[0]; e.Codec.Protocol() != weir.OpenAIChat || e.Auth != Bearer() || e.Quirks.MaxStop != 2 {
		t.Errorf("the first endpoint is %+v", e)
	}
	if e := o.Endpoints[1]; e.Codec.Protocol() != weir.AnthropicMessages || e.Auth != HeaderAuth("x-api-key") {
		t.Errorf("the second endpoint is %+v", e)
	}
	// B-12
	o, err = FromCatalog(p, "not-listed-yet", Keys("k"))
	if err != nil || o.Model != "not-listed-yet" || o.MaxOutput != 0 || o.Endpoints[0].Quirks.MaxStop != 4 {
		t.Errorf("an unknown model: %+v, %v", o, err)
	}
	if _, err := FromCatalog(testCatalog(t).Provider("odd"), "m", Keys("k")); err == nil || !strings.Contains(err.(*weir.Error).Hint, "odd.native") {
		t.Errorf("a protocol that is not spoken: %v", err)
	}
}

// Every provider and model that is embedded can be called, with a key and with
// what a cloud finds itself.
func TestTheEmbeddedCatalogueIsCallable(t *testing.T) {
	own := FromSource(static(func() string { return "id:secret" }))
	for _, p := range catalog.Default().Providers() {
		p, err := p.WithVariables(anything)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(p.Endpoints, func(e catalog.Endpoint) bool { return all.For(e.Protocol) != nil }) {
			continue
		}
		names := []string{"a-model-of-tomorrow"} // B-12
		for _, m := range p.Models {
			names = append(names, m.ID)
		}
		for _, name := range names {
			for _, creds := range []*Credentials{Keys("some-key"), own} {
				o, err := FromCatalog(p, name, creds)
				if err == nil {
					_, err = New(o)
				}
				if err != nil && !strings.Contains(weir.AsError(err).Hint, "not spoken here") {
					t.Errorf("%s/%s: %v", p.ID, name, err)
				}
			}
		}
	}
}

// anything is a value for every variable.
func anything(name string) (string, bool) {
	if strings.HasSuffix(name, "_ENDPOINT") || strings.HasSuffix(name, "_BASE") {
		return "https://r.example/", true
	}
	return "x1", true
}

func TestProvidersAreOnByTheEnvironment(t *testing.T) {
	c := testCatalog(t)
	for name, x := range map[string]struct {
		env  []string
		want string // id variable keys base …
	}{
		"nothing set":                  {nil, ""},
		"an empty key":                 {[]string{"ACME_API_KEY", " "}, ""},
		"a key":                        {[]string{"ACME_API_KEY", "k1"}, "acme ACME_API_KEY 1 "},
		"several keys":                 {[]string{"ACME_API_KEY", "k1, k2,,k1"}, "acme ACME_API_KEY 2 "},
		"an address without a key":     {[]string{"ACME_BASE_URL", "http://h"}, ""},
		"a host":                       {[]string{"LOCAL_HOST", "box"}, "local LOCAL_HOST 0 http://box:9999/v1"},
		"a host and a port":            {[]string{"LOCAL_HOST", "box:1"}, "local LOCAL_HOST 0 http://box:1/v1"},
		"all addresses":                {[]string{"LOCAL_HOST", "0.0.0.0:1"}, "local LOCAL_HOST 0 http://127.0.0.1:1/v1"},
		"a host as URL":                {[]string{"LOCAL_HOST", "https://box"}, "local LOCAL_HOST 0 https://box/v1"},
		"the address before the host":  {[]string{"LOCAL_HOST", "box", "LOCAL_BASE_URL", "http://other:5/v1/"}, "local LOCAL_BASE_URL 0 http://other:5/v1"},
		"a local server that has keys": {[]string{"LOCAL_API_KEY", "k", "LOCAL_HOST", "box"}, "local LOCAL_API_KEY 1 http://box:9999/v1"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range FromEnv(c, env(x.env...)) {
				if f.Err != nil {
					t.Fatal(f.Err)
				}
				got = append(got, strings.Join([]string{f.Provider.ID, f.Variable, string(rune('0' + f.Credentials.Len())), f.BaseURL}, " "))
			}
			if strings.Join(got, "; ") != x.want {
				t.Errorf("on are %q", got)
			}
		})
	}
	found := FromEnv(c, env("ACME_API_KEY", "k", "ACME_BASE_URL", "ftp://secret@h"))
	if len(found) != 1 || found[0].Err == nil || !strings.Contains(found[0].Err.Error(), "ACME_BASE_URL") || strings.Contains(found[0].Err.Error(), "secret") {
		t.Errorf("an address that is none: %+v", found)
	}
}

// P-14
func TestAddressesWorkWithAndWithoutAVersion(t *testing.T) {
	for _, tail := range []string{"", "/", "/v1", "/v1/", "/v1/chat/completions"} {
		var path string
		s, tr := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
			path = r.URL.Path
			w.WriteHeader(http.StatusInternalServerError)
		})
		h, err := Open("acme/acme-big", WithCatalog(testCatalog(t)), WithKey("k"), WithBaseURL(s.URL+tail), WithTransport(tr), WithLookup(env()))
		if err != nil {
			t.Errorf("%q: %v", tail, err)
			continue
		}
		if ask(t, h, question()); path != "/v1/chat/completions" {
			t.Errorf("%q led to %s", tail, path)
		}
	}
}

func TestOpenFindsKeysAndAddressesInTheEnvironment(t *testing.T) {
	var auth, model string
	s, tr := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		auth, model = r.Header.Get("Authorization"), r.URL.Path
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	for name, c := range map[string]struct {
		model string
		env   []string
		auth  string
	}{
		"by provider and name": {"acme/acme-big-1", []string{"ACME_API_KEY", "k1", "ACME_BASE_URL", s.URL}, "Bearer k1"},
		"by a bare name":       {"acme-big", []string{"ACME_API_KEY", "k1", "ACME_BASE_URL", s.URL}, "Bearer k1"},
		"without a key":        {"local/anything", []string{"LOCAL_HOST", s.URL}, ""},
		"a key that helps":     {"local/anything", []string{"LOCAL_HOST", s.URL, "LOCAL_API_KEY", "k2"}, "Bearer k2"},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := Open(c.model, WithCatalog(testCatalog(t)), WithLookup(env(c.env...)), WithHTTPClient(&http.Client{Transport: tr}))
			if err != nil {
				t.Fatal(err)
			}
			auth, model = "unasked", ""
			e := ask(t, h, question()).error(t)
			if auth != c.auth || model != "/v1/chat/completions" || e.Status != http.StatusFound {
				t.Errorf("the key was %q, the path %s, the end %v", auth, model, e)
			}
		})
	}
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		model string
		env   []string
		kind  weir.Kind
		text  string
	}{
		"a key":                         {"acme/acme-big", nil, weir.KindInvalid, "ACME_API_KEY"},
		"a key, for a bare name":        {"acme-big", nil, weir.KindInvalid, "ACME_API_KEY"},
		"a provider's true name":        {"acmee/acme-big-1", nil, weir.KindModelNotFound, "acme/acme-big-1"},
		"a provider":                    {"wholly/other", nil, weir.KindModelNotFound, "known providers: acme, local, odd"},
		"a model's true name":           {"acme-bif", nil, weir.KindModelNotFound, "acme-big"},
		"an address that can be read":   {"acme/x", []string{"ACME_API_KEY", "k", "ACME_BASE_URL", "nope"}, weir.KindInvalid, "ACME_BASE_URL"},
		"a host that can be read":       {"local/x", []string{"LOCAL_BASE_URL", "nope"}, weir.KindInvalid, "base URL"},
		"a protocol that Weir can do":   {"odd/x", []string{"ODD_API_KEY", "k"}, weir.KindInvalid, "odd.native"},
		"a name":                        {"", nil, weir.KindModelNotFound, "known providers"},
		"a model, for a provider alone": {"acme/", nil, weir.KindModelNotFound, "nobody is known"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(c.model, WithCatalog(testCatalog(t)), WithLookup(env(c.env...)))
			e, ok := err.(*weir.Error)
			if !ok || e.Kind != c.kind || !strings.Contains(e.Error()+e.Hint, c.text) {
				t.Errorf("the error is %v, %+v", err, e)
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := func() Options {
		return Options{Model: "m", Provider: "p", Credentials: Keys("k"), Endpoints: []Endpoint{{Codec: &lines{}, BaseURL: "https://h/v1"}}}
	}
	for param, change := range map[string]func(*Options){
		"model":              func(o *Options) { o.Model = "" },
		"endpoints":          func(o *Options) { o.Endpoints = nil },
		"endpoints.protocol": func(o *Options) { o.Endpoints[0].Codec = nil },
		"credentials":        func(o *Options) { o.Credentials, o.Endpoints[0].Auth = nil, Bearer() },
	} {
		o := good()
		change(&o)
		if _, err := New(o); err == nil || err.(*weir.Error).Param != param {
			t.Errorf("%s: %v", param, err)
		}
	}
	for _, bad := range []string{"", "h/v1", "ftp://h", "https://", "https://:80", "https://canary:x@h", "https://h#f", "https://h\x00", "%zz"} {
		o := good()
		o.Endpoints[0].BaseURL = bad
		if _, err := New(o); err == nil || err.(*weir.Error).Param != "base_url" || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	h := must(t, good()).(*upstream)
	if h.name != "p/m" || h.transport != Shared() || h.maxBody != DefaultMaxBytes || !slices.Equal(h.endpoints[0].target.Quirks.Formats, nil) {
		t.Errorf("the defaults are %+v", h)
	}
}
