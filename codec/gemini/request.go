package gemini

import (
	"net/http"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// EncodeRequest implements codec.Client. The bytes of a client of this protocol are
// kept but for names of the model and what target's quirks demand; anything else is
// written from the canonical body. Errors are KindInvalid for a conversation that
// the protocol cannot hold, and KindUnsupported for what may not be left out.
func (geminiCodec) EncodeRequest(req *weir.Request, target *codec.Target) (*codec.Call, error) {
	switch req.Op {
	case weir.Generate, weir.CountTokens, weir.Embed:
	default:
		return nil, weir.Errorf(weir.KindUnsupported, "generateContent has no operation %s", req.Op)
	}
	s := sending{req: req, target: target, model: target.Model}
	if s.model == "" {
		s.model = req.Model
	}
	s.model = bareModel(s.model)
	if err := s.prepare(); err != nil {
		return nil, err
	}
	edits, err := s.edits()
	if err != nil {
		return nil, err
	}
	if err := s.losses.Refuse(req.Strict); err != nil {
		return nil, err
	}
	body, err := codec.RelayBody(s.wire, edits)
	if err != nil {
		return nil, err
	}
	return &codec.Call{
		Path: pathOf(s.model, s.method()), Query: s.query(), Header: s.header, Body: body,
		Stream: req.Stream && req.Op == weir.Generate, Losses: s.losses, Names: s.names, Custom: s.custom,
	}, nil
}

// sending is a request on its way to a target.
type sending struct {
	req    *weir.Request
	target *codec.Target
	model  string

	wire   *weir.Wire // the body before the quirks: the client's bytes, or new ones
	own    bool       // wire is the client's
	from   weir.Protocol
	header http.Header
	losses codec.Losses
	names  map[string]string
	custom map[string]bool
	batch  bool // an Embed request was written as batchEmbedContents
}

// prepare decides whether the client's bytes can be kept.
func (s *sending) prepare() error {
	if w := s.req.Wire; w != nil && w.Protocol == protocol {
		rewrite, err := s.mustRewrite(w)
		if err != nil {
			return err
		}
		if !rewrite {
			s.wire, s.own, s.from, s.header = w, true, protocol, passedOn(w.Header)
			return nil
		}
	}
	body, err := s.req.Body()
	if err != nil {
		return err
	}
	s.from = body.From
	if body.From == protocol {
		s.header = passedOn(body.Header)
	} else if err := codec.RefuseThread(body); err != nil {
		return err
	}
	w := newBodyWriter(s.req, body, s.target, s.model)
	if err := w.write(); err != nil {
		return err
	}
	s.wire, s.losses, s.batch = &weir.Wire{Protocol: protocol, Body: w.buf.B}, w.losses, w.batch
	s.names, s.custom = w.names.back(), codec.CustomTools(body, w.names.sent)
	return nil
}

// mustRewrite reports whether the messages have to change, so that the bytes
// cannot be kept. It is looked into only for targets and requests that may need it.
func (s *sending) mustRewrite(w *weir.Wire) (bool, error) {
	if s.req.Op != weir.Generate {
		return false, nil
	}
	top, err := codec.TopOf(w)
	if err != nil {
		return false, err
	}
	calls := top.MayHaveBelow("functionCall") || top.MayHaveBelow("function_call")
	thoughts := top.MayHaveBelow("thought") || top.MayHaveBelow("thoughtSignature") || top.MayHaveBelow("thought_signature")
	switch q := s.target.Quirks; {
	case q.ReasoningReplay == replayNever && thoughts:
		return true, nil
	case calls && generationOf(s.model) >= gen30:
		contents, _ := topGet(top, w.Body, "contents")
		return lacksSignature(contents), nil
	}
	return false, nil
}

// replayNever is a value of Quirks.ReasoningReplay.
const replayNever = "never"

// passedOn are the client's headers that go on to an upstream of this protocol,
// nil for none.
func passedOn(from http.Header) http.Header {
	var out http.Header
	for _, name := range (geminiCodec{}).RequestHeaders() {
		if values := from[name]; len(values) > 0 {
			if out == nil {
				out = http.Header{}
			}
			out[name] = values
		}
	}
	return out
}

// method is what the target is asked for.
func (s *sending) method() string {
	switch {
	case s.req.Op == weir.CountTokens:
		return methodCount
	case s.req.Op == weir.Embed && s.own:
		if m := addressOf(s.wire).method; m != "" {
			return m
		}
		if raw := jsonx.Get(s.wire.Body, "requests"); raw != nil {
			return methodBatch
		}
		return methodEmbed
	case s.req.Op == weir.Embed && s.batch:
		return methodBatch
	case s.req.Op == weir.Embed:
		return methodEmbed
	case s.req.Stream:
		return methodStream
	}
	return methodGenerate
}

// query asks for the framing that the client of this protocol has asked for, so
// that frames can be sent on as they come; for everyone else for an event stream.
func (s *sending) query() string {
	stream := s.req.Stream && s.req.Op == weir.Generate
	query := ""
	if w := s.req.Wire; w != nil && w.Protocol == protocol {
		same := stream == (addressOf(w).method == methodStream)
		if query = passedQuery(w.Query, same); same {
			return query
		}
	}
	switch {
	case !stream:
		return query
	case query == "":
		return "alt=sse"
	}
	return query + "&alt=sse"
}
