package weirtest

import (
	"strings"

	"github.com/weir-gateway/weir"
)

const ollama = weir.OllamaChat

// ollamaRules are what Ollama cannot say.
var ollamaRules = []answerRule{
	{into: ollama, key: "id", reason: "Ollama's answers have no id"},
	{into: ollama, key: "choice *", loss: "choice", reason: "Ollama has no n: an answer is one message"},
	{into: ollama, key: "citations", loss: "citation", reason: "Ollama does not cite"},
	{into: ollama, key: "audio", loss: "audio", reason: "Ollama cannot speak"},
	{into: ollama, key: "opaque", loss: "content", reason: "what the upstream's own tools did has no place in Ollama"},
	{into: ollama, key: "signature", loss: "thinking", reason: "Ollama's thinking is text only"},
	{into: ollama, key: "encrypted", loss: "thinking", reason: "Ollama's thinking is text only"},
	{into: ollama, key: "calls", allow: func(d difference) bool { return d.a["finish"] == "length" }, loss: "tool_calls",
		reason: "the arguments of a call that the token cap has cut are no JSON object"},
	{into: ollama, key: "calls", allow: func(d difference) bool { return strings.Contains(d.after, `{"input":`) },
		reason: "the input of a custom tool is an object in Ollama"},
	{into: ollama, key: "finish", allow: became("stop_sequence", "stop"), reason: "Ollama has one word for both"},
	{into: ollama, key: "stop sequence", reason: "Ollama does not say which sequence was met"},
	{into: ollama, key: "finish", allow: became("context_window", "length"), reason: "Ollama has one word for both"},
	{into: ollama, key: "finish", allow: func(d difference) bool {
		return d.after == "stop" && (d.before == "refusal" || d.before == "content_filter" || d.before == "pause" || d.before == "other")
	}, loss: "done_reason", reason: "Ollama says stop and length only"},
	{into: ollama, key: "refusal", allow: func(d difference) bool { return d.after == "" && strings.Contains(d.b["text"], d.before) },
		reason: "Ollama refuses in its text"},
	{into: ollama, key: "text", allow: func(d difference) bool { return d.before+d.a["refusal"] == d.after }, reason: "Ollama refuses in its text"},
	{into: ollama, key: "usage cache_*", loss: "usage.cache", reason: "Ollama counts the input and the output only"},
	{into: ollama, key: "usage reasoning", loss: "usage.reasoning", reason: "Ollama counts the input and the output only"},
	{into: ollama, key: "usage audio_*", loss: "usage.audio", reason: "Ollama counts the input and the output only"},
	{into: ollama, key: "usage *", allow: became("0", ""), reason: "none is what a count that is not there says in Ollama"},
}
