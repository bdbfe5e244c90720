package ollama

import (
	"bytes"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// line is a line of an answer, or a whole one, by its members: slices of it.
type line struct {
	model, created                             []byte
	message                                    []byte // of /api/chat
	response, content, thinking, calls, images []byte
	logprobs                                   []byte
	done, reason                               []byte
	remoteModel, remoteHost                    []byte
}

// sights are the members of a line that make it more than content.
type sights uint8

const (
	sawDone  sights = 1 << iota // done that is true, anywhere
	sawError                    // error, anywhere
	sawCalls                    // tool_calls, anywhere
)

// look finds the members that matter by the bytes alone, at the cost of a jump
// from colon to colon. A quote inside a string is escaped, so that no name is
// found in text; one that is found in another place than it should be only costs a
// closer look.
func look(data []byte) sights {
	var s sights
	for at := 0; ; at++ {
		n := bytes.IndexByte(data[at:], ':')
		if n < 0 {
			return s
		}
		at += n
		name := trimmed(data[:at])
		if len(name) < 6 || name[len(name)-1] != '"' {
			continue
		}
		name = name[:len(name)-1]
		switch name[len(name)-1] {
		case 'e':
			if bytes.HasSuffix(name, []byte(`"done`)) && !bytes.HasPrefix(bytes.TrimLeft(data[at+1:], " \t"), []byte("false")) {
				s |= sawDone
			}
		case 'r':
			if bytes.HasSuffix(name, []byte(`"error`)) {
				s |= sawError
			}
		case 's':
			if bytes.HasSuffix(name, []byte(`"tool_calls`)) {
				s |= sawCalls
			}
		}
	}
}

// isWhole reports whether data begins and ends as an object does. What was cut on
// the way does not, and must not reach a client as a line.
func isWhole(data []byte) bool {
	return len(data) > 3 && data[0] == '{' && data[1] == '"' && data[len(data)-1] == '}'
}

// trimmed is b without the spaces at its end.
func trimmed(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// process makes the events of a line.
func (d *decoder) process(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	s := look(data)
	if d.started && s == 0 && d.relay && isWhole(data) {
		d.content = true
		d.events = append(d.events, weir.Event{Type: weir.EventRelay})
		return nil
	}
	if !d.started || s != 0 {
		if err := jsonx.Valid(data); err != nil {
			return d.fault("malformed: a line of the answer is not the JSON that it should be: %w", err)
		}
	}
	if s&sawError != 0 || !d.started {
		if err := d.failure(data); err != nil {
			return err
		}
	}
	if err := d.read(data); err != nil {
		return d.fault("malformed: a line of the answer is not the JSON that it should be: %w", err)
	}
	if on, _ := jsonx.Bool(d.line.done); on && !d.done {
		return d.finish(data)
	}
	return nil
}

// completion makes the events of a whole answer. Nothing can follow, so that it is
// complete unless it says that it is not.
func (d *decoder) completion(data []byte) error {
	if err := d.read(data); err != nil {
		return d.fault("malformed: the answer is not the JSON that it should be: %w", err)
	}
	switch on, said := jsonx.Bool(d.line.done); {
	case said && !on:
		return d.truncated()
	case d.line.message == nil && d.line.response == nil && !said:
		return d.fault("the answer has no message")
	}
	return d.finish(data)
}

// read takes a line apart and makes the events of its content.
func (d *decoder) read(data []byte) error {
	d.line = line{}
	if err := jsonx.EachMember(data, d.onTop); err != nil {
		return err
	}
	if says(d.line.message) {
		if err := jsonx.EachMember(d.line.message, d.onMessage); err != nil {
			return err
		}
	}
	if !d.started {
		d.begin()
	}
	if d.done {
		return nil // what comes behind the end has no meaning
	}
	if d.relay {
		d.passBy()
		return nil
	}
	return d.add()
}

func (d *decoder) top(key, value []byte) error {
	l := &d.line
	switch string(key) {
	case "model":
		l.model = value
	case "created_at":
		l.created = value
	case "message":
		l.message = value
	case "response":
		l.response, l.content = value, value
	case "thinking":
		l.thinking = value
	case "done":
		l.done = value
	case "done_reason":
		l.reason = value
	case "logprobs":
		l.logprobs = value
	case "remote_model":
		l.remoteModel = value
	case "remote_host":
		l.remoteHost = value
	}
	return nil
}

func (d *decoder) messageMember(key, value []byte) error {
	l := &d.line
	switch string(key) {
	case "content":
		l.content = value
	case "thinking":
		l.thinking = value
	case "tool_calls":
		l.calls = value
	case "images":
		l.images = value
	}
	return nil
}

// begin sends Start, which remembers the endpoint that the answer is from.
func (d *decoder) begin() {
	l := &d.line
	s := &weir.Start{Model: jsonx.StringOr(l.model, ""), From: protocol}
	if t, err := time.Parse(time.RFC3339Nano, jsonx.StringOr(l.created, "")); err == nil {
		s.Created = max(t.Unix(), 0)
	}
	if says(l.remoteModel) {
		s.Extra.Add("remote_model", l.remoteModel)
	}
	if says(l.remoteHost) {
		s.Extra.Add("remote_host", l.remoteHost)
	}
	if l.response != nil {
		s.Extra = append(s.Extra, generated)
	}
	d.started = true
	d.emit(weir.Event{Type: weir.EventStart, Start: s})
}

// generated marks a Start of /api/generate.
var generated = weir.Field{Name: marker, Value: []byte(`"generate"`), Spelling: true}

func (d *decoder) emit(ev weir.Event) {
	d.content = d.content || ev.IsContent()
	d.events = append(d.events, ev)
}

func nonEmpty(raw []byte) bool { return len(raw) > 2 && raw[0] == '"' }

func hasElements(raw []byte) bool {
	return jsonx.KindOf(raw) == jsonx.KindArray && !saysNothing(raw)
}

// passBy stands for content that nobody reads: what it is does not matter, but
// that there was a tool call does (S-05).
func (d *decoder) passBy() {
	l := &d.line
	d.hasCalls = d.hasCalls || hasElements(l.calls)
	if nonEmpty(l.content) || nonEmpty(l.thinking) || hasElements(l.calls) || hasElements(l.images) || hasElements(l.logprobs) {
		d.emit(weir.Event{Type: weir.EventRelay})
	}
}

// add makes the events of a line's content: thinking before text before calls,
// whatever the order of the members.
func (d *decoder) add() error {
	l := &d.line
	if err := d.prose(l.thinking, true); err != nil {
		return err
	}
	if err := d.prose(l.content, false); err != nil {
		return err
	}
	if hasElements(l.logprobs) && jsonx.Valid(l.logprobs) == nil {
		// In the form of Chat, whose tokens are the same (protocols.md §13.13).
		d.emit(weir.Event{Type: weir.EventDelta, Part: weir.PartLogprobs, Index: max(d.open, 0),
			Text: `{"content":` + string(l.logprobs) + `}`})
	}
	if says(l.images) {
		if err := jsonx.EachElement(l.images, d.image); err != nil {
			return err
		}
	}
	if says(l.calls) {
		return jsonx.EachElement(l.calls, d.call)
	}
	return nil
}

// prose adds text to the open block, or ends that and opens another where it is of
// the other kind.
func (d *decoder) prose(raw []byte, thought bool) error {
	if !nonEmpty(raw) {
		return nil // no block opens for nothing (T-09)
	}
	text, err := jsonx.String(raw)
	if err != nil || text == "" {
		return err
	}
	if d.open != notOpen && d.thought != thought {
		d.endProse()
	}
	if d.open == notOpen {
		typ := weir.BlockText
		if thought {
			typ = weir.BlockReasoning
		}
		d.open, d.thought = d.start(&weir.Block{Type: typ}), thought
	}
	d.emit(weir.Event{Type: weir.EventDelta, Index: d.open, Text: text})
	return nil
}

func (d *decoder) endProse() {
	if d.open != notOpen {
		d.emit(weir.Event{Type: weir.EventBlockEnd, Index: d.open})
		d.open = notOpen
	}
}

func (d *decoder) start(b *weir.Block) int32 {
	i := d.blocks
	d.blocks++
	d.emit(weir.Event{Type: weir.EventBlockStart, Index: i, Block: b})
	return i
}

// image reads an image that a model made.
func (d *decoder) image(_ int, raw []byte) error {
	data := jsonx.StringOr(raw, "")
	if data == "" {
		return nil // not an image that anybody could show
	}
	d.endProse()
	i := d.start(&weir.Block{Type: weir.BlockImage, Media: &weir.Media{Data: data, MIME: sniff(data)}})
	d.emit(weir.Event{Type: weir.EventBlockEnd, Index: i})
	return nil
}
