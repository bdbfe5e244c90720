package anthropic

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/codec"
)

func (e *bodyEncoder) media(b *weir.Block, at string) error {
	m := b.Media
	if m == nil {
		return unsupported(at, "the block has no content")
	}
	src, err := e.sourceOf(b, at)
	if err != nil {
		return err
	}
	start := e.begin()
	if b.Type == weir.BlockImage {
		e.buf.StringField("type", "image")
	} else {
		e.buf.StringField("type", "document")
	}
	e.source(src, at)
	if b.Type == weir.BlockFile {
		e.document(m)
	} else if m.Detail != "" && m.Detail != "auto" {
		e.losses.Drop(at+".detail", "the target has no such setting")
	}
	e.tail(start, b, at)
	e.buf.EndObject()
	return nil
}

func (e *bodyEncoder) document(m *weir.Media) {
	if m.Name != "" {
		e.buf.StringField("title", m.Name)
	}
	if m.Context != "" {
		e.buf.StringField("context", m.Context)
	}
	if m.Citations != nil {
		e.buf.Key("citations")
		e.buf.BeginObject()
		e.buf.BoolField("enabled", *m.Citations)
		e.buf.EndObject()
	}
}

// sourceOf is the media with its data URL taken apart; other URLs stay URLs and
// are fetched by the target (P-10).
func (e *bodyEncoder) sourceOf(b *weir.Block, at string) (weir.Media, error) {
	m := *b.Media
	if mime, data, ok := codec.ParseDataURL(m.URL); ok {
		m.URL, m.Data, m.MIME = "", data, mime
	}
	if e.same {
		return m, nil
	}
	switch {
	case m.FileID != "":
		return m, unsupported(at, "a file id is known to the provider that keeps the file only; send the content or a URL")
	case m.Data == "":
		return m, nil
	case b.Type == weir.BlockImage:
		return imageData(m, at)
	}
	return documentData(m, at)
}

// imageTypes are what the protocol takes (vision guide, 2026-08).
var imageTypes = map[string]string{
	"image/jpeg": "image/jpeg", "image/jpg": "image/jpeg", "image/png": "image/png",
	"image/gif": "image/gif", "image/webp": "image/webp",
}

func imageData(m weir.Media, at string) (weir.Media, error) {
	mime, ok := imageTypes[strings.ToLower(m.MIME)]
	if !ok {
		return m, unsupported(at, "the target takes images of type jpeg, png, gif and webp")
	}
	m.MIME = mime
	return m, nil
}

func documentData(m weir.Media, at string) (weir.Media, error) {
	mime := strings.ToLower(m.MIME)
	if mime == "" && strings.HasSuffix(strings.ToLower(m.Name), ".pdf") {
		mime = "application/pdf"
	}
	if mime == "application/pdf" {
		m.MIME = mime
		return m, nil
	}
	if strings.HasPrefix(mime, "text/") || mime == "application/json" {
		if raw, err := base64.StdEncoding.DecodeString(m.Data); err == nil && utf8.Valid(raw) {
			m.Text, m.Data = string(raw), ""
			return m, nil
		}
	}
	return m, unsupported(at, "the target takes PDF and plain-text files")
}

func (e *bodyEncoder) source(m weir.Media, at string) {
	e.buf.Key("source")
	start := e.begin()
	switch {
	case m.Data != "":
		e.buf.StringField("type", "base64")
		e.buf.StringField("media_type", m.MIME)
		e.buf.StringField("data", m.Data)
	case m.URL != "":
		e.buf.StringField("type", "url")
		e.buf.StringField("url", m.URL)
	case m.FileID != "":
		e.buf.StringField("type", "file")
		e.buf.StringField("file_id", m.FileID)
	default:
		e.buf.StringField("type", "text")
		e.buf.StringField("media_type", "text/plain")
		e.buf.StringField("data", m.Text)
	}
	e.extra(start, m.Extra, at+".source")
	e.buf.EndObject()
}
