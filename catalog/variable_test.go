package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
)

func from(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func TestVariablesHaveTheirValues(t *testing.T) {
	for _, c := range []struct {
		name, id string
		protocol weir.Protocol
		env      []string
		base     string
		query    string
	}{
		{"a region", "bedrock", weir.BedrockConverse, []string{"AWS_REGION", " eu-west-1\n"}, "https://bedrock-runtime.eu-west-1.amazonaws.com", ""},
		{"by its other name", "bedrock", weir.BedrockConverse, []string{"AWS_DEFAULT_REGION", "us-east-1"}, "https://bedrock-runtime.us-east-1.amazonaws.com", ""},
		{"by both: the better one", "bedrock", weir.BedrockConverse, []string{"AWS_DEFAULT_REGION", "us-east-1", "AWS_REGION", "eu-west-1"}, "https://bedrock-runtime.eu-west-1.amazonaws.com", ""},
		{"a default", "vertex", weir.GeminiGenerate, []string{"GOOGLE_CLOUD_PROJECT", "p"}, "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google", ""},
		{"what follows from another", "vertex", weir.GeminiGenerate, []string{"GOOGLE_CLOUD_PROJECT", "p", "GOOGLE_CLOUD_LOCATION", "us"}, "https://aiplatform.us.rep.googleapis.com/v1/projects/p/locations/us/publishers/google", ""},
		{"and from any other", "vertex", weir.AnthropicMessages, []string{"GCLOUD_PROJECT", "p", "CLOUD_ML_REGION", "asia-east1"}, "https://asia-east1-aiplatform.googleapis.com/v1/projects/p/locations/asia-east1/publishers/anthropic", ""},
		{"an address, with a slash", "azure", weir.OpenAIChat, []string{"AZURE_OPENAI_ENDPOINT", "https://n.openai.azure.us/"}, "https://n.openai.azure.us/openai/v1", ""},
		{"an address made of a name", "azure", weir.OpenAIChat, []string{"AZURE_RESOURCE_NAME", "n"}, "https://n.openai.azure.com/openai/v1", ""},
		{"a query", "azure-classic", weir.OpenAIResponses, []string{"AZURE_OPENAI_ENDPOINT", "https://n.openai.azure.com", "OPENAI_API_VERSION", "2024-10-21"}, "https://n.openai.azure.com/openai", "api-version=2024-10-21"},
	} {
		p, err := catalog.Default().Provider(c.id).WithVariables(from(c.env...))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if e := p.Endpoint(c.protocol); e.BaseURL != c.base || e.Query != c.query || len(p.Variables) != 0 {
			t.Errorf("%s: %s?%s", c.name, e.BaseURL, e.Query)
		}
	}
	p, err := catalog.Default().Provider("bedrock").WithVariables(from("AWS_REGION", "eu-west-1"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.Endpoints {
		if a := p.AuthOf(&p.Endpoints[i]); a.Region != "eu-west-1" {
			t.Errorf("endpoint %d is signed for %s", i, a.Region)
		}
	}
	if was := catalog.Default().Provider("bedrock"); !strings.Contains(was.Endpoints[0].BaseURL, "{AWS_REGION}") || !strings.Contains(was.Endpoints[0].Auth.Region, "{") {
		t.Error("the catalogue itself has changed")
	}
	if deepseek := catalog.Default().Provider("deepseek"); func() bool { p, err := deepseek.WithVariables(from()); return err != nil || p != deepseek }() {
		t.Error("a provider without variables is not itself")
	}
}

// O-13: what is missing is named, with all that would do; a value never is.
func TestAVariableThatIsMissingOrWrongIsNamed(t *testing.T) {
	for _, c := range []struct {
		id    string
		env   []string
		param string
		hint  []string
	}{
		{"bedrock", nil, "AWS_REGION", []string{"AWS_REGION", "AWS_DEFAULT_REGION"}},
		{"azure", nil, "AZURE_OPENAI_ENDPOINT", []string{"AZURE_OPENAI_ENDPOINT", "AZURE_RESOURCE_NAME"}},
		{"vertex", []string{"GOOGLE_CLOUD_LOCATION", "us"}, "GOOGLE_CLOUD_PROJECT", []string{"GOOGLE_CLOUD_PROJECT"}},
		{"azure-classic", []string{"AZURE_API_BASE", "https://h"}, "AZURE_API_VERSION", []string{"AZURE_API_VERSION", "OPENAI_API_VERSION"}},
		{"bedrock", []string{"AWS_REGION", "evil.example/canary?"}, "AWS_REGION", nil},
		{"bedrock", []string{"AWS_REGION", "x@canary"}, "AWS_REGION", nil},
		{"vertex", []string{"GOOGLE_CLOUD_PROJECT", "{canary}"}, "GOOGLE_CLOUD_PROJECT", nil},
		{"azure", []string{"AZURE_OPENAI_ENDPOINT", "canary"}, "AZURE_OPENAI_ENDPOINT", nil},
		{"azure", []string{"AZURE_OPENAI_ENDPOINT", "ftp://canary"}, "AZURE_OPENAI_ENDPOINT", nil},
	} {
		_, err := catalog.Default().Provider(c.id).WithVariables(from(c.env...))
		e := weir.AsError(err)
		if e == nil || e.Kind != weir.KindInvalid || e.Param != c.param || strings.Contains(e.Error()+e.Hint, "canary") {
			t.Errorf("%s with %q: %+v", c.id, c.env, e)
			continue
		}
		for _, name := range c.hint {
			if !strings.Contains(e.Hint, name) {
				t.Errorf("%s: the hint is %q and lacks %s", c.id, e.Hint, name)
			}
		}
	}
}

// a value is a part of a host or of a path, and cannot lead elsewhere.
func TestAValueCannotMoveAnAddressToAnotherHost(t *testing.T) {
	for _, value := range []string{"evil.example/", "evil.example/x", "x.evil.example:1/a"} {
		p, err := catalog.Default().Provider("bedrock").WithVariables(from("AWS_REGION", value))
		if err == nil {
			t.Errorf("%q made %s", value, p.Endpoints[0].BaseURL)
		}
	}
}

func TestAWrongDeclarationIsFoundWhenItIsLoaded(t *testing.T) {
	base := func() *catalog.Provider {
		return &catalog.Provider{
			ID: "new", Auth: catalog.Auth{Scheme: catalog.AuthSigV4, Service: "s", Region: "{A}"},
			Variables: []catalog.Variable{{Name: "A"}},
			Endpoints: []catalog.Endpoint{{Protocol: weir.OpenAIChat, BaseURL: "https://{A}.example/v1"}},
		}
	}
	if err := base().Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*catalog.Provider){
		"B is not among the variables":    func(p *catalog.Provider) { p.Endpoints[0].BaseURL = "https://{B}.example" },
		"braces are for variables":        func(p *catalog.Provider) { p.Endpoints[0].Query = "{a}" },
		"A is listed twice":               func(p *catalog.Provider) { p.Variables = append(p.Variables, catalog.Variable{Name: "A"}) },
		"by and values belong together":   func(p *catalog.Provider) { p.Variables[0].By = "A" },
		"is not a variable listed before": func(p *catalog.Provider) { p.Variables[0].By, p.Variables[0].Values = "Z", map[string]string{"*": "x"} },
		"is not a variable's name":        func(p *catalog.Provider) { p.Variables[0].Env = []string{"a b"} },
		"needs a region":                  func(p *catalog.Provider) { p.Auth.Region = "" },
		"needs the name of the service":   func(p *catalog.Provider) { p.Auth.Service = "" },
		"needs the address of the token": func(p *catalog.Provider) {
			p.Auth = catalog.Auth{Scheme: catalog.AuthOAuth2, ClientID: "I", ClientSecret: "S"}
		},
		"auth.token_url": func(p *catalog.Provider) {
			p.Auth = catalog.Auth{Scheme: catalog.AuthOAuth2, TokenURL: "ftp://x", ClientID: "I", ClientSecret: "S"}
		},
		"auth.client_id": func(p *catalog.Provider) {
			p.Auth = catalog.Auth{Scheme: catalog.AuthOAuth2, TokenURL: "https://x", ClientSecret: "S"}
		},
		"is not a header's name":                 func(p *catalog.Provider) { p.Auth.Key = &catalog.Auth{Scheme: catalog.AuthHeader} },
		"is a scheme of plain keys":              func(p *catalog.Provider) { p.Auth.Key = &catalog.Auth{Scheme: catalog.AuthGoogle} },
		"must be the provider's too":             func(p *catalog.Provider) { p.Endpoints[0].Auth = &catalog.Auth{Scheme: catalog.AuthGoogle} },
		"is for a scheme that finds its own":     func(p *catalog.Provider) { p.Auth, p.CredentialEnv = catalog.Auth{}, []string{"X"} },
		"endpoints[0].envelope":                  func(p *catalog.Provider) { p.Endpoints[0].Envelope = "brown" },
		"openai.chat is listed twice":            func(p *catalog.Provider) { p.Endpoints = append(p.Endpoints, p.Endpoints[0]) },
		"auth.scheme: \"carrier-pigeon\" is not": func(p *catalog.Provider) { p.Auth = catalog.Auth{Scheme: "carrier-pigeon"} },
	} {
		p := base()
		change(p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestAnEndpointServesWhatItsPatternsSay(t *testing.T) {
	for _, c := range []struct {
		patterns []string
		yes, no  []string
	}{
		{nil, []string{"a", ""}, nil},
		{[]string{"a*", "b"}, []string{"a", "ab", "b"}, []string{"bc", "c"}},
		{[]string{"!a*"}, []string{"b", "c"}, []string{"a", "ab"}},
		{[]string{"!ab", "a*"}, []string{"a", "abc"}, []string{"ab", "b"}},
	} {
		e := catalog.Endpoint{Models: c.patterns}
		for _, m := range c.yes {
			if !e.Serves(m) {
				t.Errorf("%q does not serve %q", c.patterns, m)
			}
		}
		if i := slices.IndexFunc(c.no, e.Serves); i >= 0 {
			t.Errorf("%q serves %q", c.patterns, c.no[i])
		}
	}
}

func TestAPlainKeyIsSentInPlaceOfWhatASchemeFinds(t *testing.T) {
	for id, want := range map[string]catalog.Auth{
		"bedrock": {Scheme: catalog.AuthBearer}, "azure": {Scheme: catalog.AuthHeader, Header: "api-key"},
		"vertex": {Scheme: catalog.AuthHeader, Header: "x-goog-api-key"}, "anthropic": {Scheme: catalog.AuthHeader, Header: "x-api-key"},
	} {
		a := catalog.Default().Provider(id).Auth
		if got := a.ForKey(); got != want {
			t.Errorf("%s: %+v", id, got)
		}
	}
}

func FuzzVariables(f *testing.F) {
	f.Add("eu-west-1", "https://n.openai.azure.com/")
	f.Add("{AWS_REGION}", "https://{AZURE_RESOURCE_NAME}.x")
	f.Add("a/../b", "https://h//a")
	f.Fuzz(func(t *testing.T, region, address string) {
		look := from("AWS_REGION", region, "GOOGLE_CLOUD_PROJECT", region, "AZURE_OPENAI_ENDPOINT", address)
		for _, id := range []string{"bedrock", "vertex", "azure"} {
			p, err := catalog.Default().Provider(id).WithVariables(look)
			if err != nil {
				if weir.AsError(err).Kind != weir.KindInvalid {
					t.Errorf("%v", err)
				}
				continue
			}
			for _, e := range p.Endpoints {
				if strings.ContainsAny(e.BaseURL, "{}") || id == "bedrock" && !strings.HasSuffix(hostOf(e.BaseURL), ".amazonaws.com") && !strings.HasSuffix(hostOf(e.BaseURL), ".api.aws") {
					t.Errorf("%q made %s", region, e.BaseURL)
				}
			}
		}
	})
}

func hostOf(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}
