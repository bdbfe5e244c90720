package converse

import (
	"slices"
	"testing"

	"github.com/weir-gateway/weir"
)

func TestVendors(t *testing.T) {
	for id, want := range map[string]string{
		"anthropic.claude-v2": "anthropic", "us.anthropic.claude-sonnet-5": "anthropic", "global.anthropic.claude-haiku-5-5": "anthropic",
		"us-gov.amazon.nova-pro-v1:0": "amazon", "openai.gpt-oss-20b-1:0": "openai", "us.openai.gpt-5.2": "openai",
		"arn:aws:bedrock:us-west-2:1:inference-profile/us.amazon.nova-lite-v1:0":   "amazon",
		"arn:aws:bedrock:us-west-2::foundation-model/meta.llama3-8b-instruct-v1:0": "meta",
		"arn:aws:bedrock:us-west-2:1:custom-model/qwen.qwen3-32b/abcdefghijkl":     "qwen",
		"arn:aws:bedrock:us-west-2:1:application-inference-profile/1arbu5hu2sjr":   "",
		"arn:aws:bedrock:us-west-2:1:prompt/ABCDEFGHIJ":                            "",
		"my-claude": "anthropic", "fast": "", "": "",
	} {
		if got := vendorOf(id); got != want {
			t.Errorf("%s is made by %q, want %q", id, got, want)
		}
	}
	if formatOf("fast") != claudeFormat || formatOf(nova) != "bedrock.converse/amazon" {
		t.Errorf("formats %q and %q", formatOf("fast"), formatOf(nova)) // T-04
	}
}

func TestVersionsOfClaude(t *testing.T) {
	for id, want := range map[string]float64{
		"anthropic.claude-3-5-sonnet-20240620-v1:0": 3.5, "us.anthropic.claude-3-7-sonnet-20250219-v1:0": 3.7,
		"anthropic.claude-3-haiku-20240307-v1:0": 3, "us.anthropic.claude-sonnet-4-20250514-v1:0": 4, claude: 4.5,
		"us.anthropic.claude-opus-4-6-v1": 4.6, "us.anthropic.claude-sonnet-5": 5, "us.anthropic.claude-haiku-5-5": 5.5,
		"anthropic.claude-v2": 0, "anthropic.claude-instant-v1": 0, "fast": 0,
	} {
		got, ok := claudeVersion(id)
		if got != want || ok != (want != 0) {
			t.Errorf("%s has version %v, %v", id, got, ok)
		}
	}
	for id, want := range map[string][]string{
		"anthropic.claude-3-5-sonnet-20240620-v1:0": {""}, claude: {thinkEnabled, thinkDisabled},
		"us.anthropic.claude-opus-4-6-v1": {thinkAdaptive, thinkEnabled, thinkDisabled},
		"us.anthropic.claude-sonnet-5":    {thinkAdaptive, thinkDisabled}, "fast": nil,
	} {
		if got := claudeThinking(id); !slices.Equal(got, want) { // T-12
			t.Errorf("%s thinks %q", id, got)
		}
	}
}

func TestPaths(t *testing.T) {
	const arn = "arn:aws:bedrock:us-east-1:0:inference-profile/us.amazon.nova-lite-v1:0"
	if got := callPath(arn, callStream); got != "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A0%3Ainference-profile%2Fus.amazon.nova-lite-v1%3A0/converse-stream" {
		t.Errorf("path %s", got)
	}
	for path, want := range map[string]string{
		callPath(arn, callConverse):               arn,
		"/bedrock/model/" + arn + "/converse":     arn, // not escaped at all
		"/model/anthropic.claude-v2%3A1/converse": "anthropic.claude-v2:1",
		"/model/a~b_c-d.e/count-tokens":           "a~b_c-d.e",
		"/model/%E5%A0%B0/converse-stream":        "堰",
		"/x/model/anthropic.claude-v2:1/converse": "anthropic.claude-v2:1",
	} {
		if got, _, err := splitPath(path); got != want || err != nil {
			t.Errorf("%s names %q, %v", path, got, err)
		}
	}
	for _, path := range []string{"", "/converse", "/model/", "/model//converse", "/model/x", "/model/%zz/converse"} {
		if _, _, err := splitPath(path); weir.AsError(err) == nil || weir.AsError(err).Kind != weir.KindInvalid {
			t.Errorf("%q: %v", path, err)
		}
	}
	for model, want := range map[string]string{
		claude: "anthropic.claude-sonnet-4-5-20250929-v1:0", arn: "amazon.nova-lite-v1:0", "fast": "fast",
		"arn:aws:bedrock:us-east-1:0:application-inference-profile/x": "arn:aws:bedrock:us-east-1:0:application-inference-profile/x",
	} {
		if got := foundationOf(model); got != want {
			t.Errorf("the tokens of %s are counted by %s", model, got) // C-05
		}
	}
}
