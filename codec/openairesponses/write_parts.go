package openairesponses

import (
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// part writes a content part of a body of this protocol.
func (w *writer) part(role weir.Role, b *weir.Block) {
	if b.Type == weir.BlockOpaque {
		w.Raw(b.Opaque.Raw)
		return
	}
	w.BeginObject()
	switch b.Type {
	case weir.BlockImage, weir.BlockFile, weir.BlockAudio:
		w.media(b.Type, b.Media)
	case weir.BlockRefusal:
		w.StringField("type", "refusal")
		w.StringField("refusal", b.Text)
	default:
		if raw := b.Extra.Value("type"); raw != nil {
			w.RawField("type", raw)
		} else {
			w.StringField("type", textType(role))
		}
		w.StringField("text", b.Text)
		w.annotations(b.Citations)
	}
	w.partExtra(b)
	w.EndObject()
}

// partExtra writes what else a part had.
func (w *writer) partExtra(b *weir.Block) {
	if b.Cache != nil {
		w.Key("prompt_cache_breakpoint")
		w.BeginObject()
		mode := false
		for _, f := range b.Cache.Extra {
			mode = mode || f.Name == "mode"
			w.RawField(f.Name, f.Value)
		}
		if !mode {
			w.StringField("mode", "explicit")
		}
		w.EndObject()
	}
	for _, f := range b.Extra {
		switch f.Name {
		case "type", itemField, "phase":
		case "annotations":
			if len(b.Citations) == 0 {
				w.RawField(f.Name, f.Value)
			}
		default:
			w.RawField(f.Name, f.Value)
		}
	}
}

// annotations writes the citations that this protocol can say.
func (w *writer) annotations(all []weir.Citation) {
	if len(all) == 0 {
		return
	}
	w.Key("annotations")
	w.BeginArray()
	for i := range all {
		writeAnnotation(&w.Buffer, &all[i])
	}
	w.EndArray()
}

// citable reports whether an annotation can say a citation: the upstream's own of
// this protocol, or one of an address.
func citable(c *weir.Citation) bool { return c.URL != "" || c.From == protocol && c.Raw != nil }

func writeAnnotation(b *jsonx.Buffer, c *weir.Citation) {
	if c.From == protocol && c.Raw != nil {
		b.Raw(c.Raw)
		return
	}
	b.BeginObject()
	b.StringField("type", "url_citation")
	b.StringField("url", c.URL)
	b.StringField("title", c.Title)
	if c.End > 0 {
		b.IntField("start_index", int64(c.Start))
		b.IntField("end_index", int64(c.End))
	}
	b.EndObject()
}

// media writes the members of an image, a file or a sound.
func (w *writer) media(typ weir.BlockType, m *weir.Media) {
	switch typ {
	case weir.BlockImage:
		w.StringField("type", "input_image")
		w.address("image_url", m)
	case weir.BlockFile:
		w.StringField("type", "input_file")
		w.word("filename", m.Name)
		if m.Data != "" {
			w.address("file_data", m)
		} else {
			w.word("file_url", m.URL)
		}
	default:
		w.StringField("type", "input_audio")
		w.audio(m)
	}
	w.word("file_id", m.FileID)
	w.word("detail", m.Detail)
	for _, f := range m.Extra {
		switch f.Name {
		case "image_url", "file_data", "file_url", "input_audio":
			if !jsonx.IsNull(f.Value) || m.Data != "" || m.URL != "" && f.Name != "file_data" {
				continue // written above
			}
		}
		w.RawField(f.Name, f.Value)
	}
}

// address writes content or an address: as the client spelled it while it means
// the same.
func (w *writer) address(key string, m *weir.Media) {
	if m.Data == "" {
		w.word(key, m.URL)
		return
	}
	url := codec.DataURL(m.MIME, m.Data)
	if raw := m.Extra.Value(key); raw != nil && w.native() {
		spelled := jsonx.StringOr(raw, "")
		mime, data, ok := codec.ParseDataURL(spelled)
		if ok && mime == m.MIME && data == m.Data || !ok && spelled == m.Data {
			url = spelled
		}
	}
	w.StringField(key, url)
}

func (w *writer) audio(m *weir.Media) {
	raw := m.Extra.Value("input_audio")
	if raw != nil && jsonx.StringOr(jsonx.Get(raw, "data"), "") == m.Data {
		w.RawField("input_audio", raw)
		return
	}
	w.Key("input_audio")
	w.BeginObject()
	w.StringField("data", m.Data)
	w.word("format", audioFormat(m.MIME))
	w.EndObject()
}

func audioFormat(mime string) string {
	for format, m := range audioTypes {
		if m == mime {
			return format
		}
	}
	return strings.TrimPrefix(strings.TrimPrefix(mime, "audio/"), "x-")
}

// noCache is why a cache mark was left out.
const noCache = "the target caches without being asked, or not at all"

// foreignPart writes a block of another protocol as a content part. What says
// nothing writes nothing; what would change the question is refused.
func (w *writer) foreignPart(role weir.Role, p placed) error {
	b, at := p.Block, w.paths.Block(p.at)
	w.losses.DropExtra(at, b.Extra)
	if b.Cache != nil {
		w.losses.Drop(at+".cache_control", noCache)
	}
	switch {
	case b.Type == weir.BlockOpaque:
		if text, ok := codec.SearchResultText(b); ok {
			w.textPart(role, text, nil)
			return nil
		}
		w.losses.Drop(at, "a block of the type "+b.Opaque.Type+" has no counterpart here")
	case b.Type == weir.BlockRefusal && role == weir.RoleAssistant:
		w.BeginObject()
		w.StringField("type", "refusal")
		w.StringField("refusal", b.Text)
		w.EndObject()
	case b.Media != nil:
		return w.foreignMedia(role, b, at)
	default:
		w.textPart(role, b.Text, w.cited(b.Citations, at))
	}
	return nil
}

// cited are the citations that can be said; each of the others is a loss.
func (w *writer) cited(all []weir.Citation, at string) []weir.Citation {
	if !slices.ContainsFunc(all, func(c weir.Citation) bool { return !citable(&c) }) {
		return all
	}
	w.losses.Drop(at+".citations", "only addresses can be cited here")
	return slices.DeleteFunc(slices.Clone(all), func(c weir.Citation) bool { return !citable(&c) })
}

func (w *writer) textPart(role weir.Role, text string, citations []weir.Citation) {
	if text == "" {
		return
	}
	w.BeginObject()
	w.StringField("type", textType(role))
	w.StringField("text", text)
	if role == weir.RoleAssistant && len(citations) == 0 {
		w.RawField("annotations", []byte("[]")) // required in what a model said
	}
	w.annotations(citations)
	w.EndObject()
}

// foreignMedia writes media of another protocol.
func (w *writer) foreignMedia(role weir.Role, b *weir.Block, at string) error {
	m := b.Media
	w.losses.DropExtra(at, m.Extra)
	if m.Citations != nil && *m.Citations {
		w.losses.Drop(at+".citations", "the target does not cite documents")
	}
	switch {
	case m.Text != "":
		w.textPart(role, codec.DocumentText(m), nil)
		return nil
	case role == weir.RoleAssistant && m.Transcript != "":
		// What a model said aloud is history, and its words are enough.
		w.losses.Approximate(at, "spoken words became their transcript")
		w.textPart(role, m.Transcript, nil)
		return nil
	case role == weir.RoleAssistant:
		w.losses.Drop(at, "an assistant's message holds text only")
		return nil
	case b.Type == weir.BlockAudio:
		return unsupported(at, "the target does not take audio", "send its words")
	case m.FileID != "":
		return unsupported(at, "it is a file kept by the client's provider", "send the content itself")
	}
	if m.Context != "" {
		w.losses.Drop(at+".context", "files have no description here")
	}
	out := *m
	out.Extra = nil
	switch {
	case b.Type == weir.BlockImage:
		out.Name = ""
	case out.Name == "" && out.Data != "":
		out.Name = "document.pdf" // required beside file_data
	}
	w.BeginObject()
	w.media(b.Type, &out)
	w.EndObject()
	return nil
}

func unsupported(at, why, hint string) *weir.Error {
	e := weir.Errorf(weir.KindUnsupported, "%s cannot be carried over: %s", at, why)
	e.Param, e.Hint = at, hint
	return e
}
