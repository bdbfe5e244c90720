package weirtest

import (
	"strconv"
	"strings"

	"github.com/weir-gateway/weir"
)

// An answerRule is something that an answer may lose or change on its way
// through a protocol, and why. Everything else must mean the same.
type answerRule struct {
	// into is the protocol that cannot say it; empty is any.
	into weir.Protocol
	// key is of a meaning; one that ends in "*" is a prefix.
	key string
	// allow narrows the rule to some values; nil is all of them.
	allow func(d difference) bool
	// loss is part of the field of a loss that the encoder must have reported;
	// empty: none is needed, since nothing is lost.
	loss string
	// reason is why.
	reason string
}

// A difference is one key of two meanings.
type difference struct {
	before, after string
	a, b          meaning // the whole of both
	losses        []weir.Loss
}

const (
	chat     = weir.OpenAIChat
	messages = weir.AnthropicMessages
)

// answerRules is the table of declared losses of answers.
var answerRules = []answerRule{
	{key: "id", allow: func(d difference) bool { return d.before == "" || bareID(d.before) == bareID(d.after) },
		reason: "ids wear the prefix of their protocol, and an answer without one gets one"},
	{key: "finish", allow: func(d difference) bool { return d.before == "stop" && d.after == "tool_calls" && d.a["calls"] != "" },
		reason: "an answer with tool calls says so, whatever its upstream said (S-05)"},

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
	{into: messages, key: "usage audio_*", reason: "Messages has no counts of audio"},
	{into: messages, key: "usage input", allow: became("", "0"), reason: "usage is required in Messages"},
	{into: messages, key: "usage output", allow: became("", "0"), reason: "usage is required in Messages"},
}

// sum adds counts of the usage before.
func (d difference) sum(names ...string) (n int64) {
	for _, name := range names {
		count, _ := strconv.ParseInt(d.a["usage "+name], 10, 64)
		n += count
	}
	return n
}

func became(before, after string) func(difference) bool {
	return func(d difference) bool { return d.before == before && d.after == after }
}

// bareID is an id without the prefixes of protocols.
func bareID(id string) string {
	for {
		bare := strings.TrimPrefix(strings.TrimPrefix(id, "msg_"), "chatcmpl-")
		if bare == id {
			return id
		}
		id = bare
	}
}

// excusedAnswer reports whether a difference in key is a declared loss.
func excusedAnswer(into weir.Protocol, key string, d difference) bool {
	d.before, d.after = d.a[key], d.b[key]
	for _, r := range answerRules {
		if r.into != "" && r.into != into || !keyMatches(r.key, key) || r.allow != nil && !r.allow(d) {
			continue
		}
		if r.loss == "" || lossNames(d.losses, r.loss) {
			return true
		}
	}
	return false
}

func lossNames(losses []weir.Loss, part string) bool {
	for _, l := range losses {
		if strings.Contains(l.Field, part) {
			return true
		}
	}
	return false
}

func keyMatches(pattern, key string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(key, prefix)
	}
	return pattern == key
}
