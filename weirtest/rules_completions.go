package weirtest

import (
	"strings"

	"github.com/weir-gateway/weir"
)

const completions = weir.OpenAICompletions

// completionsRules are what the legacy completions cannot say: an answer there is a
// text.
var completionsRules = []answerRule{
	{into: completions, key: "id", allow: func(d difference) bool {
		return bareID(strings.TrimPrefix(d.before, "cmpl-")) == bareID(strings.TrimPrefix(d.after, "cmpl-"))
	}, reason: "ids wear the prefix of their protocol"},
	{into: completions, key: "*calls", loss: "tool_calls", reason: "a completion cannot call tools"},
	{into: completions, key: "*reasoning", loss: "reasoning", reason: "a completion has no place for thinking"},
	{into: completions, key: "*signature", loss: "reasoning", reason: "a completion has no place for thinking"},
	{into: completions, key: "*encrypted", loss: "reasoning", reason: "a completion has no place for thinking"},
	{into: completions, key: "*citations", loss: "citations", reason: "a completion has no citations"},
	{into: completions, key: "*opaque", loss: "opaque", reason: "a completion is text only"},
	{into: completions, key: "*image", loss: "image", reason: "a completion is text only"},
	{into: completions, key: "*audio", loss: "audio", reason: "a completion is text only"},
	{into: completions, key: "*file", loss: "file", reason: "a completion is text only"},
	{into: completions, key: "*results", loss: "tool_result", reason: "a completion is text only"},
	{into: completions, key: "*finish", allow: became("tool_calls", "stop"), loss: "finish_reason", reason: "a completion cannot call tools"},
	{into: completions, key: "*finish", allow: became("pause", "stop"), loss: "finish_reason", reason: "a completion cannot be continued"},
	{into: completions, key: "*finish", allow: became("stop_sequence", "stop"), reason: "completions have one word for both"},
	{into: completions, key: "*finish", allow: became("other", "stop"), reason: "completions have three words"},
	{into: completions, key: "*finish", allow: became("refusal", "content_filter"), reason: "completions have no word for a refusal"},
	{into: completions, key: "*finish", allow: became("context_window", "length"), reason: "completions have one word for both"},
	{into: completions, key: "*stop sequence", reason: "completions do not say which sequence was met"},
	{into: completions, key: "*refusal", allow: func(d difference) bool { return strings.Contains(d.b["text"], d.before) },
		reason: "a refusal is what the model said"},
	{into: completions, key: "*text", allow: func(d difference) bool { return d.before+d.a["refusal"] == d.after },
		reason: "a refusal is what the model said"},
	{into: completions, key: "*logprobs", reason: "log probabilities are lists side by side here"},
	{into: completions, key: "usage cache_creation_1h", reason: "completions do not tell caches by their lifetime"},
}
