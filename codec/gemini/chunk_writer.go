package gemini

import (
	"crypto/rand"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// chunkWriter writes answers by value: chunks of a stream, or a whole answer.
type chunkWriter struct {
	req     *weir.Request
	losses  codec.Losses
	start   weir.Start
	tail    []byte // the members that every chunk ends with
	usage   weir.Usage
	choices []*outChoice
}

// outChoice is the state of one candidate.
type outChoice struct {
	n         int32
	blocks    map[int32]*outBlock
	text      []byte // visible, for the places of citations
	citations []weir.Citation
	logprobs  [][]byte
	finish    *weir.Finish
	shown     bool             // the finish was sent on as it came
	bad       []*weir.ToolCall // calls whose arguments are no JSON
}

// outBlock is a block of a stream that has begun. What has to be whole on the wire
// is gathered.
type outBlock struct {
	block weir.Block
	parts [2][]byte // arguments or sound, and signature
	wrote bool      // some of its text was written
	sent  bool      // its start was sent on as it came
}

func (c *outChoice) put(i int32, b *outBlock) {
	if c.blocks == nil {
		c.blocks = map[int32]*outBlock{}
	}
	c.blocks[i] = b
}

// dropOnce reports that field is left out unless that was reported already: an
// answer may lose the same in every one of its pieces.
func dropOnce(losses *codec.Losses, field, detail string) {
	if !slices.ContainsFunc(*losses, func(l weir.Loss) bool { return l.Field == field }) {
		losses.Drop(field, detail)
	}
}

func (w *chunkWriter) lose(field, detail string) {
	dropOnce(&w.losses, "candidates.content.parts."+field, detail)
}

// choice is the state of candidate n, made when it is first met.
func (w *chunkWriter) choice(n int32) *outChoice {
	n = min(max(n, 0), maxChoices-1)
	for len(w.choices) <= int(n) {
		w.choices = append(w.choices, &outChoice{n: int32(len(w.choices))})
	}
	return w.choices[n]
}

// begun remembers how the answer began.
func (w *chunkWriter) begun(s *weir.Start) {
	w.start = *s
	w.tail = nil
}

// identify puts in what the answer of another protocol lacks or names otherwise:
// the model is the one that the client asked for (protocols.md §13.20), an answer
// without an id gets one, as every answer here has. One of this protocol stays as
// it came (W-10).
func (w *chunkWriter) identify() {
	if w.start.From == protocol {
		return
	}
	if w.req.Model != "" {
		w.start.Model = w.req.Model
	}
	if w.start.ID == "" {
		w.start.ID = w.req.ID
	}
	if w.start.ID == "" {
		w.start.ID = rand.Text()
	}
}

// members writes what every chunk ends with, and closes it.
func (w *chunkWriter) members(b *jsonx.Buffer) {
	if w.tail == nil {
		w.identify()
		tail := jsonx.Buffer{B: []byte{'{'}}
		if w.start.Model != "" {
			tail.StringField("modelVersion", w.start.Model)
		}
		if w.start.ID != "" {
			tail.StringField("responseId", w.start.ID)
		}
		tail.EndObject()
		w.tail = tail.B
	}
	if len(w.tail) > len("{}") {
		b.B = append(b.B, ',')
	}
	b.B = append(b.B, w.tail[1:]...)
}

// beginPart opens a chunk up to the part that it brings; endPart closes it.
func beginPart(b *jsonx.Buffer) {
	b.BeginObject()
	b.Key("candidates")
	b.BeginArray()
	b.BeginObject()
	b.Key("content")
	b.BeginObject()
	b.Key("parts")
	b.BeginArray()
}

func (w *chunkWriter) endPart(b *jsonx.Buffer, n int32) {
	b.EndArray()
	b.StringField("role", roleModel)
	b.EndObject()
	b.IntField("index", int64(n))
	b.EndObject()
	b.EndArray()
	w.members(b)
}

// final writes the last chunk: how every candidate ended, and the usage.
func (w *chunkWriter) final(b *jsonx.Buffer) {
	b.BeginObject()
	if f := w.blocked(); f != nil {
		b.RawField("promptFeedback", f.Details)
	} else {
		b.Key("candidates")
		b.BeginArray()
		if len(w.choices) == 0 {
			w.choice(0)
		}
		for _, c := range w.choices {
			if c.shown {
				continue
			}
			b.BeginObject()
			b.Key("content")
			// The SDKs look for a text in the last chunk too, as Google sends it.
			b.Raw([]byte(`{"parts":[{"text":""}],"role":"model"}`))
			w.ending(b, c)
			b.EndObject()
		}
		b.EndArray()
	}
	w.around(b)
}

// around writes the members beside the candidates, and closes the object.
func (w *chunkWriter) around(b *jsonx.Buffer) {
	if w.usage.Known != 0 || w.usage.From == protocol && len(w.usage.Extra) > 0 {
		b.Key("usageMetadata")
		appendUsage(b, &w.usage)
	}
	if w.start.From == protocol {
		appendFields(b, w.start.Extra)
	}
	w.members(b)
}

// blocked is the finish of an answer whose prompt was refused, in this protocol's
// own words; nil for every other.
func (w *chunkWriter) blocked() *weir.Finish {
	if len(w.choices) != 1 {
		return nil
	}
	c := w.choices[0]
	if f := c.finish; f != nil && f.From == protocol && f.Details != nil && len(c.text) == 0 && len(c.blocks) == 0 {
		return f
	}
	return nil
}

// ending writes how a candidate ended, into its open object.
func (w *chunkWriter) ending(b *jsonx.Buffer, c *outChoice) {
	f := c.finish
	if f == nil {
		f = &weir.Finish{Reason: weir.FinishStop}
	}
	b.StringField("finishReason", finishReason(f))
	if f.Reason == weir.FinishPause {
		dropOnce(&w.losses, "candidates.finishReason", "a tool loop that waits to be continued cannot be told")
	}
	b.IntField("index", int64(c.n))
	listName := ""
	if f.From == protocol {
		listName = marked(f.Extra, "citationMetadata")
		appendFields(b, f.Extra)
	}
	appendCitations(b, c.citations, c.text, listName)
	appendLogprobs(b, c.logprobs)
}

// finishReason is the protocol's word for how a candidate ended.
func finishReason(f *weir.Finish) string {
	if f.From == protocol && f.Native != "" && f.Details == nil {
		return f.Native
	}
	switch f.Reason {
	case weir.FinishLength, weir.FinishContextWindow:
		return "MAX_TOKENS"
	case weir.FinishContentFilter, weir.FinishRefusal:
		return "SAFETY"
	case weir.FinishError, weir.FinishOther:
		return "OTHER"
	}
	return "STOP"
}

// appendFields writes unknown members. Answers are not written back in every
// spelling: what says nothing is left out (W-10).
func appendFields(b *jsonx.Buffer, fields weir.Fields) {
	for i := range fields {
		if f := &fields[i]; !f.Spelling {
			b.RawField(f.Name, f.Value)
		}
	}
}
