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
	e := editor{req: req, target: target, q: target.Quirks, wire: req.Wire}
	switch w := req.Wire; {
	case w == nil || w.Protocol != protocol || messagesNeedWork(w, target.Quirks):
		if err := e.rewrite(call); err != nil {
			return nil, err
		}
	default:
		call.Header = passedOn(w.Header)
		if target.Quirks.PrefillPath != "" && endsWithAssistant(w) {
			call.Path = target.Quirks.PrefillPath + path
		}
	}
	if err := e.plan(); err != nil {
		return nil, err
	}
	if e.body != nil {
		inClientWords(e.losses, e.body)
	}
	if err := e.losses.Refuse(req.Strict); err != nil {
		return nil, err
	}
	pieces, err := codec.RelayBody(e.wire, e.edits)
	if err != nil {
		return nil, err
	}
	call.Body, call.Losses = pieces, e.losses
	return call, nil
}

// rewrite makes the body to be edited of the canonical one.
func (e *editor) rewrite(call *codec.Call) error {
	body, err := e.req.Body()
	if err != nil {
		return err
	}
	if body.From == protocol {
		call.Header = passedOn(body.Header)
	} else if err := codec.RefuseThread(body); err != nil {
		return err
	}
	out := newWriter(body, e.target)
	written, err := out.body()
	if err != nil {
		return err
	}
	e.body, e.wire = body, &weir.Wire{Protocol: protocol, Body: written}
	e.losses, call.Names = out.losses, out.names.Back()
	if e.q.NoCustomTools {
		call.Custom = codec.CustomTools(body, out.names.Sent)
	}
	if out.prefilled {
		call.Path = e.q.PrefillPath + path
	}
	return nil
}

// asked reports whether a client of another protocol asked for thinking.
func (e *editor) asked() bool {
	if e.body == nil || e.body.From == protocol || e.body.Reasoning == nil {
		return false
	}
	return e.body.Reasoning.Mode != "disabled" && e.body.Reasoning.Effort != "none"
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
