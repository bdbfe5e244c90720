package gemini

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// embed writes an Embed request: one input alone as embedContent, several as
// batchEmbedContents, which a client of this protocol may have asked for one, too.
func (w *bodyWriter) embed() error {
	b := w.body
	if len(b.Messages) == 0 {
		e := weir.Invalid("input", "input: at least one text is required")
		e.Hint = "send the texts that vectors are wanted for"
		return e
	}
	w.embedLosses()
	start := w.begin()
	w.batch = len(b.Messages) > 1 || w.same && marked(b.Extra, "requests") != ""
	if !w.batch {
		if err := w.embedInput(0); err != nil {
			return err
		}
	} else {
		w.buf.Key("requests")
		w.buf.BeginArray()
		for i := range b.Messages {
			w.buf.BeginObject()
			if err := w.embedInput(i); err != nil {
				return err
			}
			w.buf.EndObject()
		}
		w.buf.EndArray()
	}
	w.extra(start, b.Extra, "")
	w.buf.EndObject()
	return nil
}

// embedSettings are the settings that have a word, in the order in which they are
// written.
var embedSettings = [...]string{"taskType", "outputDimensionality", "autoTruncate"}

// embedInput writes the members of one input's request.
func (w *bodyWriter) embedInput(i int) error {
	m := &w.body.Messages[i]
	if w.batch {
		w.buf.StringField("model", resourceName(w.model))
	}
	t := turn{at: i, extra: m.Extra}
	for k := range m.Blocks {
		t.parts = append(t.parts, placed{Block: &m.Blocks[k], at: codec.Place{Message: i, Block: k}})
	}
	if w.same {
		t.role = roleUser
	}
	w.buf.Key("content")
	if err := w.content(&t); err != nil {
		return err
	}
	written := map[string]bool{"model": true}
	if w.same {
		for _, f := range inner(m.Extra, requestPath) {
			key := camel(f.Name)
			if written[key] {
				continue
			}
			written[key] = true
			if value := embedValue(w.body.Embed, key); f.Spelling && len(value) > 0 {
				f.Value = value
			}
			w.buf.RawField(f.Name, f.Value)
		}
	}
	for _, key := range embedSettings {
		if written[key] || marked(m.Extra, key) != "" || !w.same && key != "outputDimensionality" {
			continue
		}
		if value := embedValue(w.body.Embed, key); len(value) > 0 {
			w.buf.RawField(key, value)
		}
	}
	return nil
}

// embedLosses notes what of another protocol's request there is no word for.
func (w *bodyWriter) embedLosses() {
	e := w.body.Embed
	if e == nil || w.same {
		return
	}
	if e.Task != "" {
		w.losses.Drop("input_type", "the target has other words for what vectors are for")
	}
	if e.Truncate != nil && !*e.Truncate {
		w.losses.Drop("truncate", "the target cuts texts that are too long")
	}
}
