package openaicompletions

import (
	"unicode/utf8"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// Log probabilities of completions are lists side by side: tokens, token_logprobs,
// top_logprobs (an object of alternatives for each token) and text_offset, where the
// token begins in prompt and text together, in characters. Chat has a list of
// objects instead; OpenAPI 2.3.0.

// logprobNames are the lists in the order in which they are written.
var logprobNames = [...]string{"tokens", "token_logprobs", "top_logprobs", "text_offset"}

// logprobs writes a chunk of log probabilities alone.
func (w *chunkWriter) logprobs(dst []byte, n int32, piece []byte) []byte {
	if piece = w.ownLogprobs(n, piece); piece == nil {
		return dst
	}
	b := w.open(dst, n)
	w.writeText(&b, n, "")
	b.RawField("logprobs", piece)
	return append(b.B, chunkEnd...)
}

// ownLogprobs is a piece in the form of this protocol; nil, with a loss, where the
// upstream's has another form than Chat's.
func (w *chunkWriter) ownLogprobs(n int32, piece []byte) []byte {
	switch from := w.start.From; {
	case w.shape == fim:
		w.dropOnce("logprobs", "fill-in-the-middle has no log probabilities")
		return nil
	case from == protocol || from == "":
		return piece
	case from == weir.OpenAIChat:
		if w.choice(n).offset == nil {
			w.choice(n).offset = new(w.promptLength())
		}
		return fromChat(piece, w.choice(n).offset)
	}
	w.dropOnce("logprobs", "the upstream's log probabilities have another form")
	return nil
}

// promptLength is the length of the prompt in characters.
func (w *chunkWriter) promptLength() int {
	body, err := w.req.Body()
	if err != nil || len(body.Messages) != 1 {
		return 0
	}
	return utf8.RuneCountInString(body.Messages[0].Text())
}

// fromChat makes lists of Chat's objects and moves offset behind their tokens.
func fromChat(piece []byte, offset *int) []byte {
	var lists [len(logprobNames)]jsonx.Buffer
	for i := range lists {
		lists[i].BeginArray()
	}
	_ = jsonx.EachElement(jsonx.Get(piece, "content"), func(_ int, token []byte) error {
		text := jsonx.StringOr(jsonx.Get(token, "token"), "")
		lists[0].String(text)
		lists[1].Raw(jsonx.Get(token, "logprob"))
		lists[2].BeginObject()
		_ = jsonx.EachElement(jsonx.Get(token, "top_logprobs"), func(_ int, other []byte) error {
			lists[2].RawField(jsonx.StringOr(jsonx.Get(other, "token"), ""), jsonx.Get(other, "logprob"))
			return nil
		})
		lists[2].EndObject()
		lists[3].Int(int64(*offset))
		*offset += utf8.RuneCountInString(text)
		return nil
	})
	var out jsonx.Buffer
	out.BeginObject()
	for i, name := range logprobNames {
		lists[i].EndArray()
		out.RawField(name, lists[i].B)
	}
	out.EndObject()
	return out.B
}

// joinLogprobs writes the pieces of a choice as one object, null when there is none.
func (w *chunkWriter) joinLogprobs(b *jsonx.Buffer, n int32, pieces [][]byte) {
	var own [][]byte
	for _, p := range pieces {
		if p = w.ownLogprobs(n, p); p != nil {
			own = append(own, p)
		}
	}
	switch len(own) {
	case 0:
		b.Null()
		return
	case 1:
		b.Raw(own[0])
		return
	}
	b.BeginObject()
	for _, name := range logprobNames {
		b.Key(name)
		b.BeginArray()
		for _, p := range own {
			_ = jsonx.EachElement(jsonx.Get(p, name), func(_ int, value []byte) error {
				b.Raw(value)
				return nil
			})
		}
		b.EndArray()
	}
	b.EndObject()
}
