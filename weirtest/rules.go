package weirtest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/weir-gateway/weir"
)

// An answerRule is something that an answer may lose or change on its way
// through a protocol, and why. Everything else must mean the same.
type answerRule struct {
	// into is the protocol that cannot say it; empty is any.
	into weir.Protocol
	// key is of a meaning; one that ends in "*" is a prefix, and one that begins
	// with it is of every choice.
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

// answerRules is the table of declared losses of answers: those of all protocols,
// and each protocol's own, which stand in a file of its name.
var answerRules = slices.Concat(commonRules, chatRules, messagesRules, responsesRules, geminiRules, ollamaRules, converseRules, completionsRules)

// commonRules hold for every protocol.
var commonRules = []answerRule{
	{key: "id", allow: func(d difference) bool { return d.before == "" || bareID(d.before) == bareID(d.after) },
		reason: "ids wear the prefix of their protocol, and an answer without one gets one"},
	{key: "finish", allow: func(d difference) bool {
		return (d.before == "stop" || d.before == "other") && d.after == "tool_calls" && d.a["calls"] != ""
	},
		reason: "an answer with tool calls says so, whatever its upstream said (S-05)"},
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
		bare := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(id, "msg_"), "chatcmpl-"), "resp_")
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
	if word, ok := strings.CutPrefix(pattern, "*"); ok {
		return key == word || strings.HasSuffix(key, " "+word)
	}
	return pattern == key
}
