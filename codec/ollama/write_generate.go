package ollama

import (
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// fitsGenerate reports whether the body can be written for /api/generate: system
// text, then one prompt.
func (w *bodyWriter) fitsGenerate() bool {
	msgs := w.in.Messages
	if len(msgs) > 0 && msgs[0].Role == weir.RoleSystem {
		msgs = msgs[1:]
	}
	return len(w.in.Tools) == 0 && len(msgs) <= 1 && (len(msgs) == 0 || msgs[0].Role == weir.RoleUser && !holdsResults(&msgs[0]))
}

// generate writes a request of /api/generate.
func (w *bodyWriter) generate() error {
	w.BeginObject()
	w.StringField("model", w.req.Model)
	for i := range w.in.Messages {
		t := codec.Turn{Message: w.in.Messages[i], At: i}
		p, err := w.sort(&t)
		if err != nil {
			return err
		}
		key, text := "prompt", strings.Join(p.text, "\n\n")
		if t.Role == weir.RoleSystem {
			key = "system"
		}
		if text != "" {
			w.StringField(key, text)
		}
		if len(p.images) > 0 {
			w.Key("images")
			w.BeginArray()
			for _, data := range p.images {
				w.String(data)
			}
			w.EndArray()
		}
	}
	w.settings(formGenerate)
	w.EndObject()
	return nil
}
