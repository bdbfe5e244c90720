package server

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/gateway"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// An Inquiry is a request that is to be explained and not to be made.
type Inquiry struct {
	// Path is where it would be sent, with its query: "/v1/messages". Empty: what
	// the body looks like.
	Path string
	// Model is asked for in place of the body's; empty is the body's.
	Model string
	// Header may hold labels, x-weir-strict and what belongs to the protocol.
	Header http.Header
	// Principal is who asks, nil for nobody in particular.
	Principal *weir.Principal
	Body      []byte
}

// An Account says what would become of a request.
type Account struct {
	// Path is where the request is taken to be sent, and Assumed why, where the
	// Inquiry did not say.
	Path    string `json:"path"`
	Assumed string `json:"assumed,omitempty"`
	*gateway.Explanation
}

// Explain says what would become of a request, and calls nothing. Errors are
// KindInvalid or KindNotFound for what is no request, and ctx's.
func (s *Server) Explain(ctx context.Context, q *Inquiry) (*Account, error) {
	a := &Account{Path: q.Path}
	if q.Path == "" {
		var err error
		if a.Path, a.Assumed, err = guess(q.Body, q.Model); err != nil {
			return nil, err
		}
	}
	req, err := s.inquire(ctx, q, a.Path)
	if err != nil {
		return nil, err
	}
	a.Explanation, err = s.gateway.Current().Explain(ctx, req)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// inquire opens the request as its face would.
func (s *Server) inquire(ctx context.Context, q *Inquiry, path string) (*weir.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, path, http.NoBody)
	if err != nil {
		return nil, weir.Invalid("path", "the path is none")
	}
	if q.Header != nil {
		r.Header = q.Header
	}
	f := s.faceAt(r.URL.Path)
	if f == nil {
		e := weir.Errorf(weir.KindNotFound, "no requests are sent to %s", bounded(r.URL.Path))
		e.Hint = "say a path such as /v1/chat/completions, /v1/responses, /v1/messages or /v1beta/models/NAME:generateContent"
		return nil, e
	}
	req, err := f.openAs(r, q)
	if err != nil {
		return nil, err
	}
	if err := s.providerFor(req, r); err != nil {
		return nil, err
	}
	if req.Labels, err = labels(r); err != nil {
		return nil, err
	}
	req.Principal = q.Principal
	req.Strict = s.gateway.Current().Strict || r.Header.Get("X-Weir-Strict") == "true"
	return req, nil
}

// openAs opens a body as if it asked for the Inquiry's model.
func (f *face) openAs(r *http.Request, q *Inquiry) (*weir.Request, error) {
	body := q.Body
	if q.Model != "" && f.codec.Protocol() != weir.GeminiGenerate { // whose body names none
		value, err := json.Marshal(q.Model)
		if err != nil {
			return nil, weir.Invalid("model", "the model is no text")
		}
		pieces, err := codec.RelayBody(&weir.Wire{Body: body}, []jsonx.Edit{{Key: "model", Value: value}})
		if err != nil {
			return nil, err
		}
		body = bytes.Join(pieces, nil)
	}
	req, err := f.open(r, body)
	if err == nil && q.Model != "" {
		req = req.Clone()
		req.Model = q.Model
	}
	return req, err
}

// faceAt is what is served at a path, nil when it is nothing that has an answer
// of a model.
func (s *Server) faceAt(path string) *face {
	for _, m := range mounts {
		if slices.Contains(m.paths, path) {
			return s.face(m.protocol, m.op)
		}
	}
	if !strings.Contains(path, "/models/") {
		return nil
	}
	if op, ok := geminiMethods[path[strings.LastIndexByte(path, ':')+1:]]; ok {
		return s.face(weir.GeminiGenerate, op)
	}
	return nil
}
