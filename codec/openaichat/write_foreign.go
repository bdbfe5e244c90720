package openaichat

import (
	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

// foreignPart writes a block of another protocol as a content part, or refuses
// what would change the question if it were left out.
func (w *writer) foreignPart(p placed) error {
	b, at := p.Block, w.paths.Block(p.at)
	if b.Type == weir.BlockOpaque {
		if text, ok := codec.SearchResultText(b); ok {
			w.textPart(at, text, b.Cache)
			return nil
		}
		w.losses.Drop(at, "a block of the type "+b.Opaque.Type+" has no counterpart here")
		return nil
	}
	m := b.Media
	if m == nil {
		w.textPart(at, b.Text, b.Cache)
		return nil
	}
	w.losses.DropExtra(at, m.Extra)
	if m.Citations != nil && *m.Citations {
		w.losses.Drop(at+".citations", "the target does not cite documents")
	}
	if m.Text != "" {
		w.textPart(at, codec.DocumentText(m), b.Cache)
		return nil
	}
	if err := portable(at, b); err != nil {
		return err
	}
	out := *b
	if b.Type == weir.BlockFile {
		media := *m
		if media.Name == "" {
			media.Name = "document.pdf" // required beside file_data
		}
		out.Media = &media
	}
	w.BeginObject()
	w.inside(&out)
	w.cacheOf(at, b.Cache)
	w.EndObject()
	return nil
}

// portable refuses media that only the client's own provider can reach.
func portable(at string, b *weir.Block) error {
	switch m := b.Media; {
	case m.FileID != "":
		return unsupported(at, "it is a file kept by the client's provider", "send the content itself")
	case b.Type == weir.BlockFile && m.URL != "":
		return unsupported(at, "documents by address are unknown to chat completions", "send the content itself")
	case b.Type == weir.BlockAudio && m.Data == "":
		return unsupported(at, "audio by address is unknown to chat completions", "send the content itself")
	}
	return nil
}

func unsupported(at, why, hint string) *weir.Error {
	e := weir.Errorf(weir.KindUnsupported, "%s cannot be carried over: %s", at, why)
	e.Param, e.Hint = at, hint
	return e
}

func (w *writer) textPart(at, text string, cache *weir.CacheControl) {
	w.BeginObject()
	w.StringField("type", "text")
	w.StringField("text", text)
	w.cacheOf(at, cache)
	w.EndObject()
}

func (w *writer) cacheOf(at string, c *weir.CacheControl) {
	if c != nil {
		w.cache(at, c)
	}
}
