package weirtest

import "github.com/weir-gateway/weir"

const chat = weir.OpenAIChat

// chatRules are what Chat Completions cannot say.
var chatRules = []answerRule{
	{into: chat, key: "finish", allow: became("stop_sequence", "stop"), reason: "Chat has one word for both"},
	{into: chat, key: "stop sequence", reason: "Chat does not say which sequence was met"},
	{into: chat, key: "finish", allow: became("refusal", "content_filter"), reason: "Chat's finish_reason has no refusal"},
	{into: chat, key: "finish", allow: became("context_window", "length"), reason: "Chat has one word for both"},
	{into: chat, key: "finish", allow: became("pause", "stop"), loss: "finish", reason: "Chat has no turn that wants to be continued"},
	{into: chat, key: "refusal", allow: func(d difference) bool { return d.before == "" && d.a["finish"] == "refusal" },
		reason: "Chat says in words that the model declined"},
	{into: chat, key: "citations", loss: "citation", reason: "Chat cites addresses only"},
	{into: chat, key: "opaque", loss: "content", reason: "what the upstream's own tools did has no place in Chat"},
	{into: chat, key: "usage cache_creation_1h", reason: "Chat does not tell caches by their lifetime"},
}
