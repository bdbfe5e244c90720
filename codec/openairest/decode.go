package openairest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// Decode implements codec.Client.
func (rest) Decode(a *codec.Answer) iter.Seq2[weir.Event, error] {
	if a.Op == weir.Embed {
		return func(yield func(weir.Event, error) bool) { decodeVectors(a, yield) }
	}
	return func(yield func(weir.Event, error) bool) {
		r := relay{a: a, yield: yield}
		r.run()
	}
}

// failure is an error of reading as the last pair of a sequence has it. What the
// transport has put into words already stays as it is.
func failure(a *codec.Answer, err error) error {
	if _, said := errors.AsType[*weir.Error](err); said {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		e := broken(a, "the answer was truncated: it ended before its length")
		e.Code = "truncated"
		return e
	}
	return broken(a, "the connection broke in the middle of the answer: %w", err)
}

func broken(a *codec.Answer, format string, args ...any) *weir.Error {
	e := weir.Errorf(weir.KindUpstream, format, args...)
	e.Provider = a.Target.Provider
	return e
}

// disguised is the error that a body of status 2xx is in truth, nil when it is none
// (E-02).
func disguised(a *codec.Answer, body []byte) *weir.Error {
	e := codec.ErrorIn200(body, a.Target.Quirks)
	if e != nil {
		e.Provider = a.Target.Provider
		e.Wire = &weir.ErrorWire{Protocol: protocol, Status: e.Status, ContentType: "application/json", Body: bytes.Clone(body)}
	}
	return e
}
