package openaichat

import (
	"net/http"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// EncodeRequest implements codec.Client. A request of this protocol keeps its
// bytes but for the edits of edits.go. One whose messages the target would
// refuse, that has been edited, or that comes from another protocol is written
// anew from the canonical body, and then gets the same edits.
func (chat) EncodeRequest(req *weir.Request, target *codec.Target) (*codec.Call, error) {
	if req.Op != weir.Generate {
		return nil, weir.Errorf(weir.KindUnsupported, "chat completions has no operation %s", req.Op)
	}
	call := &codec.Call{Path: path, Stream: req.Stream}
	if req.Wire != nil && req.Wire.Protocol == protocol {
		call.Header = passedOn(req.Wire.Header)
	}
	var losses codec.Losses
	w := req.Wire
	if w == nil || w.Protocol != protocol || messagesNeedWork(w, target.Quirks) {
		body, err := req.Body()
		if err != nil {
			return nil, err
		}
		if body.From == protocol {
			call.Header = passedOn(body.Header)
		}
		out := newWriter(body, target)
		written, err := out.body()
		if err != nil {
			return nil, err
		}
		w = &weir.Wire{Protocol: protocol, Body: written}
		losses, call.Names = out.losses, out.names.Back()
		if out.prefilled {
			call.Path = target.Quirks.PrefillPath + path
		}
	} else if target.Quirks.PrefillPath != "" && endsWithAssistant(w) {
		call.Path = target.Quirks.PrefillPath + path
	}
	e := editor{req: req, target: target, q: target.Quirks, wire: w, losses: losses}
	if err := e.plan(); err != nil {
		return nil, err
	}
	if err := e.losses.Refuse(req.Strict); err != nil {
		return nil, err
	}
	pieces, err := codec.RelayBody(w, e.edits)
	if err != nil {
		return nil, err
	}
	call.Body, call.Losses = pieces, e.losses
	return call, nil
}

// passedOn are the client's headers that go on to an upstream of this protocol,
// nil for none.
func passedOn(from http.Header) http.Header {
	var out http.Header
	for _, name := range (chat{}).RequestHeaders() {
		if values := from[name]; len(values) > 0 {
			if out == nil {
				out = http.Header{}
			}
			out[name] = values
		}
	}
	return out
}
