package converse

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/eventstream"
)

// defaultMaxBody bounds a whole answer where the Answer does not, in bytes.
const defaultMaxBody = 64 << 20

// Decode implements codec.Client. What the body begins with decides whether it is
// a stream or one JSON text: the first byte of a frame is 0, since it is of a
// length.
func (converseCodec) Decode(a *codec.Answer) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		body, first := codec.NewSource(a.Body)
		defer body.Release()
		stream := a.Stream || strings.HasPrefix(a.Header.Get("Content-Type"), streamType)
		if first != 0 || !stream || a.Op == weir.CountTokens {
			if err := body.Err(); first == 0 && err != nil && !errors.Is(err, io.EOF) {
				yield(weir.Event{}, broken(err, a))
				return
			}
			decodeWhole(a, body, yield)
			return
		}
		d := &streamDecoder{answer: a, yield: yield, reader: eventstream.NewReader(body, a.MaxFrame)}
		defer d.reader.Release()
		d.run()
	}
}

// broken is why an answer could not be read to its end. The caller's own reasons
// to stop stay as they are.
func broken(err error, a *codec.Answer) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if own, ok := errors.AsType[*weir.Error](err); ok {
		return own
	}
	return upstreamError(a, "the answer broke off: %w", err)
}

func upstreamError(a *codec.Answer, format string, args ...any) *weir.Error {
	e := weir.Errorf(weir.KindUpstream, format, args...)
	if a.Target != nil {
		e.Provider = a.Target.Provider
	}
	return e
}

// modelOfAnswer is the id of the model that answered, empty when not known.
func modelOfAnswer(a *codec.Answer) string {
	if a.Target == nil {
		return ""
	}
	return a.Target.Model
}

// fromAnswer gives a call that was read the client's name and type of its tool.
// The input of a custom tool is still wrapped.
func fromAnswer(a *codec.Answer, c *weir.ToolCall) {
	if c == nil {
		return
	}
	if a.Custom[c.Name] {
		c.Type = weir.ToolCustom
	}
	if own, ok := a.Names[c.Name]; ok {
		c.Name = own
	}
}
