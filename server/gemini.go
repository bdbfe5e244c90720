package server

import (
	"net/http"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/gateway"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// geminiMethods are the methods that a model has at the end of its path (Gemini
// API v1beta discovery document).
var geminiMethods = map[string]weir.Operation{
	"generateContent":       weir.Generate,
	"streamGenerateContent": weir.Generate,
	"countTokens":           weir.CountTokens,
	"embedContent":          weir.Embed,
	"batchEmbedContents":    weir.Embed,
}

func (s *Server) geminiRoutes(mux *http.ServeMux) {
	faces := map[weir.Operation]*face{}
	for _, op := range geminiMethods {
		faces[op] = s.face(weir.GeminiGenerate, op)
	}
	if faces[weir.Generate] == nil {
		return
	}
	for _, base := range geminiBases {
		mux.HandleFunc("POST "+base+"/models/{call...}", func(w http.ResponseWriter, r *http.Request) {
			s.geminiCall(w, r, faces)
		})
		if strings.HasSuffix(base, "/v1beta") {
			// Some clients take a name with a slash for the whole path.
			mux.HandleFunc("POST "+base+"/{call...}", func(w http.ResponseWriter, r *http.Request) {
				s.geminiCall(w, withPath(r, base+"/models/"+r.PathValue("call")), faces)
			})
			mux.HandleFunc("GET "+base+"/models", s.geminiModels)
			mux.HandleFunc("GET "+base+"/models/{id...}", s.geminiModel)
		}
	}
}

// withPath is a request as if it had been made to another path.
func withPath(r *http.Request, path string) *http.Request {
	c := r.WithContext(r.Context())
	u := *r.URL
	u.Path, u.RawPath = path, ""
	c.URL = &u
	return c
}

// geminiCall finds the operation in the last part of the path.
func (s *Server) geminiCall(w http.ResponseWriter, r *http.Request, faces map[weir.Operation]*face) {
	call := r.PathValue("call")
	op, known := geminiMethods[call[strings.LastIndexByte(call, ':')+1:]]
	if !known || !strings.Contains(call, ":") {
		err := weir.Errorf(weir.KindNotFound, "models have no method %s", bounded(call[strings.LastIndexByte(call, ':')+1:]))
		err.Hint = "generateContent, streamGenerateContent, countTokens, embedContent and batchEmbedContents are served"
		s.writeError(w, weir.GeminiGenerate, err)
		return
	}
	s.generate(w, r, faces[op])
}

// geminiModels lists the models as Google's clients read them.
func (s *Server) geminiModels(w http.ResponseWriter, r *http.Request) {
	list, ok := s.allowedModels(w, r)
	if !ok {
		return
	}
	var b jsonx.Buffer
	b.BeginObject()
	b.Key("models")
	b.BeginArray()
	for i := range list {
		appendGeminiModel(&b, &list[i])
	}
	b.EndArray()
	b.EndObject()
	writeJSON(w, http.StatusOK, b.B)
}

func (s *Server) geminiModel(w http.ResponseWriter, r *http.Request) {
	if m := s.findModel(w, r, r.PathValue("id")); m != nil {
		var b jsonx.Buffer
		appendGeminiModel(&b, m)
		writeJSON(w, http.StatusOK, b.B)
	}
}

func appendGeminiModel(b *jsonx.Buffer, m *gateway.ModelInfo) {
	b.BeginObject()
	b.StringField("name", "models/"+m.ID)
	b.StringField("baseModelId", m.ID)
	b.StringField("version", "001")
	b.StringField("displayName", m.Name)
	b.StringField("description", "served by "+m.Provider)
	if m.Context > 0 {
		b.IntField("inputTokenLimit", m.Context)
	}
	if m.MaxOutput > 0 {
		b.IntField("outputTokenLimit", m.MaxOutput)
	}
	b.Key("supportedGenerationMethods")
	b.BeginArray()
	for _, method := range geminiMethodsOf(m) {
		b.String(method)
	}
	b.EndArray()
	b.EndObject()
}

func geminiMethodsOf(m *gateway.ModelInfo) []string {
	if m.Embeds {
		return []string{"embedContent", "batchEmbedContents"}
	}
	return []string{"generateContent", "streamGenerateContent", "countTokens"}
}
