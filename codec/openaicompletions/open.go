package openaicompletions

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// OpenRequest implements codec.Server. It looks at the top level only: the prompt is
// read when somebody asks for the canonical body.
func (completions) OpenRequest(op weir.Operation, w *weir.Wire) (*weir.Request, error) {
	if op != weir.Generate {
		return nil, weir.Errorf(weir.KindInvalid, "completions has no operation %s", op)
	}
	top, err := codec.ScanTop(w)
	if err != nil {
		return nil, err
	}
	req := weir.NewWireRequest(w, func() (*weir.Body, error) { return decodeBody(w) })
	req.Op = op
	var v codec.Values
	raw := top.Get(w.Body, "model")
	if raw == nil {
		return nil, weir.Invalid("model", "model is required")
	}
	req.Model = v.Str("model", raw)
	if v.Err == nil && req.Model == "" {
		return nil, weir.Invalid("model", "model is empty")
	}
	if raw := top.Get(w.Body, "stream"); raw != nil && !jsonx.IsNull(raw) {
		on := v.Bool("stream", raw)
		req.Stream = on != nil && *on
	}
	return req, v.Err
}

// wantsUsage reports whether the client asked to see usage in its stream. For a
// request with its bytes that is read from the scan of the door, so that no body is
// decoded for it. Mistral shows usage to everybody.
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
		return on || shapeFor(req) == fim
	}
	body, err := req.Body()
	return err == nil && body.StreamUsage != nil && *body.StreamUsage
}
