package openaicompletions

import (
	"net/http"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// EncodeRequest implements codec.Client. A request of this protocol keeps its bytes
// but for the edits below; one that has been edited is written anew and gets the
// same edits. A conversation of another protocol is refused with KindUnsupported.
func (completions) EncodeRequest(req *weir.Request, target *codec.Target) (*codec.Call, error) {
	if req.Op != weir.Generate {
		return nil, weir.Errorf(weir.KindUnsupported, "completions has no operation %s", req.Op)
	}
	call := &codec.Call{Path: path, Stream: req.Stream}
	if target.Quirks.CompletionsPath != "" {
		call.Path = target.Quirks.CompletionsPath
	}
	w, losses := req.Wire, codec.Losses(nil)
	if w == nil || w.Protocol != protocol {
		body, err := req.Body()
		if err != nil {
			return nil, err
		}
		out := writer{body: body}
		if err := out.request(target.Model); err != nil {
			return nil, err
		}
		w, losses = &weir.Wire{Protocol: protocol, Body: out.B, Header: body.Header}, out.losses
	}
	call.Header = passedOn(w.Header)
	e, err := codec.NewEditor(w)
	if err != nil {
		return nil, err
	}
	e.Losses = losses
	edit(e, req, target)
	if err := e.Losses.Refuse(req.Strict); err != nil {
		return nil, err
	}
	call.Losses = e.Losses
	call.Body, err = e.Body()
	return call, err
}

// edit makes the changes that the target demands.
func edit(e *codec.Editor, req *weir.Request, target *codec.Target) {
	q := target.Quirks
	e.Set("model", jsonx.AppendString(nil, target.Model))
	e.Stream(req.Stream)
	e.StreamUsage(req.Stream, q)
	e.AtMost("max_tokens", target.MaxOutput, "brought down to the model's limit of output tokens")
	e.Clamp("temperature", q.TemperatureMin, q.TemperatureMax)
	e.Clamp("top_p", nil, q.TopPMax)
	e.Shorten("stop", q.MaxStop, "the target takes fewer stop sequences")
	e.Params(q)
}

// passedOn are the client's headers that go on to an upstream, nil for none.
func passedOn(from http.Header) http.Header {
	var out http.Header
	for _, name := range (completions{}).RequestHeaders() {
		if values := from[name]; len(values) > 0 {
			if out == nil {
				out = http.Header{}
			}
			out[name] = values
		}
	}
	return out
}
