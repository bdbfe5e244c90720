package openaichat

import (
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/internal/jsonx"
)

// content writes the content member in the form that the client used, or that
// the target demands.
func (w *writer) content(m *weir.Message, p *pieces) error {
	allText := !slices.ContainsFunc(p.content, func(b placed) bool { return b.Type != weir.BlockText })
	switch {
	case len(p.content) == 0:
		w.noContent(m, p)
		return nil
	case allText && (m.Plain || w.q.TextContentOnly || !w.native() && w.joins(m, p.content)):
		w.StringField("content", joinText(m, p.content))
		if !w.native() {
			w.dropCaches(p.content)
		}
		return nil
	}
	w.Key("content")
	w.BeginArray()
	for i := range p.content {
		if err := w.part(p.content[i]); err != nil {
			return err
		}
	}
	w.EndArray()
	return nil
}

// noCache is why a cache mark was left out.
const noCache = "the target caches without being asked, or not at all"

// dropCaches notes the cache marks of texts that became one string.
func (w *writer) dropCaches(texts []placed) {
	for i := range texts {
		if texts[i].Cache != nil {
			w.losses.Drop(w.paths.Block(texts[i].at)+".cache_control", noCache)
		}
	}
}

// noContent writes what stands in for content where there is none.
func (w *writer) noContent(m *weir.Message, p *pieces) {
	calls := len(p.calls) > 0 && m.Role == weir.RoleAssistant
	if w.native() && (w.q.EmptyContent == "" || !calls) {
		if m.Plain {
			w.StringField("content", "")
		} else {
			w.nulls(m, "content")
		}
		return
	}
	switch {
	case calls && w.q.EmptyContent == "omit":
	case calls && w.q.EmptyContent != "empty":
		w.RawField("content", []byte("null"))
	default:
		w.StringField("content", "")
	}
}

// joins reports whether texts of another protocol become one string: where
// nothing would be lost by it, and for assistants always, since their several
// text blocks are one text (protocols.md §12.5).
func (w *writer) joins(m *weir.Message, blocks []placed) bool {
	if w.q.CacheControl && slices.ContainsFunc(blocks, func(b placed) bool { return b.Cache != nil }) {
		return false
	}
	return m.Role == weir.RoleAssistant || len(blocks) == 1
}

func joinText(m *weir.Message, blocks []placed) string {
	if len(blocks) == 1 {
		return blocks[0].Text
	}
	separator := "\n\n"
	if m.Role == weir.RoleAssistant || m.Plain {
		separator = ""
	}
	texts := make([]string, len(blocks))
	for i := range blocks {
		texts[i] = blocks[i].Text
	}
	return strings.Join(texts, separator)
}

// part writes one content part.
func (w *writer) part(p placed) error {
	if !w.native() {
		return w.foreignPart(p)
	}
	b := p.Block
	if b.Type == weir.BlockOpaque {
		w.Raw(b.Opaque.Raw)
		return nil
	}
	if raw := spelled(b.Extra, w.from, "thinking"); raw != nil && b.Type == weir.BlockReasoning {
		w.thinkingPart(b, raw)
		return nil
	}
	w.BeginObject()
	w.inside(b)
	if b.Cache != nil {
		w.cache("", b.Cache) // never lost: the client wrote it
	}
	for _, f := range b.Extra {
		if !f.Spelling || !partFields[f.Name] || jsonx.IsNull(f.Value) {
			w.RawField(f.Name, f.Value)
		}
	}
	w.EndObject()
	return nil
}

// partFields are the members of a part that its own writers write.
var partFields = map[string]bool{"image_url": true, "input_audio": true, "file": true, "refusal": true}

// thinkingPart writes a Mistral part, as it came while its text is the same.
func (w *writer) thinkingPart(b *weir.Block, raw []byte) {
	if thinkingText(jsonx.Get(raw, "thinking")) == b.Text {
		w.Raw(raw)
		return
	}
	w.BeginObject()
	w.StringField("type", "thinking")
	w.Key("thinking")
	w.BeginArray()
	w.BeginObject()
	w.StringField("type", "text")
	w.StringField("text", b.Text)
	w.EndObject()
	w.EndArray()
	w.EndObject()
}

// inside writes a part's type and what it holds.
func (w *writer) inside(b *weir.Block) {
	switch b.Type {
	case weir.BlockRefusal:
		w.StringField("type", "refusal")
		w.StringField("refusal", b.Text)
	case weir.BlockImage:
		w.StringField("type", "image_url")
		w.image(b)
	case weir.BlockAudio:
		w.StringField("type", "input_audio")
		w.audio(b)
	case weir.BlockFile:
		w.StringField("type", "file")
		w.file(b)
	default:
		w.StringField("type", "text")
		w.StringField("text", b.Text)
	}
}

// sameMedia reports whether what was remembered still says what b says.
func sameMedia(b *weir.Block, name string, raw []byte) bool {
	var r reader
	var again weir.Block
	r.inside(&again, name, name, raw)
	a, c := *again.Media, *b.Media
	a.Extra, c.Extra = nil, nil
	return r.err == nil && a.MIME == c.MIME && a.Data == c.Data && a.URL == c.URL && a.FileID == c.FileID &&
		a.Name == c.Name && a.Detail == c.Detail
}

func (w *writer) asWritten(b *weir.Block, name string) bool {
	raw := spelled(b.Extra, w.from, name)
	if raw == nil || !sameMedia(b, name, raw) {
		return false
	}
	w.RawField(name, raw)
	return true
}

func address(m *weir.Media) string {
	if m.Data != "" {
		return codec.DataURL(m.MIME, m.Data)
	}
	return m.URL
}

func (w *writer) image(b *weir.Block) {
	if w.asWritten(b, "image_url") {
		return
	}
	w.Key("image_url")
	w.BeginObject()
	w.StringField("url", address(b.Media))
	w.text("detail", b.Media.Detail)
	w.mediaExtra(b.Media)
	w.EndObject()
}

func (w *writer) mediaExtra(m *weir.Media) {
	if w.native() {
		for _, f := range m.Extra {
			w.RawField(f.Name, f.Value)
		}
	}
}

func (w *writer) audio(b *weir.Block) {
	if w.asWritten(b, "input_audio") {
		return
	}
	w.Key("input_audio")
	w.BeginObject()
	data := b.Media.Data
	if data == "" {
		data = b.Media.URL
	}
	w.StringField("data", data)
	w.text("format", audioFormat(b.Media.MIME))
	w.mediaExtra(b.Media)
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

func (w *writer) file(b *weir.Block) {
	if w.asWritten(b, "file") {
		return
	}
	m := b.Media
	w.Key("file")
	w.BeginObject()
	w.text("filename", m.Name)
	w.text("file_id", m.FileID)
	w.text("file_data", address(m))
	w.mediaExtra(m)
	w.EndObject()
}
