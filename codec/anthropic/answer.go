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
		first, body, err := peek(a.Body)
		if err != nil && err != io.EOF {
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

// peek finds the first byte of src that is not white space, 0 when there is none
// before the end, and gives a reader of everything.
func peek(src io.Reader) (first byte, all io.Reader, err error) {
	var head []byte
	chunk := make([]byte, 4096)
	for {
		n, err := src.Read(chunk)
		head = append(head, chunk[:n]...)
		if rest := bytes.TrimLeft(head, "\ufeff \t\r\n"); len(rest) > 0 {
			return rest[0], io.MultiReader(bytes.NewReader(head), failing{src, err}), nil
		}
		if err != nil || len(head) > 64<<10 {
			return 0, io.MultiReader(bytes.NewReader(head), failing{src, err}), err
		}
	}
}

// failing is src once more, unless it has failed already.
type failing struct {
	src io.Reader
	err error
}

func (f failing) Read(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return f.src.Read(p)
}

// broken is why an answer could not be read to its end. The caller's own reasons
// to stop stay as they are.
func broken(err error, a *codec.Answer) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var own *weir.Error
	if errors.As(err, &own) {
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

// toolName is the client's name of the tool that the upstream calls name.
func toolName(a *codec.Answer, name string) string {
	if own, ok := a.Names[name]; ok {
		return own
	}
	return name
}
