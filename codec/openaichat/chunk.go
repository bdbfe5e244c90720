package openaichat

import (
	"bytes"
	"errors"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// chunk is a chunk, or a whole completion, by its members: slices of the frame.
type chunk struct {
	id, model, created, choices, usage, err, groq []byte
	extra                                         weir.Fields // only of the first one

	// of the choice at hand
	index, message, deltaRaw, finish, logprobs, choiceErr []byte
	choiceExtra                                           []weir.Field // borrowed
	delta                                                 delta
	usageInChoice                                         []byte
}

// delta is what a chunk adds to a message, or a whole message.
type delta struct {
	content, refusal, reasoning, thinking, details []byte
	calls, call, audio, images, annotations        []byte
}

// read takes one chunk or completion apart and makes the events of it. A
// malformed one is a *jsonx.SyntaxError; what the upstream reports inside it
// goes to d.failed.
func (d *decoder) read(data []byte) error {
	d.chunk = chunk{choiceExtra: d.chunk.choiceExtra[:0]}
	if err := jsonx.EachMember(data, d.onTop); err != nil {
		return err
	}
	c := &d.chunk
	if says(c.err) || !d.started {
		if e := d.disguised(data); e != nil {
			d.failed = e
			return nil
		}
	}
	if !d.started && (nonEmpty(c.id) || nonEmpty(c.model) || hasElements(c.choices)) {
		d.begin()
	}
	if says(c.choices) {
		if err := jsonx.EachElement(c.choices, d.onChoices); err != nil {
			return err
		}
	}
	d.usage()
	return nil
}

func nonEmpty(raw []byte) bool { return len(raw) > 2 && raw[0] == '"' }

func hasElements(raw []byte) bool { return says(raw) && !saysNothing(raw) }

func (d *decoder) top(key, value []byte) error {
	c := &d.chunk
	switch string(key) {
	case "id":
		c.id = value
	case "model":
		c.model = value
	case "created":
		c.created = value
	case "choices":
		c.choices = value
	case "usage":
		c.usage = value
	case "error":
		c.err = value
	case "x_groq":
		c.groq = value
	case "object", "obfuscation", "p":
	default:
		if !d.started && says(value) {
			keep(&c.extra, string(key), value)
		}
	}
	return nil
}

// begin sends Start. Azure's first chunk has neither id nor choices and does not
// begin anything (W-08).
func (d *decoder) begin() {
	c := &d.chunk
	s := &weir.Start{
		ID:    jsonx.StringOr(c.id, ""),
		Model: jsonx.StringOr(c.model, ""),
		Extra: c.extra,
		From:  protocol,
	}
	s.Created, _ = jsonx.Int64(c.created)
	d.started, d.id = true, s.ID
	d.emit(weir.Event{Type: weir.EventStart, Start: s})
}

func (d *decoder) oneChoice(i int, raw []byte) error {
	c := &d.chunk
	c.index, c.message, c.deltaRaw, c.finish, c.logprobs, c.choiceErr = nil, nil, nil, nil, nil, nil
	c.delta, c.choiceExtra = delta{}, c.choiceExtra[:0]
	if err := jsonx.EachMember(raw, d.onChoice); err != nil {
		return err
	}
	n, ok := jsonx.Int64(c.index)
	if !ok {
		n = int64(i)
	}
	d.current = d.at(n)
	if says(c.choiceErr) {
		d.failed = d.inChoice(c.choiceErr)
	}
	message := c.deltaRaw
	if !says(message) {
		message = c.message
	}
	if says(message) {
		if err := jsonx.EachMember(message, d.onDelta); err != nil {
			return err
		}
	}
	if d.relay {
		d.passBy(d.current)
	} else if err := d.add(d.current); err != nil {
		return err
	}
	return d.finish(d.current)
}

// inChoice is OpenRouter's error inside a choice.
func (d *decoder) inChoice(raw []byte) error {
	wrapped := append(append([]byte(`{"error":`), raw...), '}')
	e := codec.ErrorIn200(wrapped, d.q)
	if e == nil {
		return nil
	}
	return d.own(e, wrapped)
}

func (d *decoder) choiceMember(key, value []byte) error {
	c := &d.chunk
	switch string(key) {
	case "index":
		c.index = value
	case "delta":
		c.deltaRaw = value
	case "message":
		c.message = value
	case "finish_reason":
		c.finish = value
	case "logprobs":
		c.logprobs = value
	case "usage":
		c.usageInChoice = value
	case "error":
		c.choiceErr = value
	case "text", "seed":
	default:
		c.choiceExtra = append(c.choiceExtra, weir.Field{Name: extraName(key), Value: value})
	}
	return nil
}

// extraName is a name as a string; the usual ones cost nothing.
func extraName(key []byte) string {
	switch string(key) {
	case "native_finish_reason":
		return "native_finish_reason"
	case "content_filter_results":
		return "content_filter_results"
	case "matched_stop":
		return "matched_stop"
	case "stop_reason":
		return "stop_reason"
	case "token_ids":
		return "token_ids"
	}
	return string(key)
}

func (d *decoder) deltaMember(key, value []byte) error {
	m := &d.chunk.delta
	switch string(key) {
	case "content":
		m.content = value
	case "refusal":
		m.refusal = value
	case "reasoning_content":
		m.thinking = value
	case "reasoning":
		m.reasoning = value
	case "reasoning_details":
		m.details = value
	case "tool_calls":
		m.calls = value
	case "function_call":
		m.call = value
	case "audio":
		m.audio = value
	case "images":
		m.images = value
	case "annotations":
		m.annotations = value
	}
	return nil
}

// says reports whether the delta adds anything to the message.
func (m *delta) says() bool {
	return nonEmpty(m.content) || hasElements(m.content) && m.content[0] == '[' || nonEmpty(m.refusal) ||
		nonEmpty(m.reasoning) || nonEmpty(m.thinking) || hasElements(m.details) || hasElements(m.calls) ||
		says(m.call) || says(m.audio) || hasElements(m.images) || hasElements(m.annotations)
}

// passBy stands for content that nobody reads: what it is does not matter, but
// that there was a tool call does (S-05).
func (d *decoder) passBy(c *choice) {
	m := &d.chunk.delta
	c.hasCalls = c.hasCalls || makesCalls(m.calls) || says(m.call)
	if n := len(d.events); m.says() && (n == 0 || d.events[n-1].Type != weir.EventRelay) {
		d.emit(weir.Event{Type: weir.EventRelay, Choice: c.n})
	}
}

// makesCalls reports whether a list holds a call: an entry that says something.
func makesCalls(raw []byte) bool {
	return says(raw) && jsonx.EachElement(raw, func(_ int, item []byte) error {
		f, err := readFragment(item)
		if err == nil && f.id == "" && f.name == "" && f.args == "" {
			return nil
		}
		return errFound
	}) != nil
}

// add makes the events of a delta: thinking before text before calls, whatever
// the order of the members.
func (d *decoder) add(c *choice) error {
	m := &d.chunk.delta
	d.thoughts(c, m)
	if err := d.text(c, m.content); err != nil {
		return err
	}
	if says(m.refusal) {
		d.prose(c, openRefusal, weir.BlockRefusal, jsonx.StringOr(m.refusal, ""))
	}
	if says(m.images) {
		d.images(c, m.images)
	}
	if says(m.audio) {
		d.audio(c, m.audio)
	}
	if says(m.annotations) {
		d.citations(c, m.annotations)
	}
	if says(d.chunk.logprobs) {
		d.logprobs(c)
	}
	if says(m.calls) {
		if err := d.toolCalls(c, m.calls); err != nil {
			return err
		}
	}
	if says(m.call) {
		return d.functionCall(c, m.call)
	}
	return nil
}

// text reads content: a string, or Mistral's list of parts.
func (d *decoder) text(c *choice, raw []byte) error {
	switch jsonx.KindOf(raw) {
	case jsonx.KindString:
		if len(raw) == 2 {
			return nil
		}
		s, err := jsonx.String(raw)
		if err != nil {
			return err
		}
		d.visible(c, s)
	case jsonx.KindArray:
		return jsonx.EachElement(raw, func(_ int, part []byte) error {
			d.answerPart(c, part)
			return nil
		})
	}
	return nil
}

// visible takes text that the upstream calls content; where it thinks aloud in
// tags, the thinking is told apart.
func (d *decoder) visible(c *choice, s string) {
	if !d.q.ThinkTags {
		d.prose(c, openText, weir.BlockText, s)
		return
	}
	c.tags.write(s, func(text string, thinking bool) { d.tagged(c, text, thinking) })
}

func (d *decoder) tagged(c *choice, text string, thinking bool) {
	if thinking {
		d.prose(c, openReasoning, weir.BlockReasoning, text)
	} else {
		d.prose(c, openText, weir.BlockText, text)
	}
}

func (d *decoder) answerPart(c *choice, raw []byte) {
	switch jsonx.StringOr(jsonx.Get(raw, "type"), "") {
	case "text":
		d.visible(c, jsonx.StringOr(jsonx.Get(raw, "text"), ""))
	case "thinking":
		d.prose(c, openReasoning, weir.BlockReasoning, thinkingText(jsonx.Get(raw, "thinking")))
	case "image_url":
		d.image(c, raw)
	default:
		if jsonx.Valid(raw) != nil {
			return
		}
		d.endProse(c, notOpen)
		b := opaque(jsonx.StringOr(jsonx.Get(raw, "type"), ""), raw)
		d.end(c, d.start(c, &b))
	}
}

func (d *decoder) images(c *choice, raw []byte) {
	_ = jsonx.EachElement(raw, func(_ int, image []byte) error {
		d.image(c, image)
		return nil
	})
}

// image reads {type:"image_url",image_url:{url}}, as OpenRouter and Gemini's Chat
// face send pictures that a model made.
func (d *decoder) image(c *choice, raw []byte) {
	inner := jsonx.Get(raw, "image_url")
	if inner == nil || jsonx.Valid(inner) != nil {
		return
	}
	var r reader
	var b weir.Block
	r.image(&b, "image_url", inner)
	if r.err == nil {
		d.endProse(c, notOpen)
		d.end(c, d.start(c, &b))
	}
}

func (d *decoder) audio(c *choice, raw []byte) {
	var id, data, transcript string
	var extra weir.Fields
	_ = jsonx.EachMember(raw, func(key, value []byte) error {
		switch string(key) {
		case "id":
			id = jsonx.StringOr(value, "")
		case "data":
			data = jsonx.StringOr(value, "")
		case "transcript":
			transcript = jsonx.StringOr(value, "")
		default:
			keep(&extra, string(key), value)
		}
		return nil
	})
	if id == "" && data == "" && transcript == "" {
		return // Snowflake sends an empty object with every answer
	}
	if c.open[openAudio] == notOpen {
		d.endProse(c, openAudio)
		c.open[openAudio] = d.start(c, &weir.Block{Type: weir.BlockAudio, Media: &weir.Media{ID: id, Extra: extra}})
	}
	if data != "" {
		d.delta(c, c.open[openAudio], weir.PartAudio, data)
	}
	if transcript != "" {
		d.delta(c, c.open[openAudio], weir.PartTranscript, transcript)
	}
}

// citations reads annotations, which belong to the text.
func (d *decoder) citations(c *choice, raw []byte) {
	_ = jsonx.EachElement(raw, func(_ int, a []byte) error {
		if jsonx.Valid(a) != nil {
			return nil
		}
		if c.open[openText] == notOpen {
			d.endProse(c, openText)
			c.open[openText] = d.start(c, &weir.Block{Type: weir.BlockText})
		}
		d.emit(weir.Event{
			Type: weir.EventDelta, Part: weir.PartCitation, Choice: c.n, Index: c.open[openText], Citation: citation(a),
		})
		return nil
	})
}

func citation(raw []byte) *weir.Citation {
	out := &weir.Citation{Type: jsonx.StringOr(jsonx.Get(raw, "type"), ""), Raw: cloneBytes(raw), From: protocol}
	inner := jsonx.Get(raw, out.Type)
	if out.Type == "url_citation" {
		out.Type = "url"
	}
	out.URL = jsonx.StringOr(jsonx.Get(inner, "url"), "")
	out.Title = jsonx.StringOr(jsonx.Get(inner, "title"), "")
	out.Cited = jsonx.StringOr(jsonx.Get(inner, "content"), "")
	if n, ok := jsonx.Int64(jsonx.Get(inner, "start_index")); ok {
		out.Start = int(n)
	}
	if n, ok := jsonx.Int64(jsonx.Get(inner, "end_index")); ok {
		out.End = int(n)
	}
	return out
}

// logprobs are passed on raw, at the text that is open.
func (d *decoder) logprobs(c *choice) {
	raw := d.chunk.logprobs
	if saysNothing(raw) || jsonx.Valid(raw) != nil {
		return
	}
	d.delta(c, max(c.open[openText], 0), weir.PartLogprobs, string(raw))
}

// finishReasons are the words that mean the same at every vendor. Sources:
// protocols.md §12.3; recordings.
var finishReasons = map[string]weir.FinishReason{
	"stop": weir.FinishStop, "eos": weir.FinishStop, "end_turn": weir.FinishStop, "normal": weir.FinishStop,
	"length": weir.FinishLength, "max_tokens": weir.FinishLength,
	"model_length": weir.FinishContextWindow, "model_context_window_exceeded": weir.FinishContextWindow,
	"tool_calls": weir.FinishToolCalls, "tool_call": weir.FinishToolCalls, "function_call": weir.FinishToolCalls,
	"tool_use":       weir.FinishToolCalls,
	"content_filter": weir.FinishContentFilter, "sensitive": weir.FinishContentFilter,
	"refusal": weir.FinishRefusal, "error": weir.FinishError,
	"network_error": weir.FinishError, "insufficient_system_resource": weir.FinishError,
}

// finish reads the finish reason of the chunk at hand. An empty or missing one
// is none yet; after the first, the same again is no news.
func (d *decoder) finish(c *choice) error {
	native := jsonx.StringOr(d.chunk.finish, "")
	if native == "" || c.finished || d.suppress {
		return nil
	}
	reason := d.reason(native)
	if reason == weir.FinishError {
		if d.failed == nil {
			e := d.broken("the upstream gave up in the middle of the answer (%s)", clean(native))
			e.Code = clean(native)
			d.failed = e
		}
		return nil
	}
	f := &weir.Finish{Reason: reason, Native: native, From: protocol}
	for _, x := range d.chunk.choiceExtra {
		if says(x.Value) && !saysNothing(x.Value) {
			keep(&f.Extra, x.Name, x.Value)
		}
	}
	d.close(c, f)
	return nil
}

// clean keeps a vendor's word fit for an error message.
func clean(s string) string { return strings.ToValidUTF8(s[:min(len(s), 64)], "") }

func (d *decoder) reason(native string) weir.FinishReason {
	if mapped, ok := d.q.FinishReasons[native]; ok {
		return weir.FinishReason(mapped)
	}
	if reason, ok := finishReasons[native]; ok {
		return reason
	}
	return weir.FinishOther
}

// close ends every open block of c, and the choice. A call that was made is what
// the client must know, whatever the upstream's word (S-05), but for an answer
// that was cut: its arguments may be cut too (S-06).
func (d *decoder) close(c *choice, f *weir.Finish) {
	c.finished = true
	if !d.relay {
		c.tags.end(func(text string, thinking bool) { d.tagged(c, text, thinking) })
		d.flushCalls(c)
		d.endAll(c)
	}
	if c.hasCalls && f.Reason == weir.FinishStop {
		f.Reason = weir.FinishToolCalls
	}
	d.emit(weir.Event{Type: weir.EventFinish, Choice: c.n, Finish: f})
}

// endAll ends what is open in the order in which it was begun.
func (d *decoder) endAll(c *choice) {
	for i := range c.blocks {
		for kind := range c.open {
			if c.open[kind] == i {
				d.end(c, i)
				c.open[kind] = notOpen
			}
		}
		for _, k := range c.calls {
			if k.begun && !k.ended && k.block == i {
				d.end(c, i)
				k.ended = true
			}
		}
	}
}

// isSyntax reports whether an error is about JSON and not about meaning.
func isSyntax(err error) bool {
	var s *jsonx.SyntaxError
	return errors.As(err, &s)
}

var doneMark = []byte("[DONE]")

func isDone(data []byte) bool { return bytes.Equal(bytes.TrimSpace(data), doneMark) }
