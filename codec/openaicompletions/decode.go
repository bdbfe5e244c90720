package openaicompletions

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/internal/sse"
)

// defaultMax bounds bodies and frames where the Answer names no bound, bytes.
const defaultMax = 64 << 20

// Decode implements codec.Client. What an answer looks like decides how it is read:
// upstreams answer with JSON where a stream was asked for, and the other way round.
func (completions) Decode(a *codec.Answer) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		d := newDecoder(a.Target)
		src, first := codec.NewSource(a.Body)
		defer src.Release()
		switch {
		case first == '<':
			d.page(src, a, yield)
		case first != '{' && first != '[' && isStream(a, first):
			d.relay = a.Relay && a.Stream
			d.stream(src, a.MaxFrame, yield)
		default:
			d.whole(src, a.MaxBody, yield)
		}
	}
}

// isStream tells by the content type, or where it says nothing by what was asked,
// whether an answer that does not begin with a brace is a stream.
func isStream(a *codec.Answer, first byte) bool {
	typ := a.Header.Get("Content-Type")
	switch {
	case strings.HasPrefix(typ, "text/event-stream"), first == ':', first == 'd', first == 'e', first == 'i':
		return true
	case strings.Contains(typ, "json"):
		return false
	}
	return a.Stream
}

// page is the error of an answer that is an HTML page with status 200.
func (d *decoder) page(src io.Reader, a *codec.Answer, yield func(weir.Event, error) bool) {
	body, _ := io.ReadAll(io.LimitReader(src, 64<<10))
	e := codec.ParseError(200, a.Header, body, d.q)
	e.Kind, e.Provider = weir.KindUpstream, d.provider
	yield(weir.Event{}, e)
}

// failure is an error of reading as the last pair of a sequence has it.
func (d *decoder) failure(err error) error {
	var long *sse.TooLongError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &long):
		e := d.broken("an event of the stream is longer than %d bytes", long.Limit)
		e.Hint = "raise the limit for one event of a stream"
		return e
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return d.truncated()
	}
	return d.broken("the connection broke in the middle of the answer: %w", err)
}

func (d *decoder) broken(format string, args ...any) *weir.Error {
	e := weir.Errorf(weir.KindUpstream, format, args...)
	e.Provider = d.provider
	return e
}

// truncated is the error of an answer that ends before it says so (W-05).
func (d *decoder) truncated() *weir.Error {
	e := d.broken("the answer was truncated: the stream ended without a finish reason")
	e.Code = "truncated"
	return e
}

func (d *decoder) empty() *weir.Error {
	return d.broken("the upstream ended its answer without a choice")
}

// disguised is the error that a frame or body of status 200 holds, with the bytes
// for a client of this protocol; nil when it holds none (E-02).
func (d *decoder) disguised(data []byte) *weir.Error {
	e := codec.ErrorIn200(data, d.q)
	if e != nil {
		d.own(e, data)
	}
	return e
}

// own completes an error that the upstream sent in its answer.
func (d *decoder) own(e *weir.Error, data []byte) {
	e.Provider = d.provider
	e.Wire = &weir.ErrorWire{Protocol: protocol, Status: e.Status, ContentType: "application/json", Body: bytes.Clone(data)}
}

// says reports whether a member is there and not null.
func says(raw []byte) bool { return len(raw) > 0 && !jsonx.IsNull(raw) }
