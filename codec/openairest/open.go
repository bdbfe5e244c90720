package openairest

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// form is what a body is made of.
type form uint8

const (
	formNone form = iota // no body
	formJSON             // a JSON object
	formMultipart
	formOther // anything else: sent on unread
)

// formOf tells by the content type what a body is. What curl and browsers send where
// nobody said a type is JSON where it looks like it.
func formOf(w *weir.Wire) form {
	if len(w.Body) == 0 {
		return formNone
	}
	switch typ := mediaType(w.ContentType); {
	case typ == "multipart/form-data":
		return formMultipart
	case saysJSON(typ):
		return formJSON
	case typ == "", typ == "application/x-www-form-urlencoded", typ == "text/plain":
		if jsonx.KindOf(w.Body) == jsonx.KindObject {
			return formJSON
		}
	}
	return formOther
}

// mediaType is a content type without its parameters.
func mediaType(typ string) string {
	typ, _, _ = strings.Cut(typ, ";")
	return strings.ToLower(strings.TrimSpace(typ))
}

func saysJSON(typ string) bool { return typ == "application/json" || strings.HasSuffix(typ, "+json") }

// OpenRequest implements codec.Server. Of JSON the top level is looked at, of a form
// the names of its parts; what else there is stays unread.
func (rest) OpenRequest(op weir.Operation, w *weir.Wire) (*weir.Request, error) {
	if !speaks(op) {
		return nil, weir.Errorf(weir.KindInvalid, "this protocol has no operation %s", op)
	}
	if _, err := resource(op, w.Path); err != nil {
		return nil, err
	}
	req := weir.NewWireRequest(w, func() (*weir.Body, error) { return bodyOf(op, w) })
	req.Op = op
	var err error
	switch f := formOf(w); {
	case f == formJSON && !passesUnread(op, w):
		err = openJSON(req)
	case f == formMultipart && op != weir.Embed:
		err = openForm(req)
	case needsModel(op):
		err = weir.Errorf(weir.KindInvalid, "the body of this request is to be JSON (Content-Type: application/json)%s", orForm(op))
	}
	if err != nil {
		return nil, err
	}
	if req.Model == "" && needsModel(op) {
		return nil, weir.Invalid("model", "model is required")
	}
	return req, nil
}

func orForm(op weir.Operation) string {
	if op == weir.Transcribe {
		return " or a form (multipart/form-data)"
	}
	return ""
}

// passesUnread reports whether a JSON body is no object and may be: of what has no
// fixed shape anything is sent on.
func passesUnread(op weir.Operation, w *weir.Wire) bool {
	switch op {
	case weir.Files, weir.Batches, weir.Other:
		return jsonx.KindOf(w.Body) != jsonx.KindObject
	}
	return false
}

// openJSON reads model and stream, and refuses a member that is there twice.
func openJSON(req *weir.Request) error {
	w := req.Wire
	top, err := codec.ScanTop(w)
	if err != nil {
		return err
	}
	var v codec.Values
	if raw := top.Get(w.Body, "model"); raw != nil && !jsonx.IsNull(raw) {
		if req.Model = v.Str("model", raw); req.Model == "" && v.Err == nil {
			return weir.Invalid("model", "model is empty")
		}
	}
	if raw := top.Get(w.Body, "stream"); raw != nil && !jsonx.IsNull(raw) && req.Op != weir.Embed {
		on := v.Bool("stream", raw)
		req.Stream = on != nil && *on
	}
	return v.Err
}

// openForm reads the same of a form.
func openForm(req *weir.Request) error {
	w := req.Wire
	found, err := scanForm(w)
	if err != nil {
		return err
	}
	w.Index = found
	if found.model.ok {
		if req.Model = string(found.model.of(w.Body)); req.Model == "" {
			return weir.Invalid("model", "model is empty")
		}
	}
	if found.stream.ok {
		switch string(found.stream.of(w.Body)) {
		case "true", "1":
			req.Stream = true
		case "false", "0", "":
		default:
			return weir.Invalid("stream", "stream: expected true or false")
		}
	}
	return nil
}

// bodyOf is the canonical body: that of embeddings, and an empty one for what is
// only relayed.
func bodyOf(op weir.Operation, w *weir.Wire) (*weir.Body, error) {
	if op == weir.Embed {
		return decodeEmbed(w)
	}
	return &weir.Body{From: protocol, Header: w.Header}, nil
}
