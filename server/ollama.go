package server

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/gateway"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// What follows is what Ollama's clients ask for beside answers (Ollama API,
// openapi.yaml of 2026-08). What manages models is refused: a gateway's clients
// must not be able to delete the models of a server behind it.

// ollamaVersion is the version of the API that is spoken: clients look at it to
// know what they may send.
const ollamaVersion = "0.12.0"

func (s *Server) ollamaRoutes(mux *http.ServeMux) {
	if s.codecs[weir.OllamaChat] == nil {
		return
	}
	mux.HandleFunc("GET /ollama/{$}", s.ollamaWelcome)
	for _, base := range []string{"/api", "/ollama/api"} {
		mux.HandleFunc("GET "+base+"/tags", s.ollamaTags)
		mux.HandleFunc("GET "+base+"/ps", s.ollamaRunning)
		mux.HandleFunc("GET "+base+"/version", s.ollamaVersion)
		mux.HandleFunc("POST "+base+"/show", s.ollamaShow)
		for _, path := range []string{"/pull", "/push", "/create", "/copy", "/delete", "/blobs/{digest}"} {
			mux.HandleFunc(base+path, s.ollamaManagement)
		}
	}
}

// ollamaManagement refuses what changes the models of a server.
func (s *Server) ollamaManagement(w http.ResponseWriter, r *http.Request) {
	err := weir.Errorf(weir.KindPermission, "models are not managed through the gateway")
	err.Status, err.Hint = http.StatusNotImplemented, "ask the Ollama server itself"
	s.writeError(w, weir.OllamaChat, err)
}

// ollamaWelcome is by which some clients know an Ollama server.
func (s *Server) ollamaWelcome(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "Ollama is running")
}

func (s *Server) ollamaVersion(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, []byte(`{"version":"`+ollamaVersion+`"}`))
}

func (s *Server) ollamaTags(w http.ResponseWriter, r *http.Request) {
	if list, ok := s.allowedModels(w, r); ok {
		s.writeOllamaModels(w, list)
	}
}

// ollamaRunning lists nothing: no model takes up memory here.
func (s *Server) ollamaRunning(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.allowedModels(w, r); ok {
		s.writeOllamaModels(w, nil)
	}
}

func (s *Server) writeOllamaModels(w http.ResponseWriter, list []gateway.ModelInfo) {
	var b jsonx.Buffer
	b.BeginObject()
	b.Key("models")
	b.BeginArray()
	for i := range list {
		m := &list[i]
		digest := sha256.Sum256([]byte(m.ID))
		b.BeginObject()
		b.StringField("name", m.ID)
		b.StringField("model", m.ID)
		b.StringField("modified_at", s.started.UTC().Format(time.RFC3339))
		b.IntField("size", 0)
		b.StringField("digest", hex.EncodeToString(digest[:]))
		b.StringField("remote_model", m.ID)
		appendOllamaDetails(&b, m)
		b.EndObject()
	}
	b.EndArray()
	b.EndObject()
	writeJSON(w, http.StatusOK, b.B)
}

func appendOllamaDetails(b *jsonx.Buffer, m *gateway.ModelInfo) {
	b.Key("details")
	b.BeginObject()
	b.StringField("parent_model", "")
	b.StringField("format", "remote")
	b.StringField("family", m.Provider)
	b.Key("families")
	b.BeginArray()
	b.String(m.Provider)
	b.EndArray()
	b.StringField("parameter_size", "")
	b.StringField("quantization_level", "")
	b.EndObject()
}

// maxShow bounds the body of a question about a model, in bytes.
const maxShow = 64 << 10

// ollamaShow tells what a model can do.
func (s *Server) ollamaShow(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxShow))
	if err != nil || jsonx.Valid(body) != nil {
		s.writeError(w, weir.OllamaChat, weir.Errorf(weir.KindInvalid, "the body is no JSON"))
		return
	}
	name, _ := jsonx.String(jsonx.Get(body, "model"))
	if name == "" {
		name, _ = jsonx.String(jsonx.Get(body, "name"))
	}
	m := s.findModel(w, r, name)
	if m == nil {
		return
	}
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("modelfile", "")
	b.StringField("template", "")
	b.StringField("modified_at", s.started.UTC().Format(time.RFC3339))
	appendOllamaDetails(&b, m)
	b.Key("model_info")
	b.BeginObject()
	b.StringField("general.architecture", "remote")
	if m.Context > 0 {
		b.IntField("remote.context_length", m.Context)
	}
	b.EndObject()
	b.Key("capabilities")
	b.BeginArray()
	for _, c := range ollamaCapabilities(m) {
		b.String(c)
	}
	b.EndArray()
	b.EndObject()
	writeJSON(w, http.StatusOK, b.B)
}

// ollamaCapabilities are in Ollama's words. A model that nothing is known of
// may be able to do anything (B-12).
func ollamaCapabilities(m *gateway.ModelInfo) []string {
	if m.Embeds {
		return []string{"embedding"}
	}
	out := []string{"completion"}
	if m.Tools {
		out = append(out, "tools")
	}
	if m.Vision {
		out = append(out, "vision")
	}
	if m.Thinks {
		out = append(out, "thinking")
	}
	return out
}
