package gemini

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// Decode implements codec.Client. What the body begins with decides whether it is
// a stream of events, an array that grows or one answer: upstreams answer the one
// where another was asked for.
func (geminiCodec) Decode(a *codec.Answer) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		body, first := codec.NewSource(a.Body)
		defer body.Release()
		if err := body.Err(); first == 0 && err != nil && !errors.Is(err, io.EOF) {
			yield(weir.Event{}, broken(err, a))
			return
		}
		if a.Op != weir.Generate || first == '{' || first == '<' || first == 0 && !a.Stream {
			decodeWhole(a, body, yield)
			return
		}
		var src frameSource
		if first == '[' {
			src = newArraySource(body, a.MaxFrame)
		} else {
			src = newEventSource(body, a.MaxFrame)
		}
		defer src.release()
		d := &streamDecoder{chunks: newChunkDecoder(a, a.Relay && a.Stream), src: src, yield: yield}
		d.run()
	}
}

// broken is why an answer could not be read to its end. The caller's own reasons
// to stop stay as they are.
func broken(err error, a *codec.Answer) error {
	if isCancelled(err) {
		return err
	}
	if own, ok := errors.AsType[*weir.Error](err); ok {
		return own
	}
	return upstreamError(a, "the answer broke off: %w", err)
}

func isCancelled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func upstreamError(a *codec.Answer, format string, args ...any) *weir.Error {
	e := weir.Errorf(weir.KindUpstream, format, args...)
	if a.Target != nil {
		e.Provider = a.Target.Provider
	}
	return e
}

// errorIn is the error that data is in truth, or nil (E-02).
func errorIn(a *codec.Answer, data []byte) *weir.Error {
	e := codec.ErrorIn200(data, quirksOf(a))
	if e == nil {
		return nil
	}
	if a.Target != nil {
		e.Provider = a.Target.Provider
	}
	e.Wire = &weir.ErrorWire{Protocol: protocol, Status: e.Status, ContentType: "application/json", Body: bytes.Clone(data)}
	if e.RequestID == "" {
		e.RequestID = codec.RequestID(a.Header)
	}
	if e.RetryAfter == 0 {
		e.RetryAfter = retryDelay(data)
	}
	return e
}

func quirksOf(a *codec.Answer) *codec.Quirks {
	if a.Target != nil && a.Target.Quirks != nil {
		return a.Target.Quirks
	}
	return &codec.Quirks{}
}

// decodeWhole reads an answer that is one JSON text. It is one frame.
func decodeWhole(a *codec.Answer, body *codec.Source, yield func(weir.Event, error) bool) {
	limit := a.MaxBody
	if limit <= 0 {
		limit = defaultMax
	}
	raw, err := body.ReadAll(limit)
	var events []weir.Event
	switch {
	case errors.Is(err, codec.ErrTooLong):
		err = upstreamError(a, "the answer is longer than the limit of %d bytes", limit)
	case err != nil:
		err = broken(err, a)
	default:
		events, err = wholeEvents(a, raw)
	}
	if err != nil {
		yield(weir.Event{}, err)
		return
	}
	frame := &weir.Frame{Protocol: protocol, Raw: raw, Events: int32(len(events)), Whole: true}
	for i, ev := range events {
		ev.Frame, ev.FrameSeq, ev.More = frame, int32(i), i+1 < len(events)
		if !yield(ev, nil) {
			return
		}
	}
}

func wholeEvents(a *codec.Answer, raw []byte) ([]weir.Event, error) {
	if err := jsonx.Valid(raw); err != nil {
		return nil, upstreamError(a, "the answer is not valid JSON: %w", err)
	}
	if e := errorIn(a, raw); e != nil {
		return nil, e
	}
	switch a.Op {
	case weir.CountTokens:
		return countEvents(a, raw)
	case weir.Embed:
		return vectorEvents(a, raw)
	}
	d := newChunkDecoder(a, a.Relay && !a.Stream) // where a stream was asked for, the client needs the content
	if err := d.read(raw); err != nil {
		return nil, err
	}
	if err := d.wholeEnd(); err != nil {
		return nil, err
	}
	return d.events, nil
}
