package openairesponses

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// OpenRequest implements codec.Server. It looks at the top level only: the items
// are read when somebody asks for the canonical body. A count of tokens has the
// same body and is never streamed.
func (responses) OpenRequest(op weir.Operation, w *weir.Wire) (*weir.Request, error) {
	if op != weir.Generate && op != weir.CountTokens {
		return nil, weir.Errorf(weir.KindInvalid, "the Responses API has no operation %s", op)
	}
	top, err := codec.ScanTop(w)
	if err != nil {
		return nil, err
	}
	req := weir.NewWireRequest(w, func() (*weir.Body, error) { return decodeBody(w) })
	req.Op = op
	if req.Model, err = openModel(top.Get(w.Body, "model")); err != nil {
		return nil, err
	}
	if stream := top.Get(w.Body, "stream"); stream != nil && !jsonx.IsNull(stream) {
		on, ok := jsonx.Bool(stream)
		if !ok {
			return nil, codec.WrongKind("stream", "a boolean", stream)
		}
		req.Stream = on && op == weir.Generate
	}
	return req, openInput(top, w.Body)
}

func openModel(raw []byte) (string, error) {
	if raw == nil {
		return "", weir.Invalid("model", "model is required")
	}
	model, err := jsonx.String(raw)
	if err != nil {
		return "", codec.WrongKind("model", "a string", raw)
	}
	if model == "" {
		return "", weir.Invalid("model", "model is empty")
	}
	return model, nil
}

// openInput checks the input, which may be missing where something else says
// what is asked.
func openInput(top *jsonx.Top, body []byte) error {
	raw := top.Get(body, "input")
	switch jsonx.KindOf(raw) {
	case jsonx.KindString, jsonx.KindArray:
		return nil
	case jsonx.KindInvalid, jsonx.KindNull:
		for _, other := range [...]string{"prompt", "previous_response_id", "conversation"} {
			if says(top.Get(body, other)) {
				return nil
			}
		}
		return weir.Invalid("input", "input is required")
	}
	return codec.WrongKind("input", "a string or an array of items", raw)
}

// says reports whether a member is there and not null.
func says(raw []byte) bool { return len(raw) > 0 && !jsonx.IsNull(raw) }
