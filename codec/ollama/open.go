package ollama

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// OpenRequest implements codec.Server. It looks at the top level only: the
// messages are read when somebody asks for the canonical body. A request without
// messages, or without a prompt, is one to load or unload the model.
func (ollama) OpenRequest(op weir.Operation, w *weir.Wire) (*weir.Request, error) {
	if op != weir.Generate && op != weir.Embed {
		return nil, weir.Errorf(weir.KindInvalid, "Ollama has no operation %s", op)
	}
	w.Protocol = protocol
	top, err := codec.ScanTop(w)
	if err != nil {
		return nil, err
	}
	req := weir.NewWireRequest(w, func() (*weir.Body, error) { return decodeBody(op, w) })
	req.Op = op
	var r reader
	if raw := top.Get(w.Body, "model"); says(raw) {
		req.Model = r.Str("model", raw)
	}
	if req.Model == "" && r.Err == nil {
		return nil, weir.Invalid("model", "model is required")
	}
	if raw := top.Get(w.Body, "messages"); says(raw) && jsonx.KindOf(raw) != jsonx.KindArray {
		r.wrong("messages", "an array", raw)
	}
	if op == weir.Generate {
		req.Stream = true // unless the client says otherwise
		if raw := top.Get(w.Body, "stream"); says(raw) {
			on := r.Bool("stream", raw)
			req.Stream = on != nil && *on
		}
	}
	return req, r.Err
}
