package gemini

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// logprobs puts logprobsResult in Chat's terms, which are what the protocols that
// have log probabilities agree on (protocols.md §13.13):
// {"content":[{"token","logprob","bytes","top_logprobs":[…]}]}.
func (d *chunkDecoder) logprobs(c *choice, raw []byte) {
	top := jsonx.Get(raw, "topCandidates")
	var b jsonx.Buffer
	n := 0
	b.BeginObject()
	b.Key("content")
	b.BeginArray()
	_ = jsonx.EachElement(jsonx.Get(raw, "chosenCandidates"), func(i int, chosen []byte) error {
		n++
		b.BeginObject()
		appendToken(&b, chosen)
		b.Key("top_logprobs")
		b.BeginArray()
		_ = jsonx.EachElement(jsonx.Get(element(top, i), "candidates"), func(_ int, other []byte) error {
			b.BeginObject()
			appendToken(&b, other)
			b.EndObject()
			return nil
		})
		b.EndArray()
		b.EndObject()
		return nil
	})
	b.EndArray()
	b.EndObject()
	if n > 0 {
		d.emit(weir.Event{
			Type: weir.EventDelta, Part: weir.PartLogprobs, Choice: c.n, Index: max(c.at, 0), Text: string(b.B),
		})
	}
}

func appendToken(b *jsonx.Buffer, raw []byte) {
	token := jsonx.StringOr(jsonx.Get(raw, "token"), "")
	b.StringField("token", token)
	if p := jsonx.Get(raw, "logProbability"); p != nil {
		b.RawField("logprob", p)
	} else {
		b.IntField("logprob", 0) // 0 is left out on the wire
	}
	b.Key("bytes")
	b.BeginArray()
	for i := range len(token) {
		b.Int(int64(token[i]))
	}
	b.EndArray()
}

// appendLogprobs writes pieces in Chat's terms as logprobsResult, nothing when
// they hold no tokens.
func appendLogprobs(b *jsonx.Buffer, pieces [][]byte) {
	var chosen, top jsonx.Buffer
	chosen.BeginArray()
	top.BeginArray()
	n := 0
	for _, piece := range pieces {
		_ = jsonx.EachElement(jsonx.Get(piece, "content"), func(_ int, token []byte) error {
			n++
			candidate(&chosen, token)
			top.BeginObject()
			top.Key("candidates")
			top.BeginArray()
			_ = jsonx.EachElement(jsonx.Get(token, "top_logprobs"), func(_ int, other []byte) error {
				candidate(&top, other)
				return nil
			})
			top.EndArray()
			top.EndObject()
			return nil
		})
	}
	if n == 0 {
		return
	}
	chosen.EndArray()
	top.EndArray()
	b.Key("logprobsResult")
	b.BeginObject()
	b.RawField("chosenCandidates", chosen.B)
	b.RawField("topCandidates", top.B)
	b.EndObject()
}

func candidate(b *jsonx.Buffer, token []byte) {
	b.BeginObject()
	b.StringField("token", jsonx.StringOr(jsonx.Get(token, "token"), ""))
	if p := jsonx.Get(token, "logprob"); p != nil {
		b.RawField("logProbability", p)
	}
	b.EndObject()
}
