package weirtest

import (
	"strings"

	"github.com/weir-gateway/weir"
)

const messages = weir.AnthropicMessages

// messagesRules are what Messages cannot say.
var messagesRules = []answerRule{
	{into: messages, key: "choice *", loss: "choice", reason: "Messages has no n: an answer is one message"},
	{into: messages, key: "logprobs", loss: "logprobs", reason: "Messages has no log probabilities"},
	{into: messages, key: "audio", loss: "audio", reason: "Messages cannot speak"},
	{into: messages, key: "citations", loss: "citation", reason: "Messages cites its own documents and searches only"},
	{into: messages, key: "signature", loss: "thinking", reason: "signatures go back to those who made them only"},
	{into: messages, key: "encrypted", loss: "thinking", reason: "encrypted thinking goes back to those who made it only"},
	{into: messages, key: "finish", allow: became("content_filter", "refusal"), reason: "Messages says refusal of both"},
	{into: messages, key: "refusal", allow: func(d difference) bool { return d.after == "" && strings.Contains(d.b["text"], d.before) },
		reason: "Messages refuses in its text"},
	{into: messages, key: "text", allow: func(d difference) bool {
		return strings.TrimSpace(d.before+d.a["refusal"]) == strings.TrimSpace(d.after)
	}, reason: "Messages refuses in its text, and a text of spaces only could not be sent back"},
	{into: messages, key: "reasoning", allow: func(d difference) bool { return strings.TrimSpace(d.before) == strings.TrimSpace(d.after) },
		reason: "a thought of spaces only could not be sent back"},
	{into: messages, key: "calls", allow: func(d difference) bool { return d.a["finish"] == "length" }, loss: "tool_use",
		reason: "the input of a call that the token cap has cut is no JSON object"},
	{into: messages, key: "usage input", allow: func(d difference) bool { return d.sum("cache_read", "cache_creation") > d.sum("input") },
		reason: "the upstream's own counts contradict each other: more was cached than there was"},
	{into: messages, key: "opaque", loss: "content.opaque", reason: "what the upstream's own tools did is known to its own protocol only"},
	{into: messages, key: "usage audio_*", reason: "Messages has no counts of audio"},
	{into: messages, key: "usage input", allow: became("", "0"), reason: "usage is required in Messages"},
	{into: messages, key: "usage output", allow: became("", "0"), reason: "usage is required in Messages"},
}
