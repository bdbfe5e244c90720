package server

import (
	"net/http"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/gateway"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// models lists what the caller's key may use, in the shape of the protocol that
// the caller speaks. Every entry carries the members of both shapes, since
// clients mix them (C-07).
func (s *Server) models(w http.ResponseWriter, r *http.Request) {
	if protocolOf(r) == weir.GeminiGenerate {
		s.geminiModels(w, r) // Google's clients ask here when told to use v1
		return
	}
	list, ok := s.allowedModels(w, r)
	if !ok {
		return
	}
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("object", "list")
	b.Key("data")
	b.BeginArray()
	for i := range list {
		s.appendModel(&b, &list[i])
	}
	b.EndArray()
	b.Key("has_more")
	b.Bool(false)
	for _, edge := range []struct {
		key string
		i   int
	}{{"first_id", 0}, {"last_id", len(list) - 1}} {
		b.Key(edge.key)
		if len(list) == 0 {
			b.Null()
			continue
		}
		b.String(list[edge.i].ID)
	}
	b.EndObject()
	writeJSON(w, http.StatusOK, b.B)
}

// model is one entry of the list.
func (s *Server) model(w http.ResponseWriter, r *http.Request) {
	if protocolOf(r) == weir.GeminiGenerate {
		s.geminiModel(w, r)
		return
	}
	if m := s.findModel(w, r, r.PathValue("id")); m != nil {
		var b jsonx.Buffer
		s.appendModel(&b, m)
		writeJSON(w, http.StatusOK, b.B)
	}
}

// findModel is a model that the caller may use; where there is none of that
// name, it has answered already and is nil.
func (s *Server) findModel(w http.ResponseWriter, r *http.Request, id string) *gateway.ModelInfo {
	current, principal, ok := s.mayList(w, r)
	if !ok {
		return nil
	}
	if m, known := current.Model(principal, id); known {
		return &m
	}
	err := weir.Errorf(weir.KindModelNotFound, "there is no model %q, or this key may not use it", bounded(id))
	err.Hint = "GET /v1/models lists them"
	s.writeError(w, protocolOf(r), err)
	return nil
}

func (s *Server) allowedModels(w http.ResponseWriter, r *http.Request) ([]gateway.ModelInfo, bool) {
	current, principal, ok := s.mayList(w, r)
	if !ok {
		return nil, false
	}
	return current.Models(principal), true
}

// mayList authenticates; where it could not, it has answered already.
func (s *Server) mayList(w http.ResponseWriter, r *http.Request) (*gateway.Snapshot, *weir.Principal, bool) {
	current := s.gateway.Current()
	principal, err := current.Keys.Authenticate(r.Header, query(r))
	if err != nil {
		s.writeError(w, protocolOf(r), weir.AsError(err))
		return nil, nil, false
	}
	return current, principal, true
}

func (s *Server) appendModel(b *jsonx.Buffer, m *gateway.ModelInfo) {
	b.BeginObject()
	b.StringField("id", m.ID)
	b.StringField("object", "model")
	b.StringField("type", "model")
	b.StringField("display_name", m.Name)
	b.StringField("owned_by", m.Provider)
	b.IntField("created", s.started.Unix())
	b.StringField("created_at", s.started.UTC().Format(time.RFC3339))
	if m.Context > 0 {
		b.IntField("max_input_tokens", m.Context)
		b.IntField("context_length", m.Context)
	}
	if m.MaxOutput > 0 {
		b.IntField("max_tokens", m.MaxOutput)
	}
	b.EndObject()
}
