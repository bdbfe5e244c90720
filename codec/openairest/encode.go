package openairest

import (
	"net/http"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// EncodeRequest implements codec.Client. Of a request that is relayed nothing is
// touched but the model's name, where it says one, and what the quirks name. One of
// another protocol is refused with KindUnsupported, but for embeddings.
func (rest) EncodeRequest(req *weir.Request, target *codec.Target) (*codec.Call, error) {
	if !speaks(req.Op) {
		return nil, weir.Errorf(weir.KindUnsupported, "OpenAI's other endpoints have no operation %s", req.Op)
	}
	w := req.Wire
	if w == nil || w.Protocol != protocol {
		if req.Op == weir.Embed {
			return encodeEmbed(req, target)
		}
		e := weir.Errorf(weir.KindUnsupported, "%s can be sent on only as received, to an upstream of the client's own protocol", req.Op)
		e.Hint = "ask for a model whose provider speaks this protocol"
		return nil, e
	}
	path, err := resource(req.Op, w.Path)
	if err != nil {
		return nil, err
	}
	call := &codec.Call{Method: w.Method, Path: path, Query: w.Query, Header: headerFor(w), Stream: req.Stream}
	switch {
	case formOf(w) == formJSON && !passesUnread(req.Op, w):
		err = jsonBody(call, req, target)
	case formOf(w) == formMultipart:
		call.Body, err = formBody(w, target.Model)
	case len(w.Body) > 0:
		call.Body = [][]byte{w.Body}
	}
	if err != nil {
		return nil, err
	}
	return call, nil
}

// jsonBody makes the body of a call in JSON.
func jsonBody(call *codec.Call, req *weir.Request, target *codec.Target) error {
	e, err := codec.NewEditor(req.Wire)
	if err != nil {
		return err
	}
	return finishJSON(call, e, req, target)
}

// finishJSON makes the edits that the target demands.
func finishJSON(call *codec.Call, e *codec.Editor, req *weir.Request, target *codec.Target) error {
	if e.Get("model") != nil && target.Model != "" {
		e.Set("model", jsonx.AppendString(nil, target.Model))
	}
	e.Params(target.Quirks)
	if err := e.Losses.Refuse(req.Strict); err != nil {
		return err
	}
	var err error
	call.Losses = e.Losses
	call.Body, err = e.Body()
	return err
}

// formBody is a form with another model, in pieces of the one that was received.
func formBody(w *weir.Wire, model string) ([][]byte, error) {
	found, err := scanForm(w)
	if err != nil {
		return nil, err
	}
	m := found.model
	if !m.ok || model == "" {
		return [][]byte{w.Body}, nil
	}
	return [][]byte{w.Body[:m.from], []byte(model), w.Body[m.to:]}, nil
}

// headerFor are the headers that go on, with the type of the body where it is not
// simply JSON.
func headerFor(w *weir.Wire) http.Header {
	out := passedOn(w.Header)
	if len(w.Body) > 0 && w.ContentType != "" && (formOf(w) != formJSON || saysJSON(mediaType(w.ContentType))) {
		if out == nil {
			out = http.Header{}
		}
		out["Content-Type"] = []string{w.ContentType}
	}
	return out
}

func passedOn(from http.Header) http.Header {
	var out http.Header
	for _, name := range (rest{}).RequestHeaders() {
		if values := from[name]; len(values) > 0 {
			if out == nil {
				out = http.Header{}
			}
			out[name] = values
		}
	}
	return out
}
