package openaicompletions

import (
	"bytes"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// chunk is a chunk, or a whole completion, by its members: slices of the frame.
type chunk struct {
	id, model, created, choices, usage, err []byte
	extra                                   weir.Fields // only of the first one

	// of the choice at hand
	index, text, message, finish, logprobs []byte
	choiceExtra                            []weir.Field // borrowed
	content                                []byte       // of the message
	hasText                                bool
}

// read takes one chunk or completion apart and makes the events of it. A malformed
// one is a *jsonx.SyntaxError; what the upstream reports inside it goes to d.failed.
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

// hasElements reports whether an array or object holds something.
func hasElements(raw []byte) bool {
	if k := jsonx.KindOf(raw); k != jsonx.KindArray && k != jsonx.KindObject {
		return false
	}
	return len(bytes.TrimSpace(raw[1:])) > 1
}

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
	case "object", "obfuscation", "p": // the latter two are padding
	default:
		if !d.started && !d.relay {
			keep(&c.extra, key, value)
		}
	}
	return nil
}

// keep remembers a member that has no word. What is malformed inside is left out
// rather than sent on.
func keep(f *weir.Fields, key, value []byte) {
	if jsonx.Valid(value) == nil && !jsonx.IsNull(value) {
		f.Add(string(key), value)
	}
}

// begin sends Start. A first chunk without id, model and choices does not begin
// anything (W-08).
func (d *decoder) begin() {
	c := &d.chunk
	s := &weir.Start{
		ID:    jsonx.StringOr(c.id, ""),
		Model: jsonx.StringOr(c.model, ""),
		Extra: c.extra,
		From:  protocol,
	}
	s.Created, _ = jsonx.Int64(c.created)
	d.started = true
	d.emit(weir.Event{Type: weir.EventStart, Start: s})
}

func (d *decoder) oneChoice(i int, raw []byte) error {
	c := &d.chunk
	c.index, c.text, c.message, c.finish, c.logprobs, c.content = nil, nil, nil, nil, nil, nil
	c.hasText, c.choiceExtra = false, c.choiceExtra[:0]
	if err := jsonx.EachMember(raw, d.onChoice); err != nil {
		return err
	}
	n, ok := jsonx.Int64(c.index)
	if !ok {
		n = int64(i)
	}
	at := d.at(n)
	at.met = true
	if !c.hasText && says(c.message) {
		if !d.chatty {
			d.chatty, d.relay = true, false // who reads texts cannot be sent these frames
		}
		if err := jsonx.EachMember(c.message, d.onMessage); err != nil {
			return err
		}
	}
	if !at.finished {
		if err := d.add(at); err != nil {
			return err
		}
	}
	return d.finish(at)
}

func (d *decoder) choiceMember(key, value []byte) error {
	c := &d.chunk
	switch string(key) {
	case "index":
		c.index = value
	case "text":
		c.text, c.hasText = value, true
	case "message", "delta": // Together has a delta beside the text
		if says(value) {
			c.message = value
		}
	case "finish_reason":
		c.finish = value
	case "logprobs":
		c.logprobs = value
	case "seed":
	default:
		c.choiceExtra = append(c.choiceExtra, weir.Field{Name: extraName(key), Value: value})
	}
	return nil
}

// extraName is a name as a string; the usual ones cost nothing.
func extraName(key []byte) string {
	switch string(key) {
	case "stop_reason":
		return "stop_reason"
	case "content_filter_results":
		return "content_filter_results"
	case "prompt_logprobs":
		return "prompt_logprobs"
	}
	return string(key)
}

func (d *decoder) messageMember(key, value []byte) error {
	if string(key) == "content" {
		d.chunk.content = value
	}
	return nil
}

// add makes the events of what a choice adds, or stands one event for it where
// nobody reads it.
func (d *decoder) add(c *choice) error {
	text := d.chunk.text
	if d.chatty && !d.chunk.hasText {
		text = d.chunk.content
	}
	if d.relay {
		if n := len(d.events); nonEmpty(text) && (n == 0 || d.events[n-1].Type != weir.EventRelay) {
			d.emit(weir.Event{Type: weir.EventRelay, Choice: c.n})
		}
		return nil
	}
	if err := d.addText(c, text); err != nil {
		return err
	}
	if p := d.chunk.logprobs; hasElements(p) && jsonx.Valid(p) == nil {
		d.emit(weir.Event{Type: weir.EventDelta, Part: weir.PartLogprobs, Choice: c.n, Text: string(p)})
	}
	return nil
}

// addText reads a text: a string, or Mistral's list of parts.
func (d *decoder) addText(c *choice, raw []byte) error {
	switch jsonx.KindOf(raw) {
	case jsonx.KindString:
		s, err := jsonx.String(raw)
		if err != nil {
			return err
		}
		d.text(c, s)
	case jsonx.KindArray:
		return jsonx.EachElement(raw, func(_ int, part []byte) error {
			d.text(c, jsonx.StringOr(jsonx.Get(part, "text"), ""))
			return nil
		})
	}
	return nil
}

// usage reads usage. Totals are cumulative: the last counts.
func (d *decoder) usage() {
	raw := d.chunk.usage
	if !hasElements(raw) || jsonx.KindOf(raw) != jsonx.KindObject {
		return
	}
	if !d.started {
		d.begin()
	}
	d.emit(weir.Event{Type: weir.EventUsage, Usage: codec.ReadOpenAIUsage(raw, protocol, d.q.ReasoningOnTop)})
}

// finishReasons are the words of the vendors (OpenAPI 2.3.0; recordings of Together;
// vLLM). "abort" is vLLM's for a request that was given up.
var finishReasons = map[string]weir.FinishReason{
	"stop": weir.FinishStop, "eos": weir.FinishStop, "length": weir.FinishLength,
	"model_length": weir.FinishContextWindow, "content_filter": weir.FinishContentFilter,
	"error": weir.FinishError, "abort": weir.FinishError, "insufficient_system_resource": weir.FinishError,
}

// finish reads the finish reason of the choice at hand. An empty or missing one is
// none yet; after the first, the same again is no news.
func (d *decoder) finish(c *choice) error {
	native := jsonx.StringOr(d.chunk.finish, "")
	if native == "" || c.finished {
		return nil
	}
	reason, known := finishReasons[native]
	if mapped, ok := d.q.FinishReasons[native]; ok {
		reason, known = weir.FinishReason(mapped), true
	}
	if !known {
		reason = weir.FinishOther
	}
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
		keep(&f.Extra, []byte(x.Name), x.Value)
	}
	d.close(c, f)
	return nil
}

// clean keeps a vendor's word fit for an error message.
func clean(s string) string { return strings.ToValidUTF8(s[:min(len(s), 64)], "") }
