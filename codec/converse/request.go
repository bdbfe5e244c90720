package converse

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// EncodeRequest implements codec.Client. The bytes of a client of this protocol
// are kept but for what target's quirks demand, the model's name standing in the
// path; anything else is written from the canonical body. Errors are KindInvalid
// for a conversation that the protocol cannot hold, and KindUnsupported for what
// may not be left out.
func (converseCodec) EncodeRequest(req *weir.Request, target *codec.Target) (*codec.Call, error) {
	if req.Op != weir.Generate && req.Op != weir.CountTokens {
		return nil, weir.Errorf(weir.KindUnsupported, "Converse has no operation %s", req.Op)
	}
	call := newCall(req, target)
	w, losses, err := wireFor(req, target, call)
	if err != nil {
		return nil, err
	}
	edits, err := edits(w, req, target, &losses)
	if err != nil {
		return nil, err
	}
	if err := inClientWords(losses, w, req); err != nil {
		return nil, err
	}
	if err := losses.Refuse(req.Strict); err != nil {
		return nil, err
	}
	if call.Body, err = codec.RelayBody(w, edits); err != nil {
		return nil, err
	}
	if req.Op == weir.CountTokens && w != req.Wire {
		call.Body = slices.Concat([][]byte{[]byte(`{"input":{"converse":`)}, call.Body, [][]byte{[]byte(`}}`)})
	}
	call.Losses = losses
	return call, nil
}

// inClientWords tells losses in the words of whoever wrote the request.
func inClientWords(losses codec.Losses, w *weir.Wire, req *weir.Request) error {
	if len(losses) == 0 {
		return nil
	}
	if w == req.Wire {
		codec.InClientWords(losses, protocol)
		return nil
	}
	body, err := req.Body()
	if err == nil {
		codec.InClientWords(losses, body.From)
	}
	return err
}

func newCall(req *weir.Request, target *codec.Target) *codec.Call {
	call := &codec.Call{}
	name, model := callConverse, modelOf(req, target)
	switch {
	case req.Op == weir.CountTokens:
		name, model = callCount, foundationOf(model)
	case req.Stream:
		name, call.Stream = callStream, true
		call.Header = http.Header{"Accept": {streamType}}
	}
	call.Path = callPath(model, name)
	return call
}

func modelOf(req *weir.Request, target *codec.Target) string {
	if target.Model != "" {
		return target.Model
	}
	return req.Model
}

// wireFor is the body before the quirks: the client's bytes, or new ones. It sets
// what the answer has to be read with.
func wireFor(req *weir.Request, target *codec.Target, call *codec.Call) (*weir.Wire, codec.Losses, error) {
	if req.Wire != nil && req.Wire.Protocol == protocol {
		keep, err := keepsBytes(req, target.Quirks)
		if err != nil || keep {
			return req.Wire, nil, err
		}
	}
	body, err := req.Body()
	if err != nil {
		return nil, nil, err
	}
	same := body.From == protocol
	if !same {
		if err := codec.RefuseThread(body); err != nil {
			return nil, nil, err
		}
	}
	model := modelOf(req, target)
	e := &bodyEncoder{req: req, body: body, target: target, q: target.Quirks, model: model, vendor: vendorOf(model), paths: codec.NewPaths(body), same: same}
	if err := e.encode(); err != nil {
		return nil, nil, err
	}
	call.Names, call.Custom = e.names.Back(), codec.CustomTools(body, e.names.Sent)
	return &weir.Wire{Protocol: protocol, Body: e.buf.B}, e.losses, nil
}

// keepsBytes reports whether the client's bytes can go up: what is to be counted
// has to come as such, and no quirk may reach into the messages. The body is
// decoded only for targets with such quirks.
func keepsBytes(req *weir.Request, q *codec.Quirks) (bool, error) {
	if req.Op == weir.CountTokens {
		top, err := codec.TopOf(req.Wire)
		return err == nil && top.Has("input"), err
	}
	if q.ReasoningReplay != replayNever && !q.StrictAlternation && !q.SystemFirst {
		return true, nil
	}
	body, err := req.Body()
	if err != nil {
		return false, err
	}
	for i := range body.Messages {
		m := &body.Messages[i]
		late := i > 0 && m.Role == weir.RoleSystem && m.At != atSystem
		again := i > 0 && m.Role == body.Messages[i-1].Role && m.Role != weir.RoleSystem
		if q.SystemFirst && late || q.StrictAlternation && again || q.ReasoningReplay == replayNever && thinks(m.Blocks) {
			return false, nil
		}
	}
	return true, nil
}

func thinks(blocks []weir.Block) bool {
	return slices.ContainsFunc(blocks, func(b weir.Block) bool { return b.Type == weir.BlockReasoning })
}

// Values of Quirks.ReasoningReplay.
const (
	replayNever     = "never"
	replayToolTurns = "tool_turns"
)

// DecodeError implements codec.Client. The type of an error stands in a header,
// which codec.ParseError reads.
func (converseCodec) DecodeError(status int, header http.Header, body []byte, target *codec.Target) *weir.Error {
	e := codec.ParseError(status, header, body, target.Quirks)
	e.Provider = target.Provider
	e.Wire = &weir.ErrorWire{
		Protocol: protocol, Status: status, ContentType: header.Get("Content-Type"), Body: bytes.Clone(body),
	}
	refine(e)
	return e
}

// refine reads what Bedrock says in words only: whether it is a model that is
// missing, and that a model's tokens cannot be counted (C-05).
func refine(e *weir.Error) {
	switch text := strings.ToLower(e.Message); {
	case e.Kind == weir.KindNotFound && (strings.Contains(text, "model") || strings.Contains(text, "inference profile")):
		e.Kind = weir.KindModelNotFound
	case e.Kind == weir.KindInvalid && strings.Contains(text, "support counting tokens"):
		e.Kind = weir.KindUnsupported
	}
}
