package gemini

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// choice is the state of one candidate.
type choice struct {
	n      int32
	blocks int32 // started so far

	open weir.BlockType // of the prose that is open; empty for none
	at   int32          // its number
	// sealed tells that the open text has its signature: citations may still join
	// it, more text may not.
	sealed    bool
	signature *weir.Block // that belongs behind it

	text     []byte // the visible text so far, for the places of citations
	grounds  []byte // groundingMetadata that was read last
	calls    int
	hasCalls bool
	partial  *partialCall
	finish   *weir.Finish
	extra    weir.Fields // members of the candidate that belong to the Finish
}

// maxChoices bounds n, so that nobody can make the gateway hold a million.
const maxChoices = 128

// choiceAt is the state of candidate n, made when it is first met.
func (d *chunkDecoder) choiceAt(n int64) *choice {
	n = min(max(n, 0), maxChoices-1)
	for int64(len(d.choices)) <= n {
		d.choices = append(d.choices, &choice{n: int32(len(d.choices))})
	}
	return d.choices[n]
}

// candidateFields are the members of a candidate.
type candidateFields struct {
	index, content, finish         []byte
	grounding, citations, logprobs []byte
}

func (d *chunkDecoder) candidateMember(key, value []byte) error {
	f := &d.chunk.candidate
	switch string(key) {
	case "index":
		f.index = value
	case "content":
		f.content = value
	case "finishReason":
		f.finish = value
	case "groundingMetadata":
		f.grounding = value
	case "citationMetadata":
		f.citations = value
	case "logprobsResult":
		f.logprobs = value
	}
	if belongsToFinish(key) && !d.relay && !jsonx.IsNull(value) {
		d.chunk.ending = append(d.chunk.ending, weir.Field{Name: string(key), Value: value})
	}
	return nil
}

// belongsToFinish reports whether a member of a candidate is kept for its end, to
// be put back by this protocol.
func belongsToFinish(key []byte) bool {
	switch string(key) {
	case "index", "content", "finishReason", "logprobsResult", "citationMetadata":
		return false
	}
	return true
}

// oneCandidate reads a candidate. One without an index has the number of its place.
func (d *chunkDecoder) oneCandidate(i int, raw []byte) error {
	d.chunk.candidate, d.chunk.ending = candidateFields{}, d.chunk.ending[:0]
	if err := jsonx.EachMember(raw, d.onCandidate); err != nil {
		return err
	}
	f := &d.chunk.candidate
	n, ok := jsonx.Int64(f.index)
	if !ok {
		n = int64(i)
	}
	c := d.choiceAt(n)
	d.chunk.choice = c
	if d.relay {
		d.relayed(c, f)
	} else if err := d.contents(c); err != nil {
		return err
	}
	d.readFinish(c, f.finish)
	return nil
}

// relayed notes what a candidate says without decoding it.
func (d *chunkDecoder) relayed(c *choice, f *candidateFields) {
	if f.content == nil && f.grounding == nil {
		return
	}
	if !c.hasCalls && bytes.Contains(f.content, []byte(`"functionCall"`)) {
		c.hasCalls = holdsCall(jsonx.Get(f.content, "parts"))
	}
	if c.finish != nil && d.goesOn() {
		c.finish = nil
	}
	if d.quiet++; d.quiet == 1 {
		d.emit(weir.Event{Type: weir.EventRelay})
	}
}

func holdsCall(parts []byte) bool {
	found := false
	_ = jsonx.EachElement(parts, func(_ int, part []byte) error {
		found = found || jsonx.Get(part, "functionCall") != nil
		return nil
	})
	return found
}

// contents decodes what a candidate brings.
func (d *chunkDecoder) contents(c *choice) error {
	f := &d.chunk.candidate
	if err := jsonx.EachMember(f.content, d.onContent); f.content != nil && err != nil {
		return err
	}
	if f.logprobs != nil {
		d.logprobs(c, f.logprobs)
	}
	if f.grounding != nil {
		d.grounding(c, f.grounding)
	}
	if f.citations != nil {
		d.citations(c, f.citations)
	}
	d.flushSignature(c)
	for i := range d.chunk.ending {
		// An empty groundingMetadata stands in every chunk but the last.
		if m := &d.chunk.ending[i]; string(m.Value) != "{}" {
			c.extra = keep(c.extra, m.Name, m.Value)
		}
	}
	return nil
}

// maxKept is how many unknown members of one kind are kept by value of all the
// frames of an answer.
const maxKept = 64

// keep is f with a copy of a member that came in a frame, in place of an earlier
// one.
func keep(f weir.Fields, name string, raw []byte) weir.Fields {
	if was := f.Value(name); bytes.Equal(was, raw) || was == nil && len(f) >= maxKept {
		return f
	}
	return f.With(name, bytes.Clone(raw))
}

func (d *chunkDecoder) contentMember(key, value []byte) error {
	if string(key) != "parts" {
		return nil
	}
	if jsonx.KindOf(value) == jsonx.KindObject {
		return d.onePart(0, value)
	}
	return jsonx.EachElement(value, d.onParts)
}

// block starts a block of c.
func (d *chunkDecoder) block(c *choice, b *weir.Block) int32 {
	i := c.blocks
	c.blocks++
	d.emit(weir.Event{Type: weir.EventBlockStart, Choice: c.n, Index: i, Block: b})
	return i
}

// whole emits a block that is complete at its start.
func (d *chunkDecoder) whole(c *choice, b *weir.Block) {
	i := d.block(c, b)
	d.emit(weir.Event{Type: weir.EventBlockEnd, Choice: c.n, Index: i})
}

func (d *chunkDecoder) delta(c *choice, part weir.Part, text string) {
	d.emit(weir.Event{Type: weir.EventDelta, Part: part, Choice: c.n, Index: c.at, Text: text})
}

// prose adds text to the open block of a kind, or opens one.
func (d *chunkDecoder) prose(c *choice, typ weir.BlockType, text string) {
	if text == "" {
		return // no block opens for nothing (T-09)
	}
	if c.open != typ || c.sealed {
		d.openProse(c, typ)
	}
	d.delta(c, weir.PartText, text)
}

func (d *chunkDecoder) openProse(c *choice, typ weir.BlockType) {
	d.endOpen(c)
	b := &weir.Block{Type: typ}
	if typ == weir.BlockReasoning {
		b.Reasoning = &weir.Reasoning{Format: d.format, Summary: true}
	}
	c.open, c.at = typ, d.block(c, b)
}

func (d *chunkDecoder) endOpen(c *choice) {
	if c.open != "" {
		d.emit(weir.Event{Type: weir.EventBlockEnd, Choice: c.n, Index: c.at})
	}
	c.open, c.sealed = "", false
}

// finishNumbers are the words of enums that came as numbers, as some of Google's
// client libraries ask for them; from 6 on the two APIs disagree about what they
// mean (protos of 2026-08-22).
var finishNumbers = map[string]string{"1": "STOP", "2": "MAX_TOKENS", "3": "SAFETY", "4": "RECITATION", "5": "OTHER"}

// finishWord is an enum's value as a word, empty for none.
func finishWord(raw []byte) string {
	switch jsonx.KindOf(raw) {
	case jsonx.KindString:
		return jsonx.StringOr(raw, "")
	case jsonx.KindNumber:
		n := string(bytes.TrimSpace(raw))
		if n == "0" {
			return ""
		}
		if word, ok := finishNumbers[n]; ok {
			return word
		}
		return n
	}
	return ""
}

// readFinish reads a finishReason. The last one counts.
func (d *chunkDecoder) readFinish(c *choice, raw []byte) {
	native := finishWord(raw)
	if native == "" || native == "FINISH_REASON_UNSPECIFIED" {
		return
	}
	reason, ok := finishReasons[native]
	if !ok {
		reason = weir.FinishOther
	}
	if mapped, ok := d.q.FinishReasons[native]; ok {
		reason = weir.FinishReason(mapped)
	}
	c.finish = &weir.Finish{Reason: reason, Native: native, From: protocol}
}

// finishReasons are the values of finishReason (protocols.md §12.3; protos of
// 2026-08-22). Calls that the model got wrong are no failure of the upstream: the
// client is told in the upstream's own word.
var finishReasons = map[string]weir.FinishReason{
	"STOP":                     weir.FinishStop,
	"MAX_TOKENS":               weir.FinishLength,
	"SAFETY":                   weir.FinishContentFilter,
	"RECITATION":               weir.FinishContentFilter,
	"BLOCKLIST":                weir.FinishContentFilter,
	"PROHIBITED_CONTENT":       weir.FinishContentFilter,
	"SPII":                     weir.FinishContentFilter,
	"MODEL_ARMOR":              weir.FinishContentFilter,
	"IMAGE_SAFETY":             weir.FinishContentFilter,
	"IMAGE_PROHIBITED_CONTENT": weir.FinishContentFilter,
	"IMAGE_RECITATION":         weir.FinishContentFilter,
}

// callID is the id of a call that came without: it follows from the answer's own
// id, or from the chunk where that has none, so that it is the same however the
// answer is read, and another in every turn (S-03).
func (d *chunkDecoder) callID(c *choice) string {
	var key strings.Builder
	key.WriteString("gemini/" + d.id)
	if d.id == "" {
		key.Write(d.chunk.data)
	}
	key.WriteString("/" + strconv.Itoa(int(c.n)) + "/" + strconv.Itoa(c.calls))
	return codec.ShortenID(key.String(), 0)
}
