package weirtest

import (
	"strings"

	"github.com/weir-gateway/weir"
)

const converse = weir.BedrockConverse

// converseRules are what Converse cannot say.
var converseRules = []answerRule{
	{into: converse, key: "id", allow: func(d difference) bool { return d.after == "" }, reason: "answers of Converse have no id"},
	{into: converse, key: "choice *", loss: "choice", reason: "Converse has no n: an answer is one message"},
	{into: converse, key: "logprobs", loss: "logprobs", reason: "Converse has no log probabilities"},
	{into: converse, key: "audio", loss: "audio", reason: "Converse cannot speak"},
	{into: converse, key: "citations", loss: "citation", reason: "a citation that says neither source nor text has nothing to be written"},
	{into: converse, key: "signature", loss: "reasoningContent", reason: "signatures go back to those who made them only"},
	{into: converse, key: "encrypted", loss: "reasoningContent", reason: "encrypted thinking goes back to those who made it only"},
	{into: converse, key: "opaque", loss: "content", reason: "what the upstream's own tools did is known to its own protocol only"},
	{into: converse, key: "finish", allow: became("refusal", "content_filter"), reason: "Converse has no refusal of the model's own"},
	{into: converse, key: "finish", allow: became("pause", "stop"), reason: "Converse has no turn that wants to be continued"},
	{into: converse, key: "refusal", allow: func(d difference) bool { return d.after == "" && strings.Contains(d.b["text"], d.before) },
		reason: "Converse refuses in its text"},
	{into: converse, key: "text", allow: func(d difference) bool {
		return strings.TrimSpace(d.before+d.a["refusal"]) == strings.TrimSpace(d.after)
	}, reason: "Converse refuses in its text"},
	{into: converse, key: "reasoning", allow: func(d difference) bool { return strings.TrimSpace(d.before) == strings.TrimSpace(d.after) },
		reason: "a thought of spaces only could not be sent back"},
	{into: converse, key: "calls", allow: func(d difference) bool { return d.a["finish"] == "length" }, loss: "toolUse",
		reason: "the input of a call that the token cap has cut is no JSON"},
	{into: converse, key: "usage reasoning", reason: "Converse does not count reasoning apart"},
	{into: converse, key: "usage audio_*", reason: "Converse has no counts of audio"},
	{into: converse, key: "usage input", allow: func(d difference) bool { return d.sum("cache_read", "cache_creation") > d.sum("input") },
		reason: "the upstream's own counts contradict each other: more was cached than there was"},
}
