package converse

import (
	"slices"
	"strconv"
	"strings"
)

// What of a request depends on who made the model.
const (
	vendorAnthropic = "anthropic"
	vendorAmazon    = "amazon"
	vendorOpenAI    = "openai"
	vendorQwen      = "qwen"
	vendorMistral   = "mistral"
)

// geographies are the prefixes of inference profiles that serve several regions
// (Bedrock user guide, cross-Region inference, 2026-08).
var geographies = []string{"us", "us-gov", "eu", "apac", "ap", "jp", "au", "ca", "sa", "me", "af", "il", "in", "uk", "mx", "global"}

// vendorOf is who made the model of an id: "us.anthropic.claude-sonnet-5" and
// "arn:aws:bedrock:eu-west-1:…:inference-profile/eu.anthropic.…" are
// "anthropic". Empty when the id does not tell, as those of application inference
// profiles, imported models and prompts.
func vendorOf(model string) string {
	model = strings.ToLower(model)
	if strings.Contains(model, "claude") {
		return vendorAnthropic
	}
	_, resource, isARN := strings.Cut(model, "/")
	if !isARN {
		resource = model
	}
	resource, _, _ = strings.Cut(resource, "/")
	vendor, _, found := strings.Cut(withoutGeography(resource), ".")
	if !found {
		return ""
	}
	return vendor
}

// withoutGeography is the id of the model that an inference profile is of.
func withoutGeography(id string) string {
	if head, rest, found := strings.Cut(id, "."); found && slices.Contains(geographies, head) {
		return rest
	}
	return id
}

// foundationOf is the model whose tokens are counted: an inference profile has no
// counter ("The provided model doesn't support counting tokens.", recorded for
// us.anthropic.claude-sonnet-4), its model has.
func foundationOf(model string) string {
	if profile, ok := strings.CutPrefix(model, "arn:"); ok {
		_, id, found := strings.Cut(profile, ":inference-profile/")
		if !found {
			return model
		}
		model = id
	}
	return withoutGeography(model)
}

// isClaude reports whether a model takes what Claude takes. An id that does not
// tell is taken for one of Claude: most application inference profiles are, and
// of the models on Bedrock only those sign their thinking.
func isClaude(model string) bool {
	v := vendorOf(model)
	return v == vendorAnthropic || v == ""
}

// claudeFormat is the Format of signatures and redacted thinking that Claude made,
// here or at Anthropic: those of either are taken at both (protocols.md §6.7; for
// models with preserved thinking the account counts too, which the provider finds
// out).
const claudeFormat = "anthropic-claude-v1"

// ownFormat begins the Format of those that another maker's model made; its name
// follows.
const ownFormat = string(protocol) + "/"

// formatOf is the Format of reasoning that a model makes.
func formatOf(model string) string {
	if isClaude(model) {
		return claudeFormat
	}
	return ownFormat + vendorOf(model)
}

// ofProtocol reports whether a Format is of state that came in this protocol, or
// that it can carry.
func ofProtocol(format string) bool {
	return format == claudeFormat || strings.HasPrefix(format, ownFormat)
}

// claudeVersion is the version in the id of a model of Claude, 4.5 for
// "anthropic.claude-sonnet-4-5-20250929-v1:0"; ok is false when it does not tell.
func claudeVersion(model string) (version float64, ok bool) {
	_, name, found := strings.Cut(strings.ToLower(model), "claude-")
	if !found {
		return 0, false
	}
	var numbers []string
	for word := range strings.SplitSeq(name, "-") {
		n, err := strconv.Atoi(word)
		switch {
		case err == nil && n < 100:
			numbers = append(numbers, word)
			continue
		case err != nil && len(numbers) == 0:
			continue // the name stands in front of the version since Claude 4
		}
		break
	}
	if len(numbers) == 0 {
		return 0, false
	}
	version, err := strconv.ParseFloat(strings.Join(numbers[:min(2, len(numbers))], "."), 64)
	return version, err == nil
}

// claudeThinking are the values of thinking.type that a model of Claude takes
// (protocols.md §6.7): empty when the id does not tell, "" alone when the model
// does not think.
func claudeThinking(model string) []string {
	switch v, ok := claudeVersion(model); {
	case !ok:
		return nil
	case v < 3.7:
		return []string{""}
	case v < 4.6:
		return []string{thinkEnabled, thinkDisabled}
	case v < 4.7:
		return []string{thinkAdaptive, thinkEnabled, thinkDisabled}
	}
	return []string{thinkAdaptive, thinkDisabled}
}
