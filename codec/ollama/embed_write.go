package ollama

import (
	"strings"

	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// embed writes a request for vectors.
func (w *bodyWriter) embed(f form) error {
	w.BeginObject()
	w.StringField("model", w.req.Model)
	texts := make([]string, len(w.in.Messages))
	for i := range w.in.Messages {
		t := codec.Turn{Message: w.in.Messages[i], At: i}
		p, err := w.sort(&t)
		if err != nil {
			return err
		}
		if len(p.images) > 0 {
			return unsupported(w.paths.Message(i), "the target makes vectors of text only", "leave the image out")
		}
		texts[i] = strings.Join(p.text, "\n\n")
	}
	switch {
	case f == formEmbeddings && len(texts) <= 1:
		w.StringField("prompt", strings.Join(texts, ""))
	case w.native() && len(texts) == 1 && w.in.Messages[0].At == "input":
		w.StringField("input", texts[0])
	default:
		w.Key("input")
		w.BeginArray()
		for _, text := range texts {
			w.String(text)
		}
		w.EndArray()
	}
	w.embedSettings()
	w.EndObject()
	return nil
}

func (w *bodyWriter) embedSettings() {
	if c := w.in.Embed; c != nil {
		if c.Dimensions != nil {
			w.IntField("dimensions", *c.Dimensions)
		}
		if c.Truncate != nil {
			w.BoolField("truncate", *c.Truncate)
		}
		if c.Task != "" {
			w.losses.Drop("task", "the target makes vectors of one kind")
		}
	}
	if w.in.User != "" {
		w.losses.Drop("user", "the target's protocol has no such setting")
	}
	var o jsonx.Buffer
	o.BeginObject()
	if w.native() {
		w.otherOptions(&o)
	}
	o.EndObject()
	if len(o.B) > len("{}") || w.spelled("options") != nil {
		w.RawField("options", o.B)
	}
	w.extra(formEmbed)
}
