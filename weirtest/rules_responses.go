package weirtest

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

const responsesAPI = weir.OpenAIResponses

// responsesRules are what the Responses API cannot say, and what others cannot say
// that only it has.
var responsesRules = []answerRule{
	{into: responsesAPI, key: "choice *", loss: "choice", reason: "the Responses API has no n: an answer is one response"},
	{into: responsesAPI, key: "finish", allow: became("stop_sequence", "stop"), reason: "completed is the one word for both"},
	{into: responsesAPI, key: "stop sequence", reason: "the Responses API does not say which sequence was met"},
	{into: responsesAPI, key: "finish", allow: became("refusal", "content_filter"), reason: "the Responses API has one reason for both"},
	{into: responsesAPI, key: "finish", allow: became("context_window", "length"), reason: "the Responses API has one reason for both"},
	{into: responsesAPI, key: "refusal", allow: func(d difference) bool { return d.before == "" && d.a["finish"] == "refusal" },
		reason: "the Responses API says in words why the model declined"},
	{into: responsesAPI, key: "citations", loss: "annotation", reason: "the Responses API cites addresses, and files of its own provider"},
	{into: responsesAPI, key: "opaque", loss: "output", reason: "what another protocol's hosted tools did has no item"},
	{into: responsesAPI, key: "audio", loss: "audio", reason: "the Responses API cannot speak"},
	{into: responsesAPI, key: "logprobs", loss: "logprobs", reason: "log probabilities that come when the next item has begun come too late"},
	{into: responsesAPI, key: "usage cache_creation_1h", reason: "the Responses API does not tell caches by their lifetime"},
	{into: responsesAPI, key: "usage cache_read", allow: became("", "0"), reason: "the details of usage are required in the Responses API"},
	{into: responsesAPI, key: "usage reasoning", allow: became("", "0"), reason: "the details of usage are required in the Responses API"},
	{into: messages, key: "image", loss: "content.image", reason: "Messages cannot draw"},
	{into: responsesAPI, key: "usage input", allow: became("", "0"), reason: "usage is required as a whole in the Responses API"},
	{into: responsesAPI, key: "usage output", allow: became("", "0"), reason: "usage is required as a whole in the Responses API"},
	{into: messages, key: "calls", allow: wrapped, reason: "the input of a custom tool is an object in Messages"},
	{into: gemini, key: "calls", allow: wrapped, reason: "the input of a custom tool is an object in Gemini"},
	{into: ollama, key: "calls", allow: wrapped, reason: "the input of a custom tool is an object in Ollama"},
	{into: converse, key: "calls", allow: wrapped, reason: "the input of a custom tool is an object in Converse"},
}

// wrapped reports whether all that became of calls is that the free text of a
// custom tool stands in an object (S-13).
func wrapped(d difference) bool {
	before, after := strings.SplitAfter(d.before, "\n"), strings.SplitAfter(d.after, "\n")
	if len(before) != len(after) {
		return false
	}
	for i := range before {
		id, rest, _ := strings.Cut(strings.TrimSuffix(before[i], "\n"), " ")
		name, input, _ := strings.Cut(rest, " ")
		if after[i] != before[i] && after[i] != id+" "+name+" "+canonicalJSON(codec.WrapCustom(input))+"\n" {
			return false
		}
	}
	return true
}
