package ollama

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// defaultMax bounds bodies and lines where the Answer names no bound, bytes.
const defaultMax = 64 << 20

// Decode implements codec.Client. A stream and a whole answer both begin with a
// brace, so that what was asked and the content type decide between them; where
// they are wrong, the first line tells.
func (ollama) Decode(a *codec.Answer) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		d := newDecoder(a)
		src, first := codec.NewSource(a.Body)
		defer src.Release()
		if err := src.Err(); first == 0 && err != nil && !errors.Is(err, io.EOF) {
			yield(weir.Event{}, d.broken(err))
			return
		}
		typ := a.Header.Get("Content-Type")
		switch {
		case first == '<':
			d.page(src, yield)
		case a.Op == weir.Embed, first != '{', !a.Stream && !strings.Contains(typ, "ndjson"):
			d.whole(src, yield)
		default:
			d.stream(src, yield)
		}
	}
}

// decoder is the state of reading one answer.
type decoder struct {
	answer *codec.Answer
	q      *codec.Quirks
	relay  bool // content flows by as EventRelay
	twin   twin // of the line before

	started  bool // EventStart was sent
	content  bool // something that the client would see was sent
	done     bool
	hasCalls bool
	mapped   bool  // the current line holds what was mapped back: a name, a wrapped input
	failed   error // what the current line ends the answer with, after its events

	blocks  int32 // started so far
	calls   int   // so far
	open    int32 // the block of text or thinking that is open, notOpen when none is
	thought bool  // the open block is thinking

	line   line
	events []weir.Event // of the current line
	first  [5]weir.Event
	frame  weir.Frame

	// The callbacks, bound once: a closure for every line would be garbage.
	onTop, onMessage func(key, value []byte) error
}

const notOpen = -1

func newDecoder(a *codec.Answer) *decoder {
	d := &decoder{answer: a, q: a.Target.Quirks, open: notOpen}
	d.relay = a.Relay && len(a.Names)+len(a.Custom) == 0
	d.events = d.first[:0]
	d.onTop, d.onMessage = d.top, d.messageMember
	return d
}

// stream reads an answer in lines. Every line becomes at least one Event that
// carries it, so that the lines together are the answer.
func (d *decoder) stream(src io.Reader, yield func(weir.Event, error) bool) {
	d.relay = d.relay && d.answer.Stream // lines are of no use to a client that asked for one body
	l := newLines(src, orDefault(d.answer.MaxFrame))
	defer l.release()
	for {
		raw, err := l.next()
		if err != nil {
			d.end(err, yield)
			return
		}
		data := bytes.TrimSpace(raw)
		if !d.started && len(data) > 0 && jsonx.Valid(data) != nil {
			d.unlined(l, raw, yield)
			return
		}
		if !d.deliver(raw, data, l, yield) {
			return
		}
	}
}

// unlined reads an answer whose first line is no JSON by itself: one body over
// several lines, as a proxy may write it.
func (d *decoder) unlined(l *lines, line []byte, yield func(weir.Event, error) bool) {
	limit := orDefault(d.answer.MaxBody)
	body, long, err := l.rest(line, limit)
	switch {
	case err != nil:
		yield(weir.Event{}, d.broken(err))
	case long:
		yield(weir.Event{}, d.tooLong(limit))
	default:
		d.body(body, yield)
	}
}

func orDefault(limit int) int {
	if limit <= 0 {
		return defaultMax
	}
	return limit
}

// deliver yields the events of one line and reports whether to go on.
func (d *decoder) deliver(raw, data []byte, l *lines, yield func(weir.Event, error) bool) bool {
	if !d.relay && d.again(data) {
		return d.hand(raw, l, yield)
	}
	d.events, d.mapped = d.events[:0], false
	if err := d.process(data); err != nil {
		if raw[len(raw)-1] != '\n' && jsonx.Valid(data) != nil {
			err = d.truncated() // the source ended in the middle of it
		}
		yield(weir.Event{}, err)
		return false
	}
	if !d.relay {
		d.remember(data)
	}
	if len(d.events) == 0 && d.failed == nil {
		d.events = append(d.events, weir.Event{Type: d.filler(data)})
	}
	return d.hand(raw, l, yield)
}

// hand yields what was made of a line.
func (d *decoder) hand(raw []byte, l *lines, yield func(weir.Event, error) bool) bool {
	d.frame = weir.Frame{Protocol: protocol, Raw: raw, Events: int32(len(d.events))}
	return d.flush(l.more, yield)
}

// filler is the event of a line that says nothing. Ahead of the answer it must not
// be taken for its beginning.
func (d *decoder) filler(data []byte) weir.EventType {
	if !d.content || len(data) == 0 {
		return weir.EventPing
	}
	return weir.EventRelay
}

// flush yields what was made of the current frame.
func (d *decoder) flush(more func() bool, yield func(weir.Event, error) bool) bool {
	last := len(d.events) - 1
	for i := range d.events {
		ev := &d.events[i]
		if !d.mapped && d.failed == nil {
			ev.Frame, ev.FrameSeq = &d.frame, int32(i)
		}
		ev.More = i < last || more()
		if !yield(*ev, nil) {
			return false
		}
	}
	if d.failed != nil {
		yield(weir.Event{}, d.failed)
	}
	return d.failed == nil
}

// end judges the end of a stream: complete with done, else cut (W-05).
func (d *decoder) end(err error, yield func(weir.Event, error) bool) {
	switch {
	case d.done:
	case !errors.Is(err, io.EOF):
		yield(weir.Event{}, d.broken(err))
	case !d.started:
		yield(weir.Event{}, d.fault("the upstream sent an empty answer"))
	default:
		yield(weir.Event{}, d.truncated())
	}
}

// whole reads an answer that is one JSON body.
func (d *decoder) whole(src *codec.Source, yield func(weir.Event, error) bool) {
	limit := orDefault(d.answer.MaxBody)
	body, err := src.ReadAll(limit)
	switch {
	case errors.Is(err, codec.ErrTooLong):
		yield(weir.Event{}, d.tooLong(limit))
	case err != nil:
		yield(weir.Event{}, d.broken(err))
	case d.answer.Op == weir.Embed:
		d.body(src.Keep(body), yield) // the vectors point into it
	default:
		d.body(body, yield)
	}
}

// body yields the events of a whole answer; or of several lines, from an upstream
// that streams without being asked.
func (d *decoder) body(body []byte, yield func(weir.Event, error) bool) {
	data := bytes.TrimSpace(body)
	first, _, several := bytes.Cut(data, []byte("\n"))
	valid := jsonx.Valid(data)
	switch {
	case len(data) == 0:
		yield(weir.Event{}, d.fault("the upstream sent an empty answer"))
		return
	case valid != nil && several && d.answer.Op != weir.Embed && jsonx.Valid(first) == nil:
		d.stream(bytes.NewReader(body), yield)
		return
	case valid != nil:
		yield(weir.Event{}, d.fault("malformed: the answer is not the JSON that it should be: %w", valid))
		return
	}
	d.relay = d.relay && !d.answer.Stream // where a stream was asked for, content is needed in Events
	err := d.failure(data)
	switch {
	case err != nil:
	case d.answer.Op == weir.Embed:
		err = d.vectors(data)
	default:
		err = d.completion(data)
	}
	if err != nil {
		yield(weir.Event{}, err)
		return
	}
	if d.failed != nil { // then nothing is shown of it, and another attempt may be made
		d.events = slices.DeleteFunc(d.events, func(ev weir.Event) bool { return ev.IsContent() })
	}
	d.frame = weir.Frame{Protocol: protocol, Raw: body, Events: int32(len(d.events)), Whole: true}
	d.flush(func() bool { return false }, yield)
}

// page is the error of an answer that is an HTML page with status 200.
func (d *decoder) page(src io.Reader, yield func(weir.Event, error) bool) {
	body, _ := io.ReadAll(io.LimitReader(src, 64<<10))
	e := codec.ParseError(200, d.answer.Header, body, d.q)
	e.Kind, e.Provider = weir.KindUpstream, d.answer.Target.Provider
	yield(weir.Event{}, e)
}

// broken is why an answer could not be read to its end. The caller's own reasons
// to stop stay as they are.
func (d *decoder) broken(err error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, errLineTooLong):
		return d.tooLong(orDefault(d.answer.MaxFrame))
	case errors.Is(err, io.ErrUnexpectedEOF):
		return d.truncated()
	}
	if own, ok := errors.AsType[*weir.Error](err); ok {
		return own
	}
	return d.fault("the connection broke in the middle of the answer: %w", err)
}

func (d *decoder) tooLong(limit int) *weir.Error {
	e := d.fault("the answer, or a line of it, is longer than the limit of %d bytes", limit)
	e.Hint = "raise the limit for answers"
	return e
}

func (d *decoder) fault(format string, args ...any) *weir.Error {
	e := weir.Errorf(weir.KindUpstream, format, args...)
	e.Provider = d.answer.Target.Provider
	return e
}

func (d *decoder) truncated() *weir.Error {
	e := d.fault("the answer was truncated: it ended without a line that says done")
	e.Code = "truncated"
	return e
}

// failure is the error that data is in truth, nil when it is none (E-02).
func (d *decoder) failure(data []byte) error {
	e := codec.ErrorIn200(data, d.q)
	if e == nil {
		return nil
	}
	e.Provider = d.answer.Target.Provider
	refine(e)
	e.Wire = &weir.ErrorWire{Protocol: protocol, Status: e.Status, ContentType: "application/json", Body: bytes.Clone(data)}
	if e.RequestID == "" {
		e.RequestID = codec.RequestID(d.answer.Header)
	}
	return e
}
