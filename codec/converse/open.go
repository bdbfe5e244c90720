package converse

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// OpenRequest implements codec.Server. The path says the model and whether the
// answer is to be a stream; of the body it looks at messages only, which are
// absent where a prompt of Bedrock is called by its id. Everything else is checked
// when the canonical body is decoded.
func (converseCodec) OpenRequest(op weir.Operation, w *weir.Wire) (*weir.Request, error) {
	w.Protocol = protocol
	model, call, err := splitPath(w.Path)
	if err != nil {
		return nil, err
	}
	top, err := codec.ScanTop(w)
	if err != nil {
		return nil, err
	}
	req := weir.NewWireRequest(w, func() (*weir.Body, error) { return decodeBody(op, model, w) })
	req.Op, req.Model = op, model
	req.Stream = op == weir.Generate && call == callStream
	if op == weir.CountTokens {
		return req, checkCount(top.Get(w.Body, "input"))
	}
	root := path{}
	messages := root.Key("messages")
	if raw := top.Get(w.Body, "messages"); raw != nil && !jsonx.IsNull(raw) && jsonx.KindOf(raw) != jsonx.KindArray {
		return nil, messages.Wrong("an array of messages", raw)
	}
	return req, nil
}

// checkCount looks at what is to be counted.
func checkCount(input []byte) error {
	root := path{}
	at := root.Key("input")
	if jsonx.KindOf(input) != jsonx.KindObject {
		return at.Wrong("an object with converse or invokeModel", input)
	}
	return nil
}

// countedBody is the conversation of a CountTokens request. A body of InvokeModel,
// which is in its model's own protocol, can only be sent on as it is.
func countedBody(body []byte) ([]byte, error) {
	root := path{}
	input := root.Key("input")
	converse := input.Key("converse")
	raw := jsonx.GetPath(body, "input", "converse")
	if raw == nil && jsonx.GetPath(body, "input", "invokeModel") != nil {
		e := weir.Errorf(weir.KindUnsupported, "input.invokeModel is in the words of its model, which only Bedrock can count")
		e.Param, e.Hint = "input.invokeModel", "send the conversation as input.converse"
		return nil, e
	}
	if jsonx.KindOf(raw) != jsonx.KindObject {
		return nil, converse.Wrong("an object", raw)
	}
	return raw, nil
}
