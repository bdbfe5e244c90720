package provider

import (
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/catalog"
)

// A cloud is on by the environment with a credential and all of its address; a
// part of that may be there for something else.
func TestCloudsAreOnByTheEnvironment(t *testing.T) {
	azure := []string{"AZURE_CLIENT_ID", "i", "AZURE_CLIENT_SECRET", "canary", "AZURE_TENANT_ID", "t"}
	for name, c := range map[string]struct {
		env  []string
		want string // id by variable, "keys" or "own"
	}{
		"AWS's keys and a region":           {[]string{"AWS_ACCESS_KEY_ID", "a", "AWS_SECRET_ACCESS_KEY", "canary", "AWS_REGION", "r"}, "bedrock AWS_ACCESS_KEY_ID own"},
		"AWS's keys alone":                  {[]string{"AWS_ACCESS_KEY_ID", "a", "AWS_SECRET_ACCESS_KEY", "canary"}, ""},
		"a region alone":                    {[]string{"AWS_REGION", "r"}, ""},
		"a profile":                         {[]string{"AWS_PROFILE", "p", "AWS_DEFAULT_REGION", "r"}, "bedrock AWS_PROFILE own"},
		"a Bedrock key before AWS's":        {[]string{"AWS_BEARER_TOKEN_BEDROCK", "canary", "AWS_PROFILE", "p", "AWS_REGION", "r"}, "bedrock AWS_BEARER_TOKEN_BEDROCK keys"},
		"Google's file and a project":       {[]string{googleVariable, "/f", "GOOGLE_CLOUD_PROJECT", "p"}, "vertex GOOGLE_APPLICATION_CREDENTIALS own"},
		"Google's file alone":               {[]string{googleVariable, "/f"}, ""},
		"a key of Azure's":                  {[]string{"AZURE_OPENAI_API_KEY", "canary", "AZURE_RESOURCE_NAME", "n"}, "azure AZURE_OPENAI_API_KEY keys"},
		"a key of Azure's alone":            {[]string{"AZURE_OPENAI_API_KEY", "canary"}, ""},
		"a client of Entra":                 {append([]string{"AZURE_OPENAI_ENDPOINT", "https://h"}, azure...), "azure AZURE_CLIENT_SECRET own"},
		"a client of Entra, half":           {append([]string{"AZURE_OPENAI_ENDPOINT", "https://h"}, azure[2:]...), ""},
		"Azure's dated surface":             {[]string{"AZURE_API_KEY", "canary", "AZURE_API_BASE", "https://h", "AZURE_API_VERSION", "v"}, "azure-classic AZURE_API_KEY keys"},
		"Azure's dated surface, undated":    {[]string{"AZURE_API_KEY", "canary", "AZURE_API_BASE", "https://h"}, ""},
		"Claude in Foundry":                 {[]string{"ANTHROPIC_FOUNDRY_API_KEY", "canary", "ANTHROPIC_FOUNDRY_RESOURCE", "n"}, "azure-anthropic ANTHROPIC_FOUNDRY_API_KEY keys"},
		"what cannot stand in an address":   {[]string{"AWS_BEARER_TOKEN_BEDROCK", "canary", "AWS_REGION", "evil.example/"}, ""},
		"an address in place of a region's": {[]string{"AWS_BEARER_TOKEN_BEDROCK", "canary", "AWS_REGION", "r", "BEDROCK_BASE_URL", "https://vpce.example"}, "bedrock AWS_BEARER_TOKEN_BEDROCK keys"},
	} {
		var got []string
		for _, f := range FromEnv(catalog.Default(), env(c.env...)) {
			if f.Err != nil {
				t.Errorf("%s: %v", name, f.Err)
			}
			how := "keys"
			if f.SourceID != [sha256.Size]byte{} {
				how = "own"
			}
			if len(f.Provider.Variables) > 0 || f.Credentials.Len() != 1 {
				t.Errorf("%s: it has %d credentials and %d open variables", name, f.Credentials.Len(), len(f.Provider.Variables))
			}
			got = append(got, f.Provider.ID+" "+f.Variable+" "+how)
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: on are %q, want %q", name, got, c.want)
		}
	}
}

// O-13
func TestOpenSaysWhatACloudLacks(t *testing.T) {
	for model, c := range map[string]struct {
		env  []string
		says []string
	}{
		"bedrock/m":           {nil, []string{"AWS_REGION"}},
		"vertex/m":            {[]string{googleVariable, "/f"}, []string{"GOOGLE_CLOUD_PROJECT"}},
		"azure/m":             {[]string{"AZURE_OPENAI_API_KEY", "canary"}, []string{"AZURE_OPENAI_ENDPOINT", "AZURE_RESOURCE_NAME"}},
		"azure-classic/m":     {[]string{"AZURE_API_KEY", "canary", "AZURE_API_BASE", "https://h"}, []string{"AZURE_API_VERSION"}},
		"azure-anthropic/m":   {[]string{"ANTHROPIC_FOUNDRY_RESOURCE", "n"}, []string{"ANTHROPIC_FOUNDRY_API_KEY"}},
		"azure/other":         {[]string{"AZURE_RESOURCE_NAME", "n"}, []string{"AZURE_OPENAI_API_KEY", "AZURE_CLIENT_SECRET"}},
		"azure/half-a-client": {[]string{"AZURE_RESOURCE_NAME", "n", "AZURE_CLIENT_SECRET", "canary"}, []string{"AZURE_TENANT_ID"}},
	} {
		_, err := Open(model, WithLookup(env(c.env...)))
		e := weir.AsError(err)
		if e == nil || e.Kind != weir.KindInvalid {
			t.Errorf("%s: %v", model, err)
			continue
		}
		text := e.Error() + " " + e.Hint
		if i := slices.IndexFunc(c.says, func(s string) bool { return !strings.Contains(text, s) }); i >= 0 || strings.Contains(text, "canary") {
			t.Errorf("%s: %s", model, text)
		}
	}
}
