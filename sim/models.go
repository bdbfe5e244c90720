package sim

import (
	"net/http"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// modelsCreated is when the simulated models came to be.
var modelsCreated = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// models lists the models as Anthropic does where the client sends
// anthropic-version, else as OpenAI does. Sources: OpenAI OpenAPI 2.3.0,
// 2026-08-21; Anthropic "List Models", 2026-08-07.
func (s *Server) models(w http.ResponseWriter, r *http.Request) {
	face := faceOf(r)
	if !s.admits(r.Header) {
		writeError(w, face, weir.Errorf(weir.KindUnauthenticated, "the API key is missing or wrong"))
		return
	}
	names := s.o.Models
	if len(names) == 0 {
		names = []string{"sim"}
	}
	anthropic := face.Protocol() == weir.AnthropicMessages
	var b jsonx.Buffer
	b.BeginObject()
	if !anthropic {
		b.StringField("object", "list")
	}
	b.Key("data")
	b.BeginArray()
	for _, name := range names {
		appendModel(&b, name, anthropic)
	}
	b.EndArray()
	if anthropic {
		b.BoolField("has_more", false)
		b.StringField("first_id", names[0])
		b.StringField("last_id", names[len(names)-1])
	}
	b.EndObject()
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b.B)
}

func appendModel(b *jsonx.Buffer, name string, anthropic bool) {
	b.BeginObject()
	b.StringField("id", name)
	if anthropic {
		b.StringField("type", "model")
		b.StringField("display_name", name)
		b.StringField("created_at", modelsCreated.Format(time.RFC3339))
	} else {
		b.StringField("object", "model")
		b.IntField("created", modelsCreated.Unix())
		b.StringField("owned_by", "weir-sim")
	}
	b.EndObject()
}
