package catalog

import (
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

var (
	efforts   = []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}
	toolModes = []string{"auto", "none", "required", "named"}
	formats   = []string{"text", "json_object", "json_schema"}
	errorIns  = []string{"base_resp", "code", "error_code"}
	modes     = []string{"enabled", "disabled", "adaptive", "between_tools"}
)

// errorKinds are the names of weir's kinds, which are a closed set.
var errorKinds = func() map[string]bool {
	m := map[string]bool{}
	for k := range weir.Kind(64) {
		m[k.String()] = true
	}
	return m
}()

// validateQuirks checks the values of quirks that are words of a closed set.
// That a quirk's name is known follows from decoding into codec.Quirks.
func validateQuirks(q *codec.Quirks, path string, ps *problems) {
	if q == nil {
		return
	}
	one := func(name, value string, known ...string) {
		if value != "" && !slices.Contains(known, value) {
			ps.at(path+"."+name, "%q is not known; known are %s", value, strings.Join(known, ", "))
		}
	}
	many := func(name string, values, known []string) {
		for _, v := range values {
			one(name, v, known...)
		}
	}
	one("max_tokens_field", q.MaxTokensField, "max_tokens", "max_completion_tokens")
	one("reasoning_field", q.ReasoningField, "reasoning_content", "reasoning")
	one("reasoning_replay", q.ReasoningReplay, "tool_turns", "never")
	one("thinking", q.Thinking, "effort", "type", "type_effort", "enable_thinking", "reasoning", "none")
	one("developer_role", q.DeveloperRole, "system")
	one("empty_content", q.EmptyContent, "null", "omit", "empty")
	one("prefill", q.Prefill, "prefix", "partial", "last", "refused")
	one("tools_effort", q.ToolsEffort, efforts...)
	if q.ToolsProtocol != "" && !protocolName.MatchString(q.ToolsProtocol) {
		ps.at(path+".tools_protocol", "%q is not a protocol's name, such as openai.responses", q.ToolsProtocol)
	}
	many("efforts", q.Efforts, efforts)
	many("thinking_modes", q.ThinkingModes, modes)
	many("tool_choices", q.ToolChoices, toolModes)
	many("formats", q.Formats, formats)
	many("error_in_200", q.ErrorIn200, errorIns)
	for code, kind := range q.ErrorCodes {
		if !errorKinds[kind] {
			ps.at(path+".error_codes."+code, "%q is not a kind of error", kind)
		}
	}
	validateBounds(q, path, ps)
}

func validateBounds(q *codec.Quirks, path string, ps *problems) {
	lo, hi := q.TemperatureMin, q.TemperatureMax
	if lo != nil && hi != nil && *lo > *hi {
		ps.at(path+".temperature_min", "is more than temperature_max")
	}
	if q.MaxStop < 0 || q.ToolNameMax < 0 || q.ToolIDMax < 0 || q.MaxTokensDefault < 0 {
		ps.at(path, "a limit must not be negative")
	}
	if q.PrefillPath != "" && !strings.HasPrefix(q.PrefillPath, "/") {
		ps.at(path+".prefill_path", "must begin with a slash")
	}
}

func validateEfforts(list []string, path string, ps *problems) {
	for _, e := range list {
		if !slices.Contains(efforts, e) {
			ps.at(path, "%q is not known; known are %s", e, strings.Join(efforts, ", "))
		}
	}
}
