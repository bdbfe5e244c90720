package openaichat

import (
	"bytes"
	"errors"

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
		if d.reports(data) {
			d.usage() // what was used up to here is billed all the same (U-04)
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

// reports takes note of the error that a chunk or body is, if it is one.
func (d *decoder) reports(data []byte) bool {
	e := d.disguised(data)
	if e != nil {
		d.failed = e
	}
	return e != nil
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
		if !d.started && !d.relay && says(value) {
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
	c.hasCalls = c.hasCalls || makesCalls(m.calls) || makesCall(m.call)
	if n := len(d.events); m.says() && (n == 0 || d.events[n-1].Type != weir.EventRelay) {
		d.emit(weir.Event{Type: weir.EventRelay, Choice: c.n})
	}
}

// makesCalls reports whether a list holds a call: an entry that says something.
func makesCalls(raw []byte) bool {
	return says(raw) && jsonx.EachElement(raw, func(_ int, item []byte) error {
		if f, err := readFragment(item); err == nil && !f.says() {
			return nil
		}
		return errFound
	}) != nil
}

// makesCall is makesCalls for the one call of the time before tools.
func makesCall(raw []byte) bool {
	if !says(raw) {
		return false
	}
	var f fragment
	return f.function(raw) != nil || f.says()
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

// isSyntax reports whether an error is about JSON and not about meaning.
func isSyntax(err error) bool {
	var s *jsonx.SyntaxError
	return errors.As(err, &s)
}

var doneMark = []byte("[DONE]")

func isDone(data []byte) bool { return bytes.Equal(bytes.TrimSpace(data), doneMark) }
