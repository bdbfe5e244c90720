package openaichat

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// OpenRequest implements codec.Server. It looks at the top level only: the
// messages are read when somebody asks for the canonical body.
func (chat) OpenRequest(op weir.Operation, w *weir.Wire) (*weir.Request, error) {
	if op != weir.Generate {
		return nil, weir.Errorf(weir.KindInvalid, "chat completions has no operation %s", op)
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
		req.Stream = on
	}
	return req, openMessages(top.Get(w.Body, "messages"))
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

func openMessages(raw []byte) error {
	switch {
	case raw == nil:
		return weir.Invalid("messages", "messages is required")
	case jsonx.KindOf(raw) != jsonx.KindArray:
		return codec.WrongKind("messages", "an array", raw)
	}
	return nil
}

// wantsUsage reports whether the client asked to see usage in its stream. For a
// request with its bytes the answer is read from the scan of the door, so that
// no body is decoded for it.
func wantsUsage(req *weir.Request) bool {
	if w := req.Wire; w != nil {
		if w.Protocol != protocol {
			return false
		}
		top, err := codec.TopOf(w)
		if err != nil {
			return false
		}
		on, _ := jsonx.Bool(jsonx.Get(top.Get(w.Body, "stream_options"), "include_usage"))
		return on
	}
	body, err := req.Body()
	return err == nil && body.StreamUsage != nil && *body.StreamUsage
}
