package openairesponses

import (
	"net/http"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// EncodeRequest implements codec.Client. A request of this protocol keeps its
// bytes but for the edits of edits.go. One that the target would refuse as it
// is, that has been edited, or that comes from another protocol is written anew
// from the canonical body, and then gets the same edits.
func (responses) EncodeRequest(req *weir.Request, target *codec.Target) (*codec.Call, error) {
	call := &codec.Call{Path: path, Stream: req.Stream}
	switch req.Op {
	case weir.Generate:
	case weir.CountTokens:
		call.Path, call.Stream = countPath, false
	default:
		return nil, weir.Errorf(weir.KindUnsupported, "the Responses API has no operation %s", req.Op)
	}
	e := editor{req: req, target: target, q: target.Quirks}
	if err := e.begin(call); err != nil {
		return nil, err
	}
	e.plan()
	if e.foreign {
		inClientWords(e.Losses, e.from)
	}
	if err := e.Losses.Refuse(req.Strict); err != nil {
		return nil, err
	}
	pieces, err := e.Body()
	if err != nil {
		return nil, err
	}
	call.Body, call.Losses = pieces, e.Losses
	return call, nil
}

// begin chooses the body to be edited: the client's bytes, or new ones.
func (e *editor) begin(call *codec.Call) (err error) {
	if w := e.req.Wire; w == nil || w.Protocol != protocol || needsWork(w, e.q) {
		return e.rewrite(call)
	}
	call.Header = passedOn(e.req.Wire.Header)
	e.Editor, err = codec.NewEditor(e.req.Wire)
	return err
}

// rewrite makes the body to be edited of the canonical one.
func (e *editor) rewrite(call *codec.Call) error {
	body, err := e.req.Body()
	if err != nil {
		return err
	}
	e.from, e.foreign = body.From, body.From != protocol
	if !e.foreign {
		call.Header = passedOn(body.Header)
	} else if err := codec.RefuseThread(body); err != nil {
		return err
	}
	out := newWriter(body, e.target)
	out.op = e.req.Op
	written, err := out.body()
	if err != nil {
		return err
	}
	wire := &weir.Wire{Protocol: protocol, Body: written}
	if _, err := codec.ScanTop(wire); err != nil {
		return err
	}
	if e.Editor, err = codec.NewEditor(wire); err != nil {
		return err
	}
	e.Losses = out.losses
	call.Names, call.Custom = out.back()
	return nil
}

// passedOn are the client's headers that go on to an upstream of this protocol,
// nil for none.
func passedOn(from http.Header) http.Header {
	var out http.Header
	for _, name := range (responses{}).RequestHeaders() {
		if values := from[name]; len(values) > 0 {
			if out == nil {
				out = http.Header{}
			}
			out[name] = values
		}
	}
	return out
}
