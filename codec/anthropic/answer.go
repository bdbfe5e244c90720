package anthropic

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/sse"
)

// defaultMaxBody bounds a whole answer where the Answer does not, in bytes.
const defaultMaxBody = 64 << 20

// Decode implements codec.Client. What the body begins with decides whether it is
// a stream or one JSON text: upstreams answer the one where the other was asked
// for, and do not always say so in the content type.
func (anthropicCodec) Decode(a *codec.Answer) iter.Seq2[weir.Event, error] {
	return func(yield func(weir.Event, error) bool) {
		body, first := codec.NewSource(a.Body)
		defer body.Release()
		if err := body.Err(); first == 0 && err != nil && !errors.Is(err, io.EOF) {
			yield(weir.Event{}, broken(err, a))
			return
		}
		if first == '{' || first == '[' || first == '<' || a.Op == weir.CountTokens || first == 0 && !a.Stream {
			decodeWhole(a, body, yield)
			return
		}
		d := &streamDecoder{answer: a, yield: yield, reader: sse.NewReader(body, a.MaxFrame)}
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

// errorIn is the error that data is in truth, or nil (E-02).
func errorIn(a *codec.Answer, data []byte) *weir.Error {
	var q *codec.Quirks
	if a.Target != nil {
		q = a.Target.Quirks
	}
	e := codec.ErrorIn200(data, q)
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
	return e
}

// fromAnswer makes a block that was read the answer's: its tool has the client's
// name and type, its thinking the name of who made it. The input of a custom tool
// is still wrapped.
func fromAnswer(a *codec.Answer, b *weir.Block) {
	if b.Call != nil {
		if a.Custom[b.Call.Name] {
			b.Call.Type = weir.ToolCustom
		}
		b.Call.Name = toolName(a, b.Call.Name)
	}
	if b.Reasoning != nil && a.Target != nil {
		b.Reasoning.Format = formatOf(a.Target.Provider)
	}
}

// toolName is the client's name of the tool that the upstream calls name.
func toolName(a *codec.Answer, name string) string {
	if own, ok := a.Names[name]; ok {
		return own
	}
	return name
}
