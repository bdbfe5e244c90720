package weirtest

import (
	"regexp"
	"strings"

	"github.com/weir-gateway/weir"
)

const gemini = weir.GeminiGenerate

// notInGemini is what of a log probability Gemini does not say.
var notInGemini = regexp.MustCompile(`"bytes":(null|\[[0-9,]*\]),|,"top_logprobs":(null|\[\])`)

// geminiRules are what Gemini cannot say.
var geminiRules = []answerRule{
	{into: gemini, key: "*finish", allow: became("stop_sequence", "stop"), reason: "Gemini has one word for both"},
	{into: gemini, key: "*stop sequence", reason: "Gemini does not say which sequence was met"},
	{into: gemini, key: "*finish", allow: became("context_window", "length"), reason: "Gemini has one word for both"},
	{into: gemini, key: "*finish", allow: became("refusal", "content_filter"), reason: "Gemini has no refusal of the model's own"},
	{into: gemini, key: "*finish", allow: became("pause", "stop"), loss: "finishReason", reason: "Gemini has no turn that wants to be continued"},
	{into: gemini, key: "*refusal", allow: func(d difference) bool { return d.after == "" && strings.Contains(d.b["text"], d.before) },
		reason: "Gemini refuses in its text"},
	{into: gemini, key: "*text", allow: func(d difference) bool { return d.before+d.a["refusal"] == d.after },
		reason: "Gemini refuses in its text"},
	{into: gemini, key: "*signature", loss: "thoughtSignature", reason: "signatures go back to those who made them only"},
	{into: gemini, key: "*encrypted", loss: "thoughtSignature", reason: "encrypted thinking goes back to those who made it only"},
	{into: gemini, key: "*opaque", loss: "opaque", reason: "what the upstream's own tools did is known to its own protocol only"},
	{into: gemini, key: "*calls", allow: func(d difference) bool { return d.a["finish"] == "length" }, loss: "functionCall",
		reason: "the arguments of a call that the token cap has cut are no JSON object"},
	{into: gemini, key: "*calls", allow: func(d difference) bool { return strings.Contains(d.after, `{"input":`) },
		reason: "the input of a custom tool is an object in Gemini"},
	{into: gemini, key: "*logprobs", allow: func(d difference) bool {
		return notInGemini.ReplaceAllString(d.before, "") == notInGemini.ReplaceAllString(d.after, "")
	}, reason: "Gemini has a token's text and not its bytes"},
	{into: gemini, key: "usage output", allow: func(d difference) bool { return d.sum("reasoning") > d.sum("output") },
		reason: "the upstream's own counts contradict each other: more was thought than there was"},
	{into: gemini, key: "usage cache_creation*", reason: "Gemini does not count what was written to the cache"},
	{into: messages, key: "*image", loss: "content.image", reason: "Messages has no images in answers, which Gemini makes"},
}
