package openaichat

import (
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// citable are the citations that annotations can say: the upstream's own of this
// protocol, and those of an address. Each of the others is a loss.
func (w *chunkWriter) citable(all []weir.Citation) []weir.Citation {
	lost := func(c weir.Citation) bool { return c.URL == "" && (c.From != protocol || c.Raw == nil) }
	if !slices.ContainsFunc(all, lost) {
		return all
	}
	var out []weir.Citation
	for i := range all {
		if !lost(all[i]) {
			out = append(out, all[i])
			continue
		}
		w.losses = append(w.losses, weir.Loss{
			Field: "choices.message.annotations.url_citation", Action: weir.LossDropped,
			Detail: "chat completions cites addresses only, and this source has none",
		})
	}
	return out
}

// writeCitations writes the member annotations.
func writeCitations(b *jsonx.Buffer, citations []weir.Citation) {
	b.Key("annotations")
	b.BeginArray()
	for i := range citations {
		writeCitation(b, &citations[i])
	}
	b.EndArray()
}

// writeCitation writes an annotation: the upstream's own where it is of this
// protocol.
func writeCitation(b *jsonx.Buffer, c *weir.Citation) {
	if c.From == protocol && c.Raw != nil {
		b.Raw(c.Raw)
		return
	}
	b.BeginObject()
	b.StringField("type", "url_citation")
	b.Key("url_citation")
	b.BeginObject()
	b.StringField("url", c.URL)
	b.StringField("title", c.Title)
	if c.Cited != "" {
		b.StringField("content", c.Cited)
	}
	if c.End > 0 {
		b.IntField("start_index", int64(c.Start))
		b.IntField("end_index", int64(c.End))
	}
	b.EndObject()
	b.EndObject()
}
