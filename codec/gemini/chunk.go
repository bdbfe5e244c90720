package gemini

import (
	"bytes"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// chunkDecoder makes Events of chunks: each is a GenerateContentResponse with what
// is new (protocols.md §7.4, §7.5). A whole answer is one chunk.
type chunkDecoder struct {
	answer *codec.Answer
	q      *codec.Quirks
	format string // of thoughts, by who made them
	relay  bool   // content flows by as EventRelay

	started bool
	content bool // something that the client would see was sent
	renamed bool // the current chunk has a tool's name that was mapped back
	ending  bool // the events of the end are being made
	id      string
	choices []*choice
	blocked *weir.Finish // the prompt was refused, and there is no candidate
	counts  counts
	quiet   int // candidates of the current chunk so far

	chunk  chunk
	events []weir.Event
	kept   int // of events, from chunks before
	first  [6]weir.Event

	// The callbacks, bound once: a closure for every chunk would be garbage.
	onTop, onCandidate, onContent, onPart func(key, value []byte) error
	onCandidates, onParts                 func(i int, value []byte) error
}

// chunk is the chunk at hand. Its values are slices of the frame.
type chunk struct {
	data                        []byte
	candidates, usage, feedback []byte
	model, id                   []byte
	rest                        weir.Fields // its other members; slices, not copies
	ending                      weir.Fields // those of the candidate at hand

	candidate candidateFields
	part      partFields
	choice    *choice
}

func newChunkDecoder(a *codec.Answer, relay bool) *chunkDecoder {
	d := &chunkDecoder{answer: a, q: quirksOf(a), format: reasoningFormat, relay: relay && len(a.Names) == 0}
	if a.Target != nil {
		d.format = formatOf(a.Target.Provider)
	}
	d.events = d.first[:0]
	d.onTop, d.onCandidate, d.onContent, d.onPart = d.top, d.candidateMember, d.contentMember, d.partMember
	d.onCandidates, d.onParts = d.oneCandidate, d.onePart
	return d
}

func (d *chunkDecoder) emit(ev weir.Event) {
	d.content = d.content || ev.IsContent()
	d.events = append(d.events, ev)
}

// take hands the events of the chunk over.
func (d *chunkDecoder) take() []weir.Event {
	events := d.events
	d.events, d.kept = d.events[:0], 0
	return events
}

// keepEvents keeps the events of the chunk for the one that completes them.
func (d *chunkDecoder) keepEvents() { d.kept = len(d.events) }

// open looks at a chunk: what it holds, and whether it is an error.
func (d *chunkDecoder) open(data []byte) error {
	d.chunk = chunk{data: data, rest: d.chunk.rest[:0], ending: d.chunk.ending[:0]}
	if d.kept == 0 {
		d.renamed = false
	}
	if !isWhole(data) || jsonx.EachMember(data, d.onTop) != nil {
		return d.malformed()
	}
	if d.chunk.candidates == nil || len(d.chunk.rest) > 0 {
		if e := errorIn(d.answer, data); e != nil {
			return e
		}
	}
	return nil
}

// isWhole reports whether data looks like an object with both its ends, which a
// frame that was cut on its way does not.
func isWhole(data []byte) bool {
	data = bytes.TrimSpace(data)
	return len(data) > 1 && data[0] == '{' && data[len(data)-1] == '}'
}

func (d *chunkDecoder) malformed() error {
	return upstreamError(d.answer, "malformed answer: a part of it is not the JSON that it should be")
}

func (d *chunkDecoder) top(key, value []byte) error {
	c := &d.chunk
	switch string(key) {
	case "candidates":
		c.candidates = value
	case "usageMetadata":
		c.usage = value
	case "promptFeedback":
		c.feedback = value
	case "modelVersion":
		c.model = value
	case "responseId":
		c.id = value
	default:
		c.rest = append(c.rest, weir.Field{Name: string(key), Value: value})
	}
	return nil
}

// finishes reports whether the chunk says that a candidate is complete, or that
// there will be none.
func (d *chunkDecoder) finishes() bool {
	if d.blockReason() != nil {
		return true
	}
	if !bytes.Contains(d.chunk.candidates, []byte(`"finishReason"`)) {
		return false
	}
	found := false
	_ = jsonx.EachElement(d.chunk.candidates, func(_ int, candidate []byte) error {
		found = found || finishWord(jsonx.Get(candidate, "finishReason")) != ""
		return nil
	})
	return found
}

// goesOn reports whether the chunk brings more of an answer: anything but
// signatures and empty texts.
func (d *chunkDecoder) goesOn() bool {
	found := false
	_ = jsonx.EachElement(d.chunk.candidates, func(_ int, candidate []byte) error {
		return jsonx.EachElement(jsonx.GetPath(candidate, "content", "parts"), func(_ int, part []byte) error {
			return jsonx.EachMember(part, func(key, v []byte) error {
				switch string(key) {
				case "thought", "thoughtSignature":
				case "text":
					found = found || len(v) > 2
				default:
					found = true
				}
				return nil
			})
		})
	})
	return found
}

// blockReason is why the prompt was refused, nil when it was not.
func (d *chunkDecoder) blockReason() []byte {
	if d.chunk.feedback == nil {
		return nil
	}
	raw := jsonx.Get(d.chunk.feedback, "blockReason")
	if word := finishWord(raw); word == "" || word == "BLOCK_REASON_UNSPECIFIED" || word == "BLOCKED_REASON_UNSPECIFIED" {
		return nil
	}
	return raw
}

// read opens and decodes a chunk.
func (d *chunkDecoder) read(data []byte) error {
	if err := d.open(data); err != nil {
		return err
	}
	return d.decode()
}

// decode makes the events of the chunk that is open.
func (d *chunkDecoder) decode() error {
	c := &d.chunk
	if !d.started {
		d.start()
	}
	if reason := d.blockReason(); reason != nil && len(d.choices) == 0 && !hasElements(c.candidates) {
		d.blocked = &weir.Finish{
			Reason: weir.FinishContentFilter, Native: finishWord(reason), From: protocol, Details: bytes.Clone(c.feedback),
		}
		d.choiceAt(0)
	}
	d.quiet = 0
	if c.candidates != nil {
		if !d.relay && jsonx.Valid(c.candidates) != nil || jsonx.EachElement(c.candidates, d.onCandidates) != nil {
			return d.malformed()
		}
	}
	if u := d.counts.read(c.usage, !d.relay); u != nil {
		d.emit(weir.Event{Type: weir.EventUsage, Usage: u})
	}
	return nil
}

func hasElements(raw []byte) bool {
	found := false
	_ = jsonx.EachElement(raw, func(int, []byte) error {
		found = true
		return nil
	})
	return found
}

// start begins the answer.
func (d *chunkDecoder) start() {
	d.started = true
	c := &d.chunk
	s := &weir.Start{From: protocol, ID: jsonx.StringOr(c.id, ""), Model: jsonx.StringOr(c.model, "")}
	d.id = s.ID
	for _, f := range c.rest {
		if !jsonx.IsNull(f.Value) && jsonx.Valid(f.Value) == nil {
			s.Extra.Add(f.Name, f.Value)
		}
	}
	if c.feedback != nil && d.blockReason() == nil && jsonx.Valid(c.feedback) == nil {
		s.Extra.Add("promptFeedback", c.feedback)
	}
	d.emit(weir.Event{Type: weir.EventStart, Start: s})
}

// complete reports whether every candidate has its finishReason.
func (d *chunkDecoder) complete() bool {
	for _, c := range d.choices {
		if c.finish == nil && (d.blocked == nil || c.n != 0) {
			return false
		}
	}
	return len(d.choices) > 0
}

// wholeEnd ends an answer that is not streamed, which is complete without a
// finishReason too (recordings of speech).
func (d *chunkDecoder) wholeEnd() error {
	if len(d.choices) == 0 {
		return upstreamError(d.answer, "the answer has no candidates")
	}
	return d.finals(true)
}

// finals makes the events of the end. Without a finishReason a candidate has come
// to a natural end, if anyway allows that.
func (d *chunkDecoder) finals(anyway bool) error {
	d.ending = true
	for _, c := range d.choices {
		f := c.finish
		switch {
		case f != nil:
		case d.blocked != nil && c.n == 0:
			f = d.blocked
		case anyway:
			f = &weir.Finish{Reason: weir.FinishStop, From: protocol}
		default:
			continue
		}
		if f.Reason == weir.FinishError {
			return upstreamError(d.answer, "the upstream gave up on the answer (finishReason %q)", clean(f.Native))
		}
		d.close(c, f)
	}
	return nil
}

// close ends what is open of a candidate, and the candidate. Calls wait for their
// results, whatever the upstream's word (S-05), but for an answer that was cut or
// held back (S-06).
func (d *chunkDecoder) close(c *choice, f *weir.Finish) {
	d.endPartial(c)
	d.endOpen(c)
	if c.hasCalls && f.Reason == weir.FinishStop {
		f.Reason = weir.FinishToolCalls
	}
	f.Extra = c.extra
	d.emit(weir.Event{Type: weir.EventFinish, Choice: c.n, Finish: f})
}
